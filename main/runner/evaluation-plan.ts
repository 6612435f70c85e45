/** What an evaluation's config asks for, checked, and how many answers that makes. */
import type { EvaluateConfig, Prompting } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { checkOptionsFit } from './evaluate-likelihood.ts';
import type { Examples } from './few-shot.ts';
import { scoredOptions } from './likelihood-prompt.ts';
import { checkPromptsFit, promptIds } from './rollout.ts';
import { rotateOptions, rotationsOf } from './rotate-options.ts';

/** Budgets without repeats, smallest first. */
export const budgetsOf = ({ budgets }: EvaluateConfig): number[] => [...new Set(budgets)].sort((a, b) => a - b);

/** How questions are put: unless the config says, written answers go through the chat template and scored options are plain text. */
export const promptingOf = ({ prompt, mode }: EvaluateConfig): Prompting & { template: 'chat' | 'raw' } => ({
  ...prompt,
  template: prompt.template ?? (mode === 'likelihood' ? 'raw' : 'chat'),
});

/** Answers in all: the first of each question, samples, budgets and rotations. */
export function answersWanted(questions: readonly Question[], config: EvaluateConfig): number {
  const each = 1 + (config.samples ?? 0) + budgetsOf(config).length;
  const rotations = config.rotate_options ? questions.reduce((sum, question) => sum + rotationsOf(question) - 1, 0) : 0;
  return questions.length * each + rotations;
}

/** Errors: InputError for settings that contradict each other or that these questions have no use for. */
export function checkEvaluateConfig(config: EvaluateConfig, questions: readonly Question[]): void {
  const refuse = (text: string, field: string): never => {
    throw new InputError(text, field);
  };
  const unlabelled = questions.find(({ gold }) => gold === '');
  if (unlabelled)
    refuse(`question ${unlabelled.id} of ${unlabelled.dataset} has no gold answer, so nothing can be scored; leave it out`, 'data');
  if (config.mode === 'likelihood') {
    if (config.samples !== undefined) refuse('samples are written answers; leave them out in mode likelihood', 'samples');
    if (config.budgets.length > 0) refuse('budgets cut written answers; leave them out in mode likelihood', 'budgets');
    if (config.prompt.answer_prefix)
      refuse('prompt.answer_prefix starts a written answer; leave it out in mode likelihood', 'prompt.answer_prefix');
    if (config.temperature > 0)
      refuse(`temperature is ${config.temperature}; mode likelihood samples nothing, leave it out`, 'temperature');
  }
  if (config.samples !== undefined && config.temperature === 0) {
    refuse(`samples is ${config.samples} at temperature 0, where all are the greedy answer; set a temperature above 0`, 'temperature');
  }
  if (config.budgets.length > 0 && config.samples === undefined && config.temperature > 0) {
    refuse(
      `budgets cut greedy answers; leave temperature ${config.temperature} out, or ask for samples beside the greedy answer`,
      'budgets',
    );
  }
  if (config.rotate_options && !questions.some(({ kind }) => kind === 'letter')) {
    refuse('rotate_options: these questions have no lettered options to rotate; leave it out', 'rotate_options');
  }
}

/** Tokens of the longest prompt to which an answer is written. Errors: InputError naming the first question that cannot be asked, because it does not fit the context or has no options to score. */
export function checkQuestions(
  questions: readonly Question[],
  tokenizer: Tokenizer,
  config: EvaluateConfig,
  examples: Examples | null,
  context: number,
): number {
  const prompting = promptingOf(config);
  if (config.mode === 'likelihood') {
    for (const question of questions) {
      // The longest rotation is the unmoved one, give or take a token: all have the same words.
      for (const asked of config.rotate_options ? [question, rotateOptions(question, 1)] : [question])
        checkOptionsFit(asked, scoredOptions(asked, tokenizer, prompting, examples?.of(question) ?? []), context);
    }
    return 0;
  }
  return checkPromptsFit(
    questions,
    questions.map((question) => promptIds(question, tokenizer, prompting, examples?.of(question))),
    context,
  );
}
