/** `backend: auto`: each backend that is there trains a small model for a moment, in a process of its own, and the fastest is taken. */
import { z } from 'zod';
import type { AutoEvent, BackendSpeed } from '../../shared/backend-status.ts';
import { askProgram } from './ask-program.ts';
import { findWebgpu, tensorflowAddon } from './tfjs-devices.ts';

/** What a trial prints. */
export const TrialResult = z.object({ tokens_per_second: z.number() });

type Tried = BackendSpeed['backend'];

export interface BackendChoice {
  backend: Tried;
  /** Of a training step of the embedded model, by backend. Empty where there was no choice. */
  speeds: readonly BackendSpeed[];
}

/** What is worth a trial here: backends that are installed, GPUs that are none of software. */
async function candidates(signal: AbortSignal | undefined): Promise<Tried[]> {
  const adapter = await findWebgpu(signal).catch(() => null);
  signal?.throwIfAborted();
  return [
    'wasm',
    ...(tensorflowAddon() === null ? [] : (['tensorflow'] as const)),
    ...(adapter === null || adapter.software ? [] : (['webgpu'] as const)),
  ];
}

/** The last measurement of this process: a form that is checked at every change must not measure each time. */
let known: { candidates: string; backend: Tried } | undefined;

/** Tries each of some backends (default: all that are here), whatever is known of them, and tells of it. Errors: the signal's reason when aborted. */
export async function* measureBackends(signal?: AbortSignal, given?: readonly Tried[]): AsyncGenerator<AutoEvent> {
  const backends = [...(given ?? (await candidates(signal)))];
  yield { type: 'candidates', backends };
  const speeds: BackendSpeed[] = [];
  // One after another: side by side they would measure each other.
  for (const backend of backends) {
    const measured = { backend, tokens_per_second: await trial(backend, signal) };
    speeds.push(measured);
    yield { type: 'measured', ...measured };
  }
  const { backend } = fastestOf(speeds);
  known = { candidates: backends.join(), backend };
  yield { type: 'picked', backend };
}

/** The fastest of some; wasm, which is always there, where every trial failed. */
export const fastestOf = (speeds: readonly BackendSpeed[]): BackendSpeed =>
  speeds.reduce((best, next) => (next.tokens_per_second > best.tokens_per_second ? next : best), { backend: 'wasm', tokens_per_second: 0 });

export interface FastestOptions {
  signal?: AbortSignal | undefined;
  /** Called with what was taken and why, when it was measured. */
  tell?: ((line: string) => void) | undefined;
}

/** The fastest, measured once in a process for as long as the same ones are there. Errors: the signal's reason when aborted. */
export async function fastestBackend({ signal, tell }: FastestOptions = {}): Promise<Tried> {
  const found = await candidates(signal);
  if (known?.candidates === found.join()) return known.backend;
  const speeds: BackendSpeed[] = [];
  if (found.length === 1) known = { candidates: found.join(), backend: 'wasm' };
  else {
    for await (const event of measureBackends(signal, found)) {
      if (event.type === 'measured') speeds.push({ backend: event.backend, tokens_per_second: event.tokens_per_second });
    }
  }
  const backend = known?.backend ?? 'wasm';
  tell?.(choiceText({ backend, speeds }));
  return backend;
}

/** Tokens a second of a training step on one backend; 0 where it fails. Errors: the signal's reason when aborted. */
async function trial(backend: Tried, signal: AbortSignal | undefined): Promise<number> {
  try {
    return (await askProgram('main/runner/backend-trial', [backend], TrialResult, signal)).tokens_per_second;
  } catch {
    signal?.throwIfAborted();
    return 0;
  }
}

/** What was taken and why, for whoever asked for `auto`. */
export function choiceText({ backend, speeds }: BackendChoice): string {
  if (speeds.length === 0) return 'backend auto: wasm, the only one here ("medlogictrace backends" tells why)';
  const shown = speeds.map(({ backend: name, tokens_per_second: speed }) => `${name} ${speed === 0 ? 'failed' : Math.round(speed)}`);
  return `backend auto: ${backend}, the fastest in a short trial (tokens a second: ${shown.join(', ')})`;
}
