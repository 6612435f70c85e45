/** Where the extracted answer is marked in a text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerSpan } from '../../shared/answer-span.ts';

const marked = (text: string, answer: string, options?: string[]) => {
  const span = answerSpan(text, answer, options);
  return span && `${text.slice(0, span[0])}⟦${text.slice(...span)}⟧${text.slice(span[1])}`;
};

describe('answerSpan', () => {
  it.each([
    ['7 + 5 = 12.\nAnswer: 12', '12', '7 + 5 = 12.\nAnswer: ⟦12⟧'],
    ['12 and 112 and 1.12', '12', '⟦12⟧ and 112 and 1.12'],
    ['Answer: 1,234.50.', '1234.5', 'Answer: ⟦1,234.50⟧.'],
    ['Answer: 125 mL/h', '125 mL/h', 'Answer: ⟦125 mL/h⟧'],
    ['Answer: 125 ml per hour', '125 mL/h', 'Answer: ⟦125⟧ ml per hour'],
    ['It is \u22125, not 5? Answer: \u22125', '-5', 'It is \u22125, not 5? Answer: ⟦\u22125⟧'],
    ['A boy with a rash. Answer: (a)', 'A', 'A boy with a rash. Answer: (⟦a⟧)'],
    ['B is wrong, so B? No: a B', 'B', 'B is wrong, so B? No: a ⟦B⟧'],
    ['Answer: warfarin', 'B', 'Answer: ⟦warfarin⟧', ['Aspirin', 'Warfarin']],
    ['Yes, surely. Yesterday too.', 'yes', '⟦Yes⟧, surely. Yesterday too.'],
  ])('%j, read as %j', (text, answer, expected, options?: string[]) => {
    expect(marked(text, answer, options)).toBe(expected);
  });

  it('is null for an invalid answer and for one that is not written', () => {
    expect(answerSpan('abcd', 'invalid')).toBeNull();
    expect(answerSpan('Answer: twelve', '12')).toBeNull();
  });

  it('never throws and never leaves the text (an answer with pattern characters in it)', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, answer) => {
        const span = answerSpan(text, answer);
        if (span) expect(0 <= span[0] && span[0] < span[1] && span[1] <= text.length).toBe(true);
      }),
    );
  });
});
