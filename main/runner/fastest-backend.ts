/** `backend: auto`: each backend that is there trains a small model for a moment, in a process of its own, and the fastest is taken. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AutoEvent, BackendSpeed } from '../../shared/backend-status.ts';
import type { Backend } from '../../shared/config.ts';
import { tensorflowAddon } from './tfjs-devices.ts';

/** Milliseconds that one trial may take, its start included. */
const LONGEST = 60_000;

export const TrialResult = z.object({ tokens_per_second: z.number() });

type Tried = BackendSpeed['backend'];

/** What is worth a trial here: backends that are installed, GPUs that are none of software. */
async function candidates(): Promise<Tried[]> {
  const { findAdapter } = await import('../policy/tfjs/webgpu/device.ts');
  const adapter = await findAdapter().catch(() => null);
  return [
    'wasm',
    ...(tensorflowAddon() === null ? [] : (['tensorflow'] as const)),
    ...(adapter === null || adapter.software ? [] : (['webgpu'] as const)),
  ];
}

/** The last measurement of this process: a form that is checked at every change must not measure each time. */
let known: { candidates: string; fastest: Tried } | undefined;

/** Tries each backend, whatever is known of them, and tells of it. Errors: the signal's reason when aborted. */
export async function* measureBackends(signal?: AbortSignal): AsyncGenerator<AutoEvent> {
  const backends = await candidates();
  yield { type: 'candidates', backends };
  const speeds: BackendSpeed[] = [];
  // One after another: side by side they would measure each other.
  for (const backend of backends) {
    const measured = { backend, tokens_per_second: await trial(backend, signal) };
    speeds.push(measured);
    yield { type: 'measured', ...measured };
  }
  const { backend } = fastestOf(speeds);
  known = { candidates: backends.join(), fastest: backend };
  yield { type: 'picked', backend };
}

/** The fastest of some; wasm, which is always there, where every trial failed. */
export const fastestOf = (speeds: readonly BackendSpeed[]): BackendSpeed =>
  speeds.reduce((best, next) => (next.tokens_per_second > best.tokens_per_second ? next : best), { backend: 'wasm', tokens_per_second: 0 });

/** The fastest, measured once in a process for as long as the same ones are there. Errors: the signal's reason when aborted. */
export async function fastestBackend(signal?: AbortSignal): Promise<Exclude<Backend, 'auto'>> {
  const found = await candidates();
  if (found.length === 1) return 'wasm';
  if (known?.candidates === found.join()) return known.fastest;
  for await (const event of measureBackends(signal)) if (event.type === 'picked') return event.backend;
  return 'wasm';
}

/** Tokens a second of a training step on one backend; 0 where it fails. */
async function trial(backend: Tried, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted();
  const program = ['ts', 'js'].map((ending) => join(import.meta.dirname, `backend-trial.${ending}`)).find((path) => existsSync(path));
  if (program === undefined) return 0;
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, backend], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: LONGEST,
    killSignal: 'SIGKILL',
    signal,
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', () => resolve(0));
  child.on('close', (code) => {
    const last = said.trim().split('\n').at(-1) ?? '';
    resolve(code === 0 ? speedOf(last) : 0);
  });
  const speed = await promise;
  signal?.throwIfAborted();
  return speed;
}

function speedOf(line: string): number {
  try {
    return TrialResult.parse(JSON.parse(line)).tokens_per_second;
  } catch {
    return 0;
  }
}
