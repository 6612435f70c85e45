import { describe, expect, test } from 'vitest';
import { arithmeticDrills, arithmeticQuestions } from '../../main/data/arithmetic.ts';
import { dosageQuestions } from '../../main/data/dosage.ts';
import { GENERATED_SPLITS, productName, splitOfProduct } from '../../main/data/product-split.ts';
import { grade } from '../../shared/grading/grader.ts';

/** Products and quotients as they stand in a worked solution, read from its text alone. */
function productsIn(text: string): [number, number][] {
  const found: [number, number][] = [];
  for (const [, a, b] of text.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)\*(\d+(?:\.\d+)?)/g)) found.push([Number(a), Number(b)]);
  for (const [, , b, c] of text.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)=(\d+(?:\.\d+)?)/g)) found.push([Number(b), Number(c)]);
  return found;
}

describe('arithmetic', () => {
  test('the same row is the same question for ever, whatever the number asked for', () => {
    expect(arithmeticQuestions('test', 20)).toEqual(arithmeticQuestions('test').slice(0, 20));
    expect(arithmeticQuestions('test', 1)[0]).toMatchObject({ id: 'test:0', dataset: 'arithmetic', kind: 'number' });
  });

  // Products with 0.85, and 72 times a creatinine of 1, are constants of the clearance formula: every split's solutions have them.
  const ofFormula = (product: string) => product === '1x72' || product.split('x').includes('85');
  const exact = (text: string) => text.replace(/[\d.]+[*/][\d.]+ is about/g, '');
  const heldOut = (text: string) =>
    productsIn(text)
      .filter((p) => splitOfProduct(p) !== null && !ofFormula(productName(p)))
      .map(productName);

  test('no product that one split works out stands in another, drills included (the test would leak)', () => {
    const seen = new Map(GENERATED_SPLITS.map((split) => [split, new Set<string>()]));
    for (const split of GENERATED_SPLITS) {
      for (const q of [...arithmeticQuestions(split, 3000), ...dosageQuestions(split, 1500)]) {
        const products = heldOut(exact(q.solution ?? ''));
        if (q.dataset === 'arithmetic' && split !== 'supervised') expect(products.length, q.id).toBeGreaterThan(0);
        for (const product of products) seen.get(split)?.add(product);
      }
    }
    for (const drill of arithmeticDrills(5000)) {
      for (const product of heldOut(drill.prompt + drill.result)) seen.get('supervised')?.add(product);
    }
    for (const [split, products] of seen) {
      expect(products.size).toBeGreaterThan(100);
      for (const [other, others] of seen) {
        if (other === split) continue;
        const shared = [...products].filter((p) => others.has(p));
        expect(shared, `${split} and ${other}`).toEqual([]);
      }
    }
  });

  test('no product of a held-out arithmetic question is even hinted at in the supervised text, rounded checks included', () => {
    const held = (['train', 'validation', 'test'] as const).flatMap((split) => arithmeticQuestions(split));
    const asked = new Set(held.flatMap((q) => heldOut(q.solution ?? '')));
    for (const q of [...arithmeticQuestions('supervised'), ...dosageQuestions('supervised')]) {
      const hints = heldOut(q.solution ?? '').filter((product) => asked.has(product));
      expect(hints, `${q.dataset} ${q.id}`).toEqual([]);
    }
  });

  test('no answer is a matter of form: what is taken away leaves more than one', () => {
    for (const split of GENERATED_SPLITS) {
      for (const q of arithmeticQuestions(split)) expect(Number(q.gold), `${q.id}: ${q.question}`).toBeGreaterThan(1);
    }
  });

  // Were a habit's sentences to begin with different words, none of them would be the likeliest next word, and greedy decoding would
  // never show a habit that most of the text has.
  test('the sentences of a habit all begin with one word, so that greedy text has the habits that most solutions have', () => {
    const starts = { facts: new Set<string>(), plan: new Set<string>(), check: new Set<string>() };
    for (const q of arithmeticQuestions('supervised', 3000)) {
      const sentences = (q.solution ?? '')
        .split(/(?<=\.) /)
        .filter((sentence) => /^[A-Z]/.test(sentence) && !sentence.startsWith('Answer:'));
      const step = (q.solution ?? '').search(/\d+\*\d+/);
      for (const sentence of sentences) {
        const habit = (q.solution ?? '').indexOf(sentence) > step ? 'check' : /\d/.test(sentence) ? 'facts' : 'plan';
        starts[habit].add(sentence.split(/[ :]/)[0] as string);
      }
    }
    expect({ facts: [...starts.facts], plan: [...starts.plan], check: [...starts.check] }).toEqual({
      facts: ['There'],
      plan: ['I'],
      check: ['Check'],
    });
  });

  test('no question outside the supervised split asks for a product that the factor 0.85 spreads over all solutions', () => {
    for (const split of ['train', 'validation', 'test'] as const) {
      for (const q of arithmeticQuestions(split)) {
        for (const pair of productsIn(q.solution ?? '')) expect(productName(pair).split('x'), q.id).not.toContain('85');
      }
    }
  });

  test('question texts differ within a split and between splits', () => {
    const all = GENERATED_SPLITS.flatMap((split) => arithmeticQuestions(split, 500).map((q) => q.question));
    expect(new Set(all).size).toBe(all.length);
  });

  test('every written equation is true', () => {
    for (const q of arithmeticQuestions('supervised', 500)) {
      for (const sentence of (q.solution ?? '').split(/[.:,] /)) {
        if (!/^[\d*+=()-]+\.?$/.test(sentence) || !sentence.includes('=')) continue;
        const values = sentence
          .replace(/\.$|[()]/g, '')
          .split('=')
          .map(evaluateSum);
        for (const value of values) expect(value, `${q.id}: ${sentence}`).toBe(values[0]);
      }
    }
  });
});

