/**
 * GRPO (Shao et al., arXiv 2402.03300) from start to finish: sample K completions of each prompt, score them, compare them within
 * their group, and move the policy towards what did better. Read `trainGrpo` from top to bottom.
 */
import type { TrainConfig } from '../../shared/config.ts';
import type { CompletionRecord } from '../../shared/run-record.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Objective, TrainSequence } from '../policy/policy.ts';
import { groupAdvantages } from './advantage.ts';
import { lossWeights } from './loss-weights.ts';
import type { OpenedModel } from './open-model.ts';
import { PromptOrder } from './prompt-order.ts';
import { type ScoredGroup, scoreGroup } from './rewards/registry.ts';
import { checkPromptsFit, promptIds, type SampledRollout, sampleRollouts } from './rollout.ts';
import type { RunFolder } from './run-folder.ts';
import { learningRateAt } from './schedule.ts';
import { SignalWatch } from './signal-watch.ts';
import { StepTimes } from './step-times.ts';
import { rolloutMetrics } from './train-metrics.ts';
import { TrainingRun } from './training-run.ts';

/** Optimizer steps of a whole run. */
export function totalSteps(config: TrainConfig, questions: number): number {
  const batches = Math.ceil((questions * config.num_train_epochs) / config.per_device_train_batch_size);
  return config.max_steps ?? batches * config.num_iterations;
}

export async function trainGrpo(
  run: RunFolder,
  config: TrainConfig,
  model: OpenedModel,
  data: { train: Dataset; validation: Dataset },
  signal: AbortSignal,
): Promise<void> {
  const { policy } = model;
  const total = totalSteps(config, data.train.questions.length);
  const order = new PromptOrder(data.train.questions, config.seed);
  if (config.beta > 0) await policy.freezeReference();
  const training = await TrainingRun.open(run, model, config.early_stopping, signal);
  run.event({ type: 'started', total_steps: total, pid: process.pid });
  const { state } = training;
  if (config.eval_steps > 0 && training.fresh) await training.measured(await validate(run, config, model, data.validation, 0));

  const signals = new SignalWatch(config, (line) => run.log(line));
  let finished = training.stoppedEarly;
  while (state.step < total && !finished) {
    await training.obey();
    const times = new StepTimes();
    try {
      const questions = order.batch(state.batches, config.per_device_train_batch_size);
      const batch = await collect(config, model, questions, state.step, times, signal);
      signals.take(batch);
      const objective: Objective = {
        kind: 'policy_gradient',
        temperature: config.temperature,
        epsilon: config.epsilon,
        epsilon_high: config.epsilon_high ?? config.epsilon,
        delta: config.delta ?? null,
        beta: config.beta,
      };
      const sequences = await times.duringAsync('update', () => trainSequences(config, model, batch, signal));
      for (let iteration = 0; iteration < config.num_iterations && state.step < total; iteration++) {
        const learningRate = learningRateAt(state.step, total, config);
        const optimizer = {
          ...config,
          learning_rate: learningRate,
          // Between the passes over one batch there is no place to resume from, so only the first can be broken off.
          signal: iteration === 0 ? signal : undefined,
        };
        const updated = await times.duringAsync('update', () => policy.update({ sequences }, objective, optimizer));
        times.tellRanks(updated.rank_seconds);
        state.step++;
        state.num_tokens += updated.tokens;
        if (iteration === 0) run.completions(completionRecords(state.step, batch));
        run.event({
          type: 'step',
          step: state.step,
          epoch: ((state.batches + 1) * config.per_device_train_batch_size) / data.train.questions.length,
          metrics: {
            loss: updated.loss,
            ...rolloutMetrics(batch.rollouts, batch.scored),
            reward_std: batch.rewardStd,
            frac_reward_zero_std: batch.fracZeroStd,
            entropy: updated.entropy,
            ...(config.beta > 0 ? { kl: updated.kl } : {}),
            'clip_ratio/low_mean': updated.clip_ratio_low,
            'clip_ratio/high_mean': updated.clip_ratio_high,
            'clip_ratio/region_mean': updated.clip_ratio_low + updated.clip_ratio_high,
            grad_norm: updated.grad_norm,
            learning_rate: learningRate,
            num_tokens: state.num_tokens,
            ...times.metrics(),
          },
          ...times.rankSeconds(),
        });
        times.begin();
      }
      state.batches++;
      if (config.eval_steps > 0 && (due(state.step, config.eval_steps, config.num_iterations) || state.step >= total)) {
        finished = await training.measured(await validate(run, config, model, data.validation, state.step));
      }
    } catch (error) {
      // Stopped in the middle: the weights are those of the last whole step, which is what the checkpoint holds.
      if (!signal.aborted) throw error;
      continue;
    }
    if (config.save_steps > 0 && due(state.step, config.save_steps, config.num_iterations)) await training.checkpoint();
  }
  await training.finish();
}

/** Whether a multiple of `every` was passed by the last batch of `iterations` steps. */
const due = (step: number, every: number, iterations: number): boolean =>
  Math.floor(step / every) > Math.floor((step - iterations) / every);

interface CollectedBatch {
  rollouts: SampledRollout[];
  scored: ScoredGroup[];
  advantages: Float64Array;
  rewardStd: number;
  fracZeroStd: number;
}

