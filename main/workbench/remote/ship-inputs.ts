/**
 * Carrying to a machine what a config names here: data files, own data sets, folders of models. Each folder there is named by the hash of
 * its content, so what was carried once costs nothing again; what the program brings with it, or the machine has itself, is not carried.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { formatHubName, readHubName } from '../../../shared/hub-model.ts';
import { isPlainObject, type JsonObject } from '../../../shared/json-object.ts';
import { specFiles } from '../../data/catalogue.ts';
import { fileHash } from '../../machine/transfer.ts';
import { EMBEDDED } from '../models.ts';
import { Secrets } from '../secrets.ts';
import { Attendant } from './attendant.ts';
import { inputsOf, type MachinePlace } from './place.ts';
import { readRemote } from './remote-file.ts';

export interface ShipOptions {
  signal?: AbortSignal;
  /** Told of each thing that is carried: what it is, bytes done, bytes of all. */
  onProgress?: (what: string, done: number, total: number) => void;
  /** For models of the hub that ask for an account. @default the one that is set */
  hubToken?: () => Promise<string | null>;
}

export interface Shipped {
  /** The settings with the paths that hold there. */
  settings: JsonObject;
  /** Where the programs there find named data sets. */
  env: Record<string, string>;
  /** Bytes that had to be sent. */
  sent: number;
}

/** A file here, and its place below the folder there (`/` between parts). */
interface Carried {
  from: string;
  to: string;
}

/** Written last: a folder that has it is whole. */
const WHOLE = '.whole';

class Shipment {
  readonly place: MachinePlace;
  /** The machine's name in the list. */
  readonly name: string;
  readonly options: ShipOptions;
  sent = 0;

  constructor(place: MachinePlace, name: string, options: ShipOptions) {
    this.place = place;
    this.name = name;
    this.options = options;
  }

