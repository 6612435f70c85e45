/** Prompts of likelihood mode, letter for letter those of lm-evaluation-harness; a changed space changes every result. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeDataset } from '../../main/data/dataset.ts';
import { loadTokenizer, type Tokenizer } from '../../main/policy/tokenizer.ts';
import { bestChoices } from '../../main/runner/evaluate-likelihood.ts';
import { encodePair, likelihoodChoices, likelihoodContext, rawContext, scoredOptions } from '../../main/runner/likelihood-prompt.ts';
import { rotateOptions } from '../../main/runner/rotate-options.ts';
import { evaluateWorkload } from '../../main/runner/workload.ts';
import { EvaluateConfig, Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';

const letter: Question = {
  id: 'q1',
  dataset: 'medmcqa',
  split: 'dev',
  kind: 'letter',
  question: 'Which vitamin is water soluble?',
  options: ['A', 'C', 'D', 'K'],
  gold: 'B',
};
const word: Question = {
  id: '1',
  dataset: 'pubmedqa',
  split: 'test',
  kind: 'word',
  question: 'Does it work?',
  contexts: ['First part.', 'Second part.'],
  words: ['yes', 'no', 'maybe'],
  gold: 'maybe',
};
const raw = Prompting.parse({ template: 'raw' });
let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(join(import.meta.dirname, '../fixtures/tokenizer/qwen2'));
});

describe('words', () => {
  it('medmcqa', () =>
    expect(likelihoodContext(letter)).toBe('Question: Which vitamin is water soluble?\nChoices:\nA. A\nB. C\nC. D\nD. K\nAnswer:'));
  it('medqa_4options has no line of its own above the options', () =>
    expect(likelihoodContext({ ...letter, dataset: 'medqa' })).toBe(
      'Question: Which vitamin is water soluble?\nA. A\nB. C\nC. D\nD. K\nAnswer:',
    ));
  it('pubmedqa shows every context, one a line', () =>
    expect(likelihoodContext(word)).toBe('Abstract: First part.\nSecond part.\nQuestion: Does it work?\nAnswer:'));
  it('choices are letters or the words in their order', () => {
    expect(likelihoodChoices(letter)).toEqual(['A', 'B', 'C', 'D']);
    expect(likelihoodChoices(word)).toEqual(['yes', 'no', 'maybe']);
  });
  it('refuses a question without options and names it', () =>
    expect(() =>
      likelihoodChoices({ id: 'n7', dataset: 'gsm8k', split: 'test', kind: 'number', question: 'How many?', gold: '3' }),
    ).toThrow(/n7.*gsm8k.*--mode generation/));
  it('examples carry their answer behind one space and a blank line after it', () =>
    expect(rawContext(word, raw, [{ ...word, contexts: ['C.'], question: 'Q?', gold: 'no' }])).toBe(
      'Abstract: C.\nQuestion: Q?\nAnswer: no\n\nAbstract: First part.\nSecond part.\nQuestion: Does it work?\nAnswer:',
    ));
});

describe('tokens', () => {
  it('encodes context and answer together and cuts off the context (bug: a space token of its own between them)', () => {
    for (const [context, continuation] of [
      ['Answer:', ' A'],
      ['Abstract: x\nAnswer:', ' maybe'],
      ['Ends in a space ', 'B'],
    ] as const) {
      const { prompt, completion } = encodePair(tokenizer, context, continuation);
      expect([...prompt, ...completion]).toEqual(tokenizer.encodePlain(context + continuation));
      expect([...prompt]).toEqual(tokenizer.encodePlain(context.trimEnd()));
      // Bug: the space stays at the context's end, where no word of the training text has it.
      expect(tokenizer.decode(completion).startsWith(' ')).toBe(true);
    }
  });
  it('every option follows the same ids and has ids of its own', () => {
    const options = scoredOptions(letter, tokenizer, raw, []);
    expect(options).toHaveLength(4);
    for (const { prompt, completion } of options) {
      expect(prompt).toEqual(options[0]?.prompt);
      expect(completion.length).toBeGreaterThan(0);
    }
  });
  it('through a chat template the answer opens the turn, without a space (as the harness does)', () => {
    const options = scoredOptions(letter, tokenizer, Prompting.parse({ template: 'chat' }), []);
    expect(tokenizer.decode(options[1]?.completion ?? [])).toBe('B');
    expect(tokenizer.decode(options[1]?.prompt ?? [])).toMatch(/<\|assistant\|>\n$/);
  });
});

describe('choice', () => {
  it('acc takes the largest sum, acc_norm the largest a character; the first of equals (numpy.argmax)', () => {
    expect(bestChoices(['yes', 'no', 'maybe'], [-3, -2.4, -4])).toEqual({ best: 1, bestNorm: 2 });
    expect(bestChoices(['A', 'B'], [-1, -1])).toEqual({ best: 0, bestNorm: 0 });
  });
});

describe('rotated options', () => {
  it('move the gold with them, back at the start after a full turn (bug: gold left behind)', () => {
    for (let shift = 0; shift < 4; shift++) {
      const moved = rotateOptions(letter, shift);
      expect(moved.options?.[moved.gold.charCodeAt(0) - 65]).toBe('C');
    }
    expect(rotateOptions(letter, 4)).toEqual(letter);
  });
});

describe('the estimate of an evaluation', () => {
  // Catches: a prompt counted once an option, which makes the estimated time several times too long, or a rotation left out.
  it('counts what questions and options share once a pass', () => {
    const other: Question = { ...letter, id: 'q2', question: 'Why is the sky blue?', options: ['Rayleigh', 'Mie'] };
    const data = makeDataset({ name: 'set', split: 'dev', source: '', licence: '', questions: [letter, other] });
    const config = EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'set' }, mode: 'likelihood' });
    // Every option reads the same: the prompt, and here a token of a space before the letter.
    const ids = (question: Question): number[] => {
      const reads = scoredOptions(question, tokenizer, raw, []).map(({ prompt, completion }) => [...prompt, ...completion.slice(0, -1)]);
      expect(new Set(reads.map(String)).size).toBe(1);
      return reads[0] as number[];
    };
    const start = ids(letter).findIndex((id, i) => id !== ids(other)[i]);
    expect(start).toBeGreaterThan(0);
    const once = ids(letter).length + ids(other).length - start;
    expect(evaluateWorkload(config, tokenizer, data, null).scored).toEqual({ known: once, answers: 0 });
    // Both have a second pass, the longer one a third and a fourth.
    const rotated = evaluateWorkload({ ...config, rotate_options: true }, tokenizer, data, null);
    expect(rotated.scored.known).toBe(2 * once + 2 * ids(letter).length);
  });
});
