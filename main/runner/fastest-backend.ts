/** `backend: auto`: each backend that is there trains a small model for a moment, in a process of its own, and the fastest is taken. */
import { z } from 'zod';
import type { Backend } from '../../shared/config.ts';
import { askProgram } from './ask-program.ts';
import { findWebgpu, tensorflowAddon } from './tfjs-devices.ts';

/** What a trial prints. */
export const TrialResult = z.object({ tokens_per_second: z.number() });

export interface BackendChoice {
  backend: Exclude<Backend, 'auto'>;
  /** Tokens a second of a training step of the embedded model, by backend; null: it failed, or needed longer than a minute. Empty where there was no choice. */
  speeds: { backend: Backend; tokens_per_second: number | null }[];
}

/** What is worth a trial here: backends that are installed, GPUs that are none of software. */
async function candidates(signal: AbortSignal | undefined): Promise<BackendChoice['backend'][]> {
  const adapter = await findWebgpu(signal).catch(() => null);
  signal?.throwIfAborted();
  return [
    'wasm',
    ...(tensorflowAddon() === null ? [] : (['tensorflow'] as const)),
    ...(adapter === null || adapter.software ? [] : (['webgpu'] as const)),
  ];
}

let chosen: BackendChoice | undefined;

export interface FastestOptions {
  signal?: AbortSignal | undefined;
  /** Called with what was taken and why, when it was measured. */
  tell?: ((line: string) => void) | undefined;
}

/** The fastest; wasm where nothing else is there. It is measured once a process. Errors: the signal's reason when aborted. */
export async function fastestBackend({ signal, tell }: FastestOptions = {}): Promise<BackendChoice['backend']> {
  if (chosen === undefined) {
    chosen = await measure(signal);
    tell?.(choiceText(chosen));
  }
  return chosen.backend;
}

async function measure(signal: AbortSignal | undefined): Promise<BackendChoice> {
  const found = await candidates(signal);
  if (found.length === 1) return { backend: 'wasm', speeds: [] };
  const speeds = [];
  // One after another: side by side they would measure each other.
  for (const backend of found) speeds.push({ backend, tokens_per_second: await trial(backend, signal) });
  const best = speeds.reduce((best, next) => ((next.tokens_per_second ?? 0) > (best.tokens_per_second ?? 0) ? next : best));
  return { backend: best.backend, speeds };
}

/** Null where it fails. */
async function trial(backend: Backend, signal: AbortSignal | undefined): Promise<number | null> {
  try {
    return (await askProgram('main/runner/backend-trial', [backend], TrialResult, signal)).tokens_per_second;
  } catch {
    signal?.throwIfAborted();
    return null;
  }
}

/** What was taken and why, for whoever asked for `auto`. */
export function choiceText({ backend, speeds }: BackendChoice): string {
  if (speeds.length === 0) return 'backend auto: wasm, the only one here ("medlogictrace backends" tells why)';
  const shown = speeds.map(({ backend: name, tokens_per_second: speed }) => `${name} ${speed === null ? 'failed' : Math.round(speed)}`);
  return `backend auto: ${backend}, the fastest in a short trial (tokens a second: ${shown.join(', ')})`;
}
