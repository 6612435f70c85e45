/**
 * Questions as options to be scored, word for word as lm-evaluation-harness asks them (tasks `medmcqa`, `medqa_4options`, `pubmedqa`;
 * https://github.com/EleutherAI/lm-evaluation-harness, lm_eval/tasks): plain text, examples parted by a blank line, each answer behind
 * "Answer:" and one space.
 */
import type { Prompting } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { optionLetter, type Question } from '../../shared/question.ts';
import { renderPrompt } from '../policy/chat-template.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';

/** What stands before the answer. MedQA's task has no line "Choices:", MedMCQA's has; other lettered questions are asked as MedMCQA's. */
export function likelihoodContext(question: Question): string {
  if (question.kind === 'letter') {
    const heading = question.dataset.startsWith('medqa') ? '' : 'Choices:\n';
    const options = (question.options ?? []).map((text, i) => `${optionLetter(i)}. ${text}\n`).join('');
    return `Question: ${question.question}\n${heading}${options}Answer:`;
  }
  const abstract = question.contexts ? `Abstract: ${question.contexts.join('\n')}\n` : '';
  return `${abstract}Question: ${question.question}\nAnswer:`;
}

/** The answers that are scored, in order. Errors: InputError for a question with a free answer. */
export function likelihoodChoices(question: Question): string[] {
  if (question.kind === 'letter') return (question.options ?? []).map((_, i) => optionLetter(i));
  if (question.kind === 'word') return question.words ?? [];
  throw new InputError(
    `question ${question.id} of ${question.dataset} asks for a number, which has no options to score; use --mode generation`,
    'mode',
  );
}

/** One option: the ids it follows, and its own. */
export interface ScoredOption {
  prompt: Int32Array;
  completion: Int32Array;
}

/**
 * Context and continuation encoded together and cut where the context alone ends, spaces at the context's end moved to the continuation
 * first (lm_eval/api/model.py, `_encode_pair`); what the tokenizer puts before every text comes first. A control token written in a
 * question stays text here.
 */
export function encodePair(tokenizer: Tokenizer, context: string, continuation: string): ScoredOption {
  const kept = context.trimEnd();
  const whole = tokenizer.encodePlain(context + continuation);
  const length = tokenizer.encodePlain(kept).length;
  const prompt = [...tokenizer.startIds, ...whole.slice(0, length)];
  return { prompt: Int32Array.from(prompt), completion: Int32Array.from(whole.slice(length)) };
}

/**
 * The options of a question as sequences to score. Through a chat template the harness puts no space before the answer, and an opened
 * answer turn is what it follows.
 */
export function scoredOptions(
  question: Question,
  tokenizer: Tokenizer,
  prompting: Prompting,
  examples: readonly Question[],
): ScoredOption[] {
  const choices = likelihoodChoices(question);
  const options =
    prompting.template === 'chat'
      ? chatOptions(question, choices, tokenizer, prompting, examples)
      : choices.map((choice) => encodePair(tokenizer, rawContext(question, prompting, examples), ` ${choice}`));
  options.forEach(({ completion }, i) => {
    if (completion.length > 0) return;
    throw new InputError(
      `${tokenizer.folder}: answer "${choices[i]}" gets no token of its own behind "Answer:"; use --mode generation`,
      'model',
    );
  });
  return options;
}

/** The whole text before an answer, examples included. */
export function rawContext(question: Question, prompting: Prompting, examples: readonly Question[]): string {
  const shown = examples.map((example) => `${likelihoodContext(example)} ${example.gold}`);
  return (prompting.prefix && `${prompting.prefix}\n`) + [...shown, likelihoodContext(question)].join('\n\n');
}

function chatOptions(
  question: Question,
  choices: readonly string[],
  tokenizer: Tokenizer,
  prompting: Prompting,
  examples: readonly Question[],
): ScoredOption[] {
  const content = rawContext(question, prompting, examples);
  const prompt = Int32Array.from(renderPrompt(tokenizer, [{ role: 'user', content }], { addGenerationPrompt: true }));
  return choices.map((choice) => ({ prompt, completion: Int32Array.from(tokenizer.encodePlain(choice)) }));
}
