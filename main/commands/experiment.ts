/**
 * The embedded experiment: evaluate, train, evaluate again on the same questions. Each part is a run of its own in one folder,
 * under a fixed name, so that an experiment that was stopped goes on where it was.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Backend, EvaluateConfig, type RunConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { readRemote } from '../workbench/remote/remote-file.ts';
import { readRecord } from '../workbench/run-files.ts';
import { observeRun } from '../workbench/run-state.ts';
import type { Io } from './io.ts';
import type { There } from './machine-options.ts';
import { carryOut, newRun } from './start-run.ts';

/** The questions that the demo reports on: data set, number, and the name it goes by in the results. */
export const reported = (limit = Number.POSITIVE_INFINITY) =>
  [
    { name: 'arithmetic', data: 'arithmetic:test', limit: Math.min(500, limit) },
    { name: 'dosage', data: 'dosage:test', limit: Math.min(300, limit) },
  ] as const;
export type Reported = ReturnType<typeof reported>;

/** Longest answer, in training and measurement alike: far above what the model writes, so that the cap saves nothing. */
export const ANSWER_CAP = 160;

/** Carries out the run named `id` in `folder` unless it is done; goes on with it where it was stopped. Returns its folder. */
export async function runOnce(
  config: RunConfig,
  folder: string,
  id: string,
  what: string,
  io: Io,
  there: There | null = null,
): Promise<string> {
  const path = join(folder, id);
  if (!existsSync(path)) {
    await newRun(config, folder, id, there, io);
    await carryOut(path, what, io, false, there?.wait);
    return path;
  }
  const record = readRecord(path);
  // On another machine its model has another path.
  const model = readRemote(path) === null ? record.config.model : config.model;
  if (!isDeepStrictEqual({ ...record.config, model }, config)) {
    throw new InputError(`${path} holds a run with other settings (seed ${record.seed}); give another folder with --out`, '--out');
  }
  const state = await observeRun(path);
  if (state.state === 'live') throw new InputError(`run ${path} is live (${state.evidence}); wait for it, or stop it`, '--out');
  if (state.state === 'exited' && state.exit?.code === 0) {
    io.note(`${what}: already done in ${path}`);
    return path;
  }
  await carryOut(path, `${what} (goes on)`, io, true, there?.wait);
  return path;
}

export interface Prompted {
  /** A text that every answer is made to start with. */
  answer_prefix?: string;
  /** A text before every question. */
  prefix?: string;
}

export interface MeasuredHow {
  prompted?: Prompted;
  /** @default 'wasm' */
  backend?: Backend | undefined;
  /** Where it is carried out. @default here */
  there?: There | null;
}

/**
 * Measures a model on every reported set, side by side in processes of their own.
 * @returns the run folders by the set's name
 */
export async function evaluateReported(
  sets: Reported,
  model: string,
  folder: string,
  label: string,
  seed: number,
  io: Io,
  { prompted = {}, backend = 'wasm', there = null }: MeasuredHow = {},
): Promise<Record<Reported[number]['name'], string>> {
  const folders = await Promise.all(
    sets.map(({ name, data, limit }) => {
      const config = EvaluateConfig.parse({
        kind: 'evaluate',
        name: `${label}-${name}`,
        model,
        backend,
        seed,
        data: { test: data, limit },
        max_completion_length: ANSWER_CAP,
        prompt: prompted,
      });
      return runOnce(config, folder, `${label}-${name}`, `${label.padEnd(6)} ${name}`, io, there);
    }),
  );
  const [arithmetic, dosage] = folders as [string, string];
  return { arithmetic, dosage };
}
