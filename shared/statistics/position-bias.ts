/** Does a model answer the question, or the place where an option stands? Each question asked once per rotation of its options. */
import type { PositionBias, RotatedAnswer } from '../evaluation.ts';
import { mean } from './describe.ts';

/**
 * `by_position`: accuracy over all rotations in which the gold stood at that letter; every question puts its gold at every letter once, so
 * the figures differ by position alone. `consistency`: share of questions whose answer is the same option in all rotations; an invalid
 * answer is none. (The question of Pezeshkpour & Hruschka, arXiv 2308.11483, and of Zheng et al., arXiv 2309.03882.)
 * Null without rotations.
 */
export function positionBias(questions: readonly (readonly RotatedAnswer[])[]): PositionBias | null {
  const asked = questions.filter((rotations) => rotations.length > 0);
  if (asked.length === 0) return null;
  const places = Map.groupBy(asked.flat(), ({ gold }) => gold);
  const by_position = Object.fromEntries(
    [...places]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([letter, answers]) => [letter, { n: answers.length, accuracy: mean(answers.map(({ correct }) => Number(correct))) }]),
  );
  return {
    rotations: Math.max(...asked.map((rotations) => rotations.length)),
    by_position,
    consistency: mean(asked.map((rotations) => Number(sameOption(rotations)))),
  };
}

/** Whether every rotation's answer is one and the same option of the unmoved question. */
function sameOption(rotations: readonly RotatedAnswer[]): boolean {
  const chosen = rotations.map(({ answer, shift }) =>
    /^[A-Z]$/.test(answer) ? (answer.charCodeAt(0) - 65 + shift) % rotations.length : null,
  );
  return chosen[0] !== null && chosen.every((option) => option === chosen[0]);
}
