/** What became of a question: gained, lost, or the same before and after. */
import type { QuestionPair } from '../../../shared/rpc/compare.ts';

export type Outcome = 'gained' | 'lost' | 'right' | 'wrong';

export const OUTCOMES: readonly { name: Outcome; title: string; glyph: string; look: string }[] = [
  { name: 'gained', title: 'Gained', glyph: '▲', look: 'state-done' },
  { name: 'lost', title: 'Lost', glyph: '▼', look: 'state-failed' },
  { name: 'right', title: 'Both right', glyph: '✓', look: 'quiet' },
  { name: 'wrong', title: 'Both wrong', glyph: '✕', look: 'quiet' },
];

/** By the strict grader; by the original one, over 50 characters, where `legacy` is on and it could grade. */
export function outcomeOf({ before, after }: QuestionPair, legacy: boolean): Outcome {
  const first = legacy ? (before.legacy ?? before.correct) : before.correct;
  const second = legacy ? (after.legacy ?? after.correct) : after.correct;
  if (first) return second ? 'right' : 'lost';
  return second ? 'gained' : 'wrong';
}
