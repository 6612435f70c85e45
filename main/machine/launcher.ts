/**
 * `node launcher.ts <run folder> [--resume] [--runner FILE] [--auto-resume N] [--queue FOLDER]`: starts the runner in a session of its
 * own, so that a closed terminal does not end it, sends what it prints to `log.txt`, samples the GPUs into `telemetry.jsonl`, waits, and
 * writes `exit.json` where the runner could not (crash, signal).
 * Its own exit code is the runner's; 128 + n after signal n. Should the launcher die, the runner goes on.
 *
 * With `--auto-resume` a runner that was killed, or that lost its engine, is started again up to N times and goes on from its last
 * checkpoint; not one that was asked to stop, that said itself how it ended (bad input, full disk), or that we passed a signal on to.
 * The file `launcher` names this process meanwhile, so that a watcher does not take the moment between two runners for the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINE_LOST } from '../../shared/exit-codes.ts';
import { formatIdentity, identify, parseIdentity, presence } from '../../shared/process-identity.ts';
import type { ExitRecord } from '../../shared/run-record.ts';
import { keepAwake } from './keep-awake.ts';
import { programPath } from './programs.ts';
import { thisSystem } from './system-probe.ts';
import { sampleTelemetry } from './telemetry.ts';

const textOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

/** Another process may have the folder (a runner refused by its lock ends at once): then how ours ended is none of that run's business. */
function heldByAnother(folder: string, pid: number | undefined): boolean {
  const record = parseIdentity(textOf(join(folder, 'pid')) ?? '');
  return record !== null && record.pid !== pid && presence(record, thisSystem) !== 'gone';
}

function replaceFile(path: string, text: string): void {
  const fd = openSync(`${path}.tmp`, 'w');
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${path}.tmp`, path);
}

const writeExit = (folder: string, record: ExitRecord): void => replaceFile(join(folder, 'exit.json'), `${JSON.stringify(record)}\n`);

/** Whether a stop was asked for behind the first `from` bytes of control.jsonl. */
async function stopAsked(folder: string, from: number): Promise<boolean> {
  const text = textOf(join(folder, 'control.jsonl')) ?? '';
  // Read here: a launcher that only waits for a run to end needs none of this in its memory.
  const [{ parseJsonl }, { ControlLine }] = await Promise.all([import('../../shared/run-lines.ts'), import('../../shared/run-record.ts')]);
  return parseJsonl(Buffer.from(text).subarray(from).toString('utf8'), ControlLine).rows.some(({ verb }) => verb === 'stop');
}

/** What the runner said at its end: its last error, else its last line. Node's own trailer and stack lines say nothing to a reader. */
function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  // The engine's own programs may have the last line, and know less.
  return (
    lines.findLast((line) => line.startsWith('EngineLost: ')) ??
    lines.findLast((line) => /\b\w*Error\b.*: /.test(line)) ??
    lines.at(-1) ??
    ''
  )
    .trim()
    .slice(0, 500);
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    console.error(`launcher: the run folder cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    return process.exit(2);
  }
}

/** Best effort: a run that may be slept through is better than none. */
function stayAwake(pid: number, log: string): void {
  const awake = keepAwake(process.platform, pid);
  if (awake === null) return;
  const holder = spawn(awake.command, awake.args, { stdio: 'ignore', detached: true });
  holder.on('spawn', () => appendFileSync(log, `${awake.says}\n`));
  holder.on('error', (error) => console.error(`launcher: idle sleep cannot be held off: ${error.message}`));
  holder.unref();
}

interface Launch {
  folder: string;
  runner: string;
  resume: boolean;
  /** How often a lost runner may still be started again. */
  left: number;
  because: string | null;
  queue: string | undefined;
}

/** The runner that runs now, for signals that are to be passed on. */
let running: ChildProcess | null = null;
let signalled = false;

function passSignalsOn(): void {
  const forward = (signal: NodeJS.Signals) => {
    signalled = true;
    running?.kill(signal);
  };
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  // The terminal went away; the run does not depend on it.
  process.on('SIGHUP', () => undefined);
}

