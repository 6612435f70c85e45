/** The report of what `compare` compared: names for figures, learning curves and settings of the runs behind it, and the commands. */
import type { ComparisonSet } from '../../shared/comparison-set.ts';
import { dataName } from '../../shared/data-groups.ts';
import type { Comparison } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { OpenedEvaluation, OpenedSet } from './compare-set.ts';
import type { Report, ReportedComparison, ReportedRun } from './report-content.ts';
import { readCurves, readRecord } from './run-files.ts';
import { findRun, runName } from './runs.ts';
import { shortNames } from './short-names.ts';
import type { TrainingRun } from './training-run.ts';

export interface ReportOfSetOptions {
  set: OpenedSet;
  comparisons: readonly Comparison[];
  /** Null for one comparison of two. */
  all: ComparisonSet | null;
  runs: string;
  /** Further training runs to show, by id. */
  trainingRuns: readonly string[];
  /** The command that was given. */
  command: string;
}

/** The settings of a training run as a reader compares them. */
export const trainingSettings = ({ record }: TrainingRun): Record<string, unknown> => ({
  ...record.config,
  seed: record.seed,
  model_hash: record.model.hash.slice(0, 12),
  git_revision: record.git_revision,
});

/** Curves and settings of a training run. Errors: the system's for a file that cannot be read. */
async function reportedRun(name: string, run: TrainingRun): Promise<ReportedRun> {
  return { name, ...(await readCurves(run.folder)), settings: trainingSettings(run) };
}

async function reportedRuns({ set, runs, trainingRuns }: ReportOfSetOptions): Promise<ReportedRun[]> {
  const found = new Map<string, TrainingRun>();
  for (const { run } of set.evaluations) if (run !== null) found.set(run.folder, run);
  for (const id of trainingRuns) {
    const folder = await findRun(runs, id);
    const record = await readRecord(folder);
    if (record.config.kind === 'evaluate') {
      throw new InputError(
        `--run ${id}: ${runName(folder)} is an evaluation, which has no learning curves; give a run of kind train or sft`,
        'run',
      );
    }
    found.set(folder, { folder, record });
  }
  const names = shortNames([...found.keys()]);
  return Promise.all([...found.values()].map((run, i) => reportedRun(names[i] ?? run.record.id, run)));
}

/** What an evaluation was made with, and nothing of what came out. */
export function settingsOf({ evaluation }: OpenedEvaluation): Record<string, unknown> {
  const { model, model_hash, data, split, data_hash, n, mode, template, few_shot, decoding, max_tokens, grader, prompt_hash } = evaluation;
  const short = (hash: string) => hash.slice(0, 12);
  const shots = few_shot === null ? null : { ...few_shot, data_hash: short(few_shot.data_hash) };
  return {
    model,
    model_hash: short(model_hash),
    data,
    split,
    data_hash: short(data_hash),
    n,
    mode,
    template,
    few_shot: shots,
    decoding,
    max_tokens,
    grader,
    prompt_hash: short(prompt_hash),
  };
}

