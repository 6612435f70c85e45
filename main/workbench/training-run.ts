/** The training run behind an evaluation, where its folder can still be read, and configurations that differ in nothing but the seed. */
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { NamedEvaluation, NamedGroup } from '../../shared/data-groups.ts';
import type { Evaluation } from '../../shared/evaluation.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { readRecord } from './run-files.ts';

export interface TrainingRun {
  folder: string;
  record: RunRecord;
}

const isRun = async (folder: string): Promise<boolean> => (await stat(join(folder, 'run.json')).catch(() => null)) !== null;

/**
 * The run that made the model: the one that the evaluation names, under `runs` or beside the model, else the folder that the model lies in
 * (`<run>/model`, `<run>/checkpoints/step-…`). Null for a model that no run made, or whose run is gone.
 * Errors: InputError for a run.json that cannot be read.
 */
export async function trainingRun(evaluation: Evaluation, runs: string): Promise<TrainingRun | null> {
  const { lineage, model } = evaluation;
  const path = resolve(model);
  const places = [
    ...(lineage === null ? [] : [isAbsolute(lineage.run) ? lineage.run : join(runs, lineage.run)]),
    // A model named without a folder (`tiny`, `constant:A`) lies in no run.
    ...(/[/\\]/.test(model) ? [dirname(path), dirname(dirname(path))] : []),
  ];
  for (const folder of places) {
    if (!(await isRun(folder))) continue;
    const record = await readRecord(folder);
    const named = lineage === null || record.id === lineage.run || folder === lineage.run;
    if (named && record.config.kind !== 'evaluate') return { folder, record };
  }
  return null;
}

/** Everything of a result's making but the seed of training: equal keys are the same configuration. */
function configurationKey(evaluation: Evaluation, { record }: TrainingRun): string {
  const { seed: _seed, name: _name, ...config } = record.config;
  const { mode, template, few_shot, max_tokens, decoding } = evaluation;
  return JSON.stringify([config, record.model.hash, mode, template, few_shot, max_tokens, decoding]);
}

/**
 * Evaluations whose runs differ in nothing but the seed, as groups of two seeds or more; those in `taken` are in a group of the user's already.
 * A group is named for its run's config, and by number where that name is used.
 */
export function seedGroups(
  list: readonly NamedEvaluation[],
  runOf: ReadonlyMap<NamedEvaluation, TrainingRun>,
  taken: ReadonlySet<string>,
): NamedGroup[] {
  const byKey = new Map<string, { name: string; members: { name: string; seed: number }[] }>();
  for (const entry of list) {
    const run = runOf.get(entry);
    if (run === undefined || taken.has(entry.name)) continue;
    const key = configurationKey(entry.evaluation, run);
    const group = byKey.get(key) ?? { name: run.record.config.name ?? `seeds of ${entry.name}`, members: [] };
    group.members.push({ name: entry.name, seed: run.record.seed });
    byKey.set(key, group);
  }
  const used = new Set(list.map((entry) => entry.name));
  return [...byKey.values()]
    .filter(({ members }) => new Set(members.map((member) => member.seed)).size > 1)
    .map(({ name, members }) => {
      let unique = name;
      for (let i = 2; used.has(unique); i++) unique = `${name} (${i})`;
      used.add(unique);
      return { name: unique, members };
    });
}