const evaluateSum = (text: string): number =>
  text.split(/(?=[+-])/).reduce(
    (sum, term) =>
      sum +
      term
        .replace(/^\+/, '')
        .split('*')
        .map(Number)
        .reduce((a, b) => a * b, 1),
    0,
  );

describe('dosage', () => {
  const test300 = dosageQuestions('test');

  test('all formulas stand in the test split, with a unit each', () => {
    const formulas = new Set(test300.map((q) => q.meta?.formula));
    expect([...formulas].sort()).toEqual([
      'BMI',
      'creatinine clearance',
      'dilution',
      'drip rate',
      'infusion rate',
      'unit conversion',
      'weight-based dose',
    ]);
    expect(test300.every((q) => q.unit)).toBe(true);
  });

  test('golds follow from the numbers in the question, worked out again from its text', () => {
    for (const q of test300) {
      const n = [...q.question.matchAll(/\d+(?:\.\d+)?/g)].map(Number);
      const gold = Number(q.gold);
      const [a, b, c] = n as [number, number, number];
      if (q.meta?.formula === 'weight-based dose') expect(gold).toBe(a * b);
      if (q.meta?.formula === 'infusion rate') expect(gold).toBeCloseTo(a / b, 9);
      if (q.meta?.formula === 'drip rate') expect(Math.abs(gold - (a * c) / b)).toBeLessThanOrEqual(0.5);
      if (q.meta?.formula === 'dilution') expect(gold).toBeCloseTo((b * c) / a, 9);
      if (q.meta?.formula === 'BMI') expect(Math.abs(gold - a / (b * b))).toBeLessThan(0.06);
      if (q.meta?.formula === 'creatinine clearance') {
        const clearance = (((140 - a) * b) / (72 * c)) * (q.question.includes('woman') ? 0.85 : 1);
        expect(Math.abs(gold - clearance)).toBeLessThan(0.06);
      }
    }
  });

  test('values are plausible: no dose, rate or index that no ward has seen', () => {
    for (const q of test300) {
      const gold = Number(q.gold);
      if (q.meta?.formula === 'weight-based dose') expect(gold).toBeLessThanOrEqual(900);
      if (q.meta?.formula === 'infusion rate') expect(gold).toBeLessThanOrEqual(200);
      if (q.meta?.formula === 'BMI') expect(gold > 10 && gold < 60).toBe(true);
      if (q.meta?.formula === 'creatinine clearance') expect(gold > 5 && gold < 250).toBe(true);
    }
  });

  test('the grader finds every worked solution right, and the number with another unit of the same kind too', () => {
    for (const q of [...test300, ...arithmeticQuestions('test')])
      expect(grade(q.solution ?? '', q).correct, `${q.id}: ${q.solution}`).toBe(true);
    const inMg = test300.find((q) => q.unit === 'mg' && Number(q.gold) > 10);
    expect(inMg).toBeDefined();
    if (inMg) {
      expect(grade(`Answer: ${Number(inMg.gold) / 1000} g`, inMg).correct).toBe(true);
      expect(grade(`Answer: ${inMg.gold} mL`, inMg).correct).toBe(false);
    }
  });
});
