/** `backend: auto`: each backend that is there trains a small model for a moment, in a process of its own, and the fastest is taken. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Backend } from '../../shared/config.ts';
import { tensorflowAddon } from './tfjs-devices.ts';

/** Milliseconds that one trial may take, its start included. */
const LONGEST = 60_000;

export const TrialResult = z.object({ tokens_per_second: z.number() });

/** What is worth a trial here: backends that are installed, GPUs that are none of software. */
async function candidates(): Promise<Backend[]> {
  const { findAdapter } = await import('../policy/tfjs/webgpu/device.ts');
  const adapter = await findAdapter().catch(() => null);
  return [
    'wasm',
    ...(tensorflowAddon() === null ? [] : (['tensorflow'] as const)),
    ...(adapter === null || adapter.software ? [] : (['webgpu'] as const)),
  ];
}

/** The fastest; wasm where nothing else is there. Errors: the signal's reason when aborted. */
export async function fastestBackend(signal?: AbortSignal): Promise<Exclude<Backend, 'auto'>> {
  const found = await candidates();
  if (found.length === 1) return 'wasm';
  const speeds: { backend: Backend; speed: number }[] = [];
  // One after another: side by side they would measure each other.
  for (const backend of found) speeds.push({ backend, speed: await trial(backend, signal) });
  return speeds.reduce((best, next) => (next.speed > best.speed ? next : best)).backend as Exclude<Backend, 'auto'>;
}

/** Tokens a second of a training step on one backend; 0 where it fails. */
async function trial(backend: Backend, signal: AbortSignal | undefined): Promise<number> {
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
