/** Several evaluations in one call: every model on every data set, under one progress line, and none is lost by another's failure. */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EvaluateConfig } from '../../shared/config.ts';
import { Evaluation } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { Question } from '../../shared/question.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { ownDefaults } from '../data/own-defaults.ts';
import { createRunFolder, type NewRunRecord } from '../runner/create-run.ts';
import { type EvaluationResult, evaluateConstant } from '../runner/evaluate.ts';
import { answersWanted } from '../runner/evaluation-plan.ts';
import { openRunData, prepareRun } from '../runner/prepare-run.ts';
import { findRun, runName, showRun } from '../workbench/runs.ts';
import { configOf, type EvaluateOptions } from './evaluate-config.ts';
import { renderEvaluation } from './evaluation-text.ts';
import type { Io } from './io.ts';
import { placeAsked, type There } from './machine-options.ts';
import { RunFailed } from './outcome.ts';
import { followToEnd, newRun } from './start-run.ts';

/** One evaluation to be done: `what` names it in messages. */
export interface EvaluationJob {
  what: string;
  /** Answers that it will ask for. */
  answers: number;
  work:
    | { kind: 'new'; record: NewRunRecord }
    | { kind: 'there'; config: EvaluateConfig; there: There }
    | { kind: 'resume'; folder: string; wait: boolean }
    | { kind: 'baseline'; result: EvaluationResult };
}

/** Every model and baseline on every data set, all of them checked; `tell` hears what `prepareRun` tells, each line once. Errors: InputError before anything is written. */
export async function pairsOf(given: EvaluateOptions, tell: (line: string) => void): Promise<EvaluationJob[]> {
  const options = { ...(await ownDefaults()), ...given };
  const { model = [], baseline = [], data = [] } = options;
  if (model.length > 0 === baseline.length > 0) {
    throw new InputError('give either --model or --baseline', model.length === 0 ? '--model' : '--baseline');
  }
  if (data.length === 0) throw new InputError("required option '--data <D>' not specified: name a data set or a file", '--data');
  const there = placeAsked(options);
  const jobs: EvaluationJob[] = [];
  // Told once, and only where there is something to carry out.
  const notes = new Set<string>();
  for (const name of [...model, ...baseline]) {
    for (const set of data) {
      const what = `${name} on ${set}`;
      const config = configOf(options, model.length > 0 ? name : 'tiny', set);
      const questions = await questionsOf(config);
      if (model.length === 0) jobs.push({ what, answers: 0, work: { kind: 'baseline', result: await answeredAlike(name, config) } });
      else {
        const work =
          there === null
            ? { kind: 'new' as const, record: await prepareRun(config, { tell: (line) => notes.add(line) }) }
            : { kind: 'there' as const, config, there };
        jobs.push({ what, answers: answersWanted(questions, config), work });
      }
    }
  }
  for (const note of notes) tell(note);
  return jobs;
}

async function questionsOf(config: EvaluateConfig): Promise<Question[]> {
  const { test } = await openRunData(config);
  if (!test) throw new Error('an evaluation has no questions');
  return test.questions;
}

async function answeredAlike(baseline: string, config: EvaluateConfig): Promise<EvaluationResult> {
  const { test } = await openRunData(config);
  if (!test) throw new Error('an evaluation has no questions');
  return evaluateConstant(baseline, test, config);
}

/** The runs named, to be gone on with; what is to be done stands in each. Errors: InputError for a run of another kind. */
export async function stoppedRuns(runs: readonly string[], options: EvaluateOptions, runsDir: string): Promise<EvaluationJob[]> {
  if (options.data || options.model || options.baseline) {
    throw new InputError('--resume goes on with what the run was asked; leave --model, --baseline and --data out', '--resume');
  }
  const jobs: EvaluationJob[] = [];
  for (const run of runs) {
    const folder = await findRun(runsDir, run);
    const { config } = (await showRun(folder)).record;
    if (config.kind !== 'evaluate') {
      throw new InputError(
        `run ${runName(folder)} is no evaluation but ${config.kind}; go on with it with: medlogictrace runs resume`,
        '--resume',
      );
    }
    const what = `${config.model} on ${config.data.test}`;
    jobs.push({
      what,
      answers: answersWanted(await questionsOf(config), config),
      work: { kind: 'resume', folder, wait: options.queue ?? false },
    });
  }
  return jobs;
}

