/** How much a run has to do, as far as that is known before its first answer: prompts are counted exactly, answers only in number. */
import type { EvaluateConfig, SftConfig, TrainConfig } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import type { Dataset } from '../data/dataset.ts';
import type { GenerationWork, UpdateWork } from '../policy/memory-needs.ts';
import type { Sequence } from '../policy/policy.ts';
import { scoredTokens } from '../policy/readings.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { budgetsOf, promptingOf } from './evaluation-plan.ts';
import type { Examples } from './few-shot.ts';
import { totalSteps } from './grpo.ts';
import { type ScoredOption, scoredOptions } from './likelihood-prompt.ts';
import { PromptOrder } from './prompt-order.ts';
import { promptIds } from './rollout.ts';
import { rotateOptions, rotationsOf } from './rotate-options.ts';
import { supervisedSequences } from './sft.ts';

/** `known` tokens, and `answers` times the length of an answer. */
export interface TokenCount {
  known: number;
  answers: number;
}

export interface Workload {
  steps: number | null;
  /** Tokens of the prompts that are read before answers. */
  promptTokens: number;
  written: TokenCount;
  /** Through an optimizer step. */
  trained: TokenCount;
  /** Through a forward pass alone; a beginning that sequences share is read once. */
  scored: TokenCount;
  /** Prompts to try, each `samples` times. */
  trial: { questions: Question[]; prompts: Int32Array[]; samples: number };
  /** Sequences to try where none are written. */
  sequences: Sequence[];
  /** The `generate` calls that may need most. */
  generation: GenerationWork[];
  /** The largest update, given the lengths of its answers. */
  update: ((answers: { mean: number; longest: number }) => UpdateWork) | null;
  notes: string[];
}

/** Answers that a trial writes at most: as many as are written at once. */
const TRIAL_ROWS = 128;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const none: TokenCount = { known: 0, answers: 0 };

/** The call that answers prompts of these lengths. */
function callOf(prompts: readonly number[], config: TrainConfig | EvaluateConfig): GenerationWork {
  const prompt = Math.max(...prompts);
  const samples = config.kind === 'evaluate' ? Math.max(1, config.samples ?? 1) : 1;
  const batch = config.kind === 'evaluate' && config.batch_size !== undefined ? { batch_size: config.batch_size } : {};
  return { rows: prompts.length * samples, prompt, longest: prompt + config.max_completion_length, samples, ...batch };
}

const microBatchOf = ({ micro_batch_size }: TrainConfig | SftConfig): Pick<UpdateWork, 'micro_batch_size'> =>
  micro_batch_size === undefined ? {} : { micro_batch_size };

/** Validations of a run of `steps`: before the first step, every `every` steps, and at the end. */
const validations = (steps: number, every: number): number => (every === 0 ? 0 : 1 + Math.ceil(steps / every));

/** Of a GRPO run. */
export function trainWorkload(config: TrainConfig, tokenizer: Tokenizer, data: { train: Dataset; validation: Dataset }): Workload {
  const { per_device_train_batch_size: size, num_generations: K, num_iterations: passes } = config;
  const steps = totalSteps(config, data.train.questions.length);
  const batches = Math.ceil(steps / passes);
  const order = new PromptOrder(data.train.questions, config.seed);
  const lengths = new Map<Question, number>();
  const lengthOf = (question: Question): number => {
    const known = lengths.get(question);
    if (known !== undefined) return known;
    const { length } = promptIds(question, tokenizer, config.prompt);
    lengths.set(question, length);
    return length;
  };
  let asked = 0;
  let longest = 0;
  let largest = 0;
  for (let batch = 0; batch < batches; batch++) {
    const each = order.batch(batch, size).map(({ question }) => lengthOf(question));
    asked += sum(each);
    longest = Math.max(longest, ...each);
    largest = Math.max(largest, sum(each));
  }
  const rows = batches * size * K;
  const validation = data.validation.questions.map((question) => promptIds(question, tokenizer, config.prompt).length);
  const checks = validations(steps, config.eval_steps);
  const scorings = (passes > 1 ? 1 : 0) + (config.beta > 0 ? 1 : 0);
  const first = order.batch(0, Math.min(size, Math.max(2, Math.floor(TRIAL_ROWS / K)))).map(({ question }) => question);
  const notes =
    config.beta === 0 ? ['An answer whose whole group has the same reward is not trained on: training may take less time than this.'] : [];
  if (config.early_stopping) notes.push('Early stopping may end the run before its last step.');
  return {
    steps,
    promptTokens: asked + checks * sum(validation),
    written: { known: 0, answers: rows + checks * validation.length },
    trained: { known: K * asked * (steps / batches), answers: rows * (steps / batches) },
    scored: { known: scorings * asked, answers: scorings * rows },
    trial: { questions: first, prompts: first.map((question) => promptIds(question, tokenizer, config.prompt)), samples: K },
    sequences: [],
    generation: [
      { rows: size * K, prompt: longest, longest: longest + config.max_completion_length, samples: K },
      ...(checks > 0 ? [callOf(validation, config)] : []),
    ],
    update: (answers) => ({
      sequences: size * K,
      tokens: K * largest + size * K * answers.mean,
      completions: size * K * answers.mean,
      longest: longest + answers.longest,
      ...microBatchOf(config),
    }),
    notes,
  };
}