const word = (text: string): string => (/^[\w./:=,@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The command that measures a model again, as far as its result tells: texts put before questions are in its run's config. */
function evaluateCommand({ evaluation }: OpenedEvaluation): string {
  const { model, mode, decoding, max_tokens, template, few_shot, samples } = evaluation;
  const constant = model.startsWith('constant:');
  return [
    'medlogictrace evaluate',
    constant ? '--baseline' : '--model',
    word(model),
    '--data',
    word(dataName(evaluation)),
    '--limit',
    String(evaluation.n),
    ...(mode === 'likelihood' ? ['--mode likelihood'] : []),
    ...(constant || template === (mode === 'likelihood' ? 'raw' : 'chat') ? [] : [`--template ${template}`]),
    ...(few_shot === null ? [] : [`--few-shot ${few_shot.k} --few-shot-data ${word(few_shot.data)} --seed ${few_shot.seed}`]),
    ...(samples === null ? [] : [`--samples ${samples.k}`]),
    ...(max_tokens === null ? [] : ['--max-tokens', String(max_tokens)]),
    ...(decoding === null || decoding.temperature === 0
      ? []
      : [`--temperature ${decoding.temperature} --top-p ${decoding.top_p} --top-k ${decoding.top_k} --seed ${decoding.seed}`]),
  ].join(' ');
}

const untold = new WeakMap<OpenedEvaluation, Question[]>();

/** The questions that an evaluation asked; stand-ins with what the answers tell where they cannot be opened again. One list an evaluation. */
export const questionsOrStandIns = (entry: OpenedEvaluation): readonly Question[] => entry.questions ?? withoutTexts(entry);

function withoutTexts(entry: OpenedEvaluation): Question[] {
  const known = untold.get(entry);
  if (known !== undefined) return known;
  const { data, split } = entry.evaluation;
  const made = entry.items.map(
    ({ id, gold }): Question => ({ id, dataset: data, split, kind: 'word', question: `${id} (its text cannot be opened any more)`, gold }),
  );
  untold.set(entry, made);
  return made;
}

/** Comparisons under the names that figures and pages give them, and the series that models belong to. */
export function namedComparisons(
  { evaluations, groups }: Pick<OpenedSet, 'evaluations' | 'groups'>,
  comparisons: readonly Comparison[],
  all: ComparisonSet | null,
): { reported: ReportedComparison[]; series: Map<string, string> } {
  const data = new Set(evaluations.map(({ evaluation }) => dataName(evaluation)));
  // On one data set a model has one name; over several the model's own path says which bars belong together.
  const models = shortNames(evaluations.map(({ evaluation }) => evaluation.model));
  // One path may have held other weights at another time.
  const isOther = (i: number, at: number): boolean =>
    models[i] === models[at] && evaluations[i]?.evaluation.model_hash !== evaluations[at]?.evaluation.model_hash;
  const labels =
    data.size === 1
      ? evaluations.map((entry) => entry.name)
      : evaluations.map(({ evaluation }, i) =>
          evaluations.some((_, at) => isOther(i, at)) ? `${models[i]} (${evaluation.model_hash.slice(0, 4)})` : (models[i] ?? ''),
        );
  // A data file's folder says nothing in a figure; its path stands among the settings.
  const dataShort = shortNames(evaluations.map(({ evaluation }) => evaluation.data));
  const dataLabels = new Map(evaluations.map(({ evaluation }, i) => [evaluation.data_hash, `${dataShort[i]}:${evaluation.split}`]));
  const labelOf = new Map(evaluations.map((entry, i) => [entry, labels[i] ?? entry.name]));
  const find = (evaluation: Comparison['before']): OpenedEvaluation => {
    const found = evaluations.find((entry) => entry.evaluation === evaluation);
    if (found === undefined) throw new Error('a comparison of an evaluation that was not opened');
    return found;
  };
  const reported = comparisons.map((comparison): ReportedComparison => {
    const [before, after] = [find(comparison.before), find(comparison.after)];
    const name = dataLabels.get(comparison.before.data_hash) ?? dataName(comparison.before);
    return {
      name: all === null ? name : data.size === 1 ? (labelOf.get(after) ?? after.name) : `${labelOf.get(after)} · ${name}`,
      data: name,
      ...(all === null ? {} : { sides: [labelOf.get(before) ?? before.name, labelOf.get(after) ?? after.name] as const }),
      comparison,
      questions: questionsOrStandIns(before),
      beforeItems: before.items,
      afterItems: after.items,
    };
  });
  const series = new Map(
    groups.flatMap((group) =>
      group.members.flatMap(({ name }) => {
        const entry = evaluations.find((one) => one.name === name);
        return entry === undefined ? [] : [[labelOf.get(entry) ?? name, group.name] as const];
      }),
    ),
  );
  return { reported, series };
}

/** @throws InputError for a `--run` that is no training run. */
export async function reportOf(options: ReportOfSetOptions): Promise<Report> {
  const { set, comparisons, all, command } = options;
  const { evaluations } = set;
  const { reported, series } = namedComparisons(set, comparisons, all);
  const data = new Set(evaluations.map(({ evaluation }) => dataName(evaluation)));
  const [first] = comparisons;
  return {
    title:
      all === null && first !== undefined
        ? `${first.before.model} → ${first.after.model}`
        : `${evaluations.length} evaluations on ${data.size} data set${data.size === 1 ? '' : 's'}, against ${all?.reference ?? ''}`,
    comparisons: reported,
    ...(all === null ? {} : { set: all, series }),
    runs: await reportedRuns(options),
    evaluations: evaluations.map((entry) => ({ name: entry.name, settings: settingsOf(entry) })),
    commands: [...evaluations.map(evaluateCommand), command],
    notes: [
      ...set.notes,
      ...[...new Set(comparisons.flatMap((one) => one.allowed))].map(
        (name) => `Evaluations compared here differ in ${name}; the comparison was made all the same, as asked.`,
      ),
    ],
  };
}
