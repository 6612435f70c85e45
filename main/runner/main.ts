/**
 * The runner: `node main.ts <run folder>` carries out one run from start to finish, or goes on with it where its folder has a past.
 * Exit code 0 done, 1 failed, 2 the folder or its config cannot be used, 130 stopped on request.
 */
import { join } from 'node:path';
import type { EvaluateConfig } from '../../shared/config.ts';
import type { EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeFileAtomic } from '../policy/atomic-file.ts';
import { evaluateModel } from './evaluate.ts';
import { trainGrpo } from './grpo.ts';
import { type OpenedModel, openModel } from './open-model.ts';
import { openRunData } from './prepare-run.ts';
import type { SampledRollout } from './rollout.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { trainSupervised } from './sft.ts';
import { StopRequested } from './training-run.ts';

const STOPPED = 130;

/** Asks whether someone wants this run stopped, between other work, for runs that have no steps of their own. */
function stopOnControl(run: RunFolder, controller: AbortController): NodeJS.Timeout {
  return setInterval(() => {
    if (run.readControl().some(({ verb }) => verb === 'stop')) controller.abort(new StopRequested('stopped: asked for in control.jsonl'));
  }, 300);
}

async function evaluate(run: RunFolder, config: EvaluateConfig, model: OpenedModel, data: Dataset, stop: AbortController): Promise<void> {
  if (run.reopened) run.resumedFrom(0, -1);
  run.event({ type: 'started', total_steps: null, pid: process.pid });
  const start = performance.now();
  let told = start;
  let waiting: SampledRollout[] = [];
  const tell = (done: number, total: number) => {
    run.completions(
      waiting.map((r) => ({
        phase: 'evaluation',
        step: 0,
        question: r.question.id,
        sample: r.sample,
        text: r.text,
        tokens: r.tokens,
        finish: r.finish,
        answer: r.answer,
        method: r.method,
        correct: r.correct,
        rewards: {},
        reward: null,
        advantage: null,
      })),
    );
    waiting = [];
    const left = (((performance.now() - start) / done) * (total - done)) / 1000;
    run.event({ type: 'progress', done, total, what: 'questions', seconds_left: left });
  };
  const timer = stopOnControl(run, stop);
  try {
    const { evaluation, items } = await evaluateModel(model, config.model, run.record.model.hash, data, config, {
      signal: stop.signal,
      onAnswer: (rollout, done, total) => {
        waiting.push(rollout);
        if (performance.now() - told < 500 && done < total) return;
        told = performance.now();
        tell(done, total);
      },
    });
    await writeLines(join(run.folder, 'items.jsonl'), items);
    const result = { ...evaluation, items: 'items.jsonl' };
    await writeLines(join(run.folder, 'evaluation.json'), [result]);
    run.event({ type: 'evaluation', result });
    run.event({ type: 'finished', step: 0, model: null });
  } finally {
    clearInterval(timer);
  }
}

const writeLines = (path: string, rows: readonly (EvaluationItem | object)[]): Promise<void> =>
  writeFileAtomic(path, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);

async function carryOut(run: RunFolder, stop: AbortController): Promise<void> {
  const { config } = run.record;
  const data = await openRunData(config);
  for (const set of Object.values(data)) {
    const frozen = run.record.data.find((d) => set && d.name === set.name && d.split === set.split);
    if (set && frozen?.hash !== set.hash) {
      throw new InputError(`data ${set.name}:${set.split} is not what run.json was made with (other questions); start a new run`, 'data');
    }
  }
  const model = await openModel(run.record.model.path, config.backend);
  try {
    if (config.kind === 'evaluate') await evaluate(run, config, model, data.test as Dataset, stop);
    else if (config.kind === 'sft') await trainSupervised(run, config, model, data as Record<'train' | 'validation', Dataset>, stop.signal);
    else await trainGrpo(run, config, model, data as Record<'train' | 'validation', Dataset>, stop.signal);
  } finally {
    await model.policy.dispose();
  }
}

async function main(folder: string | undefined): Promise<number> {
  if (!folder) {
    console.error('usage: node main/runner/main.ts <run folder>');
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new StopRequested(`stopped by ${name}`)));
  const run = await openRunFolder(folder);
  try {
    await carryOut(run, stop);
    await run.exit({ code: 0, signal: null, reason: 'finished' });
    return 0;
  } catch (error) {
    const stopped = error instanceof StopRequested || stop.signal.aborted;
    const code = stopped ? STOPPED : error instanceof InputError ? 2 : 1;
    const reason = error instanceof Error ? error.message : String(error);
    run.log(error instanceof Error && !stopped ? (error.stack ?? reason) : reason);
    await run.exit({ code, signal: null, reason });
    return code;
  } finally {
    run.close();
  }
}

main(process.argv[2]).then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof InputError ? error.message : error);
    process.exit(error instanceof InputError ? 2 : 1);
  },
);
