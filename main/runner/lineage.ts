/** Where a checkpoint comes from, read from the run folder that it lies in, and what that says about a result measured with it. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { EvaluationMark, Lineage } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { RunRecord } from '../../shared/run-record.ts';
import { DATASET_NAMES, openDataset } from '../data/catalogue.ts';
import type { Dataset } from '../data/dataset.ts';
import { limited } from './prepare-run.ts';

/** A run that trained a model may start from what another run trained; longer chains than this are a loop of links. */
const LONGEST_CHAIN = 32;

/** The run that a checkpoint folder (`<run>/checkpoints/step-…`) or the model that it ended with (`<run>/model`) lies in; null where it lies in none. Errors: InputError for a broken run.json. */
async function runOf(model: string): Promise<RunRecord | null> {
  const above = dirname(resolve(model));
  for (const folder of [above, dirname(above)]) {
    const path = join(folder, 'run.json');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) continue;
      throw error;
    }
    return parseInput(RunRecord, parseJson(text, path), path);
  }
  return null;
}

/** The runs that made a checkpoint, the last first; empty for a checkpoint that no run of ours wrote. */
export async function runsBehind(model: string): Promise<RunRecord[]> {
  const chain: RunRecord[] = [];
  for (let run = await runOf(model); run !== null && chain.length < LONGEST_CHAIN; run = await runOf(run.model.path)) chain.push(run);
  return chain;
}

/** The last run's part of a result. */
export function lineageOf([last]: readonly RunRecord[]): Lineage | null {
  if (last === undefined) return null;
  const data = last.data.map(({ name, split, hash }) => ({ name, split, hash }));
  return { run: last.id, trained_on: last.splits.trained_on, selected_on: last.splits.selected_on, data };
}

/** A set of questions by what names it. */
type Named = Pick<Dataset, 'name' | 'split' | 'hash'>;

const sameSet = (a: Named, b: Named): boolean => a.hash === b.hash || (a.name === b.name && a.split === b.split);

/** Whether two sets have a question in common: the same source and id, or the same words. */
function sharesQuestions(a: Dataset, b: Dataset): boolean {
  const names = new Set(a.questions.flatMap((q) => [`${q.dataset}/${q.id}`, JSON.stringify([q.question, q.options ?? []])]));
  return b.questions.some((q) => names.has(`${q.dataset}/${q.id}`) || names.has(JSON.stringify([q.question, q.options ?? []])));
}

const DISJOINT = ['train', 'validation', 'test'];

/** Whether `set` may hold questions of `evaluated` though it is not the same set: splits that a source is divided into do not. */
function mayShare(set: Named, evaluated: Dataset): boolean {
  if (set.name === evaluated.name && DISJOINT.includes(set.split) && DISJOINT.includes(evaluated.split)) return false;
  // Of a catalogue name it is known which questions it can hold; a file or an import may hold any.
  return !DATASET_NAMES.includes(set.name) || evaluated.questions.some(({ dataset }) => dataset === set.name);
}

/**
 * What is wrong with reporting on `evaluated`: a run behind the checkpoint trained on it, or chose the checkpoint by it. The same set is
 * told by hash, or by name and split; another that may hold the same questions is opened again, as the run's config names it, and looked
 * through.
 * @param note is told of a set that cannot be opened any more and so is not looked through
 */
export async function marksOf(runs: readonly RunRecord[], evaluated: Dataset, note: (text: string) => void): Promise<EvaluationMark[]> {
  const marks = new Set<EvaluationMark>();
  for (const run of runs) {
    const roles: [EvaluationMark, string | null, 'train' | 'validation'][] = [
      ['trained_on_reporting_split', run.splits.trained_on, 'train'],
      ['selected_on_reporting_split', run.splits.selected_on, 'validation'],
    ];
    for (const [mark, split, role] of roles) {
      const set = run.data.find(({ name, split: part }) => `${name}:${part}` === split);
      if (set === undefined) continue;
      const shares = sameSet(set, evaluated) || (mayShare(set, evaluated) && (await overlaps(run, role, evaluated, note)));
      if (shares) marks.add(mark);
    }
  }
  return [...marks].sort();
}

async function overlaps(run: RunRecord, role: 'train' | 'validation', evaluated: Dataset, note: (text: string) => void): Promise<boolean> {
  if (run.config.kind === 'evaluate') return false;
  const { data } = run.config;
  try {
    const set = limited(await openDataset(data[role]), role === 'train' ? data.train_limit : data.validation_limit);
    return sharesQuestions(set, evaluated);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note(`${data[role]}, which run ${run.id} used, cannot be opened again to look for the questions measured here: ${error.message}`);
    return false;
  }
}
