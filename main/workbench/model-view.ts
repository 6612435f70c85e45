/** What the window shows of a model: the helper's description, its runs as links, and questions to try it on. */

import { InputError } from '../../shared/input-error.ts';
import type { ModelEntry } from '../../shared/model-list.ts';
import type { Question } from '../../shared/question.ts';
import type { Condition } from '../../shared/question-filter.ts';
import type { ModelView, QuestionSet } from '../../shared/rpc/models.ts';
import { listDatasets, pickQuestions } from '../data/catalogue.ts';
import { findModel, listModels } from './models.ts';
import type { RunnerService } from './runner-service.ts';

/** Description of a model of the list. Errors: InputError for an unknown id or a broken model. */
export async function viewModel(runsDir: string, runner: RunnerService, id: string): Promise<ModelView> {
  const entry = await findModel(runsDir, id);
  const { lineage, ...description } = await runner.ask('model.inspect', { model: entry.location });
  const { models } = await listModels(runsDir);
  const at = (location: string): string | null => models.find((model) => model.location === location)?.id ?? null;
  const runs = new Set(models.flatMap(({ run }) => run?.id ?? []));
  return { ...description, entry, lineage: lineage.map((step) => ({ ...step, here: runs.has(step.run), from_id: at(step.from) })) };
}

/** Which of some models can be used, and what is wrong with the others. */
export async function checkModels(models: readonly ModelEntry[], runner: RunnerService) {
  const checks = await runner.ask('model.check', { models: models.map(({ location }) => location) });
  return models.map(({ id }, i) => {
    const { parameters = null, bytes = null, problem = null } = checks[i] ?? {};
    return { id, parameters, bytes, problem };
  });
}

/** Every split that questions can be taken from. */
export async function questionSets(): Promise<QuestionSet[]> {
  const listings = await listDatasets();
  return listings.flatMap(({ name, splits }) =>
    splits.flatMap(({ split, available, count }) => (available ? [{ spec: `${name}:${split}`, name, split, count }] : [])),
  );
}

export interface Draw {
  search: string;
  id?: string;
  n: number;
  seed: number;
}

/** Some questions of a set, drawn by a seed from those that hold `search`; or the one of an id. Errors: InputError for a set that is not in the list. */
export async function someQuestions(spec: string, { search, id, n, seed }: Draw): Promise<Question[]> {
  // Of the list, never a path: the window must not name files.
  if (!(await questionSets()).some((set) => set.spec === spec)) {
    throw new InputError(`there is no data set ${JSON.stringify(spec)}; choose one of the list`, 'data');
  }
  const where: Condition[] = [];
  if (search.trim() !== '') where.push({ field: 'question', op: '~', value: search.trim() });
  if (id !== undefined) where.push({ field: 'id', op: '=', value: id });
  return (await pickQuestions(spec, where, { n, seed }, { unlabelled: true })).questions;
}
