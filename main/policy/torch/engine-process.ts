/** The engine's processes: one Python, or torchrun with one for each rank; what they print, and their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { engineEnvironment } from './python-program.ts';

export interface ProcessEnd {
  /** The program was not there. */
  missing: boolean;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** In words, with the last thing that it said. */
  why: string;
}

export interface EngineProcess {
  pid: number | undefined;
  /** Resolves once all have ended. */
  ended: Promise<ProcessEnd>;
  kill(signal: NodeJS.Signals): void;
}

/** Lines that are kept for the last words. */
const KEPT_LINES = 60;

export interface StartOptions {
  python: string;
  socket: string;
  processes: number;
  threads: number;
  onLog: (line: string) => void;
}

/**
 * One rank is started directly: torchrun would only cost the import of another PyTorch. Each ends by itself once the socket closes, so
 * none outlives this process, however it ends.
 */
export function startEngine({ python, socket, processes, threads, onLog }: StartOptions): EngineProcess {
  const module = ['medlogictrace_engine', '--socket', socket];
  const args =
    processes === 1 ? ['-m', ...module] : ['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${processes}`, '-m', ...module];
  const env = engineEnvironment();
  // torchrun would set it to 1 and say so; the engine takes it from the runner anyway.
  env.OMP_NUM_THREADS = String(threads);
  // What PyTorch leaves lying about goes away with the socket's folder.
  env.TMPDIR = dirname(socket);
  // Ranks of one machine meet on loopback, whatever its host name leads to.
  env.GLOO_SOCKET_IFNAME = process.platform === 'darwin' ? 'lo0' : 'lo';
  // A group of its own, so that a terminal's Ctrl-C reaches the runner alone, which then stops in order.
  const child: ChildProcess = spawn(python, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      if (line.trim() === '') return;
      said.push(line);
      if (said.length > KEPT_LINES) said.shift();
      onLog(line);
    });
  }
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      resolve({ missing, code: null, signal: null, why: `it could not be started: ${error.message}` });
    });
    // Not `exit`: what was printed before is read first.
    child.on('close', (code, signal) => {
      const how = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
      const words = lastWords(said);
      resolve({ missing: false, code, signal, why: words === '' ? how : `${how}; it said: ${words}` });
    });
  });
  return {
    pid: child.pid,
    ended,
    kill: (signal) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has just ended.
      }
    },
  };
}

/** The first cause where torchrun names one, else the last error, else the last line. */
export function lastWords(lines: readonly string[]): string {
  const signal = lines.map((line) => /Signal \d+ \((SIG\w+)\) received by PID (\d+)/.exec(line)).find((found) => found !== null);
  if (signal) return `process ${signal[2]} was ended by ${signal[1]}`;
  const telling = lines.filter((line) => line.trim() !== '' && !/^\s+(File|at) |^[WIE]\d{4} |^[-=]{10,}/.test(line));
  return (telling.findLast((line) => /\b\w*(Error|Exception)\b.*: /.test(line)) ?? telling.at(-1) ?? '').trim().slice(0, 500);
}
