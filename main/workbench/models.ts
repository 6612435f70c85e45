/** The models at hand: the embedded one, folders of the user's, what was fetched from the hub, and what runs have written. */
import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import type { AdapterEntry, ModelEntry, ModelList } from '../../shared/model-list.ts';
import { unknownName } from '../../shared/nearest.ts';
import { defaultHubDir, hubModels } from './hub-models.ts';
import { readRecord } from './run-files.ts';
import { listRuns } from './runs.ts';

/** The names of main/policy/model-location.ts, which this room may not import. */
export const EMBEDDED: readonly string[] = ['tiny'];

/** `MEDLOGICTRACE_MODELS`, else `models` beside the folder of runs. */
export const defaultModelsDir = (runsDir: string): string =>
  resolve(process.env.MEDLOGICTRACE_MODELS || join(dirname(resolve(runsDir)), 'models'));

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const named = entries.filter(({ name }) => !name.startsWith('.'));
  const are = await Promise.all(
    // A link to a folder is one, too: checkpoints are large, and kept elsewhere.
    named.map(
      async (entry) =>
        entry.isDirectory() || (entry.isSymbolicLink() && (await stat(join(path, entry.name)).catch(() => null))?.isDirectory()),
    ),
  );
  return named
    .filter((_, i) => are[i])
    .map(({ name }) => name)
    .sort();
}

/** Whether a folder was meant as a model: one that lacks a file must be told, not hidden. */
const looksLikeModel = (names: readonly string[]): boolean =>
  names.some((name) => name === 'config.json' || name === 'tokenizer.json' || name.endsWith('.safetensors'));

/** An adapter by itself, in PEFT's form. */
const isAdapter = (names: readonly string[]): boolean => names.includes('adapter_config.json') && !names.includes('config.json');

interface Found {
  models: ModelEntry[];
  adapters: AdapterEntry[];
}

/** Folders directly below, and one level further (`organisation/name`, as the Hugging Face Hub names them). */
async function installed(modelsDir: string): Promise<Found> {
  const found: Found = { models: [], adapters: [] };
  const add = async (name: string): Promise<boolean> => {
    const location = join(modelsDir, name);
    const names = await readdir(location);
    if (isAdapter(names)) found.adapters.push({ id: `installed/${name}`, name, location, run: null });
    else if (looksLikeModel(names)) {
      const link = (await lstat(location)).isSymbolicLink();
      found.models.push({
        id: `installed/${name}`,
        name,
        origin: 'installed',
        location,
        ...(link ? { link } : {}),
        parameters: null,
        run: null,
      });
    } else return false;
    return true;
  };
  for (const name of await folders(modelsDir)) {
    if (!(await add(name))) for (const inner of await folders(join(modelsDir, name))) await add(`${name}/${inner}`);
  }
  return found;
}

/** What a run has written: the model that it ended with, then its checkpoints, the newest first. */
async function ofRun(folder: string): Promise<Found> {
  const record = await readRecord(folder);
  const { id, config, created, splits, model } = record;
  if (config.kind === 'evaluate') return { models: [], adapters: [] };
  const { trained_on, selected_on } = splits;
  const run = { id, name: config.name ?? null, kind: config.kind, created, trained_on, selected_on, prompt: config.prompt };
  const label = config.name ?? id;
  const steps = (await folders(join(folder, 'checkpoints'))).flatMap((name) => /^step-(\d{6,})$/.exec(name)?.[1] ?? []);
  const entry = (path: string, name: string, step: number | null): ModelEntry => ({
    id: `run/${id}/${path.split('/').at(-1)}`,
    name,
    origin: 'run',
    location: join(folder, path),
    parameters: model.parameters,
    run: { ...run, step },
  });
  const last = (await folders(folder)).includes('model') ? [entry('model', label, null)] : [];
  const checkpoints = steps
    .toReversed()
    .map((digits) => entry(`checkpoints/step-${digits}`, `${label}, step ${Number(digits)}`, Number(digits)));
  const models = [...last, ...checkpoints];
  const adapters: AdapterEntry[] = [];
  if (config.use_peft) {
    for (const { id: of, name, location } of models) {
      const place = join(location, 'adapter');
      if ((await folders(location)).includes('adapter')) adapters.push({ id: `${of}/adapter`, name, location: place, run: id });
    }
  }
  return { models, adapters };
}

/** All models. What cannot be read is named with its reason and hides no other. Errors: those of reading the folders of models. */
export async function listModels(
  runsDir: string,
  modelsDir: string = defaultModelsDir(runsDir),
  hubDir: string = defaultHubDir(),
): Promise<ModelList> {
  const { runs, unreadable } = await listRuns(runsDir);
  const embedded = EMBEDDED.map(
    (name): ModelEntry => ({ id: name, name, origin: 'embedded', location: name, parameters: null, run: null }),
  );
  const bad = [...unreadable];
  const written = await Promise.all(
    runs.map(({ folder }) =>
      ofRun(folder).catch((error: unknown) => {
        bad.push({ folder, message: error instanceof Error ? error.message : String(error) });
        return { models: [], adapters: [] };
      }),
    ),
  );
  const own = await installed(modelsDir);
  const models = [...embedded, ...own.models, ...(await hubModels(hubDir)), ...written.flatMap((of) => of.models)];
  const adapters = [...own.adapters, ...written.flatMap((of) => of.adapters)];
  return { models_dir: modelsDir, hub_dir: hubDir, models, adapters, unreadable: bad };
}

/** A model of the list. Errors: InputError for an id that is not in it. */
export const findModel = async (runsDir: string, id: string): Promise<ModelEntry> => modelIn((await listModels(runsDir)).models, id);

/** The same, of a list that was read. Errors: as above. */
export function modelIn(models: readonly ModelEntry[], id: string): ModelEntry {
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return found;
  throw new InputError(
    `${unknownName(
      'model',
      id,
      models.slice(0, 5).map((model) => model.id),
    )}; it may have been deleted`,
    'model',
  );
}