/** Samples the batch's completions, grades and scores them, and gives each its advantage. Groups stand side by side. */
async function collect(
  config: TrainConfig,
  model: OpenedModel,
  batch: readonly { question: Dataset['questions'][number]; visit: number }[],
  step: number,
  times: StepTimes,
  signal: AbortSignal,
): Promise<CollectedBatch> {
  const K = config.num_generations;
  const questions = batch.map((b) => b.question);
  const prompts = questions.map((q) => promptIds(q, model.tokenizer, config.prompt));
  checkPromptsFit(questions, prompts, model.policy.describe().context);
  // A question met again in a later epoch gets new samples: their numbers go on where the last visit's ended.
  const groups: SampledRollout[][] = new Array(batch.length);
  for (const visit of new Set(batch.map((b) => b.visit))) {
    const places = batch.flatMap((b, i) => (b.visit === visit ? [i] : []));
    const sampled = await sampleRollouts({
      policy: model.policy,
      tokenizer: model.tokenizer,
      questions: places.map((i) => questions[i] as Dataset['questions'][number]),
      prompts: places.map((i) => prompts[i] as Int32Array),
      prompting: config.prompt,
      n: K,
      firstSample: visit * K,
      sampling: { temperature: config.temperature, top_p: config.top_p, top_k: config.top_k, seed: config.seed },
      max_completion_length: config.max_completion_length,
      times,
      signal,
    });
    places.forEach((place, i) => {
      groups[place] = sampled[i] as SampledRollout[];
    });
  }
  return times.during('reward', () => {
    const scored = groups.map((group) => scoreGroup(group, config.rewards, config, step));
    const { values, rewardStd, fracZeroStd } = groupAdvantages(
      scored.flatMap((s) => s.rewards),
      K,
      config.scale_rewards,
    );
    return { rollouts: groups.flat(), scored, advantages: values, rewardStd, fracZeroStd };
  });
}

/** The batch as the policy wants it: masks, weights of the chosen reduction, old and reference log-probabilities where they are needed. */
async function trainSequences(
  config: TrainConfig,
  model: OpenedModel,
  batch: CollectedBatch,
  signal: AbortSignal,
): Promise<TrainSequence[]> {
  const masks = batch.rollouts.map((r) =>
    new Float32Array(r.ids.length).fill(config.mask_truncated_completions && r.finish === 'length' ? 0 : 1),
  );
  const weights = lossWeights(masks, config.loss_type, {
    maxCompletionLength: config.max_completion_length,
    microBatchSize: config.micro_batch_size ?? batch.rollouts.length,
  });
  const sequences: TrainSequence[] = batch.rollouts.map((r, i) => ({
    prompt: r.prompt,
    completion: r.ids,
    mask: masks[i] as Float32Array,
    weights: weights[i] as Float32Array,
    advantages: new Float32Array(r.ids.length).fill(batch.advantages[i] as number),
  }));
  // Without a KL term a completion with advantage 0 has no gradient: leaving it out changes nothing but the time it takes.
  const moving = config.beta > 0 ? sequences : sequences.filter((s) => s.advantages?.some((a) => a !== 0));
  const kept = moving.length > 0 ? moving : sequences.slice(0, 1);
  const { temperature } = config;
  if (config.num_iterations > 1) {
    const old = await model.policy.logprobs({ sequences: kept, model: 'policy', temperature, signal });
    kept.forEach((s, i) => {
      s.oldLogprobs = old[i]?.logprobs;
    });
  }
  if (config.beta > 0) {
    const reference = await model.policy.logprobs({ sequences: kept, model: 'reference', temperature, signal });
    kept.forEach((s, i) => {
      s.referenceLogprobs = reference[i]?.logprobs;
    });
  }
  return kept;
}

function completionRecords(step: number, batch: CollectedBatch): Omit<CompletionRecord, 'seq'>[] {
  const parts = batch.scored.flatMap((s) => s.parts);
  const rewards = batch.scored.flatMap((s) => s.rewards);
  return batch.rollouts.map((r, i) => ({
    phase: 'train',
    step,
    question: r.question.id,
    sample: r.sample,
    text: r.text,
    tokens: r.tokens,
    finish: r.finish,
    answer: r.answer,
    method: r.method,
    correct: r.correct,
    rewards: parts[i] ?? {},
    reward: rewards[i] ?? null,
    advantage: batch.advantages[i] ?? null,
  }));
}

/**
 * Greedy answers to the validation questions: accuracy, tokens, and the reward of each answer as a group of its own, by
 * every term from the first step on, so that one step's reward compares with another's. Not broken off by
 * a stop: it belongs to its step, and a resumed run would never make up for it.
 */
async function validate(
  run: RunFolder,
  config: TrainConfig,
  model: OpenedModel,
  data: Dataset,
  step: number,
): Promise<Record<string, number>> {
  const groups = await sampleRollouts({
    policy: model.policy,
    tokenizer: model.tokenizer,
    questions: data.questions,
    prompts: data.questions.map((q) => promptIds(q, model.tokenizer, config.prompt)),
    prompting: config.prompt,
    n: 1,
    sampling: { temperature: 0, top_p: 1, top_k: 0, seed: config.seed },
    max_completion_length: config.max_completion_length,
  });
  const rollouts = groups.flat();
  const scored = groups.map((group) => scoreGroup(group, config.rewards, config, Number.POSITIVE_INFINITY));
  const metrics = rolloutMetrics(rollouts, scored);
  run.completions(
    completionRecords(step, {
      rollouts,
      scored,
      advantages: new Float64Array(rollouts.length),
      rewardStd: 0,
      fracZeroStd: 0,
    }).map((row) => ({ ...row, phase: 'validation', advantage: null })),
  );
  return {
    eval_reward: metrics.reward as number,
    eval_accuracy: metrics.accuracy as number,
    'eval_completions/mean_length': metrics['completions/mean_length'] as number,
    'eval_completions/clipped_ratio': metrics['completions/clipped_ratio'] as number,
  };
}
