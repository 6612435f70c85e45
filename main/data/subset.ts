/** Named subsets: conditions and a seeded sample over another set, saved with the hash of what they give. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetSubset } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import { conditionText, parseCondition } from '../../shared/question-filter.ts';
import { pickQuestions, settledSpec } from './catalogue.ts';
import { makeDataset } from './dataset.ts';
import { newName, SUBSET } from './imported-set.ts';
import { datasetsFolder } from './location.ts';
import type { Sample } from './sample.ts';

export interface SubsetOptions {
  name: string;
  from: string;
  /** Conditions as they are typed. */
  where: readonly string[];
  sample: Sample | null;
}

/** Makes and saves a subset. Errors: InputError for a name that is taken, a condition that cannot be read, or where nothing is left. */
export async function createSubset({ name: asked, from, where, sample }: SubsetOptions): Promise<DatasetSubset> {
  const name = newName(asked);
  const into = datasetsFolder();
  if (existsSync(join(into, name))) throw new InputError(`a data set "${name}" is already there. Choose another name.`, 'name');
  const conditions = where.map(parseCondition);
  const source = settledSpec(from);
  const picked = await pickQuestions(source, conditions, sample, { unlabelled: true });
  if (picked.questions.length === 0) {
    throw new InputError(`no question of ${source} meets ${conditions.map(conditionText).join(' and ')}. Nothing was saved.`, 'where');
  }
  const { questions, split, hash } = makeDataset(picked);
  const subset: DatasetSubset = {
    kind: 'subset',
    version: 1,
    name,
    created: new Date().toISOString(),
    from: source,
    split,
    where: conditions,
    sample,
    count: questions.length,
    hash,
  };
  await mkdir(into, { recursive: true });
  const temporary = join(into, `.${name}.${randomUUID()}.tmp`);
  try {
    await mkdir(temporary);
    await writeFile(join(temporary, SUBSET), `${JSON.stringify(subset, null, 2)}\n`, { flush: true });
    await rename(temporary, join(into, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return subset;
}
