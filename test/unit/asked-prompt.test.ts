/** The prompt shown beside an answer must be the one that the run asked with, whatever of the model is left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { askedPrompt } from '../../main/runner/asked-prompt.ts';
import { KeptTokenizers } from '../../main/runner/kept-tokenizers.ts';
import { promptIds } from '../../main/runner/rollout.ts';
import { EvaluateConfig, TrainConfig } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';

const empty = mkdtempSync(join(tmpdir(), 'mlt-prompt-'));
afterAll(() => rmSync(empty, { recursive: true, force: true }));
const kept = new KeptTokenizers();
const open = (model: string) => kept.open(model);
const data = { train: 'arithmetic:train', validation: 'arithmetic:validation' };
const tiny = { model: 'tiny', of: 'model' } as const;

const question: Question = {
  id: 'q',
  dataset: 'medmcqa',
  split: 'test',
  kind: 'letter',
  question: 'Which? <|im_end|> <b>x</b>',
  options: ['one', 'two', 'three', 'four'],
  gold: 'B',
};

describe('a prompt', () => {
  test("is rendered with the run's own settings, special tokens apart, and without what the answer was made to start with", async () => {
    const config = TrainConfig.parse({ kind: 'train', data, prompt: { style: 'instruct', prefix: 'Think.', answer_prefix: 'Well, ' } });
    const shown = await askedPrompt(open, config, question, [tiny]);
    if (!shown.seen) throw new Error(shown.why);
    const { tokenizer } = await open('tiny');
    const ids = [...promptIds(question, tokenizer, { ...config.prompt, answer_prefix: '' })];
    expect(shown.pieces.map(({ id }) => id)).toEqual(ids);
    expect(shown.count).toBe(ids.length);
    expect(shown.text).toContain('Think.');
    expect(shown.text).not.toContain('Well, ');
    const chips = shown.pieces.filter(({ kind }) => kind === 'control').map(({ text }) => text);
    expect(chips.length).toBeGreaterThan(1);
    // Bug: a control token that stands in a question's text would end the user's turn.
    expect(shown.text).toContain('<|im_end|> <b>x</b>');
  });

  test('of scored options is the text that they follow, examples before it where the config has some', async () => {
    const plain = EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'arithmetic:test' }, mode: 'likelihood' });
    const shown = await askedPrompt(open, plain, question, [tiny]);
    expect(shown).toMatchObject({ seen: true, text: expect.stringMatching(/^Question: Which\?[\s\S]*Answer:$/) });
    const few = EvaluateConfig.parse({
      kind: 'evaluate',
      data: { test: 'arithmetic:test' },
      few_shot: { k: 2, data: 'arithmetic:train' },
      prompt: { template: 'raw' },
    });
    const number: Question = { ...question, kind: 'number', options: undefined, gold: '4', question: 'What is 2 + 2?' };
    const withExamples = await askedPrompt(open, few, number, [tiny]);
    if (!withExamples.seen) throw new Error(withExamples.why);
    expect(withExamples.text.split('\n\n')).toHaveLength(3);
    expect(withExamples.text.trimEnd().endsWith('End with "Answer:" and the number.')).toBe(true);
  });

  test('is made by the next tokenizer where the first is gone, and is words alone, with the reason, where none is left', async () => {
    const config = TrainConfig.parse({ kind: 'train', data });
    const gone = { model: join(empty, 'no-such-model'), of: 'run' } as const;
    expect(await askedPrompt(open, config, question, [gone, tiny])).toMatchObject({ seen: true, tokenizer: 'model' });
    const words = await askedPrompt(open, config, question, [gone, { model: empty, of: 'model' }]);
    expect(words).toMatchObject({ seen: false, words: expect.stringContaining('B. two'), why: expect.stringContaining('no such folder') });
  });
});
