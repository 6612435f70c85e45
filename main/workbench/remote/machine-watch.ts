/**
 * Keeps the mirrors of one machine's runs up to date: one program of ours there tells what is new of all of them together. Goes on through
 * lost connections for as long as it is wanted; nothing but `remote.json` says that the machine cannot be reached.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lock } from '../../../shared/folder-lock.ts';
import { InputError } from '../../../shared/input-error.ts';
import type { WatchFrame } from '../../../shared/remote-run.ts';
import { lockFolder } from '../../machine/folder-lock.ts';
import { MachineError } from '../../machine/machine.ts';
import { Attendant } from './attendant.ts';
import { AskAgain, Mirror } from './mirror.ts';
import { type OpenMachine, queueOf } from './place.ts';

export interface WatchOptions {
  /** Milliseconds between two looks at the files there. @default 200 */
  pollMs?: number;
  /** Milliseconds without a word after which the connection is tried. @default 12000 */
  silentMs?: number;
  /** Called once a run has ended and its mirror is proved whole. */
  onComplete?: (folder: string, attendant: Attendant) => Promise<void>;
}

/** One question to the machine lasts so long: a forgotten watcher goes by itself. */
const LAST_MS = 120_000;
const LAST_BYTES = 8 << 20;
/** Waits after failures, in milliseconds; the machine's own reconnecting has longer ones. */
const BACKOFF = [500, 1000, 2000, 5000];

interface Watched {
  mirror: Mirror;
  lock: Lock;
  /** Its end has been seen and is being proved. */
  settling: boolean;
}

export class MachineWatch {
  readonly name: string;
  private readonly open: OpenMachine;
  private readonly options: WatchOptions;
  private readonly watched = new Map<string, Watched>();
  private readonly closing = new AbortController();
  /** Ends the question under way, so that the next one is of other runs. */
  private turn = new AbortController();
  private loop: Promise<void> | null = null;
  private working = new Set<Promise<unknown>>();

  constructor(name: string, open: OpenMachine, options: WatchOptions = {}) {
    this.name = name;
    this.open = open;
    this.options = options;
  }

  /** Whether a run is among those that are kept up to date by this process. */
  has(folder: string): boolean {
    return this.watched.has(folder);
  }

  /** Errors: an InputError where another process mirrors it. */
  async add(folder: string): Promise<void> {
    if (this.watched.has(folder)) return;
    const lock = await lockFolder(folder, { what: 'mirror', cure: 'it is kept up to date by that one', field: 'run' });
    if (this.closing.signal.aborted || this.watched.has(folder)) {
      lock.release();
      return;
    }
    try {
      this.watched.set(folder, { mirror: new Mirror(folder), lock, settling: false });
    } catch (error) {
      lock.release();
      throw error;
    }
    this.turn.abort();
    this.loop ??= this.keepOn().finally(() => {
      this.loop = null;
    });
  }

  /** Lets a run go. */
  remove(folder: string): void {
    const known = this.watched.get(folder);
    if (known === undefined) return;
    this.watched.delete(folder);
    known.lock.release();
    this.turn.abort();
  }

  /** Lets all go and waits until nothing more is written. */
  async close(): Promise<void> {
    this.closing.abort();
    this.turn.abort();
    await this.loop;
    await Promise.allSettled(this.working);
    for (const folder of [...this.watched.keys()]) this.remove(folder);
  }

