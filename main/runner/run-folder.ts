/** The writer's side of a run folder: the one process that carries out the run appends here what it does (design, the run folder). */
import { statSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { formatIdentity, type SystemProbe } from '../../shared/process-identity.ts';
import { dropSuperseded, parseJsonl, parseLine } from '../../shared/run-lines.ts';
import { CompletionRecord, ControlLine, type ExitRecord, type NewRunEvent, RunEvent, RunRecord } from '../../shared/run-record.ts';
import { writeFileAtomic } from '../policy/atomic-file.ts';
import { checkpointName, clearUnfinished, dropOldCheckpoints, dropUncounted, writeCheckpoint } from './checkpoint-folder.ts';
import { damageOf } from './checksums.ts';
import { diskFailure } from './disk-failure.ts';
import { Heartbeat } from './heartbeat.ts';
import { JsonlFile, LineCursor } from './jsonl.ts';
import { type Lock, takeLock } from './lock.ts';
import { Reserve } from './reserve.ts';
import { thisSystem } from './system-probe.ts';

export interface OpenOptions {
  /** Keep only so many checkpoints, the newest, beside those in `pinned`. Absent: the config's `save_total_limit`, else all. */
  keepLast?: number;
  /** Why this process goes on by itself with what another left: stands in the `resumed` event and the log. */
  because?: string;
  /** How to see processes; a test brings its own. */
  system?: SystemProbe;
}

export interface LatestCheckpoint {
  step: number;
  folder: string;
  /** Number of its `checkpoint` event. */
  seq: number;
}

export interface FoundCheckpoint {
  latest: LatestCheckpoint | null;
  /** Checkpoints passed over: the step, and what is wrong with its files. */
  damaged: ReadonlyMap<number, string>;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** A row that fits no schema is a mistake of the program: it is named here and not found later by a reader. */
function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`${what} cannot be written: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`);
}

/**
 * Opens a run folder for writing: takes its lock, closes torn lines, clears what a killed process left half done, writes `pid`, starts
 * the heartbeat and removes the `exit.json` of an earlier end.
 * Errors: an InputError where the folder is no run folder or another process holds it.
 */
