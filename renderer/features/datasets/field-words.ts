/** Fields and conditions in words. */
import type { Condition } from '../../../shared/question-filter.ts';

const FIELDS: Record<string, string> = {
  id: 'id',
  split: 'split',
  kind: 'answer kind',
  gold: 'gold answer',
  question: 'question',
  length: 'length',
  options: 'number of options',
  contexts: 'number of passages',
};

export const fieldWords = (field: string): string => FIELDS[field] ?? field.replace(/^meta\./, '').replaceAll('_', ' ');

export const OPERATIONS: Record<Condition['op'], string> = {
  '=': 'is',
  '!=': 'is not',
  '~': 'contains',
  '>': '>',
  '>=': '≥',
  '<': '<',
  '<=': '≤',
};

/** `subject is Pharmacology` */
export const conditionWords = ({ field, op, value }: Condition): string => `${fieldWords(field)} ${OPERATIONS[op]} ${value}`;

export const isNumberField = (field: string): boolean => ['length', 'options', 'contexts'].includes(field);

/** 1,234 */
export const countText = (count: number): string => count.toLocaleString('en');

/** 12.3 MB */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${['B', 'kB', 'MB', 'GB'][power]}`;
}
