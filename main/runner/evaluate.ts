/** Measuring a model on a set of questions: every answer kept, then the numbers. */
import { createHash } from 'node:crypto';
import type { EvaluateConfig, Prompting } from '../../shared/config.ts';
import type { Evaluation, EvaluationItem, RotatedAnswer } from '../../shared/evaluation.ts';
import { summarise } from '../../shared/evaluation-summary.ts';
import { GRADER_VERSION, grade } from '../../shared/grading/grader.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { Dataset } from '../data/dataset.ts';
import { answerAtBudgets, isForced } from './evaluate-budgets.ts';
import { generateAnswers } from './evaluate-generation.ts';
import { bestChoices, scoreAnswers } from './evaluate-likelihood.ts';
import { budgetPass, type EvaluationAnswer, EvaluationAnswers, rotationPass, SAMPLE_PASS } from './evaluation-answers.ts';
import { answersWanted, budgetsOf, promptingOf } from './evaluation-plan.ts';
import type { Examples } from './few-shot.ts';
import { likelihoodChoices, rawContext } from './likelihood-prompt.ts';
import type { OpenedModel } from './open-model.ts';
import { answerStart, exampleAnswer, userMessage } from './prompts.ts';
import { rotateOptions, rotationsOf } from './rotate-options.ts';

export interface EvaluationResult {
  /** `items` is left empty: whoever writes the items file fills it in. */
  evaluation: Evaluation;
  items: EvaluationItem[];
}

export interface EvaluationHooks {
  signal?: AbortSignal;
  /** Answers of an earlier process that was stopped; only the rest is asked. */
  known?: readonly EvaluationAnswer[];
  /** Called with each new answer, in no fixed order; `done` of `total` are there, the known ones included. */
  onAnswer?: (answer: EvaluationAnswer, done: number, total: number) => void;
}

/** What is measured: a model under a name, questions, and what is known about both. */
export interface EvaluationSubject extends Pick<Evaluation, 'lineage' | 'marks'> {
  model: OpenedModel;
  name: string;
  hash: string;
  data: Dataset;
  examples: Examples | null;
}

/** SHA-256 over the words that every question is asked with, in order: message and start of the answer, or context and options; examples too. */
export function hashPrompts(
  questions: readonly Question[],
  prompting: Prompting,
  mode: EvaluateConfig['mode'] = 'generation',
  examples: Examples | null = null,
): string {
  const hash = createHash('sha256');
  for (const question of questions) hash.update(JSON.stringify(wordsOf(question, prompting, mode, examples?.of(question) ?? [])));
  return hash.digest('hex');
}

function wordsOf(question: Question, prompting: Prompting, mode: EvaluateConfig['mode'], examples: readonly Question[]): unknown[] {
  const template = prompting.template === 'raw' ? ['raw'] : [];
  if (mode === 'likelihood') return [rawContext(question, prompting, examples), likelihoodChoices(question), ...template];
  const shown = examples.map((example) => [userMessage(example, prompting), exampleAnswer(example, prompting)]);
  return [userMessage(question, prompting), answerStart(question, prompting), ...(shown.length > 0 ? [shown] : []), ...template];
}

/** Asks every question in every pass that the config wants, and sums up. The same answers come out however often it was stopped between. */
export async function evaluateModel(
  subject: EvaluationSubject,
  config: EvaluateConfig,
  hooks: EvaluationHooks = {},
): Promise<EvaluationResult> {
  const { model, data, examples } = subject;
  const start = performance.now();
  const known = hooks.known ?? [];
  const total = answersWanted(data.questions, config);
  let done = known.length;
  const answers = new EvaluationAnswers(known, (answer) => {
    done++;
    hooks.onAnswer?.(answer, done, total);
  });
  const prompting = promptingOf(config);
  const budgets = budgetsOf(config);
  const drawn = { top_p: config.top_p, top_k: config.top_k, seed: config.seed };
  // Beside samples, the answer that counts is greedy.
  const sampling = { temperature: config.samples === undefined ? config.temperature : 0, ...drawn };
  const pass = { model, prompting, examples, answers, signal: hooks.signal };
  const writing = { ...pass, max_completion_length: config.max_completion_length, batch_size: config.batch_size };
  const ask = (name: string | undefined, questions: readonly Question[]): Promise<void> =>
    config.mode === 'likelihood'
      ? scoreAnswers(pass, name, questions)
      : generateAnswers(writing, name, questions, { n: 1, sampling, keepIds: name === undefined && budgets.length > 0 });

  await ask(undefined, data.questions);
  if (config.samples !== undefined) {
    const sampled = { temperature: config.temperature, ...drawn };
    await generateAnswers(writing, SAMPLE_PASS, data.questions, { n: config.samples, sampling: sampled });
  }
  if (budgets.length > 0) await answerAtBudgets(writing, data.questions, budgets);
  if (config.rotate_options) {
    const most = Math.max(...data.questions.map(rotationsOf));
    for (let shift = 1; shift < most; shift++) {
      const rotated = data.questions.filter((question) => shift < rotationsOf(question)).map((question) => rotateOptions(question, shift));
      await ask(rotationPass(shift), rotated);
    }
  }
  const items = data.questions.map((question) => itemOf(question, answers, config, budgets));
  const evaluation = summarise(items, data.questions, {
    ...aboutData(data, config),
    model: subject.name,
    model_hash: subject.hash,
    mode: config.mode,
    prompt_hash: hashPrompts(data.questions, prompting, config.mode, examples),
    template: prompting.template,
    few_shot: examples?.about ?? null,
    decoding: config.mode === 'likelihood' ? null : sampling,
    max_tokens: config.mode === 'likelihood' ? null : config.max_completion_length,
    lineage: subject.lineage,
    marks: subject.marks,
    sample_temperature: config.samples === undefined ? undefined : config.temperature,
    budget_tokens: budgets,
    // What an earlier process did took time that this one cannot know.
    seconds: known.length > 0 ? undefined : (performance.now() - start) / 1000,
  });
  return { evaluation, items };
}

