/** Statements that commit to an answer, and which of several counts. */

export type Commitment = {
  /** The letter or word. */
  answer: string;
  start: number;
  end: number;
  method: string;
  /** Said as a correction ("wait, D"): stands against whatever came before. */
  corrects?: boolean;
};

/** Words that take back what was said before them. */
const CORRECTION =
  /\b(?:actually|wait|sorry|correction|rather|scratch that|i meant?|hold on|on second thoughts?|on reflection|instead|reconsider\w*|oops|hmm|changed? my (?:mind|answer)|but (?:now )?i now|no)\b\s*(?:[,.:;!?\u2013-]|\.\.\.|(?:the|it|i|that|this|on|should|my|think|believe)\b)/i;
/** "Wait, that's wrong" voids the commitment nearest before it. */
const TAKEN_BACK =
  /\b(?:wait|no|actually|hmm|sorry|oops|hold on)\b[\s,.!:;\u2013-]*(?:that|this|it)(?:'s|\s+is|\s+was)\s+(?:wrong|incorrect|not\s+(?:right|correct))/gi;
/** Words right before a commitment that deny or merely suppose it. */
const DENIED =
  /(?:\b(?:not|never|cannot|neither|nor|except|without|than|unlike|if|whether|unless|why|was going to|might|tempted to|first thought|initially|ruled? out|eliminat\w+|exclud\w+)\b|n't\b)[^,.;:\n]{0,25}$/i;

/** Whether the words before position `at` deny what stands there. */
export const deniedBefore = (text: string, at: number): boolean =>
  DENIED.test(text.slice(Math.max(0, at - 50), at).replace(/^.*[.;:\n]/s, ''));

export type Resolution = { answer: string; method: string } | { answer: null; reason: 'none' | 'conflict' | 'taken-back' };

/** The last commitment, if all agree or every change of mind is marked as one. */
export function resolveCommitments(text: string, commitments: readonly Commitment[]): Resolution {
  const ordered = [...commitments].sort((a, b) => a.start - b.start || b.end - a.end);
  let kept = ordered;
  for (const match of text.matchAll(TAKEN_BACK)) {
    const last = kept.filter((c) => c.start < match.index).at(-1);
    if (last) kept = kept.filter((c) => c.start >= match.index || c.answer !== last.answer);
  }
  const last = kept.at(-1);
  if (!last) return { answer: null, reason: ordered.length > 0 ? 'taken-back' : 'none' };
  let corrected = false;
  for (let i = kept.length - 1; i > 0; i--) {
    const later = kept[i] as Commitment;
    const earlier = kept[i - 1] as Commitment;
    if (earlier.answer === later.answer) continue;
    // Include a little of what precedes the later statement's own words: patterns may begin with the correcting word.
    if (!later.corrects && !CORRECTION.test(text.slice(earlier.end, later.end))) return { answer: null, reason: 'conflict' };
    corrected = true;
    break;
  }
  return { answer: last.answer, method: corrected ? 'corrected' : last.method };
}
