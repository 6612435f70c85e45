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

  test('a wrong number names field, value and bound', () => {
    expect(messageOf(RunConfig, { kind: 'train', data: {}, num_generations: 1 })).toBe(
      'config a.json: "num_generations" is 1: Too small: expected number to be >=2',
    );
  });

  test('an unknown key is answered with the key that was meant, at any depth (a key passed over in silence trains something else)', () => {
    expect(messageOf(RunConfig, { kind: 'train', data: {}, learning_rat: 1 })).toBe(
      'config a.json: unknown key "learning_rat": did you mean "learning_rate"?',
    );
    expect(messageOf(RunConfig, { kind: 'train', data: { tran: 'x' } })).toContain('unknown key "data.tran": did you mean "train"?');
    expect(messageOf(RunConfig, { kind: 'train', data: {}, rewards: [{ name: 'correct', wieght: 1 }] })).toContain(
      'unknown key "rewards[0].wieght": did you mean "weight"?',
    );
  });

  test('a key unlike any other lists those there are', () => {
    expect(messageOf(z.strictObject({ low: z.number(), high: z.number() }), { low: 1, high: 2, zzz: 3 })).toContain('known: low, high');
  });

  test('a missing field says so', () => {
    expect(messageOf(z.object({ data: z.string() }), {})).toBe('config a.json: "data" is nothing: expected string');
  });

  test('several mistakes come in one message, many are counted', () => {
    const many = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, z.number()]));
    expect(messageOf(z.object(many), {})).toMatch(/"f0".*"f4".*and 3 more$/);
  });

  test('a long value is cut', () => {
    expect(messageOf(z.object({ a: z.number() }), { a: 'x'.repeat(500) }).length).toBeLessThan(120);
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