/** Of supervised training: every token is known. */
export function supervisedWorkload(config: SftConfig, tokenizer: Tokenizer, data: { train: Dataset; validation: Dataset }): Workload {
  const sequences = supervisedSequences(config, tokenizer, data.train.questions);
  const place = new Map(data.train.questions.map((question, i) => [question, sequences[i] as Sequence]));
  const order = new PromptOrder(data.train.questions, config.seed);
  const tokensOf = (sequence: Sequence): number => sequence.prompt.length + sequence.completion.length;
  let known = 0;
  let largest = 0;
  for (let step = 0; step < config.max_steps; step++) {
    const tokens = sum(
      order.batch(step, config.per_device_train_batch_size).map(({ question }) => tokensOf(place.get(question) as Sequence)),
    );
    known += tokens;
    largest = Math.max(largest, tokens);
  }
  const validation = scoredTokens(supervisedSequences(config, tokenizer, data.validation.questions));
  return {
    steps: config.max_steps,
    promptTokens: 0,
    written: none,
    trained: { known, answers: 0 },
    scored: { known: validations(config.max_steps, config.eval_steps) * validation, answers: 0 },
    trial: { questions: [], prompts: [], samples: 0 },
    sequences: order.batch(0, config.per_device_train_batch_size).map(({ question }) => place.get(question) as Sequence),
    generation: [],
    update: () => ({
      sequences: config.per_device_train_batch_size,
      tokens: largest,
      // Prompts are a small part, and are taken to be predicted too.
      completions: largest,
      longest: Math.max(...sequences.map(tokensOf)),
      ...microBatchOf(config),
    }),
    notes: config.early_stopping ? ['Early stopping may end the run before its last step.'] : [],
  };
}

/** Of an evaluation. */
export function evaluateWorkload(config: EvaluateConfig, tokenizer: Tokenizer, test: Dataset, examples: Examples | null): Workload {
  const prompting = promptingOf(config);
  const { questions } = test;
  const rotations = (question: Question): number => (config.rotate_options ? rotationsOf(question) : 1);
  const empty = { steps: null, trained: none, update: null, sequences: [], trial: { questions: [], prompts: [], samples: 0 } };
  const spread = questions.filter((_, i) => i % Math.ceil(questions.length / TRIAL_ROWS) === 0);
  if (config.mode === 'likelihood') {
    const options = new Map(questions.map((each) => [each, scoredOptions(each, tokenizer, prompting, examples?.of(each) ?? [])]));
    const optionsOf = (asked: readonly Question[]): Sequence[] => asked.flatMap((question) => options.get(question) as ScoredOption[]);
    const passes = Array.from({ length: Math.max(0, ...questions.map(rotations)) }, (_, shift) =>
      scoredTokens(optionsOf(questions.filter((question) => shift < rotations(question)))),
    );
    return {
      ...empty,
      promptTokens: 0,
      written: none,
      scored: { known: sum(passes), answers: 0 },
      sequences: optionsOf(spread),
      generation: [],
      notes: config.rotate_options ? ['A question with its options rotated is taken to be as long as unrotated.'] : [],
    };
  }
  const prompts = questions.map((question) => promptIds(question, tokenizer, prompting, examples?.of(question)));
  const lengths = new Map(questions.map((question, i) => [question, (prompts[i] as Int32Array).length]));
  const turned = (question: Question): number[] =>
    Array.from(
      { length: rotations(question) - 1 },
      (_, i) => promptIds(rotateOptions(question, i + 1), tokenizer, prompting, examples?.of(question)).length,
    );
  const samples = config.samples ?? 0;
  const budgets = budgetsOf(config).length;
  const readings = 1 + (samples > 0 ? 1 : 0) + budgets;
  return {
    ...empty,
    promptTokens: sum(questions.map((question) => readings * (lengths.get(question) as number) + sum(turned(question)))),
    written: { known: 0, answers: sum(questions.map((question) => samples + rotations(question))) },
    scored: none,
    trial: {
      questions: spread,
      prompts: spread.map((question) => promptIds(question, tokenizer, prompting, examples?.of(question))),
      samples: 1,
    },
    generation: [callOf([...lengths.values()], config)],
    notes: budgets > 0 ? ['The few tokens of answers made at a budget are not counted.'] : [],
  };
}