  /** The folder there that holds these files. */
  async folder(kind: string, what: string, files: readonly Carried[]): Promise<string> {
    const { signal, onProgress } = this.options;
    const hash = createHash('sha256');
    for (const { from, to } of files.toSorted((a, b) => (a.to < b.to ? -1 : 1))) hash.update(`${await fileHash(from, signal)}  ${to}\n`);
    const folder = `${inputsOf(this.place)}/${kind}/${hash.digest('hex').slice(0, 32)}`;
    const { machine } = this.place;
    if ((await machine.stat(`${folder}/${WHOLE}`)) !== null) return folder;
    const total = files.reduce((sum, { from }) => sum + statSync(from).size, 0);
    let before = 0;
    for (const { from, to } of files) {
      signal?.throwIfAborted();
      const done = before;
      const { sent, bytes } = await machine.upload(from, `${folder}/${to}`, {
        signal,
        onProgress: (of) => onProgress?.(what, done + of, total),
      });
      this.sent += sent;
      before += bytes;
    }
    await machine.writeFile(`${folder}/${WHOLE}`, '');
    return folder;
  }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => statSync(join(folder, entry.name)).isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();

/** What only a training that goes on needs of a checkpoint. */
const NOT_OF_A_MODEL = /^(trainer\.safetensors|runner-state\.json|checksums\.json)$/;

/** The run folder that a model lies in, `<run>/model` or `<run>/checkpoints/step-…`; null where it lies in none. */
function runAround(model: string): { run: string; below: string } | null {
  const run = [dirname(model), dirname(dirname(model))].find((folder) => existsSync(join(folder, 'run.json')));
  return run === undefined ? null : { run, below: relative(run, model).replaceAll('\\', '/') };
}

/** A model of the hub is fetched by the machine itself, and named by its commit from then on. */
async function fetchedThere(shipment: Shipment, model: string): Promise<string> {
  const hub = readHubName(model);
  if (hub === null) return model;
  const { signal, onProgress, hubToken = () => new Secrets().value('hf_token') } = shipment.options;
  const commit = await new Attendant(shipment.place).downloadModel(
    model,
    await hubToken(),
    (event) => {
      if (event.type === 'progress') onProgress?.(model, event.bytes_done, event.bytes);
    },
    { signal },
  );
  return formatHubName({ ...hub, revision: commit });
}

/** A model's name there. */
async function shipModel(shipment: Shipment, model: string): Promise<string> {
  const folder = resolve(model);
  // Embedded, or a name that the machine knows; what nobody knows is told there.
  if (EMBEDDED.includes(model)) return model;
  const around = runAround(folder);
  const remote = around === null ? null : readRemote(around.run);
  // The run that made it is on that machine: so are its weights.
  if (around !== null && remote !== null && remote.machine === shipment.name) {
    if ((await shipment.place.machine.stat(`${remote.folder}/${around.below}/config.json`)) !== null)
      return `${remote.folder}/${around.below}`;
  }
  if (!existsSync(join(folder, 'config.json'))) return fetchedThere(shipment, model);
  const names = filesIn(folder).filter((name) => !NOT_OF_A_MODEL.test(name));
  if (around === null) {
    const there = await shipment.folder(
      'models',
      basename(folder),
      names.map((name) => ({ from: join(folder, name), to: name })),
    );
    return there;
  }
  // With the record of its run beside it: a result measured with it says what it was trained on.
  const files = names.map((name) => ({ from: join(folder, name), to: `${around.below}/${name}` }));
  const there = await shipment.folder('models', basename(around.run), [{ from: join(around.run, 'run.json'), to: 'run.json' }, ...files]);
  return `${there}/${around.below}`;
}

/** Files of named data sets, collected so that one folder there holds them all. */
interface NamedData {
  data: Map<string, Carried>;
  datasets: Map<string, Carried>;
}

/** A data set's name there. */
async function shipData(shipment: Shipment, named: NamedData, spec: string): Promise<string> {
  const found = specFiles(spec);
  if (found.kind === 'generated') return spec;
  if (found.kind === 'catalogue') {
    for (const from of found.files) named.data.set(basename(from), { from, to: basename(from) });
    return spec;
  }
  if (found.kind === 'own') {
    for (const name of filesIn(found.folder)) {
      named.datasets.set(`${found.name}/${name}`, { from: join(found.folder, name), to: `${found.name}/${name}` });
    }
    // A subset rests on its source; a source that is a file lies elsewhere there, and cannot be named anew in the subset's record.
    if (found.from !== null && !isAbsolute(found.from)) await shipData(shipment, named, found.from);
    return spec;
  }
  const there = await shipment.folder(
    'files',
    basename(found.path),
    found.files.map((from) => ({ from, to: basename(from) })),
  );
  return `${there}/${basename(found.path)}${found.split === undefined ? '' : `:${found.split}`}`;
}

/**
 * Carries what a config names, and gives the config as it holds there. The config need not have been checked: what is not understood is
 * left as it is, and refused there with the field's name. Errors: InputError for a data set that is not here; MachineError.
 */
export async function shipInputs(place: MachinePlace, name: string, settings: JsonObject, options: ShipOptions = {}): Promise<Shipped> {
  const shipment = new Shipment(place, name, options);
  const named: NamedData = { data: new Map(), datasets: new Map() };
  const there: JsonObject = { ...settings };
  const { model, data, few_shot } = settings;
  if (typeof model === 'string') there.model = await shipModel(shipment, model);
  if (isPlainObject(data)) {
    const specs: JsonObject = { ...data };
    for (const role of ['train', 'validation', 'test']) {
      const spec = data[role];
      if (typeof spec === 'string') specs[role] = await shipData(shipment, named, spec);
    }
    there.data = specs;
  }
  if (isPlainObject(few_shot) && typeof few_shot.data === 'string') {
    there.few_shot = { ...few_shot, data: await shipData(shipment, named, few_shot.data) };
  }
  const env: Record<string, string> = {};
  if (named.data.size > 0) env.MEDLOGICTRACE_DATA = await shipment.folder('data', 'data files', [...named.data.values()]);
  if (named.datasets.size > 0) env.MEDLOGICTRACE_DATASETS = await shipment.folder('datasets', 'data sets', [...named.datasets.values()]);
  return { settings: there, env, sent: shipment.sent };
}