  private async keepOn(): Promise<void> {
    let failures = 0;
    while (!this.closing.signal.aborted && this.watched.size > 0) {
      this.turn = new AbortController();
      const signal = AbortSignal.any([this.turn.signal, this.closing.signal]);
      try {
        await this.ask(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted && !(error instanceof AskAgain)) continue;
        // Asked anew at once, but a machine that makes us ask for ever is not asked in a circle.
        if (!(error instanceof AskAgain) || failures > 2) this.complain(error);
        const wait = BACKOFF[Math.min(failures, BACKOFF.length - 1)] as number;
        failures++;
        await sleep(error instanceof AskAgain && failures < 3 ? 0 : wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private complain(error: unknown): void {
    const reached = error instanceof MachineError ? error.message : error instanceof Error ? error.message : String(error);
    for (const { mirror } of this.watched.values()) {
      try {
        mirror.say(reached.slice(0, 500));
      } catch {
        // The disk here takes nothing: the next frame that cannot be written says so.
      }
    }
  }

  private async ask(signal: AbortSignal): Promise<void> {
    const attendant = new Attendant(await this.open(this.name));
    signal.throwIfAborted();
    const asked = [...this.watched.entries()];
    const request = {
      queue: queueOf(attendant.place),
      runs: asked.map(([, { mirror }], key) => mirror.watched(key)),
      last_ms: LAST_MS,
      last_bytes: LAST_BYTES,
      poll_ms: this.options.pollMs ?? 200,
    };
    const silence = this.watchSilence(attendant, signal);
    try {
      await attendant.watch(
        request,
        (frame) => {
          silence.heard();
          this.take(frame, asked, attendant);
        },
        AbortSignal.any([signal, silence.signal]),
      );
    } catch (error) {
      throw silence.signal.aborted && !signal.aborted ? silence.signal.reason : error;
    } finally {
      silence.stop();
    }
  }

  private take(frame: WatchFrame, asked: readonly (readonly [string, Watched])[], attendant: Attendant): void {
    if (frame.kind === 'end') return;
    const [folder, known] = asked[frame.key] ?? [];
    // Let go in the meantime.
    if (folder === undefined || known === undefined || this.watched.get(folder) !== known) return;
    const ended = known.mirror.take(frame);
    if (frame.kind === 'look' && known.mirror.state.trouble !== null && !/fetched anew|stays on/.test(known.mirror.state.trouble)) {
      known.mirror.say(null);
    }
    if (!ended || known.settling) return;
    known.settling = true;
    const work = this.settle(folder, known, attendant).finally(() => this.working.delete(work));
    this.working.add(work);
  }

  private async settle(folder: string, known: Watched, attendant: Attendant): Promise<void> {
    const { signal } = this.closing;
    try {
      const { files } = await attendant.ask('proof', { folder: known.mirror.state.folder, below: null }, { signal });
      if (signal.aborted || this.watched.get(folder) !== known) return;
      const { differing, behind } = known.mirror.settle(files);
      if (differing.length > 0) this.turn.abort();
      if (differing.length > 0 || behind) {
        await sleep(500, undefined, { signal });
        return;
      }
      await this.options.onComplete?.(folder, attendant);
      this.remove(folder);
    } catch (error) {
      if (!signal.aborted) {
        this.complain(error);
        await sleep(1000, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      known.settling = false;
    }
  }

  /** Aborts where nothing is heard though there seems to be a connection: one that is half open tells nobody. */
  private watchSilence(attendant: Attendant, signal: AbortSignal): { heard(): void; stop(): void; signal: AbortSignal } {
    const { connection } = attendant.place.machine;
    const silentMs = this.options.silentMs ?? 12_000;
    const gone = new AbortController();
    let last = performance.now();
    let probing = false;
    const timer = setInterval(
      async () => {
        if (probing || signal.aborted || performance.now() - last < silentMs || connection.state.state !== 'connected') return;
        probing = true;
        const answers = await connection.probe().catch(() => false);
        probing = false;
        const still = performance.now() - last >= silentMs;
        if (!answers || (still && performance.now() - last >= 2 * silentMs)) {
          gone.abort(new MachineError('lost', `${this.name} said nothing for ${Math.round((performance.now() - last) / 1000)} s`));
        }
      },
      Math.max(100, silentMs / 4),
    );
    timer.unref();
    return {
      signal: gone.signal,
      heard: () => {
        last = performance.now();
      },
      stop: () => clearInterval(timer),
    };
  }
}

/** True where another process keeps the mirror up to date: there is nothing to do then. */
export const isMirroredByAnother = (error: unknown): boolean =>
  error instanceof InputError && error.field === 'run' && /^mirror .* is in use by process/.test(error.message);