/** Does the jobs one after another and says their results: one document for one job, else a list of those that came to an end. */
export async function evaluateAll(jobs: readonly EvaluationJob[], runsDir: string, io: Io): Promise<void> {
  const total = jobs.reduce((sum, { answers }) => sum + answers, 0);
  const bar =
    total === 0 ? null : io.progress(jobs.length === 1 ? `evaluating ${jobs[0]?.what}` : `evaluating ${jobs.length} pairs`, total);
  const results: Evaluation[] = [];
  const failures: { what: string; error: unknown }[] = [];
  let before = 0;
  const started = performance.now();
  /** A run knows its own time best; of those to come only the number of answers is known. */
  const left = (own: number | null, done: number, later: number): number | null =>
    own === null || done === 0 ? null : own + (later * (performance.now() - started)) / 1000 / done;
  try {
    for (const [index, job] of jobs.entries()) {
      const note = jobs.length === 1 ? undefined : `${job.what} (${index + 1} of ${jobs.length})`;
      try {
        const later = total - before - job.answers;
        const tell = (done: number, seconds: number | null) =>
          bar?.update(before + done, { note, seconds_left: left(seconds, before + done, later) });
        results.push(await carryOutJob(job, runsDir, io, tell));
      } catch (error) {
        if (io.signal.aborted) {
          const left = jobs.slice(index + 1).map(({ what }) => what);
          if (left.length > 0) io.note(`Not begun: ${left.join('; ')}.`);
          throw error;
        }
        failures.push({ what: job.what, error });
      }
      before += job.answers;
    }
  } finally {
    bar?.finish(io.signal.aborted ? 'stopped' : undefined);
  }
  const [first] = failures;
  if (first && jobs.length === 1) throw first.error;
  io.out(jobs.length === 1 ? results[0] : results, () => results.map(renderEvaluation).join('\n\n'));
  if (first) {
    const lines = failures.map(({ what, error }) => `${what}: ${error instanceof Error ? error.message : String(error)}`);
    throw new RunFailed(`${failures.length} of ${jobs.length} evaluations failed; the others are done\n${lines.join('\n')}`);
  }
}

async function carryOutJob(
  { work }: EvaluationJob,
  runsDir: string,
  io: Io,
  onDone: (done: number, seconds_left: number | null) => void,
): Promise<Evaluation> {
  if (work.kind === 'baseline') return evaluationOf(await writeBaseline(work.result, runsDir));
  const folder =
    work.kind === 'new'
      ? await createRunFolder(runsDir, work.record)
      : work.kind === 'there'
        ? await newRun(work.config, runsDir, undefined, work.there, io)
        : work.folder;
  if (work.kind === 'resume' && (await isThere(join(folder, 'evaluation.json')))) return evaluationOf(folder);
  let answered = false;
  const onEvent = (event: RunEvent) => {
    if (event.type !== 'progress') return;
    answered = true;
    onDone(event.done, event.seconds_left);
  };
  try {
    const wait = work.kind === 'there' ? work.there.wait : work.kind === 'resume' && work.wait;
    await followToEnd(folder, io.signal, onEvent, work.kind === 'resume', wait);
  } catch (error) {
    if (answered) io.note(`What was answered so far is kept in ${folder}. Go on with: medlogictrace evaluate --resume ${folder}`);
    throw error;
  }
  return evaluationOf(folder);
}

/** The evaluation that a finished run of kind evaluate left in its folder, with the full path of its items. */
export async function evaluationOf(folder: string): Promise<Evaluation> {
  const path = join(folder, 'evaluation.json');
  const evaluation = parseInput(Evaluation, parseJson(await readFile(path, 'utf8'), path), path);
  return { ...evaluation, items: resolve(folder, evaluation.items) };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );

/** A folder with the items and the evaluation of a constant responder, whole or not at all. */
async function writeBaseline({ evaluation, items }: EvaluationResult, runsDir: string): Promise<string> {
  const stamp = new Date()
    .toISOString()
    .slice(0, 23)
    .replace(/[-:T.]/g, '');
  const name = `baseline-${evaluation.model.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40)}-${stamp}-${randomBytes(2).toString('hex')}`;
  const [building, folder] = [join(runsDir, `.making-${name}`), join(runsDir, name)];
  try {
    await mkdir(building, { recursive: true });
    await writeFile(join(building, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
    await writeFile(join(building, 'evaluation.json'), `${JSON.stringify({ ...evaluation, items: 'items.jsonl' })}\n`);
    await rename(building, folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
  return folder;
}
