/** Evaluations found by what a user calls them, with their questions and their training runs: what `compare` and the report work on. */
import { dataName, type NamedEvaluation, type NamedGroup } from '../../shared/data-groups.ts';
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { askedQuestions } from './asked-questions.ts';
import { loadEvaluation } from './load-evaluation.ts';
import { shortNames } from './short-names.ts';
import { seedGroups, type TrainingRun, trainingRun } from './training-run.ts';

export interface OpenedEvaluation extends NamedEvaluation {
  /** As the user gave it. */
  ref: string;
  /** The questions, in the order of the answers; null where their source cannot be opened. */
  questions: readonly Question[] | null;
  run: TrainingRun | null;
}

export interface OpenedSet {
  evaluations: OpenedEvaluation[];
  groups: NamedGroup[];
  /** `reference` by its name in the set; undefined where none was given. */
  reference: string | undefined;
  /** What could not be opened, a sentence each. */
  notes: string[];
}

export interface OpenSetOptions {
  runs: string;
  /** A ref as given, or a group's name. */
  reference?: string;
  /** `NAME=ref,ref,…` each. */
  groups?: readonly string[];
  /** Told of each that cannot be read, which is then left out. @default the error is thrown */
  onFault?: (ref: string, error: InputError) => void;
  /** What evaluations are called. `models`: by model, where that tells them apart. @default paths */
  names?: 'paths' | 'models';
}

/** Each by its model; where several have one, by their data too, and where that is the same by the end of their folder's name. */
function modelNames(list: readonly { ref: string; evaluation: Evaluation }[]): string[] {
  const models = shortNames(list.map(({ evaluation }) => evaluation.model));
  const folders = shortNames(list.map(({ ref }) => ref));
  const twice = (names: readonly string[], i: number): boolean => names.some((name, at) => at !== i && name === names[i]);
  const withData = list.map(({ evaluation }, i) => (twice(models, i) ? `${models[i]} · ${dataName(evaluation)}` : (models[i] ?? '')));
  const ends = folders.map((name) => name.split('-').at(-1) ?? name);
  const withEnds = withData.map((name, i) => (twice(withData, i) ? `${models[i]} · ${ends[i]}` : name));
  return withEnds.map((name, i) => (twice(withEnds, i) ? `${models[i]} · ${folders[i]}` : name));
}

/** Answers with the cluster of their question, where the evaluation was written before answers carried it. */
const withClusters = (items: readonly EvaluationItem[], questions: readonly Question[]): EvaluationItem[] =>
  items.map((item, i) => {
    const cluster = item.cluster ?? questions[i]?.cluster;
    return cluster === undefined ? item : { ...item, cluster };
  });

/** `NAME=a,b,c` as a group of names. @throws InputError for what has not this form, or names what was not given. */
function askedGroup(text: string, evaluations: readonly OpenedEvaluation[]): NamedGroup {
  const [, name, list] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const refs = (list ?? '').split(',').map((ref) => ref.trim());
  if (name === undefined || refs.length < 2 || refs.includes('')) {
    throw new InputError(`--group ${text}: give a name and two evaluations or more, as NAME=a,b,c`, 'group');
  }
  return {
    name: name.trim(),
    members: refs.map((ref) => {
      const found = evaluations.find((entry) => entry.ref === ref || entry.name === ref);
      if (found === undefined) {
        throw new InputError(`--group ${text}: ${ref} is not among the evaluations compared; name it there too`, 'group');
      }
      return { name: found.name, seed: found.run?.record.seed ?? null };
    }),
  };
}

/**
 * Loads every evaluation, its questions and the run that trained its model, and finds which of them are one configuration with several seeds.
 * @throws InputError as loadEvaluation does, for an evaluation given twice and for a group that is none.
 */
export async function openSet(refs: readonly string[], options: OpenSetOptions): Promise<OpenedSet> {
  const { runs, reference, groups: asked = [], onFault, names: by = 'paths' } = options;
  const twice = refs.find((ref, i) => refs.indexOf(ref) !== i);
  if (twice !== undefined && refs.length > 2) throw new InputError(`${twice} was given twice; name each evaluation once`, 'evaluations');
  const all = reference === undefined || refs.includes(reference) ? refs : await withReference(refs, reference, asked);
  const loaded: { ref: string; evaluation: Evaluation; items: EvaluationItem[] }[] = [];
  for (const ref of all) {
    try {
      loaded.push({ ref, ...(await loadEvaluation(ref, { runs })) });
    } catch (error) {
      if (!(error instanceof InputError) || onFault === undefined) throw error;
      onFault(ref, error);
    }
  }
  const names = by === 'models' ? modelNames(loaded) : shortNames(loaded.map((one) => one.ref));
  const runBehind = async (evaluation: Evaluation): Promise<TrainingRun | null> => {
    try {
      return await trainingRun(evaluation, runs);
    } catch (error) {
      if (!(error instanceof InputError) || onFault === undefined) throw error;
      notes.push(`The training run behind ${evaluation.model} cannot be read: ${error.message}`);
      return null;
    }
  };
  const opened = new Map<string, Question[] | string>();
  const notes: string[] = [];
  const evaluations: OpenedEvaluation[] = [];
  for (const [i, { ref, evaluation, items }] of loaded.entries()) {
    const key = `${evaluation.data}:${evaluation.split} ${evaluation.data_hash}`;
    let questions = opened.get(key);
    if (questions === undefined) {
      try {
        questions = await askedQuestions(evaluation, items);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        questions = error.message;
        if (!items.some((item) => item.cluster !== undefined)) {
          notes.push(`Each question counts as independent of the others, because they could not be opened again: ${error.message}`);
        }
      }
      opened.set(key, questions);
    }
    const inOrder = typeof questions === 'string' ? null : inOrderOf(items, questions);
    evaluations.push({
      ref,
      name: names.filter((name) => name === names[i]).length > 1 ? `${names[i]} (${i + 1})` : (names[i] ?? ref),
      evaluation,
      items: inOrder === null ? items : withClusters(items, inOrder),
      questions: inOrder,
      run: await runBehind(evaluation),
    });
  }
  const groups = asked.map((text) => askedGroup(text, evaluations));
  const taken = new Set(groups.flatMap((group) => group.members.map((member) => member.name)));
  const runOf = new Map(evaluations.flatMap((entry) => (entry.run === null ? [] : [[entry, entry.run] as const])));
  return {
    evaluations,
    groups: [...groups, ...seedGroups(evaluations, runOf, taken)],
    reference: evaluations.find((entry) => entry.ref === reference)?.name ?? reference,
    notes,
  };
}

/** A reference that is no group and not among the evaluations is one more of them, and comes first. */
async function withReference(refs: readonly string[], reference: string, asked: readonly string[]): Promise<readonly string[]> {
  const isGroup = asked.some((text) => text.startsWith(`${reference}=`));
  return isGroup || shortNames(refs).includes(reference) ? refs : [reference, ...refs];
}

function inOrderOf(items: readonly EvaluationItem[], questions: readonly Question[]): Question[] | null {
  if (items.every((item, i) => questions[i]?.id === item.id)) return [...questions];
  const byId = new Map(questions.map((question) => [question.id, question]));
  const found = items.flatMap((item) => byId.get(item.id) ?? []);
  return found.length === items.length ? found : null;
}
