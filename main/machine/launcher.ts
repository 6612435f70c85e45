/**
 * `node launcher.ts <run folder> [--resume] [--runner FILE]`: starts the runner in a session of its own, so that a closed terminal does
 * not end it, sends what it prints to `log.txt`, samples the GPUs into `telemetry.jsonl`, waits, and writes `exit.json` where the runner could not (crash, signal).
 * Its own exit code is the runner's; 128 + n after signal n. Should the launcher die, the runner goes on.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseIdentity, presence } from '../../shared/process-identity.ts';
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

function writeExit(folder: string, record: ExitRecord): void {
  const path = join(folder, 'exit.json');
  const fd = openSync(`${path}.tmp`, 'w');
  writeSync(fd, `${JSON.stringify(record)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${path}.tmp`, path);
}

/** What the runner said at its end: its last error, else its last line. Node's own trailer and stack lines say nothing to a reader. */
function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  return (lines.findLast((line) => /\b\w*Error\b.*: /.test(line)) ?? lines.at(-1) ?? '').trim().slice(0, 500);
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

function launch(): void {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { resume: { type: 'boolean', default: false }, runner: { type: 'string' } },
  });
  const [given] = positionals;
  if (given === undefined || !existsSync(join(given, 'run.json'))) {
    console.error(`launcher: ${given === undefined ? 'no run folder given' : `${given} is not a run folder (no run.json)`}`);
    process.exit(2);
  }
  const folder = resolve(given);
  const runner = values.runner ?? programPath('main/runner/main');
  const exitBefore = textOf(join(folder, 'exit.json'));
  const logFrom = textOf(join(folder, 'log.txt'))?.length ?? 0;

  // The log itself is the runner's output, not a pipe through this process: the runner can outlive it.
  const log = openLog(join(folder, 'log.txt'));
  const child = spawn(process.execPath, [...process.execArgv, runner, folder, ...(values.resume ? ['--resume'] : [])], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  if (child.pid !== undefined) stayAwake(child.pid, join(folder, 'log.txt'));
  closeSync(log);

  const stopSampling = sampleTelemetry(join(folder, 'telemetry.jsonl'), {
    ours: () => parseIdentity(textOf(join(folder, 'pid')) ?? '')?.pid === child.pid,
  });

  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  // The terminal went away; the run does not depend on it.
  process.on('SIGHUP', () => undefined);

  const finish = (code: number | null, signal: NodeJS.Signals | null, reason: string) => {
    stopSampling();
    const exitNow = textOf(join(folder, 'exit.json'));
    const runnerWroteIt = exitNow !== null && exitNow !== exitBefore;
    if (!runnerWroteIt && !heldByAnother(folder, child.pid)) {
      const said = lastWords((textOf(join(folder, 'log.txt')) ?? '').slice(logFrom));
      try {
        writeExit(folder, {
          code,
          signal,
          reason: said === '' ? reason : `${reason}; log.txt says: ${said}`,
          time: new Date().toISOString(),
        });
      } catch (error) {
        // Watchers see by pid, start time and boot id that the runner is gone.
        console.error(`launcher: exit.json could not be written: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  };
  child.on('error', (error) => finish(1, null, `the runner could not be started: ${error.message}`));
  child.on('exit', (code, signal) =>
    finish(
      code,
      signal,
      signal === null ? `the runner ended with code ${code} and said nothing more` : `the runner was ended by ${signal}`,
    ),
  );
}

launch();
