/** Starting a run on another machine: once for each request, at whatever instant the app, the connection or the machine gives way. */
import { basename } from 'node:path';
import type { JsonObject } from '../../../shared/json-object.ts';
import type { AttendOutput, GpuShare, LaunchPlan } from '../../../shared/remote-run.ts';
import { Attendant } from './attendant.ts';
import { beginMirror } from './begin-mirror.ts';
import { dropStart, noteStart, pendingStarts } from './pending-starts.ts';
import { type MachinePlace, type OpenMachine, runsOf } from './place.ts';
import { startThere } from './remote-control.ts';
import { type ShipOptions, shipInputs } from './ship-inputs.ts';

export interface NewRemote {
  machine: string;
  /** As a file holds them, presets resolved. */
  settings: JsonObject;
  /** A uuid; the same one names the same run. */
  request: string;
  /** Folder of the runs here, where its mirror will be. */
  runsDir: string;
  /** The run's id; absent: made there from time and name. */
  id?: string;
  /** Name of its mirror's folder here; absent: the id. */
  name?: string;
  /** @default 'all' */
  gpus?: GpuShare;
  /** How often it is started again by itself after its runner was killed or its engine lost. @default 1 */
  autoResume?: number;
}

export interface RemoteStart extends NewRemote {
  /** Waits for a place where none is free. @default false */
  wait?: boolean;
  /** The runner's program there; a test brings its own. */
  runner?: string;
}

export interface StartedThere extends AttendOutput<'start'> {
  run: string;
  /** Its mirror here. */
  folder: string;
}

/** Makes the run there without starting it, and its mirror here, whose folder is given. Errors: as `startRemote`. */
export async function createRemote(start: NewRemote, open: OpenMachine, options: ShipOptions = {}): Promise<string> {
  const { machine, request, runsDir, id, gpus = 'all', autoResume = 1 } = start;
  const place = await open(machine);
  const attendant = new Attendant(place);
  // Before anything goes out.
  noteStart(runsDir, { request, machine, since: new Date().toISOString() });
  const { settings, env } = await shipInputs(place, machine, start.settings, options);
  // What is carried can take long; from here on it is a matter of seconds.
  noteStart(runsDir, { request, machine, since: new Date().toISOString() });
  const question = { config: settings, runs_dir: runsOf(place), request, ...(id === undefined ? {} : { id }) };
  const made = await attendant.service('config.create', question, env, { signal: options.signal });
  const plan: LaunchPlan = { gpus, auto_resume: autoResume, env: { ...place.env, ...env } };
  await place.machine.writeFile(`${made.folder}/launch.json`, `${JSON.stringify(plan, null, 2)}\n`);
  return mirrorOf(place, machine, made.folder, runsDir, start.name);
}

async function mirrorOf(place: MachinePlace, name: string, remoteFolder: string, runsDir: string, as?: string): Promise<string> {
  const record = await place.machine.readFrom(`${remoteFolder}/run.json`, 0, 4 << 20);
  if (record === null) throw new Error(`machine ${name}: ${remoteFolder} has no run.json`);
  return beginMirror(runsDir, name, remoteFolder, Buffer.from(record.bytes).toString('utf8'), as);
}

/**
 * Carries what the config names to the machine, makes the run there by the runner's own code, and starts it through the machine's queue.
 * Asked again under the same request, at whatever point the first time ended, it goes on from there and starts nothing twice.
 * Errors: InputError naming the field (a wrong config, no free place, a machine that is not set up); MachineError where it is out of reach.
 */
export async function startRemote(start: RemoteStart, open: OpenMachine, options: ShipOptions = {}): Promise<StartedThere> {
  const folder = await createRemote(start, open, options);
  const { wait, runner } = start;
  const started = await startThere(folder, open, { resume: false, wait, runner, signal: options.signal });
  dropStart(start.runsDir, start.request);
  return { run: basename(folder), folder, ...started };
}

/** A start that is younger may still be under way in another process. */
const STARTS_WITHIN_MS = 180_000;

/** What became of starts that nobody heard the end of: those that were made there get their mirrors. Errors: none; what cannot be reached stays. */
export async function reconcileStarts(
  runsDir: string,
  machine: string,
  open: OpenMachine,
  olderThanMs: number = STARTS_WITHIN_MS,
): Promise<string[]> {
  const age = (since: string): number => Math.abs(Date.now() - Date.parse(since));
  const pending = pendingStarts(runsDir).filter((start) => start.machine === machine && age(start.since) >= olderThanMs);
  if (pending.length === 0) return [];
  const place = await open(machine);
  const found: string[] = [];
  for (const { request } of pending) {
    const claim = await place.machine.readFrom(`${runsOf(place)}/.requests/${request}`, 0, 4096);
    const id = claim === null ? '' : Buffer.from(claim.bytes).toString('utf8').trim();
    if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id) && (await place.machine.stat(`${runsOf(place)}/${id}/run.json`)) !== null) {
      found.push(await mirrorOf(place, machine, `${runsOf(place)}/${id}`, runsDir));
    }
    dropStart(runsDir, request);
  }
  return found;
}
