/** The user's own data sets: folders with `dataset.json` (imported) or `subset.json` (a saved choice from another set). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetName, DatasetSubset, ImportedDataset } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { Question } from '../../shared/question.ts';
import { DATASET_NAMES } from './catalogue-entries.ts';
import { type Dataset, makeDataset } from './dataset.ts';
import { datasetsFolder } from './location.ts';
import { INDEX, QUESTIONS, readStore, type Selection, scanStore } from './question-store.ts';

export const MANIFEST = 'dataset.json';
export const SUBSET = 'subset.json';

/** A new set's name, checked: it becomes a folder's name. Errors: InputError for what is no name, and for a name of the catalogue. */
export function newName(name: string): string {
  if (!DatasetName.safeParse(name).success) {
    throw new InputError(
      `"${name}" is no name for a data set: 1 to 64 letters, digits, - and _, beginning with a letter or digit.`,
      'name',
    );
  }
  if (DATASET_NAMES.includes(name)) throw new InputError(`"${name}" is a name of the catalogue. Choose another name.`, 'name');
  return name;
}

/** Names of the user's data sets, sorted; none where the folder does not exist. Hidden ones are still being made. */
export function ownNames(folder: string = datasetsFolder()): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .filter((name) => existsSync(join(folder, name, MANIFEST)) || existsSync(join(folder, name, SUBSET)))
    .sort();
}

/** The record of one of them; null where there is none of this name. Errors: InputError for a record that cannot be read. */
export function ownSet(name: string, folder: string = datasetsFolder()): ImportedDataset | DatasetSubset | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) return null;
  for (const [file, schema] of [
    [MANIFEST, ImportedDataset],
    [SUBSET, DatasetSubset],
  ] as const) {
    const path = join(folder, name, file);
    if (existsSync(path)) return parseInput(schema, parseJson(readFileSync(path, 'utf8'), path), path);
  }
  return null;
}

/** What an imported set may be asked for: its splits, and `all` of it. */
export const importedSplits = ({ splits }: ImportedDataset): string[] => [...new Set([...Object.keys(splits), 'all'])];

/** A split's name checked; without one `test` where there is one, else all. */
export function importedSplit(set: ImportedDataset, asked: string | undefined): string {
  const splits = importedSplits(set);
  const split = asked ?? (Object.hasOwn(set.splits, 'test') ? 'test' : 'all');
  if (!splits.includes(split)) throw new InputError(`data set ${set.name}: ${unknownName('split', split, splits)}`, 'data');
  return split;
}

function storeOf({ name }: ImportedDataset): string {
  const folder = join(datasetsFolder(), name);
  const gone = [QUESTIONS, INDEX].find((file) => !existsSync(join(folder, file)));
  if (gone === undefined) return folder;
  throw new InputError(`data set ${name}: ${join(folder, gone)} is gone. Import the file again with --replace.`, 'data');
}

/** The store's split of that name; `all` is every row, unless the source itself has a split of that name. */
const stored = (set: ImportedDataset, split: string): string | undefined => (Object.hasOwn(set.splits, split) ? split : undefined);

/** Questions of an imported set that meet a selection, read alone. */
export const selectImported = (set: ImportedDataset, split: string, selection: Omit<Selection, 'split'> = {}): Promise<Question[]> =>
  readStore(storeOf(set), set.name, { ...selection, split: stored(set, split) });

/** Calls `see` with every question of a split without holding them. */
export const scanImported = (set: ImportedDataset, split: string, see: (q: Question) => void): Promise<void> =>
  scanStore(storeOf(set), set.name, { split: stored(set, split) }, see);

/** An imported set's split with all its questions. Errors: InputError where the stored questions are not those that were imported. */
export async function openImported(set: ImportedDataset, asked: string | undefined): Promise<Dataset> {
  const split = importedSplit(set, asked);
  const { name, source, licence } = set;
  const dataset = makeDataset({ name, split, source, licence, questions: await selectImported(set, split) });
  if (dataset.hash !== (set.splits[split]?.hash ?? set.hash)) {
    throw new InputError(
      `data set ${name}:${split} is not what was imported: its questions have changed on disk. Import the file again with --replace.`,
      'data',
    );
  }
  return dataset;
}
