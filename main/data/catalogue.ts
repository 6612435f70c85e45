/** Data sets by name: what there is, where its files are, under which licence; and the `D` of the command line. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatasetSubset, ImportedDataset } from '../../shared/dataset-import.ts';
import type { DatasetListing } from '../../shared/dataset-listing.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import { type Condition, meets } from '../../shared/question-filter.ts';
import { CATALOGUE, DATASET_NAMES, type Entry, type FromFiles } from './catalogue-entries.ts';
import { fileStamp, keepCounts, readCounts } from './count-cache.ts';
import { type Dataset, makeDataset } from './dataset.ts';
import { importedSplit, importedSplits, openImported, ownNames, ownSet, scanImported, selectImported } from './imported-set.ts';
import { dataFolder, datasetsFolder } from './location.ts';
import { GENERATED_SPLITS, type GeneratedSplit } from './product-split.ts';
import { openQuestionFile, type QuestionFile } from './question-file.ts';
import { type Sample, sampled } from './sample.ts';

export { DATASET_NAMES } from './catalogue-entries.ts';

export interface OpenOptions {
  /** Sets whose golds are withheld are opened too: to be read, or checked for contamination, never to be scored. */
  unlabelled?: boolean;
}

/** What a spec means, before anything is read. */
type Meaning =
  | { type: 'entry'; entry: Entry; split: string }
  | { type: 'imported'; set: ImportedDataset; split: string | undefined }
  | { type: 'subset'; set: DatasetSubset }
  | { type: 'path'; path: string; split: string | undefined };

const splitsOf = (entry: Entry): string[] => ('files' in entry ? Object.keys(entry.files) : [...GENERATED_SPLITS]);

/** Where a split's file is, or the place where it was looked for first. */
function splitFile(entry: FromFiles, split: string): { path: string; there: boolean; ask: string | undefined } {
  const { file, split: ask } = entry.files[split] as FromFiles['files'][string];
  const found = file.map((name) => join(dataFolder(), name)).find((path) => existsSync(path));
  return { path: found ?? join(dataFolder(), file[0]), there: found !== undefined, ask };
}

/** Files that are open already, by path: several splits of a list share one. */
type OpenFiles = Map<string, Promise<QuestionFile>>;

/** One catalogue entry's split. Throws InputError for an unknown split or a missing file. */
async function openEntry(entry: Entry, split: string, opened: OpenFiles = new Map()): Promise<Dataset> {
  const { name, source, licence } = entry;
  if (!splitsOf(entry).includes(split)) throw new InputError(`data set ${name}: ${unknownName('split', split, splitsOf(entry))}`, 'data');
  if ('generate' in entry) return makeDataset({ name, split, source, licence, questions: entry.generate(split as GeneratedSplit) });
  const { path, there, ask } = splitFile(entry, split);
  if (!there) {
    throw new InputError(
      `data set ${name}:${split} needs ${path}, which is not there. Put the file there, or set MEDLOGICTRACE_DATA to the folder that holds it (source: ${source})`,
      'data',
    );
  }
  const file = opened.get(path) ?? openQuestionFile(path);
  opened.set(path, file);
  return makeDataset({ name, split, source, licence, questions: (await file).questions(ask) });
}

