/** `backend: auto`: each backend that is there trains a model as wide as the run's for a moment, in a process of its own, and the fastest is taken. */
import { z } from 'zod';
import type { AutoEvent, BackendSpeed } from '../../shared/backend-status.ts';
import type { RunConfig } from '../../shared/config.ts';
import { readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { askProgram } from './ask-program.ts';
import { findWebgpu, tensorflowAddon } from './tfjs-devices.ts';
import { trialModel } from './trial-model.ts';

/** What a trial prints. */
export const TrialResult = z.object({ tokens_per_second: z.number() });

type Tried = BackendSpeed['backend'];

export interface BackendChoice {
  backend: Tried;
  /** Of a training step of the model tried, by backend. Empty where there was no choice. */
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

/** What this process has measured, by the shape tried and the backends that were here: a form that is checked at every change must not measure each time. */
const known = new Map<string, Tried>();

async function keyOf(folder: string, backends: readonly Tried[]): Promise<string> {
  return JSON.stringify([trialModel(await readModelConfig(folder)), backends]);
}

/**
 * Tries each of some backends (default: all that are here) with a model as wide as that in a folder (default: the embedded one), whatever is
 * known of them, and tells of it. Errors: CheckpointError; the signal's reason when aborted.
 */
export async function* measureBackends(
  signal?: AbortSignal,
  given?: readonly Tried[],
  folder = locateModel('tiny'),
): AsyncGenerator<AutoEvent> {
  const backends = [...(given ?? (await candidates(signal)))];
  yield { type: 'candidates', backends };
  const speeds: BackendSpeed[] = [];
  // One after another: side by side they would measure each other.
  for (const backend of backends) {
    const measured = { backend, tokens_per_second: await trial(backend, folder, signal) };
    speeds.push(measured);
    yield { type: 'measured', ...measured };
  }
  const { backend } = fastestOf(speeds);
  known.set(await keyOf(folder, backends), backend);
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

/**
 * The fastest for the model in a folder, measured once in a process for each width and for as long as the same backends are there.
 * Errors: CheckpointError; the signal's reason when aborted.
 */
export async function fastestBackend(folder: string, { signal, tell }: FastestOptions = {}): Promise<Tried> {
  const found = await candidates(signal);
  const key = await keyOf(folder, found);
  const before = known.get(key);
  if (before !== undefined) return before;
  const speeds: BackendSpeed[] = [];
  if (found.length === 1) known.set(key, 'wasm');
  else {
    for await (const event of measureBackends(signal, found, folder)) {
      if (event.type === 'measured') speeds.push({ backend: event.backend, tokens_per_second: event.tokens_per_second });
    }
  }
  const backend = known.get(key) ?? 'wasm';
  tell?.(choiceText({ backend, speeds }));
  return backend;
}

/** A config with `auto` replaced by what it comes to. Errors: as above; InputError for a model that is not there. */
export async function withBackend<C extends Pick<RunConfig, 'backend' | 'model'>>(config: C, options: FastestOptions = {}): Promise<C> {
  return config.backend === 'auto' ? { ...config, backend: await fastestBackend(locateModel(config.model), options) } : config;
}

/** Tokens a second of a training step on one backend; 0 where it fails. Errors: the signal's reason when aborted. */
async function trial(backend: Tried, folder: string, signal: AbortSignal | undefined): Promise<number> {
  try {
    return (await askProgram('main/runner/backend-trial', [backend, folder], TrialResult, signal)).tokens_per_second;
  } catch {
    signal?.throwIfAborted();
    return 0;
  }
}

/** What was taken and why, for whoever asked for `auto`. */
export function choiceText({ backend, speeds }: BackendChoice): string {
  if (speeds.length === 0) return 'backend auto: wasm, the only one here ("medlogictrace backends" tells why)';
  const shown = speeds.map(({ backend: name, tokens_per_second: speed }) => `${name} ${speed === 0 ? 'failed' : Math.round(speed)}`);
  return `backend auto: ${backend}, the fastest in a short trial at the model's width (tokens a second: ${shown.join(', ')})`;
}
