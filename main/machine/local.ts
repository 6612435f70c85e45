/** Runs on this machine: starting one, waiting until it has begun, and proof that its process is gone. */
import { spawn } from 'node:child_process';
import { constants as access, accessSync, existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import { type Presence, type ProcessIdentity, parseIdentity, presence } from '../../shared/process-identity.ts';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { nodeProgram, programPath } from './programs.ts';
import { thisSystem } from './system-probe.ts';

export interface StartOptions {
  /** Go on from the newest checkpoint. */
  resume?: boolean;
  /** The run outlives this process; else this process waits for it as for a child. */
  detached: boolean;
  /** The runner's program; absent: the one beside this room. */
  runner?: string;
  /** Longest wait for the runner to open the folder, in milliseconds. @default 60000 */
  startTimeout?: number;
  /** How often the launcher starts a runner again that was killed or lost its engine. @default 0 */
  autoResume?: number;
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>;
  /** The queue that gave the run its places: the launcher looks at its end that somebody hands them on. */
  queue?: string;
}

export interface StartedRun {
  launcherPid: number;
  /**
   * Resolves once the runner has opened the folder (null) or the launcher has ended before that could be seen (its exit code).
   * Errors: neither happened within `startTimeout`.
   */
  begun(): Promise<number | null>;
  /** Exit code of the launcher, which is the runner's, or 128 + n after signal n. Only of use while this process lives. */
  ended: Promise<number>;
  /** Passes a signal on to the runner through the launcher. */
  signal(name: 'SIGINT' | 'SIGTERM'): void;
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** The process that opened the run folder last, null where none has. */
export const runProcess = (folder: string): ProcessIdentity | null => parseIdentity(textOf(join(folder, 'pid')));

/** The launcher that stands by the run, null where none does or did. */
export const runLauncher = (folder: string): ProcessIdentity | null => parseIdentity(textOf(join(folder, 'launcher')));

/** Whether that process still runs: a proof either way, or `unknown`. */
export const processPresence = (record: ProcessIdentity): Presence => presence(record, thisSystem);

/** True only on proof by pid, start time and boot id. */
export const processIsGone = (record: ProcessIdentity): boolean => processPresence(record) === 'gone';

/**
 * Starts the launcher, and through it the runner, on a run folder. Errors: an InputError for a folder without `run.json`
 * or one that cannot be written. Await `begun()`
 * before asking anything of the run: what is asked earlier is not asked of the new process.
 */
export function startRun(folder: string, options: StartOptions): StartedRun {
  const path = resolve(folder);
  if (!existsSync(join(path, 'run.json'))) throw new InputError(`${path} is not a run folder: it has no run.json`, 'run');
  try {
    accessSync(path, access.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError(`run folder ${path} cannot be written (${why}); make it writable and try again`, 'run');
  }
  const args = [
    programPath('main/machine/launcher'),
    path,
    ...(options.resume ? ['--resume'] : []),
    ...(options.runner ? ['--runner', options.runner] : []),
    ...(options.autoResume ? ['--auto-resume', String(options.autoResume)] : []),
    ...(options.queue ? ['--queue', options.queue] : []),
  ];
  const before = textOf(join(path, 'pid'));
  const child = spawn(nodeProgram(), args, {
    // A run needs none, and its log is kept for good.
    env: { ...withoutSecrets(process.env), ...options.env },
    detached: options.detached,
    stdio: options.detached ? 'ignore' : ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<number>((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  if (options.detached) child.unref();

  let over: number | null = null;
  ended.then(
    (code) => {
      over = code;
    },
    () => {
      over = 1;
    },
  );
  return {
    launcherPid: child.pid ?? -1,
    ended,
    signal: (name) => void child.kill(name),
    async begun() {
      const until = performance.now() + (options.startTimeout ?? 60_000);
      while (over === null) {
        // The runner writes its pid first and removes an earlier exit.json last.
        if (textOf(join(path, 'pid')) !== before && !existsSync(join(path, 'exit.json'))) return null;
        if (performance.now() > until) throw new Error(`run ${path} has not begun; see ${join(path, 'log.txt')}`);
        await sleep(25);
      }
      return over;
    },
  };
}
