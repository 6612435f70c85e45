/** An evaluation as a run: each answer goes into the run folder as it comes, and a run that was stopped or killed asks only what is left. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluateConfig } from '../../shared/config.ts';
import { GRADER_VERSION } from '../../shared/grading/grader.ts';
import { dropSuperseded, dropSupersededCompletions, parseJsonl } from '../../shared/run-lines.ts';
import { CompletionRecord, RunEvent } from '../../shared/run-record.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeFileAtomic } from '../policy/atomic-file.ts';
import { evaluateModel } from './evaluate.ts';
import type { EvaluationAnswer } from './evaluation-answers.ts';
import { openExamples } from './few-shot.ts';
import { lineageOf, marksOf, runsBehind } from './lineage.ts';
import type { OpenedModel } from './open-model.ts';
import type { RunFolder } from './run-folder.ts';

/** Answers are put on disk together once there are so many, or this often in milliseconds: what a kill can cost. */
const TELL_ANSWERS = 64;
const TELL_EVERY = 500;

/** Goes on behind the last answers that were put on disk as a whole. Returns the answers that still count. */
async function goOn(run: RunFolder): Promise<EvaluationAnswer[]> {
  const last = dropSuperseded(await eventsOf(run)).findLast(({ type }) => type === 'progress');
  run.resumedFrom(0, last?.seq ?? -1);
  if (run.record.versions.grader !== GRADER_VERSION) {
    run.log(`answers so far were graded by ${run.record.versions.grader}, this is ${GRADER_VERSION}: all questions are asked again`);
    return [];
  }
  const { rows } = parseJsonl([await readFile(join(run.folder, 'completions.jsonl'))], CompletionRecord);
  const kept = dropSupersededCompletions(rows, await eventsOf(run));
  run.log(`${kept.length} answers of an earlier process are kept`);
  return kept;
}

const eventsOf = async (run: RunFolder): Promise<RunEvent[]> =>
  parseJsonl([await readFile(join(run.folder, 'events.jsonl'))], RunEvent).rows;

/** Carries the evaluation out and writes `items.jsonl` and `evaluation.json`. Errors: the signal's reason once it is aborted. */
export async function evaluateRun(
  run: RunFolder,
  config: EvaluateConfig,
  model: OpenedModel,
  data: Dataset,
  signal: AbortSignal,
): Promise<void> {
  const known = run.reopened ? await goOn(run) : [];
  run.event({ type: 'started', total_steps: null, pid: process.pid });
  const examples = await openExamples(config, data);
  const behind = await runsBehind(run.record.model.path);
  const marks = await marksOf(behind, data, (text) => run.log(text));
  const start = performance.now();
  let told = start;
  let waiting: EvaluationAnswer[] = [];
  const tell = (done: number, total: number) => {
    run.completions(waiting.map((answer) => ({ phase: 'evaluation', step: 0, rewards: {}, reward: null, advantage: null, ...answer })));
    waiting = [];
    const left = (((performance.now() - start) / Math.max(1, done - known.length)) * (total - done)) / 1000;
    run.event({ type: 'progress', done, total, what: 'answers', seconds_left: left });
  };
  let progress: [number, number] | null = null;
  const subject = { model, name: config.model, hash: run.record.model.hash, data, examples, lineage: lineageOf(behind), marks };
  try {
    const { evaluation, items } = await evaluateModel(subject, config, {
      signal,
      known,
      onAnswer: (answer, done, total) => {
        waiting.push(answer);
        progress = [done, total];
        if (waiting.length < TELL_ANSWERS && performance.now() - told < TELL_EVERY && done < total) return;
        told = performance.now();
        tell(done, total);
      },
    });
    await writeLines(join(run.folder, 'items.jsonl'), items);
    const result = { ...evaluation, items: 'items.jsonl' };
    await writeLines(join(run.folder, 'evaluation.json'), [result]);
    run.event({ type: 'evaluation', result });
    run.event({ type: 'finished', step: 0, model: null });
  } catch (error) {
    if (signal.aborted && progress !== null && waiting.length > 0) tell(...(progress as [number, number]));
    throw error;
  }
}

const writeLines = (path: string, rows: readonly object[]): Promise<void> =>
  writeFileAtomic(path, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
