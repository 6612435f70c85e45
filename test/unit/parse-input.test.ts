/** Wrong input must be told by field, value and fix: "Invalid input" helps nobody. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RunConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { editDistance, nearest, unknownName } from '../../shared/nearest.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';

const messageOf = (schema: z.ZodType, value: unknown): string => {
  try {
    parseInput(schema, value, 'config a.json');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error('the value was accepted');
};

describe('parseInput', () => {
  test('gives the value with its defaults', () => {
    expect(parseInput(z.object({ seed: z.number().default(42) }), {}, 'x')).toEqual({ seed: 42 });
  });

  test.each([
    [{ num_generations: 1 }, '"num_generations" is 1: expected a whole number of at least 2'],
    [{ num_generations: 2.5 }, '"num_generations" is 2.5: expected a whole number of at least 2'],
    [{ temperature: 0 }, '"temperature" is 0: expected a number above 0'],
    [{ top_p: 2 }, '"top_p" is 2: expected a number above 0 and at most 1'],
    [{ adam_beta1: 1 }, '"adam_beta1" is 1: expected a number of at least 0 and below 1'],
    [{ seed: 1e40 }, '"seed" is 1e+40: expected a whole number of at least 0 and at most 4294967295'],
    [{ learning_rate: '1e-5' }, '"learning_rate" is "1e-5": expected a number above 0'],
    [{ mask_truncated_completions: 1 }, '"mask_truncated_completions" is 1: expected true or false'],
    [
      { lr_scheduler_type: 'cosin' },
      '"lr_scheduler_type" is "cosin": expected one of "constant", "linear", "cosine" (did you mean "cosine"?)',
    ],
    [{ rewards: {} }, '"rewards" is {}: expected a list'],
    [{ rewards: [] }, '"rewards" is []: expected at least 1 entries'],
    [{ rewards: ['correct'] }, '"rewards.0" is "correct": expected an object with "name"'],
    [{ rewards: [{}] }, '"rewards.0.name" is missing: expected a text'],
    [{ data: 'gsm8k:train' }, '"data" is "gsm8k:train": expected an object'],
    [{ early_stopping: true }, '"early_stopping" is true: expected an object'],
  ])('%j is told by field, value and what is expected', (given, text) => {
    expect(messageOf(RunConfig, { kind: 'train', data: {}, ...given })).toBe(`config a.json: ${text}`);
  });

  test('a kind that is wrong or missing lists the kinds', () => {
    expect(messageOf(RunConfig, { kind: 'trane' })).toBe(
      'config a.json: "kind" is "trane": expected one of "train", "sft", "evaluate" (did you mean "train"?)',
    );
    expect(messageOf(RunConfig, {})).toBe('config a.json: "kind" is missing: expected one of "train", "sft", "evaluate"');
  });

  test('an unknown key is answered with the key that was meant, at any depth (a key passed over in silence trains something else)', () => {
    expect(messageOf(RunConfig, { kind: 'train', data: {}, learning_rat: 1 })).toBe(
      'config a.json: unknown key "learning_rat": did you mean "learning_rate"?',
    );
    expect(messageOf(RunConfig, { kind: 'train', data: { tran: 'x' } })).toContain('unknown key "data.tran": did you mean "train"?');
    expect(messageOf(RunConfig, { kind: 'train', data: {}, rewards: [{ name: 'correct', wieght: 1 }] })).toContain(
      'unknown key "rewards.0.wieght": did you mean "weight"?',
    );
  });

  test('a key unlike any other lists those there are', () => {
    expect(messageOf(z.strictObject({ low: z.number(), high: z.number() }), { low: 1, high: 2, zzz: 3 })).toContain('known: low, high');
  });

  test('a missing field says so', () => {
    expect(messageOf(z.object({ data: z.string() }), {})).toBe('config a.json: "data" is missing: expected a text');
  });

  test('all mistakes come in one message, so that one look at it is enough; a flood is counted', () => {
    const many = (n: number) => z.object(Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, z.number()])));
    expect(messageOf(many(40), {}).match(/"f\d+" is missing/g)).toHaveLength(40);
    expect(messageOf(many(103), {})).toMatch(/"f0".*"f99".*; and 3 more$/);
  });

  test('as a list, each mistake has its line and, where it is another, its source', () => {
    const read = () =>
      parseInput(RunConfig, { kind: 'train', data: {}, seed: -1, beta: 'x', foo: 1 }, 'a.json', {
        layout: 'list',
        from: ([key]) => (key === 'seed' ? '--set seed=-1' : undefined),
      });
    expect(read).toThrow(
      /^a\.json: 3 settings are wrong\n {2}"seed" is -1 \(from --set seed=-1\): [^\n]*\n {2}"beta" is "x": [^\n]*\n {2}unknown key "foo"; known: kind, /,
    );
  });

  test('a long value is cut', () => {
    expect(messageOf(z.object({ a: z.number() }), { a: 'x'.repeat(500) }).length).toBeLessThan(120);
  });

  test('a member of a union without a discriminator and a rule of our own keep words that help', () => {
    expect(messageOf(z.object({ a: z.union([z.string(), z.array(z.string())]) }), { a: 5 })).toContain('"a" is 5: ');
    expect(messageOf(z.object({ a: z.number().refine((n) => n % 2 === 0, 'must be even') }), { a: 5 })).toContain('"a" is 5: must be even');
  });
});

test('an empty file is called empty', () => {
  expect(() => parseJson('', 'run.json')).toThrow('run.json is not JSON: it is empty');
  expect(() => parseJson('{', 'run.json')).toThrow(InputError);
});

describe('nearest', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
  ])('%s → %s takes %i edits', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
    expect(editDistance(b, a)).toBe(edits);
  });

  test('a slip of the finger is understood, another word is not', () => {
    const names = ['medmcqa', 'pubmedqa', 'gsm8k'];
    expect(nearest('medmqca', names)).toBe('medmcqa');
    expect(nearest('GSM8K', names)).toBe('gsm8k');
    expect(nearest('imagenet', names)).toBeNull();
    expect(unknownName('data set', 'imagenet', names)).toBe('unknown data set "imagenet"; known: medmcqa, pubmedqa, gsm8k');
  });
});
