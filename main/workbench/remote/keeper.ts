/**
 * Keeps all mirrors of a runs folder up to date for as long as the app runs, a connection a machine; brings the final model of a run here
 * once it has ended. Another app may do the same for the same runs: then each mirror is kept by the one that has its lock.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchProgress } from '../../../shared/remote-view.ts';
import { readEvents } from '../run-files.ts';
import { type Fetched, fetchPart, partOf } from './fetch-files.ts';
import { isMirroredByAnother, MachineWatch, type WatchOptions } from './machine-watch.ts';
import { pendingStarts } from './pending-starts.ts';
import type { OpenMachine } from './place.ts';
import { readRemote } from './remote-file.ts';
import { reconcileStarts } from './start-remote.ts';

export interface KeeperOptions extends WatchOptions {
  /** Milliseconds between two looks for mirrors in the folder of runs. @default 1000 */
  lookMs?: number;
  /** Whether final models are brought here by themselves. @default true */
  fetchModels?: boolean;
}

/** How often an end of a start that nobody heard is asked for. */
const RECONCILE_MS = 30_000;

export class MirrorKeeper {
  readonly runsDir: string;
  private readonly open: OpenMachine;
  private readonly options: KeeperOptions;
  private readonly machines = new Map<string, MachineWatch>();
  /** Folders that were found to be runs of this machine: a run does not become a mirror. */
  private readonly ours = new Set<string>();
  /** Mirrors kept by another process, and when they are tried again. */
  private readonly later = new Map<string, number>();
  private readonly fetching = new Map<string, FetchProgress>();
  private timer: NodeJS.Timeout | undefined;
  private reconciled = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | null = null;
  private closed = false;

  constructor(runsDir: string, open: OpenMachine, options: KeeperOptions = {}) {
    this.runsDir = runsDir;
    this.open = open;
    this.options = options;
  }

  /** Looks now, and from now on again and again. */
  start(): void {
    if (this.timer !== undefined || this.closed) return;
    void this.look();
    this.timer = setInterval(() => void this.look(), this.options.lookMs ?? 1000);
    this.timer.unref();
  }

  /** What is being brought here of a run, or was last; null where nothing was. */
  progressOf(folder: string): FetchProgress | null {
    return this.fetching.get(folder) ?? null;
  }

  /** Takes up mirrors that have come, or are free. Errors: none; what cannot be kept now is tried again. */
  look(): Promise<void> {
    this.looking ??= this.takeUp().finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async takeUp(): Promise<void> {
    const now = performance.now();
    for (const folder of this.mirrors()) {
      if (this.closed) return;
      if ((this.later.get(folder) ?? 0) > now) continue;
      let machine: string;
      try {
        const remote = readRemote(folder);
        if (remote === null || remote.complete) continue;
        machine = remote.machine;
      } catch {
        // A remote.json that cannot be read is told by whoever opens the run.
        continue;
      }
      const watch = this.watchOf(machine);
      if (watch.has(folder)) continue;
      try {
        await watch.add(folder);
      } catch (error) {
        this.later.set(folder, now + (isMirroredByAnother(error) ? 3000 : 10_000));
      }
    }
    if (now - this.reconciled >= RECONCILE_MS) {
      this.reconciled = now;
      for (const machine of new Set(pendingStarts(this.runsDir).map((start) => start.machine))) {
        // One that was just begun is still being asked by who began it.
        await reconcileStarts(this.runsDir, machine, this.open).catch(() => []);
      }
    }
  }

  /** Folders with a remote.json. Each folder's nature is looked up once. */
  private mirrors(): string[] {
    let names: string[];
    try {
      names = readdirSync(this.runsDir);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    return names.flatMap((name) => {
      const folder = join(this.runsDir, name);
      if (name.startsWith('.') || this.ours.has(folder)) return [];
      if (statSync(join(folder, 'remote.json'), { throwIfNoEntry: false })) return [folder];
      if (statSync(join(folder, 'run.json'), { throwIfNoEntry: false })) this.ours.add(folder);
      return [];
    });
  }

  private watchOf(machine: string): MachineWatch {
    const known = this.machines.get(machine);
    if (known !== undefined) return known;
    const watch = new MachineWatch(machine, this.open, {
      ...this.options,
      onComplete: async (folder, attendant) => {
        await this.options.onComplete?.(folder, attendant);
        if (this.options.fetchModels !== false) void this.fetchModel(folder);
      },
    });
    this.machines.set(machine, watch);
    return watch;
  }

  /** Brings a part of a run here, with its progress to be seen. Asked twice at once it is brought once. */
  async fetch(folder: string, which: 'final' | number, signal?: AbortSignal): Promise<Fetched> {
    const part = await partOf(folder, which);
    this.fetching.set(folder, { part, done: 0, total: null, ended: null });
    const say = (more: Partial<FetchProgress>): void => {
      const known = this.fetching.get(folder);
      if (known?.part === part) this.fetching.set(folder, { ...known, ...more });
    };
    try {
      const fetched = await fetchPart(folder, part, this.open, { signal, onProgress: (done, total) => say({ done, total }) });
      say({ done: fetched.bytes, total: fetched.bytes, ended: 'here' });
      return fetched;
    } catch (error) {
      say({ ended: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  private async fetchModel(folder: string): Promise<void> {
    try {
      const { events } = await readEvents(folder);
      if (!events.some((event) => event.type === 'finished' && event.model !== null)) return;
      await this.fetch(folder, 'final');
    } catch {
      // Its progress says why; it can be asked for again.
    }
  }

  /** Lets all mirrors go. What is being done there goes on. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.looking;
    await Promise.all([...this.machines.values()].map((watch) => watch.close()));
    this.machines.clear();
  }
}
