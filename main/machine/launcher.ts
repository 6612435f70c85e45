/**
 * `node launcher.ts <run folder> [--resume] [--runner FILE]`: starts the runner in a session of its own, so that a closed terminal does
 * not end it, sends what it prints to `log.txt`, waits, and writes `exit.json` where the runner could not (crash, signal).
 * Its own exit code is the runner's; 128 + n after signal n. Should the launcher die, the runner goes on.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseIdentity, presence } from '../../shared/process-identity.ts';
import type { ExitRecord } from '../../shared/run-record.ts';
import { thisSystem } from './system-probe.ts';

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
  // The runner lies beside this file's room, as source and as bundle alike.
  const beside = import.meta.url.endsWith('.ts') ? '../runner/main.ts' : '../runner/main.js';
  const runner = values.runner ?? fileURLToPath(new URL(beside, import.meta.url));
  const exitBefore = textOf(join(folder, 'exit.json'));
  const logFrom = textOf(join(folder, 'log.txt'))?.length ?? 0;

  // The log itself is the runner's output, not a pipe through this process: the runner can outlive it.
  const log = openSync(join(folder, 'log.txt'), 'a');
  const child = spawn(process.execPath, [...process.execArgv, runner, folder, ...(values.resume ? ['--resume'] : [])], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);

  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  // The terminal went away; the run does not depend on it.
  process.on('SIGHUP', () => undefined);

  const finish = (code: number | null, signal: NodeJS.Signals | null, reason: string) => {
    const exitNow = textOf(join(folder, 'exit.json'));
    const runnerWroteIt = exitNow !== null && exitNow !== exitBefore;
    if (!runnerWroteIt && !heldByAnother(folder, child.pid)) {
      const said = lastWords((textOf(join(folder, 'log.txt')) ?? '').slice(logFrom));
      writeExit(folder, {
        code,
        signal,
        reason: said === '' ? reason : `${reason}; log.txt says: ${said}`,
        time: new Date().toISOString(),
      });
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
