/** A helper program as a child of this process: lines in, lines out, and the news of its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { nodeProgram, programPath } from './programs.ts';

export interface ServiceProcess {
  pid: number;
  write(line: string): void;
  /** Closes its input; it ends by itself. */
  close(): void;
  kill(): void;
}

export interface ServiceProcessOptions {
  /** The program; absent: the runner's service, as source or as bundle. */
  program?: string;
  /** The Node that runs it. @default as programs.ts says */
  node?: string;
  /** This process may end while it runs; it then ends too, since its input closes. @default false */
  background?: boolean;
  onLine: (line: string) => void;
  /** Called once. `why`: how it ended, with the last thing that it said. */
  onEnd: (why: string) => void;
}

/** Characters of the child's messages that are kept for its last words. */
const SAID_LIMIT = 4000;

function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  return (lines.findLast((line) => /\b\w*Error\b.*: /.test(line)) ?? lines.at(-1) ?? '').trim().slice(0, 500);
}

/** Starts it. A program that cannot be started is told through `onEnd`. */
export function startService({ program, node, background = false, onLine, onEnd }: ServiceProcessOptions): ServiceProcess {
  const path = program ?? programPath('main/runner/service');
  const child: ChildProcess = spawn(node ?? nodeProgram(), [path], {
    env: withoutSecrets(process.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (background) {
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
  }
  let said = '';
  let over = false;
  const end = (why: string): void => {
    if (over) return;
    over = true;
    const words = lastWords(said);
    onEnd(words === '' ? why : `${why}; it said: ${words}`);
  };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_LIMIT);
  });
  if (child.stdout) createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
  // A pipe to a process that has just ended breaks; `close` says so.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error) => end(`it could not be started: ${error.message}`));
  // Not `exit`: what it wrote before is read first.
  child.on('close', (code, signal) => end(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`));
  return {
    pid: child.pid ?? -1,
    write: (line) => void child.stdin?.write(`${line}\n`),
    close: () => void child.stdin?.end(),
    kill: () => void child.kill('SIGKILL'),
  };
}
