import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContaminationFinding, contaminationOf, normalText } from '../../shared/contamination.ts';
import type { Question } from '../../shared/question.ts';

const ask = (id: string, question: string, over: Partial<Question> = {}): Question => ({
  id,
  dataset: 'd',
  split: 's',
  kind: 'number',
  question,
  gold: '1',
  ...over,
});
const words = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');

describe('the same text', () => {
  // Catches: a comparison that case, blanks, punctuation or the order of options can evade.
  test('after normalisation, with options in any order', () => {
    const options = ['Vitamin C', 'Vitamin D'];
    const finding = contaminationOf(
      [ask('t1', 'Scurvy  is due to lack of:', { options }), ask('t2', 'Rickets is?')],
      [ask('e1', 'scurvy, is due to LACK of', { options: [...options].reverse() }), ask('e2', 'Beriberi is?'), ask('e3', 'Rickets is')],
    );
    expect(ContaminationFinding.parse(finding).exact).toMatchObject({
      count: 2,
      pairs: [
        { a: 't1', b: 'e1' },
        { a: 't2', b: 'e3' },
      ],
    });
    expect(finding.ids).toEqual(['e1', 'e3']);
  });

  // Catches: "All of these are true except" called contaminated wherever it stands, whatever is asked.
  test('a common stem with other options is another question', () => {
    const finding = contaminationOf(
      [ask('t', 'All are true except', { options: ['a', 'b'] })],
      [ask('e', 'All are true except', { options: ['c', 'd'] })],
    );
    expect(finding.affected).toBe(0);
  });

  test('numbers keep their decimal point', () => {
    expect(normalText('Give 2.5 mg/kg (not 25)!')).toBe('give 2.5 mg kg not 25');
  });
});

describe('13 words in a row', () => {
  // Catches: a window that is one word too long or too short, or that misses the last position.
  test.each([
    [12, 0],
    [13, 1],
  ])('%i shared words count %i times', (shared, count) => {
    const finding = contaminationOf(
      [ask('t', `${words(100, 120)} ${words(0, shared)}`)],
      [ask('e', `${words(200, 220)} ${words(0, shared)}`)],
    );
    expect(finding.ngram.count).toBe(count);
    expect(finding.exact.count).toBe(0);
  });

  // Catches: contexts left out (PubMedQA shares abstracts, not questions), or joined so that a gram runs from one into the next.
  test('contexts count, each for itself', () => {
    const abstract = words(0, 20);
    expect(
      contaminationOf([ask('t', 'Does it?', { contexts: [abstract] })], [ask('e', 'Would it?', { contexts: ['x', abstract] })]).ngram.count,
    ).toBe(1);
    const split = { contexts: [words(0, 8), words(8, 16)] };
    expect(contaminationOf([ask('t', 'Does it?', { contexts: [abstract] })], [ask('e', 'Would it?', split)]).ngram.count).toBe(0);
  });

  test('a text of fewer words is one gram: found whole, not inside another', () => {
    expect(contaminationOf([ask('t', `Note: ${words(0, 5)}`)], [ask('e', words(0, 5))]).ngram.count).toBe(0);
    expect(contaminationOf([ask('t', words(0, 5))], [ask('e', words(0, 5))]).ngram.count).toBe(1);
  });

  // Catches: a rolling hash that goes wrong, or a collision that counts: the plain search is the rule itself.
  test('the index finds what a plain search finds', () => {
    const text = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 30 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), fc.array(text, { maxLength: 6 }), (train, tests) => {
        const grams = (t: string): string[] => {
          const all = t.split(' ');
          return all.length < 13 ? [`short ${t}`] : all.slice(12).map((_, i) => all.slice(i, i + 13).join(' '));
        };
        const seen = new Set(train.flatMap(grams));
        const expected = tests.filter((t) => grams(t).some((gram) => seen.has(gram))).length;
        const ask2 = (prefix: string) => (t: string, i: number) => ask(`${prefix}${i}`, t);
        expect(contaminationOf(train.map(ask2('t')), tests.map(ask2('e'))).ngram.count).toBe(expected);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
