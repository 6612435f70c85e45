/** The list of data sets as the window shows it, and the saving of a choice of questions as a set of its own. */
import type { DatasetSubset } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import { type Condition, conditionText } from '../../shared/question-filter.ts';
import type { DatasetEntry } from '../../shared/rpc/datasets.ts';
import { DATASET_NAMES, listDatasets } from '../data/catalogue.ts';
import { ownSet } from '../data/imported-set.ts';
import type { Sample } from '../data/sample.ts';
import { createSubset } from '../data/subset.ts';
import { checkName } from './datasets-store.ts';

function kindOf(name: string): Pick<DatasetEntry, 'kind' | 'skipped'> {
  if (DATASET_NAMES.includes(name)) return { kind: 'catalogue', skipped: 0 };
  try {
    const set = ownSet(name);
    return set?.kind === 'subset' ? { kind: 'subset', skipped: 0 } : { kind: 'imported', skipped: set?.skipped_rows.total ?? 0 };
  } catch (error) {
    // Its listing says what is wrong with it.
    if (error instanceof InputError) return { kind: 'imported', skipped: 0 };
    throw error;
  }
}

/** Every data set with what it is; one that cannot be read says so and hides no other. */
export async function datasetEntries(): Promise<DatasetEntry[]> {
  return (await listDatasets()).map((listing) => ({ ...listing, ...kindOf(listing.name) }));
}

/** Saves a choice. Errors: InputError for a name that is taken, or where nothing is left. */
export function saveSubset(
  from: { data: string; split: string },
  name: string,
  where: readonly Condition[],
  sample: Sample | null,
): Promise<DatasetSubset> {
  checkName(from.data);
  return createSubset({ name, from: `${from.data}:${from.split}`, where: where.map(conditionText), sample });
}
