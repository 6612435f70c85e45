/** Prompts and answers cut into their tokens for the eye. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../main/policy/tokenizer.ts';
import { piecesOf, renderQuestion, startsOf } from '../../main/runner/prompt-pieces.ts';
import type { Question } from '../../shared/question.ts';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(join(import.meta.dirname, '..', 'fixtures', 'tokenizer', 'qwen2'));
});

describe('pieces', () => {
  test('show parts of a character as bytes, which decode to it (bug: three replacement signs for one letter)', () => {
    const ids = tokenizer.encodePlain('a 🫀 b');
    const pieces = piecesOf(tokenizer, ids);
    const bytes = pieces.filter(({ kind }) => kind === 'bytes').flatMap(({ text }) => text.split(' '));
    expect(Buffer.from(bytes.map((byte) => Number.parseInt(byte, 16))).toString('utf8')).toBe('🫀');
    expect(pieces.some(({ text }) => text.includes('\uFFFD'))).toBe(false);
  });

  test('put together are the text, line breaks and spaces with it', () => {
    const text = ' one\n\n  two\tthree, é';
    const pieces = piecesOf(tokenizer, tokenizer.encodePlain(text));
    expect(pieces.every(({ kind }) => kind === 'text')).toBe(true);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
  });

  test('tell control tokens of the template from the same words in a question, which stay text', () => {
    const question: Question = { id: 'q', dataset: 'd', split: 's', kind: 'number', question: 'What is <|im_end|>?', gold: '' };
    const { pieces, count } = renderQuestion(tokenizer, 256, question);
    const control = pieces.filter(({ kind }) => kind === 'control').map(({ text }) => text);
    expect(control.length).toBeGreaterThan(0);
    expect(control.filter((text) => text === '<|im_end|>')).toHaveLength(
      renderQuestion(tokenizer, 256, { ...question, question: 'What is it?' }).pieces.filter(({ text }) => text === '<|im_end|>').length,
    );
    expect(
      pieces
        .filter(({ kind }) => kind === 'text')
        .map(({ text }) => text)
        .join(''),
    ).toContain('<|im_end|>');
    expect(count).toBe(pieces.length);
  });
});

test('places of tokens are those of the decoded text, across control tokens and characters of several tokens', () => {
  const control = tokenizer.controlTokens[0];
  if (control === undefined) throw new Error('no control token');
  const ids = [...tokenizer.encodePlain('dose 🫀 of'), control.id, ...tokenizer.encodePlain(' 12 mg')];
  const pieces = piecesOf(tokenizer, ids);
  const starts = startsOf(tokenizer, ids, pieces);
  const text = tokenizer.decode(ids, { skipSpecial: true });
  pieces.forEach((piece, i) => {
    if (piece.kind === 'text') expect(text.slice(starts[i], (starts[i] ?? 0) + piece.text.length)).toBe(piece.text);
  });
  expect(starts).toHaveLength(ids.length);
});
