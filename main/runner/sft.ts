/** Supervised training on worked solutions: the comparison that every RL gain has to stand, at equal compute. */
import type { SftConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { Dataset } from '../data/dataset.ts';
import type { TrainSequence } from '../policy/policy.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import type { OpenedModel } from './open-model.ts';
import { PromptOrder } from './prompt-order.ts';
import { promptIds } from './rollout.ts';
import type { RunFolder } from './run-folder.ts';
import { learningRateAt } from './schedule.ts';
import { StepTimes } from './step-times.ts';
import { TrainingRun } from './training-run.ts';

/** Loss is the mean negative log-likelihood of a token of the solutions, the end of the text included. */
export async function trainSupervised(
  run: RunFolder,
  config: SftConfig,
  model: OpenedModel,
  data: { train: Dataset; validation: Dataset },
  signal: AbortSignal,
): Promise<void> {
  const total = config.max_steps;
  const order = new PromptOrder(data.train.questions, config.seed);
  const validation = supervisedSequences(config, model.tokenizer, data.validation.questions);
  const training = await TrainingRun.open(run, model, config.early_stopping, signal);
  run.event({ type: 'started', total_steps: total, pid: process.pid });
  const { state } = training;
  const measure = async () => training.measured({ eval_loss: await meanLoss(model, validation) });
  if (config.eval_steps > 0 && training.fresh) await measure();

  let finished = training.stoppedEarly;
  while (state.step < total && !finished) {
    await training.obey();
    const times = new StepTimes();
    const questions = order.batch(state.batches, config.per_device_train_batch_size).map((b) => b.question);
    const learningRate = learningRateAt(state.step, total, config);
    try {
      const sequences = supervisedSequences(config, model.tokenizer, questions);
      const optimizer = { ...config, learning_rate: learningRate, signal };
      const updated = await times.duringAsync('update', () => model.policy.update({ sequences }, { kind: 'supervised' }, optimizer));
      times.tellRanks(updated.rank_seconds);
      state.step++;
      state.batches++;
      state.num_tokens += updated.tokens;
      run.event({
        type: 'step',
        step: state.step,
        epoch: (state.batches * config.per_device_train_batch_size) / data.train.questions.length,
        metrics: {
          loss: updated.loss,
          entropy: updated.entropy,
          grad_norm: updated.grad_norm,
          learning_rate: learningRate,
          num_tokens: state.num_tokens,
          step_time: times.metrics().step_time as number,
        },
        ...times.rankSeconds(),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      continue;
    }
    if (config.eval_steps > 0 && (state.step % config.eval_steps === 0 || state.step === total)) finished = await measure();
    if (config.save_steps > 0 && state.step % config.save_steps === 0) await training.checkpoint();
  }
  await training.finish();
}

/** Prompt and worked solution of each question, every token of the solution with the same weight. Too long ones are refused. */
export function supervisedSequences(config: SftConfig, tokenizer: Tokenizer, questions: readonly Question[]): TrainSequence[] {
  const rows = questions.map((question) => {
    if (!question.solution) {
      throw new InputError(
        `question ${question.id} of ${question.dataset} has no worked solution; supervised training needs one`,
        'data.train',
      );
    }
    const prompt = promptIds(question, tokenizer, config.prompt);
    const end = tokenizer.eosId === null ? [] : [tokenizer.eosId];
    const completion = Int32Array.from([...tokenizer.encodePlain(question.solution), ...end]);
    if (prompt.length + completion.length > config.max_length) {
      throw new InputError(
        `question ${question.id} of ${question.dataset}: prompt and solution have ${prompt.length + completion.length} tokens, more than max_length ${config.max_length}; raise max_length`,
        'max_length',
      );
    }
    return { prompt, completion };
  });
  const tokens = rows.reduce((sum, r) => sum + r.completion.length, 0);
  return rows.map(({ prompt, completion }) => ({
    prompt,
    completion,
    mask: new Float32Array(completion.length).fill(1),
    weights: new Float32Array(completion.length).fill(1 / tokens),
  }));
}

async function meanLoss(model: OpenedModel, sequences: TrainSequence[]): Promise<number> {
  const scored = await model.policy.logprobs({ sequences, model: 'policy' });
  const values = scored.flatMap((s) => [...s.logprobs]);
  return -values.reduce((a, b) => a + b, 0) / values.length;
}