async function openPath(path: string, split: string | undefined): Promise<Dataset> {
  const file = await openQuestionFile(path);
  const entry = CATALOGUE.find((candidate) => candidate.name === file.kind);
  return makeDataset({
    name: path,
    split: split ?? file.whole,
    source: `${resolve(path)}, read as ${entry?.source ?? file.kind}`,
    licence: entry?.licence ?? 'unknown',
    questions: file.questions(split),
  });
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** A name of the catalogue or of the user's own sets; null where it is none. */
function named(name: string, split: string | undefined): Meaning | null {
  const entry = CATALOGUE.find((candidate) => candidate.name === name);
  if (entry) return { type: 'entry', entry, split: split ?? 'test' };
  const set = ownSet(name);
  if (set === null) return null;
  if (set.kind === 'imported') return { type: 'imported', set, split };
  if (split !== undefined && split !== set.split)
    throw new InputError(`data set ${name}: ${unknownName('split', split, [set.split])}`, 'data');
  return { type: 'subset', set };
}

/** Errors: InputError that says what there is instead. */
function meaningOf(spec: string): Meaning {
  const whole = named(spec, undefined);
  if (whole) return whole;
  if (isFile(spec)) return { type: 'path', path: spec, split: undefined };
  const colon = spec.lastIndexOf(':');
  const [head, tail] = colon < 0 ? [spec, undefined] : [spec.slice(0, colon), spec.slice(colon + 1)];
  const part = tail === undefined ? null : named(head, tail);
  if (part) return part;
  if (tail !== undefined && isFile(head)) return { type: 'path', path: head, split: tail };
  const names = [...DATASET_NAMES, ...ownNames()];
  if (/[/\\.]/.test(head)) {
    const found = existsSync(spec) ? spec : existsSync(head) ? head : null;
    if (found !== null) throw new InputError(`${found} is a folder. Name the data file in it.`, 'data');
    throw new InputError(`no file ${head} (looked for ${resolve(head)}). Give an existing file or one of: ${names.join(', ')}.`, 'data');
  }
  throw new InputError(unknownName('data set', head, names), 'data');
}

/** A saved choice of questions, made again. Errors: InputError where it no longer gives what it gave. */
async function openSubset(set: DatasetSubset, options: OpenOptions): Promise<Dataset> {
  const picked = await pickQuestions(set.from, set.where, set.sample, options);
  const dataset = makeDataset({ ...picked, name: set.name, questions: picked.questions.map((q) => ({ ...q, dataset: set.name })) });
  if (dataset.hash === set.hash) return dataset;
  throw new InputError(
    `data set ${set.name}: ${set.from} has changed since this subset was made: it gives other questions now (${dataset.questions.length}, were ${set.count}). Make it again under another name.`,
    'data',
  );
}

function open(meaning: Meaning, options: OpenOptions): Promise<Dataset> {
  switch (meaning.type) {
    case 'entry':
      return openEntry(meaning.entry, meaning.split);
    case 'imported':
      return openImported(meaning.set, meaning.split);
    case 'subset':
      return openSubset(meaning.set, options);
    case 'path':
      return openPath(meaning.path, meaning.split);
  }
}

function refuseUnlabelled({ name, split, questions }: Pick<Dataset, 'name' | 'split' | 'questions'>): void {
  const withheld = questions.reduce((count, { gold }) => count + Number(gold === ''), 0);
  if (withheld === 0) return;
  throw new InputError(
    `${name}:${split}: ${withheld} of ${questions.length} questions have no gold answer (as in MedMCQA's public test, "cop" -1, and PQA-U, no "final_decision"): it can be shown and checked for contamination, not trained on or scored. Name a labelled split.`,
    'data',
  );
}

/**
 * Opens `D` of the command line: a name of the catalogue or of the user's own sets, or a file's path, each with an optional `:split`.
 * A name without a split means `test` (an imported set without one: all of it), a path without one all its rows. A path that
 * holds a colon works: the whole is tried as a file first. All its questions are held in memory, once; of a subset only those
 * that it picks are. Throws InputError naming the data set, split or file and what there is instead.
 */
export async function openDataset(spec: string, options: OpenOptions = {}): Promise<Dataset> {
  const dataset = await open(meaningOf(spec), options);
  if (!options.unlabelled) refuseUnlabelled(dataset);
  return dataset;
}

/**
 * The questions of `spec` that meet all conditions, and of those a seeded sample, in source order. Of an imported set only these are
 * read into memory. Errors: InputError as for `openDataset`, and where nothing is left.
 */
export async function pickQuestions(
  spec: string,
  where: readonly Condition[],
  sample: Sample | null,
  options: OpenOptions = {},
): Promise<Omit<Dataset, 'hash'>> {
  const meaning = meaningOf(spec);
  if (meaning.type !== 'imported') {
    const { hash: _, questions, ...rest } = await openDataset(spec, options);
    return {
      ...rest,
      questions: sampled(
        questions.filter((q) => where.every((condition) => meets(q, condition))),
        sample,
      ),
    };
  }
  const { set } = meaning;
  const split = importedSplit(set, meaning.split);
  const questions = await selectImported(set, split, { where, sample: sample ?? undefined });
  const picked = { name: set.name, split, source: set.source, licence: set.licence, questions };
  if (!options.unlabelled) refuseUnlabelled(picked);
  return picked;
}

/** Calls `see` with every question of a spec, in no certain order; an imported set is not held in memory. Golds may be withheld. */
export async function scanQuestions(spec: string, see: (q: Question) => void): Promise<void> {
  const meaning = meaningOf(spec);
  if (meaning.type === 'imported') return scanImported(meaning.set, importedSplit(meaning.set, meaning.split), see);
  for (const q of (await open(meaning, { unlabelled: true })).questions) see(q);
}

/** The name with its split that a spec stands for, a path made absolute, so that it can be saved. */
export function settledSpec(spec: string): string {
  const meaning = meaningOf(spec);
  if (meaning.type === 'entry') return `${meaning.entry.name}:${meaning.split}`;
  if (meaning.type === 'imported') return `${meaning.set.name}:${importedSplit(meaning.set, meaning.split)}`;
  if (meaning.type === 'subset') return meaning.set.name;
  return `${resolve(meaning.path)}${meaning.split === undefined ? '' : `:${meaning.split}`}`;
}

/** The splits of the set that `spec` is one of: its own, and the specs of the others. */
export async function siblingSplits(spec: string): Promise<{ own: string; others: { split: string; spec: string }[] }> {
  const meaning = meaningOf(spec);
  const others = (base: string, own: string, splits: readonly string[]) => ({
    own,
    others: splits.filter((split) => split !== own).map((split) => ({ split, spec: `${base}:${split}` })),
  });
  if (meaning.type === 'entry') return others(meaning.entry.name, meaning.split, splitsOf(meaning.entry));
  if (meaning.type === 'imported') {
    return others(meaning.set.name, importedSplit(meaning.set, meaning.split), importedSplits(meaning.set));
  }
  if (meaning.type === 'subset') return { own: meaning.set.split, others: [] };
  const { whole, splits } = await openQuestionFile(meaning.path);
  return others(meaning.path, meaning.split ?? whole, splits);
}

/** What a spec rests on: for who carries it to another machine. */
export type SpecFiles =
  /** Made by the program. */
  | { kind: 'generated' }
  /** Files of the data folder; none where they are not there. */
  | { kind: 'catalogue'; files: string[] }
  /** One of the user's own sets, in its folder; a subset rests on another set. */
  | { kind: 'own'; name: string; folder: string; from: string | null }
  /** A file, with what is read beside it. */
  | { kind: 'path'; path: string; split: string | undefined; files: string[] };

const TRUTH = 'pubmedqa_test_ground_truth.json';
const withTruth = (path: string): string[] => [path, join(dirname(path), TRUTH)].filter((file) => existsSync(file));

/** Errors: InputError as for `openDataset`, for a name or file that is not there. */
export function specFiles(spec: string): SpecFiles {
  const meaning = meaningOf(spec);
  if (meaning.type === 'path') {
    return { kind: 'path', path: meaning.path, split: meaning.split, files: withTruth(resolve(meaning.path)) };
  }
  if (meaning.type === 'entry') {
    const { entry, split } = meaning;
    if ('generate' in entry) return { kind: 'generated' };
    if (!splitsOf(entry).includes(split)) return { kind: 'catalogue', files: [] };
    const { path, there } = splitFile(entry, split);
    return { kind: 'catalogue', files: there ? (entry.name === 'pubmedqa' ? withTruth(path) : [path]) : [] };
  }
  const { name } = meaning.set;
  return { kind: 'own', name, folder: join(datasetsFolder(), name), from: meaning.type === 'subset' ? meaning.set.from : null };
}

type SplitListing = DatasetListing['splits'][number];

/** A text that changes when an entry's split would give other questions; null where it is not there. */
function entryStamp(entry: Entry, split: string): string | null {
  if ('generate' in entry) {
    const folder = import.meta.dirname;
    const code = ['arithmetic.ts', 'dosage.ts', 'product-split.ts', 'worked-solution.ts'].map((file) => join(folder, file));
    return fileStamp(code.every((file) => existsSync(file)) ? code : [import.meta.filename]);
  }
  const { path, there } = splitFile(entry, split);
  const truth = join(dataFolder(), TRUTH);
  return there ? fileStamp(entry.name === 'pubmedqa' && existsSync(truth) ? [path, truth] : [path]) : null;
}

/** A text that changes when a split of the catalogue may give other questions; null for a set that is not of it, or not there. */
export function contentStamp(name: string, split: string): string | null {
  const entry = CATALOGUE.find((one) => one.name === name);
  return entry === undefined || !splitsOf(entry).includes(split) ? null : entryStamp(entry, split);
}

async function listEntry(entry: Entry, known: ReturnType<typeof readCounts>): Promise<DatasetListing> {
  const opened: OpenFiles = new Map();
  const splits: SplitListing[] = [];
  for (const split of splitsOf(entry)) {
    const stamp = entryStamp(entry, split);
    const key = `${entry.name}:${split}\n${stamp}`;
    const before = known[key];
    try {
      const { count, hash } = before ?? (await countOf(entry, split, opened));
      if (stamp !== null) known[key] = { count, hash };
      splits.push({ split, available: true, count, hash, reason: null });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      splits.push({ split, available: false, count: null, hash: null, reason: error.message });
    }
  }
  return { name: entry.name, source: entry.source, licence: entry.licence, splits };
}

async function countOf(entry: Entry, split: string, opened: OpenFiles): Promise<{ count: number; hash: string }> {
  const { questions, hash } = await openEntry(entry, split, opened);
  return { count: questions.length, hash };
}

function listOwn(name: string): DatasetListing[] {
  try {
    const set = ownSet(name);
    if (set === null) return [];
    if (set.kind === 'subset') {
      const { split, count, hash } = set;
      const source = `subset of ${set.from}`;
      return [{ name, source, licence: 'as its source', splits: [{ split, available: true, count, hash, reason: null }] }];
    }
    const counts = Object.hasOwn(set.splits, 'all') ? set.splits : { ...set.splits, all: { count: set.n, hash: set.hash } };
    const splits = Object.entries(counts).map(([split, { count, hash }]) => ({ split, available: true, count, hash, reason: null }));
    return [{ name, source: set.source, licence: set.licence, splits }];
  } catch (error) {
    // One record that cannot be read hides no other set.
    if (!(error instanceof InputError)) throw error;
    const broken = { split: 'all', available: false, count: null, hash: null, reason: error.message };
    return [{ name, source: 'imported', licence: 'unknown', splits: [broken] }];
  }
}

/**
 * Data sets of the catalogue and the user's own (all, or those named) with splits, counts and hashes; a split that cannot be opened
 * says why. Files that have not changed since the last list are not read again.
 */
export async function listDatasets(names?: readonly string[]): Promise<DatasetListing[]> {
  const wanted = (name: string): boolean => names === undefined || names.includes(name);
  const known = readCounts();
  const before = JSON.stringify(known);
  const listings: DatasetListing[] = [];
  for (const entry of CATALOGUE) if (wanted(entry.name)) listings.push(await listEntry(entry, known));
  if (JSON.stringify(known) !== before) keepCounts(known);
  return [...listings, ...ownNames().filter(wanted).flatMap(listOwn)];
}