/** Marks this process as the one that starts the run again or writes its end. */
function standBy(folder: string): () => void {
  const path = join(folder, 'launcher');
  try {
    replaceFile(path, formatIdentity(identify(process.pid, thisSystem)));
  } catch (error) {
    // A disk that takes nothing: the runner says so itself.
    console.error(`launcher: ${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
  return () => {
    // Another launcher of the same run may stand there by now.
    if (parseIdentity(textOf(path) ?? '')?.pid === process.pid) rmSync(path, { force: true });
  };
}

function carryOut(launch: Launch): void {
  const { folder, left } = launch;
  const exitBefore = textOf(join(folder, 'exit.json'));
  const logFrom = textOf(join(folder, 'log.txt'))?.length ?? 0;
  const controlFrom = statSync(join(folder, 'control.jsonl'), { throwIfNoEntry: false })?.size ?? 0;

  // The log itself is the runner's output, not a pipe through this process: the runner can outlive it.
  const log = openLog(join(folder, 'log.txt'));
  const args = [
    ...(launch.resume ? ['--resume'] : []),
    ...(left > 0 ? ['--may-resume'] : []),
    ...(launch.because === null ? [] : ['--because', launch.because]),
  ];
  const child = spawn(process.execPath, [...process.execArgv, launch.runner, folder, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  running = child;
  if (child.pid !== undefined) stayAwake(child.pid, join(folder, 'log.txt'));
  closeSync(log);
  const stopSampling = sampleTelemetry(join(folder, 'telemetry.jsonl'), {
    ours: () => parseIdentity(textOf(join(folder, 'pid')) ?? '')?.pid === child.pid,
  });

  const said = (): string => lastWords((textOf(join(folder, 'log.txt')) ?? '').slice(logFrom));
  const finish = async (code: number | null, signal: NodeJS.Signals | null, reason: string): Promise<void> => {
    stopSampling();
    const exitNow = textOf(join(folder, 'exit.json'));
    const runnerWroteIt = exitNow !== null && exitNow !== exitBefore;
    const ours = !runnerWroteIt && !heldByAnother(folder, child.pid);
    const lost = signal !== null || code === ENGINE_LOST;
    if (ours && lost && left > 0 && !signalled && !(await stopAsked(folder, controlFrom))) {
      const because = signal === null ? said() || reason : reason;
      try {
        appendFileSync(join(folder, 'log.txt'), `launcher: ${because}; it is started again by itself (${left - 1} more times)\n`);
      } catch (error) {
        console.error(`launcher: log.txt could not be written: ${error instanceof Error ? error.message : String(error)}`);
      }
      carryOut({ ...launch, resume: true, left: left - 1, because });
      return;
    }
    if (ours) {
      const words = said();
      try {
        writeExit(folder, {
          code: code === ENGINE_LOST ? 1 : code,
          signal,
          reason: words === '' ? reason : `${reason}; log.txt says: ${words}`,
          time: new Date().toISOString(),
        });
      } catch (error) {
        // Watchers see by pid, start time and boot id that the runner is gone.
        console.error(`launcher: exit.json could not be written: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    // Its places are free once this process is gone; a scheduler that died meanwhile must not keep others waiting.
    if (launch.queue !== undefined) (await import('./queue-start.ts')).ensureScheduler(launch.queue);
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  };
  child.on('error', (error) => void finish(1, null, `the runner could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    const how = signal === null ? `the runner ended with code ${code} and said nothing more` : `the runner was ended by ${signal}`;
    void finish(code, signal, how);
  });
}

function launch(): void {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      resume: { type: 'boolean', default: false },
      runner: { type: 'string' },
      'auto-resume': { type: 'string', default: '0' },
      queue: { type: 'string' },
    },
  });
  const [given] = positionals;
  if (given === undefined || !existsSync(join(given, 'run.json'))) {
    console.error(`launcher: ${given === undefined ? 'no run folder given' : `${given} is not a run folder (no run.json)`}`);
    process.exit(2);
  }
  const folder = resolve(given);
  const left = Number(values['auto-resume']);
  passSignalsOn();
  if (left > 0) process.on('exit', standBy(folder));
  const { runner = programPath('main/runner/main'), resume, queue } = values;
  carryOut({ folder, runner, resume, left, because: null, queue });
}

launch();
