/** Starting a run on another machine: once for each request, at whatever instant the app, the connection or the machine gives way. */
import { basename } from 'node:path';
import type { JsonObject } from '../../../shared/json-object.ts';
import type { GpuShare } from '../../../shared/remote-run.ts';
import { Attendant } from './attendant.ts';
import { beginMirror } from './begin-mirror.ts';
import { dropStart, noteStart, pendingStarts } from './pending-starts.ts';
import { type MachinePlace, type OpenMachine, queueOf, runsOf } from './place.ts';
import { type ShipOptions, shipInputs } from './ship-inputs.ts';

export interface RemoteStart {
  machine: string;
  /** As a file holds them, presets resolved. */
  settings: JsonObject;
  /** A uuid; the same one names the same run. */
  request: string;
  /** Folder of the runs here, where its mirror will be. */
  runsDir: string;
  /** The run's id; absent: made there from time and name. */
  id?: string;
  /** @default 'all' */
  gpus?: GpuShare;
  /** Waits for a place where none is free. @default false */
  wait?: boolean;
  /** How often it is started again by itself after its runner was killed or its engine lost. @default 1 */
  autoResume?: number;
  /** The runner's program there; a test brings its own. */
  runner?: string;
}

export interface StartedThere {
  run: string;
  /** Its mirror here. */
  folder: string;
  outcome: 'begun' | 'waiting' | 'was_started' | 'ended';
  /** Its place in the queue there, where it waits. */
  place: number | null;
  /** The end of its log, where it ended at once. */
  said: string;
}

/** Makes the run there without starting it, and its mirror here. Errors: as `startRemote`. */
export async function createRemote(
  start: Omit<RemoteStart, 'wait'>,
  open: OpenMachine,
  options: ShipOptions = {},
): Promise<{ folder: string; remoteFolder: string; place: MachinePlace; env: Record<string, string> }> {
  const { machine, request, runsDir, id } = start;
  const place = await open(machine);
  const attendant = new Attendant(place);
  // Before anything goes out.
  noteStart(runsDir, { request, machine, since: new Date().toISOString() });
  const { settings, env } = await shipInputs(place, start.settings, options);
  // What is carried can take long; from here on it is a matter of seconds.
  noteStart(runsDir, { request, machine, since: new Date().toISOString() });
  const question = { config: settings, runs_dir: runsOf(place), request, ...(id === undefined ? {} : { id }) };
  const made = await attendant.service('config.create', question, env, { signal: options.signal });
  const folder = await mirrorOf(attendant, made.folder, runsDir);
  return { folder, remoteFolder: made.folder, place, env };
}

async function mirrorOf(attendant: Attendant, remoteFolder: string, runsDir: string): Promise<string> {
  const { machine } = attendant.place;
  const record = await machine.readFrom(`${remoteFolder}/run.json`, 0, 4 << 20);
  if (record === null) throw new Error(`machine ${machine.name}: ${remoteFolder} has no run.json`);
  return beginMirror(runsDir, machine.name, remoteFolder, Buffer.from(record.bytes).toString('utf8'));
}

/**
 * Carries what the config names to the machine, makes the run there by the runner's own code, and starts it through the machine's queue.
 * Asked again under the same request, at whatever point the first time ended, it goes on from there and starts nothing twice.
 * Errors: InputError naming the field (a wrong config, no free place, a machine that is not set up); MachineError where it is out of reach.
 */
export async function startRemote(start: RemoteStart, open: OpenMachine, options: ShipOptions = {}): Promise<StartedThere> {
  const { folder, remoteFolder, place, env } = await createRemote(start, open, options);
  const { gpus = 'all', wait = false, autoResume = 1, runner } = start;
  const started = await new Attendant(place).ask(
    'start',
    {
      folder: remoteFolder,
      queue: queueOf(place),
      plan: { gpus, auto_resume: autoResume, env: { ...place.env, ...env } },
      resume: false,
      wait,
      runner,
    },
    { signal: options.signal },
  );
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
  const attendant = new Attendant(place);
  const found: string[] = [];
  for (const { request } of pending) {
    const claim = await place.machine.readFrom(`${runsOf(place)}/.requests/${request}`, 0, 4096);
    const id = claim === null ? '' : Buffer.from(claim.bytes).toString('utf8').trim();
    if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id) && (await place.machine.stat(`${runsOf(place)}/${id}/run.json`)) !== null) {
      found.push(await mirrorOf(attendant, `${runsOf(place)}/${id}`, runsDir));
    }
    dropStart(runsDir, request);
  }
  return found;
}