const aboutData = (data: Dataset, config: EvaluateConfig) => ({
  data: data.name,
  data_hash: data.hash,
  split: data.split,
  mode: config.mode,
  grader: GRADER_VERSION,
  items: '',
});

/** The line of one question: the answer that counts, and what the other passes added. */
function itemOf(question: Question, answers: EvaluationAnswers, config: EvaluateConfig, budgets: readonly number[]): EvaluationItem {
  const first = answers.get(undefined, question.id);
  const item: EvaluationItem = { id: question.id, gold: question.gold, ...writtenPart(first) };
  if (first.logprobs) {
    const choices = likelihoodChoices(question);
    item.logprobs = first.logprobs;
    item.correct_norm = choices[bestChoices(choices, first.logprobs).bestNorm] === question.gold;
  }
  if (config.samples !== undefined) {
    item.samples = Array.from({ length: config.samples }, (_, sample) => {
      const { answer, correct, tokens, finish, text } = answers.get(SAMPLE_PASS, question.id, sample);
      return { answer, correct, tokens, finish, text };
    });
  }
  if (budgets.length > 0) {
    item.budgets = budgets.map((tokens) => {
      const answer = answers.get(budgetPass(tokens), question.id);
      return { answer: answer.answer, correct: answer.correct, forced: isForced(answer) };
    });
  }
  if (config.rotate_options && question.kind === 'letter') {
    item.rotations = Array.from({ length: rotationsOf(question) }, (_, shift): RotatedAnswer => {
      const { answer, correct } = answers.get(shift === 0 ? undefined : rotationPass(shift), question.id);
      return { shift, gold: rotateOptions(question, shift).gold, answer, correct };
    });
  }
  if (question.cluster !== undefined) item.cluster = question.cluster;
  return item;
}

const writtenPart = ({ answer, method, correct, tokens, finish, text }: EvaluationAnswer) => ({
  answer,
  method,
  correct,
  tokens,
  finish,
  text,
});

/** A responder that always says the same (`constant:A`), or the gold itself (`constant:gold`), through the same grader and the same sums. */
export function evaluateConstant(baseline: string, data: Dataset, config: EvaluateConfig): EvaluationResult {
  const said = /^constant:(.+)$/s.exec(baseline)?.[1];
  if (said === undefined)
    throw new InputError(`baseline "${baseline}" is not known; write constant:A, constant:yes, or constant:gold`, 'baseline');
  const prompting = promptingOf(config);
  const items = data.questions.map((question): EvaluationItem => {
    const text = said === 'gold' ? question.gold : said;
    const graded = grade(text, question);
    const norm = config.mode === 'likelihood' ? { correct_norm: graded.correct } : {};
    const cluster = question.cluster === undefined ? {} : { cluster: question.cluster };
    return { id: question.id, gold: question.gold, ...graded, tokens: 0, finish: 'stop', text, ...norm, ...cluster };
  });
  const evaluation = summarise(items, data.questions, {
    ...aboutData(data, config),
    model: baseline,
    model_hash: createHash('sha256').update(baseline).digest('hex'),
    prompt_hash: hashPrompts(data.questions, prompting, config.mode),
    template: prompting.template,
    decoding: null,
    max_tokens: null,
  });
  return { evaluation, items };
}
