/** Filters of answers: what stands in the address is what is asked, and what cannot be asked is passed over. */
import { expect, test } from 'vitest';
import { conditionsText, conditionWords, meetsCondition, type RowField, readConditions } from '../../renderer/table/row-conditions.ts';

const fields: RowField[] = [
  { name: 'tokens', label: 'tokens' },
  { name: 'answer', label: "reference's answer", values: [{ value: 'B is', label: 'B is' }] },
];

test('conditions come back from the address as they went in, an answer with spaces in it too', () => {
  const conditions = [
    { field: 'tokens', op: '>=', value: '200' },
    { field: 'answer', op: 'is', value: 'B is' },
  ] as const;
  expect(readConditions(conditionsText(conditions), fields)).toEqual(conditions);
  expect(conditions.map((one) => conditionWords(one, fields))).toEqual(['tokens ≥ 200', "reference's answer is B is"]);
  expect(conditionsText([])).toBeNull();
  expect(readConditions(null, fields)).toEqual([]);
});

test('what nobody can mean is passed over (bug: a link made by hand empties the table)', () => {
  for (const line of ['tokens >= many', 'tokens is 5', 'answer >= 5', 'nothing is x', 'tokens', 'tokens >= '])
    expect([line, readConditions(line, fields)]).toEqual([line, []]);
});

test('bounds hold their own value, and a value that is not there meets none', () => {
  expect(meetsCondition({ field: 'tokens', op: '>=', value: '200' }, 200)).toBe(true);
  expect(meetsCondition({ field: 'tokens', op: '<=', value: '200' }, 200.5)).toBe(false);
  expect(meetsCondition({ field: 'answer', op: 'is', value: 'B' }, 'B')).toBe(true);
  expect(meetsCondition({ field: 'tokens', op: '<=', value: '200' }, null)).toBe(false);
});
