import { describe, expect, test } from 'vitest';
import { extractAnswer } from '../../shared/grading/extract.ts';
import { judge } from '../../shared/grading/judge.ts';
import { legacyCorrect } from '../../shared/grading/legacy.ts';
import { readQuantities } from '../../shared/grading/numbers.ts';
import { convertUnit, parseUnit, readUnit, type Unit } from '../../shared/grading/units.ts';

const unitOf = (text: string): Unit => {
  const unit = parseUnit(text);
  if (!unit) throw new Error(`no unit ${text}`);
  return unit;
};
const convert = (value: number, from: string, to: string): number | null => convertUnit(value, unitOf(from), unitOf(to));

describe('units', () => {
  // Catches: a wrong factor, the most dangerous mistake in a dose.
  test.each([
    [1, 'g', 'mg', 1000],
    [250, 'mcg', 'mg', 0.25],
    [1, 'kg', 'g', 1000],
    [100, 'lb', 'kg', 45.359237],
    [1.5, 'L', 'mL', 1500],
    [3, 'dL', 'mL', 300],
    [0.125, 'L/h', 'mL/h', 125],
    [2, 'mL/min', 'mL/hr', 120],
    [20, 'gtt/min', 'drops/min', 20],
    [300, 'mcg/kg/h', 'mcg/kg/min', 5],
    [0.005, 'mg/kg/min', 'µg/kg/min', 5],
    [1, 'g/L', 'mg/mL', 1],
    [1, 'mol', 'mmol', 1000],
    [170, 'cm', 'm', 1.7],
    [70, 'in', 'cm', 177.8],
    [90, 'min', 'h', 1.5],
    [37, '°C', '°F', 98.6],
    [98.6, '°F', '°C', 37],
    [24, 'kg/m²', 'kg/m2', 24],
  ])('%d %s is so many %s: %d', (value, from, to, wanted) => {
    expect(convert(value, from, to)).toBeCloseTo(wanted, 9);
  });

  // Catches: a conversion between things that do not measure the same.
  test.each([
    ['mg', 'mL'],
    ['mL/h', 'mL'],
    ['mg/kg', '%'],
    ['mg', 'mg/kg'],
    ['mEq', 'mmol'],
    ['mL/h', 'drops/min'],
    ['units', 'mg'],
    ['kg/m2', 'kg'],
  ])('%s does not convert to %s', (from, to) => {
    expect(convert(1, from, to)).toBeNull();
  });

  // Catches: two spellings of one unit taken for different ones.
  test.each([
    ['ml/hr', 'mL/h'],
    ['milliliters per hour', 'mL/h'],
    ['µg', 'mcg'],
    ['μg', 'mcg'],
    ['micrograms per kg per minute', 'mcg/kg/min'],
    ['gtts/min', 'drops/min'],
    ['kg/m^2', 'kg/m2'],
    ['IU', 'units'],
    ['degrees Celsius', '°C'],
    ['drops a minute', 'drops/min'],
  ])('%s is read as %s', (text, name) => {
    expect(unitOf(text).name).toBe(name);
  });

  // Catches: "20 in total" read as twenty inches, "5 apples" as five of something.
  test('an ordinary word after a number is no unit', () => {
    expect(readUnit(' in total')).toBeNull();
    expect(readUnit(' apples')).toBeNull();
    expect(readUnit(' minus 3')).toBeNull();
    expect(parseUnit('mg of salt')).toBeNull();
  });
});

describe('numbers', () => {
  // Catches: a comma, sign or power read as something else.
  test.each([
    ['1,234,567.5', 1234567.5],
    ['12,34,567', 1234567],
    ['0,5', 0.5],
    ['1.234,5', 1234.5],
    ['1 234', 1234],
    ['-7', -7],
    ['2 1/2', 2.5],
    ['3/4', 0.75],
    ['1.5e-3', 0.0015],
    ['6 x 10^3', 6000],
    ['.25', 0.25],
  ])('%s', (text, value) => {
    expect(readQuantities(text).map((q) => q.value)).toEqual([value]);
  });

  test('digits inside a word and a hyphen between numbers are not signs or numbers', () => {
    expect(readQuantities('B12 and T4').length).toBe(0);
    expect(readQuantities('10-12').map((q) => q.value)).toEqual([10, 12]);
    expect(readQuantities('3/0')).toEqual([]);
  });
});

describe('judge', () => {
  const mg = { kind: 'number', gold: '250', unit: 'mg', tolerance: { relative: 0.01, absolute: 0 } } as const;
  const right = (text: string, question: Parameters<typeof judge>[1]): boolean =>
    judge(extractAnswer(text, { kind: question.kind, unit: question.unit }), question);

  // Catches: a unit that is ignored (0.25 mg taken for 0.25 g) or demanded (a bare 250 refused).
  test.each([
    ['Answer: 250 mg', true],
    ['Answer: 250', true],
    ['Answer: 0.25 g', true],
    ['Answer: 250000 mcg', true],
    ['Answer: 250 mcg', false],
    ['Answer: 0.25', false],
    ['Answer: 250 mL', false],
    ['Answer: 250 mg/kg', false],
    ['Answer: 252.5 mg', true],
    ['Answer: 252.6 mg', false],
    ['', false],
  ])('%s against 250 mg: %s', (text, correct) => {
    expect(right(text, mg)).toBe(correct);
  });

  // Catches: binary rounding that makes a right answer wrong, and a default so wide that a wrong one is right.
  test('without a stated tolerance equal means equal', () => {
    const third = { kind: 'number', gold: '0.3', unit: null } as const;
    expect(judge({ answer: '0.3', method: 'x', value: 0.1 + 0.2, unit: null }, third)).toBe(true);
    expect(right('0.301', third)).toBe(false);
    expect(right('Answer: $70,000', { kind: 'number', gold: '70000' })).toBe(true);
  });

  test('the wider of absolute and relative tolerance counts, its edge included', () => {
    const question = { kind: 'number', gold: '10', unit: null, tolerance: { relative: 0.01, absolute: 0.5 } } as const;
    expect(right('10.5', question)).toBe(true);
    expect(right('10.51', question)).toBe(false);
  });

  test('letters and words must be equal, invalid is never right', () => {
    expect(judge({ answer: 'B', method: 'x' }, { kind: 'letter', gold: 'B' })).toBe(true);
    expect(judge({ answer: 'C', method: 'x' }, { kind: 'letter', gold: 'B' })).toBe(false);
    expect(judge({ answer: 'invalid', method: 'x' }, { kind: 'word', gold: 'invalid' })).toBe(false);
  });
});

// Catches: a legacy view that looks further or is case-sensitive.
test('legacy looks for the gold anywhere in the first characters, in any case', () => {
  expect(legacyCorrect('xxxxxxxxxB', 'b', 10)).toBe(true);
  expect(legacyCorrect('xxxxxxxxxxB', 'b', 10)).toBe(false);
  expect(legacyCorrect('xxxxxxxxxxB', 'b', 50)).toBe(true);
  expect(legacyCorrect('It is NOt sure', 'no', 10)).toBe(true);
});
