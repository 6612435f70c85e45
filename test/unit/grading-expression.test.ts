import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastBoxed } from '../../shared/grading/boxed.ts';
import { sameExpression } from '../../shared/grading/expression.ts';
import { grade } from '../../shared/grading/grader.ts';
import type { Question } from '../../shared/question.ts';

const question = (gold: string): Question => ({ id: '1', dataset: 'math', split: 'test', kind: 'expression', question: 'Find it.', gold });

describe('expressions', () => {
  // Catches: right answers called wrong because they were written otherwise.
  test.each([
    ['\\dfrac{1}{2}', '\\frac12'],
    ['0.5', '\\frac{1}{2}'],
    ['3/4', '\\tfrac34'],
    ['\\left( 1, 2 \\right)', '(1,2)'],
    ['x = 5', '5'],
    ['90^\\circ', '90'],
    ['25\\%', '25'],
    ['10\\text{ cm}', '10'],
    ['\\text{(C)}', '(C)'],
    ['.5x', '0.5x'],
    ['\\sqrt3', '\\sqrt{3}'],
    ['1{,}000', '1000'],
    ['12,345.', '12345'],
  ])('%s is %s', (a, b) => expect(sameExpression(a, b)).toBe(true));

  // Catches: a normalisation so broad that other answers pass.
  test.each([
    ['\\frac{1}{2}', '\\frac{2}{1}'],
    ['(1,2)', '(2,1)'],
    ['x+1', 'x-1'],
    ['', ''],
    ['10', '100'],
    ['\\sqrt{2}', '2'],
    ['(1,000)', '(1000)'],
  ])('%s is not %s', (a, b) => expect(sameExpression(a, b)).toBe(false));
});

describe('the box', () => {
  test.each([
    ['\\boxed{a} and \\boxed{\\frac{b}{c}}.', '\\frac{b}{c}'],
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}'],
    ['\\boxed 7 is it', '7'],
    ['\\boxed{never closed', null],
    ['no box', null],
  ])('%s', (text, inside) => expect(lastBoxed(text)).toBe(inside));
});

describe('grading', () => {
  test.each([
    ['So \\boxed{\\frac{x}{2}}.', 'boxed', true],
    ['<think>\\boxed{9}</think>Answer: $\\frac x2$', 'marked-expression', true],
    ['Answer: \\( \\frac{x}{2} \\)', 'marked-expression', true],
    ['The answer is $\\tfrac{x}{2}$.', 'marked-expression', true],
    ['<think>maybe \\boxed{\\frac{x}{2}}', 'unfinished-reasoning', false],
    ['I cannot say.', 'no-answer', false],
    ['\\boxed{\\frac{x}{2}} or rather \\boxed{x}', 'boxed', false],
  ])('%s', (text, method, correct) => expect(grade(text, question('\\frac{x}{2}'))).toMatchObject({ method, correct }));

  // Catches: prose that is counted right, and text on which the grader throws.
  test('what names no answer is invalid, on any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { answer, correct } = grade(text, question('\\frac{x}{2}'));
        if (!/boxed|answer|####/i.test(text)) expect(answer).toBe('invalid');
        expect(correct).toBe(false);
      }),
      { seed: 3 },
    );
  });
});