export async function openRunFolder(folder: string, options: OpenOptions = {}): Promise<RunFolder> {
  const path = resolve(folder);
  const text = await readFile(join(path, 'run.json'), 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path} is not a run folder: its run.json cannot be read (${reason})`, 'run');
  });
  const record = parseInput(RunRecord, parseJson(text, join(path, 'run.json')), join(path, 'run.json'));
  const lock = await takeLock(path, options.system ?? thisSystem).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  try {
    await clearUnfinished(join(path, 'checkpoints'));
    await clearTemporaries(path);
    await writeFileAtomic(join(path, 'pid'), formatIdentity(lock.holder));
    const run = new RunFolder(path, record, lock, options);
    await rm(join(path, 'exit.json'), { force: true });
    return run;
  } catch (error) {
    letGo(lock);
    throw unwritable(path, error);
  }
}

/** Removes the hidden temporary files that a killed process was filling. Only the holder of the lock may call it. */
async function clearTemporaries(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => /^\..*\.tmp$|^\.writing-/.test(name));
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
}

/** A folder that cannot be written is found at once, and is for its owner to put right. */
function unwritable(folder: string, error: unknown): unknown {
  const failure = diskFailure(error);
  if (failure === null) return error;
  return new InputError(`run folder ${folder} cannot be opened for writing: ${failure.what}; ${failure.cure} and try again`, 'run');
}

/** A lock that cannot be marked as released names a process that will be gone, which is as good. */
function letGo(lock: Lock): void {
  try {
    lock.release();
  } catch (error) {
    console.error(`lock not released: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export class RunFolder {
  readonly folder: string;
  /** What `run.json` says. */
  readonly record: RunRecord;
  /** The run was opened before: there are events of an earlier process. */
  readonly reopened: boolean;
  /** Steps whose checkpoints `keepLast` never deletes (the best one of early stopping). */
  readonly pinned = new Set<number>();

  private readonly lock: Lock;
  private readonly keepLast: number | undefined;
  private readonly because: string | undefined;
  private readonly events: JsonlFile;
  private readonly rows: JsonlFile;
  private readonly printed: JsonlFile;
  private readonly asked: LineCursor;
  private readonly heartbeat: Heartbeat;
  private readonly reserve: Reserve;
  private seq: number;
  /** Step of the newest complete checkpoint that this process knows of. */
  safeStep: number | null = null;
  private saving = false;
  private closed = false;

  /** Use `openRunFolder`, which holds the lock that this class counts on. */
  constructor(folder: string, record: RunRecord, lock: Lock, options: OpenOptions) {
    this.folder = folder;
    this.record = record;
    this.lock = lock;
    this.because = options.because;
    this.keepLast = options.keepLast ?? ('save_total_limit' in record.config ? record.config.save_total_limit : undefined);
    this.events = new JsonlFile(join(folder, 'events.jsonl'));
    this.rows = new JsonlFile(join(folder, 'completions.jsonl'));
    this.printed = new JsonlFile(join(folder, 'log.txt'));
    this.reserve = new Reserve(join(folder, '.reserve'));
    const control = new JsonlFile(join(folder, 'control.jsonl'));
    control.close();
    this.seq = this.events.lastSeq() + 1;
    this.reopened = this.seq > 0;
    // What was asked of an earlier process (a stop, above all) is not asked of this one.
    const path = join(folder, 'control.jsonl');
    this.asked = new LineCursor(path, this.reopened ? statSync(path).size : 0);
    this.heartbeat = new Heartbeat(join(folder, 'heartbeat'), (message) => console.error(message));
  }

  /** The number that the next event will have. */
  get nextSeq(): number {
    return this.seq;
  }

  /**
   * Appends an event and returns its number. It survives a kill of this process at once, a loss of power from the next checkpoint on.
   * Errors: an Error that names the field where the event fits no schema (a metric that is not a finite number).
   */
  event(event: NewRunEvent): number {
    const seq = this.seq;
    const whole = checked(RunEvent, { seq, time: new Date().toISOString(), ...event }, `event "${event.type}"`);
    this.events.append([JSON.stringify(whole)]);
    this.seq = seq + 1;
    this.heartbeat.beatIfDue();
    return seq;
  }

  /** Appends completions; each carries the number of the event that comes next. Errors: as `event`. */
  completions(rows: readonly Omit<CompletionRecord, 'seq'>[]): void {
    const lines = rows.map((row) => JSON.stringify(checked(CompletionRecord, { ...row, seq: this.seq }, `completion of ${row.question}`)));
    this.rows.append(lines);
    this.heartbeat.beatIfDue();
  }

  /** Every line of control.jsonl, those of earlier processes too. */
  async askedSoFar(): Promise<ControlLine[]> {
    const text = await readFile(join(this.folder, 'control.jsonl')).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    return parseJsonl([text], ControlLine).rows;
  }

  /** What was asked since the last call, in order. A line that says nothing known is put in the log and passed over. */
  readControl(): ControlLine[] {
    return this.asked.next().flatMap((line) => {
      if (line.trim() === '') return [];
      const parsed = parseLine(line, ControlLine);
      if (parsed.ok) return [parsed.row];
      this.log(`control.jsonl: a line was passed over (${parsed.message}): ${line.slice(0, 200)}`);
      return [];
    });
  }

  /**
   * Lets `write` fill a folder and makes it `checkpoints/step-…` once it is complete and on disk; then appends the `checkpoint` event.
   * Everything that the checkpoint rests on must have been appended before, and nothing may be appended until this resolves that a
   * resumed run would do again. Returns the folder.
   */
  async checkpoint(step: number, write: (folder: string) => Promise<void>): Promise<string> {
    if (this.saving) throw new Error(`checkpoint of step ${step}: another checkpoint is still being written`);
    this.saving = true;
    try {
      const checkpoints = join(this.folder, 'checkpoints');
      const folder = await writeCheckpoint(checkpoints, step, write);
      // The rows before the event first: a checkpoint that the disk knows must not rest on rows that it does not.
      this.rows.sync();
      this.event({ type: 'checkpoint', step, folder: `checkpoints/${checkpointName(step)}` });
      this.events.sync();
      this.safeStep = step;
      if (this.keepLast !== undefined) await dropOldCheckpoints(checkpoints, this.keepLast, this.pinned);
      return folder;
    } finally {
      this.saving = false;
    }
  }

  /**
   * The newest checkpoint to go on from: its event was written and not superseded, its folder is there, its files are what was written,
   * and `alsoNeeds` (a step whose checkpoint it rests on, or null) is sound too. Those passed over for damage are named.
   */
  async latestCheckpoint(alsoNeeds: (folder: string) => Promise<number | null> = async () => null): Promise<FoundCheckpoint> {
    const damaged = new Map<number, string>();
    for (const event of (await this.countedEvents()).reverse()) {
      if (event.type !== 'checkpoint') continue;
      const folder = join(this.folder, event.folder);
      if (!isFolder(folder)) continue;
      const damage = await damageOf(folder);
      if (damage !== null) {
        damaged.set(event.step, damage);
        continue;
      }
      const needed = await alsoNeeds(folder);
      if (needed !== null && needed !== event.step) {
        const other = join(this.folder, 'checkpoints', checkpointName(needed));
        const lost = damaged.get(needed) ?? (isFolder(other) ? await damageOf(other) : 'its folder is missing');
        if (lost !== null) {
          damaged.set(needed, lost);
          continue;
        }
      }
      return { latest: { step: event.step, folder, seq: event.seq }, damaged };
    }
    return { latest: null, damaged };
  }

  /**
   * Says that the run goes on from `step` and that what was written after event `seq` no longer counts. From the very start, where there
   * is no checkpoint: step 0, seq −1. Returns the number of the `resumed` event.
   */
  resumedFrom(step: number, seq: number, note?: string): number {
    const { because } = this;
    if (because !== undefined) this.log(`resumed by itself: ${because}`);
    const said = { ...(note === undefined ? {} : { note }), ...(because === undefined ? {} : { reason: because }) };
    const number = this.event({ type: 'resumed', step, supersedes_after_seq: seq, ...said });
    this.events.sync();
    return number;
  }

  /** Goes on from what `latestCheckpoint` found: says so, names what was damaged, and clears the checkpoints that this takes back. */
  async goOnFrom({ latest, damaged }: FoundCheckpoint): Promise<void> {
    const names = [...damaged].map(([step, what]) => `checkpoint ${checkpointName(step)} is damaged: ${what}`);
    const from =
      latest === null ? 'no sound checkpoint is left: the run starts again from step 0' : `the run goes on from step ${latest.step}`;
    const note = names.length === 0 ? undefined : `${names.join('; ')}; ${from}`;
    this.safeStep = latest?.step ?? null;
    if (note !== undefined) this.log(note);
    this.resumedFrom(latest?.step ?? 0, latest?.seq ?? -1, note);
    const counted = (await this.countedEvents()).flatMap((event) => (event.type === 'checkpoint' ? [event.step] : []));
    await dropUncounted(join(this.folder, 'checkpoints'), new Set(counted), new Set(damaged.keys()));
  }

  private async countedEvents(): Promise<RunEvent[]> {
    return dropSuperseded(parseJsonl([await readFile(join(this.folder, 'events.jsonl'))], RunEvent).rows);
  }

  /** A line in `log.txt`, with the time before it. */
  log(line: string): void {
    this.printed.append([`${new Date().toISOString()} ${line}`]);
  }

  /** Gives back the room kept for the last words. Call it before writing them on a disk that may be full. */
  makeRoom(): void {
    this.reserve.release();
  }

  /** Says how the run ended. The last thing that a run writes. */
  async exit(record: Omit<ExitRecord, 'time'>): Promise<void> {
    this.makeRoom();
    this.rows.sync();
    this.events.sync();
    const whole: ExitRecord = { ...record, time: new Date().toISOString() };
    await writeFileAtomic(join(this.folder, 'exit.json'), `${JSON.stringify(whole)}\n`);
  }

  /** Stops the heartbeat, lets the files and the lock go. Calling it twice does nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.heartbeat.stop();
    try {
      this.makeRoom();
      for (const file of [this.events, this.rows, this.printed]) {
        file.sync();
        file.close();
      }
    } finally {
      letGo(this.lock);
    }
  }
}
