/** Child processes of the scripts: never left behind, ended with everything they started when their time is up. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessResult {
  /** Null when a signal ended it. */
  code: number | null;
  timedOut: boolean;
  /** What it printed on both streams; empty when its output went to the terminal. */
  output: string;
}

export interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Seconds it may take. */
  limit?: number;
  /** Keep the output instead of passing it on. @default false */
  quiet?: boolean;
}

const running = new Set<ChildProcess>();

/** Signals a process and all it started (they share its group; Windows has none). */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    // The group is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends every child that still runs; called when the script itself is told to stop. */
export function endChildren(signal: NodeJS.Signals): void {
  for (const child of running) signalGroup(child, signal);
}

/** Runs a command to its end. Errors: the command cannot be started. */
export function runProcess(command: string, args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>();
  const stdio = options.quiet ? ('pipe' as const) : ('inherit' as const);
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', stdio, stdio],
    detached: process.platform !== 'win32',
  });
  running.add(child);
  let output = '';
  let timedOut = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const timer =
    options.limit === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          signalGroup(child, 'SIGKILL');
        }, options.limit * 1000);
  child.on('error', (error) => {
    clearTimeout(timer);
    running.delete(child);
    reject(error);
  });
  child.on('close', (code) => {
    clearTimeout(timer);
    running.delete(child);
    // What it started and did not wait for must not outlive it.
    signalGroup(child, 'SIGKILL');
    resolve({ code, timedOut, output });
  });
  return promise;
}
