/**
 * A step of a setup as a process of its own there: a lost connection or a closed app does not stop it, and a setup that comes later takes up
 * the one that goes on. `<setup>/running` names it, `<setup>/<name>.log` has its output, `<setup>/<name>.exit` its exit code.
 */
import { randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineLayout } from '../../machine/layout.ts';
import { type Machine, MachineError } from '../../machine/machine.ts';
import { shellQuote as q } from '../../machine/ssh/shell-quote.ts';

export interface DetachedStep {
  name: string;
  key: string;
  /** For `sh`. */
  script: string;
  env?: Readonly<Record<string, string>>;
}

export type StepNews = { type: 'output'; text: string } | { type: 'waiting'; why: string };

const LOOK_MS = 250;
/** Longest wait for a step's first sign, in milliseconds. */
const BEGIN_MS = 120_000;
/** Wait after a lost start: what was begun without our knowing shows itself in that time. */
const SHOW_MS = 3000;
const PIECE = 256 * 1024;
const LAST_WORDS = 4000;

const passes = (error: unknown): error is MachineError =>
  error instanceof MachineError && (error.kind === 'lost' || error.kind === 'timeout');

interface Running {
  pid: number;
  token: string;
  name: string;
  key: string;
}

/** Asks until an answer comes, however long the connection is gone; gives the reasons meanwhile. */
async function* persistently<T>(work: () => Promise<T>, signal: AbortSignal | undefined): AsyncGenerator<StepNews, T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!passes(error)) throw error;
      yield { type: 'waiting', why: error.message };
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
}

async function textOf(machine: Machine, path: string): Promise<string | null> {
  const read = await machine.readFrom(path, 0, 4096);
  return read === null ? null : Buffer.from(read.bytes).toString();
}

/** The step that goes on there, null where none does. Its token must stand in its command line: a pid alone proves nothing. */
async function findRunning(machine: Machine, setup: string): Promise<Running | null> {
  const [, pid, token, name, key] =
    /^(\d+) (mlt-setup-[0-9a-f-]{36}) (\S+) (\S+)\n/.exec((await textOf(machine, `${setup}/running`)) ?? '') ?? [];
  if (pid === undefined || token === undefined || name === undefined || key === undefined) return null;
  const { stdout } = await machine.exec(['ps', '-o', 'args=', '-p', pid]);
  return stdout.includes(token) ? { pid: Number(pid), token, name, key } : null;
}

async function start(machine: Machine, setup: string, { name, key, script, env }: DetachedStep): Promise<void> {
  const token = `mlt-setup-${randomUUID()}`;
  const [log, exit, running] = [`${setup}/${name}.log`, `${setup}/${name}.exit`, `${setup}/running`];
  const whole = [
    `rm -f ${q(exit)}; : > ${q(log)}`,
    // Its own words first: who looks between this and the first line finds it.
    `printf '%s %s %s %s\\n' "$$" "$0" ${q(name)} ${q(key)} > ${q(`${running}.tmp`)} && mv -f ${q(`${running}.tmp`)} ${q(running)}`,
    `(\n${script}\n)`,
    'code=$?',
    `printf '%s\\n' "$code" > ${q(`${exit}.tmp`)} && mv -f ${q(`${exit}.tmp`)} ${q(exit)}; rm -f ${q(running)}`,
  ].join('\n');
  await machine.remove(exit);
  await machine.startDetached(['/bin/sh', '-c', whole, token], { log, env });
  // Until it has said so it cannot be told from one that has ended.
  const until = performance.now() + BEGIN_MS;
  for (;;) {
    if ((await textOf(machine, running))?.includes(token) || (await textOf(machine, exit)) !== null) return;
    if (performance.now() > until) throw new Error(`the step "${name}" did not begin on ${machine.name}; see ${log} there`);
    await sleep(LOOK_MS);
  }
}

/** Ends it with all that it started. */
async function end(machine: Machine, setup: string, { pid }: Running): Promise<void> {
  await machine.exec(['/bin/sh', '-c', 'kill -s TERM -- "-$1" 2>/dev/null || kill -s TERM "$1"', 'sh', String(pid)]);
  await machine.remove(`${setup}/running`);
}

/**
 * Carries a step out, or takes up the one of the same key that goes on; gives what it prints. Another step that goes on is waited for.
 * Errors: an Error with its last words where it fails; the signal's reason, when it is ended.
 */
export async function* carryOut(
  machine: Machine,
  { setup }: Pick<MachineLayout, 'setup'>,
  step: DetachedStep,
  signal?: AbortSignal,
): AsyncGenerator<StepNews, string> {
  const again = <T>(work: () => Promise<T>): AsyncGenerator<StepNews, T> => persistently(work, signal);
  try {
    for (;;) {
      const running = yield* again(() => findRunning(machine, setup));
      if (running === null) {
        // Asked again after a lost connection it may have begun: then it is found running, or ended a moment ago.
        let attempts = 0;
        yield* again(async () => {
          if (attempts++ > 0) await sleep(SHOW_MS, undefined, { signal });
          const other = await findRunning(machine, setup);
          if (other === null) await start(machine, setup, step);
        });
        break;
      }
      if (running.name === step.name && running.key === step.key) break;
      yield { type: 'waiting', why: `the step "${running.name}" of another setup goes on there` };
      await sleep(4 * LOOK_MS, undefined, { signal });
    }
    const decoder = new StringDecoder('utf8');
    let offset = 0;
    let said = '';
    for (;;) {
      const exit = yield* again(() => textOf(machine, `${setup}/${step.name}.exit`));
      const alive = exit !== null || (yield* again(() => findRunning(machine, setup))) !== null;
      for (;;) {
        const read = yield* again(() => machine.readFrom(`${setup}/${step.name}.log`, offset, PIECE, signal));
        if (read === null || read.bytes.length === 0) break;
        offset += read.bytes.length;
        const text = decoder.write(Buffer.from(read.bytes));
        said = (said + text).slice(-LAST_WORDS);
        yield { type: 'output', text };
      }
      if (exit !== null) {
        const code = Number(exit.trim());
        if (code === 0) return said;
        throw new Error(`the step "${step.name}" ended with code ${code} on ${machine.name}: ${lastWords(said)}`);
      }
      if (!alive && (yield* again(() => textOf(machine, `${setup}/${step.name}.exit`))) === null)
        throw new Error(`the step "${step.name}" was ended on ${machine.name} from outside: ${lastWords(said)}`);
      await sleep(LOOK_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal?.aborted) {
      const running = await findRunning(machine, setup).catch(() => null);
      if (running !== null && running.key === step.key) await end(machine, setup, running).catch(() => undefined);
      signal.throwIfAborted();
    }
    throw error;
  }
}

const lastWords = (said: string): string => said.trim().split('\n').slice(-3).join(' / ').slice(-600) || 'it said nothing';
