/** Whether an extracted answer is right. The only place where an answer meets the gold. */
import type { Question } from '../question.ts';
import { sameExpression } from './expression.ts';
import type { Extraction } from './extraction.ts';
import { convertUnit, parseUnit } from './units.ts';

/** Rounding of binary fractions, for golds without a stated tolerance. */
const ROUNDING = 1e-9;

/**
 * Letters and words must be equal, expressions after normalisation. A number is right within the larger of the question's relative and absolute tolerance
 * (none stated: equal up to binary rounding), after conversion to the unit asked for. No unit counts as that unit; where no
 * unit is asked for, one that was written is ignored; a unit of another dimension is wrong.
 */
export function judge(extraction: Extraction, question: Pick<Question, 'gold' | 'tolerance' | 'unit' | 'kind'>): boolean {
  if (extraction.answer === 'invalid') return false;
  if (question.kind === 'expression') return sameExpression(extraction.answer, question.gold);
  if (question.kind !== 'number') return extraction.answer.toLowerCase() === question.gold.toLowerCase();
  const gold = Number(question.gold);
  const value = inAskedUnit(extraction, question.unit ?? null);
  if (value === null || !Number.isFinite(gold)) return false;
  const { relative, absolute } = question.tolerance ?? { relative: ROUNDING, absolute: ROUNDING };
  // The tolerance's own edge is inside: 0.1 + 0.2 must not fall out by a rounding.
  const allowed = Math.max(absolute, relative * Math.abs(gold)) * (1 + ROUNDING) + Number.EPSILON * Math.abs(gold);
  return Math.abs(value - gold) <= allowed;
}

function inAskedUnit(extraction: Extraction, asked: string | null): number | null {
  if (extraction.value === undefined) return null;
  if (asked === null || extraction.unit === undefined || extraction.unit === null) return extraction.value;
  const from = parseUnit(extraction.unit);
  const to = parseUnit(asked);
  if (from === null || to === null) return null;
  return convertUnit(extraction.value, from, to);
}
