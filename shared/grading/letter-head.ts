/** A letter at the head of an answer, and lists of the options that only look like one. */
import type { Commitment } from './commitment.ts';
import { followedByOwnText, JOINED, standsForOption } from './letter-token.ts';
import { normalOption } from './option-text.ts';

const HEAD =
  /^[^\w"'([]*(?:(?:well|sure|okay|ok|hmm|so|thus|therefore|i think|i believe|probably|likely|most likely|definitely|clearly|certainly|maybe|perhaps)[,!.:]?\s+)?(?:(?:the\s+)?(?:option|choice|letter|alternative)\s*[:\s]\s*)?["'([]*(?:(?:option|choice)\s+)?["'([]*([A-Ja-j])(?!\w|'\w)/i;
/** A letter right at the head of the text; 'joined' when several stand there as one. */
export function directLetter(text: string, own: readonly string[]): Commitment | 'joined' | null {
  const match = HEAD.exec(text);
  const written = match?.[1];
  if (!match || written === undefined) return null;
  const end = match[0].length;
  const start = end - 1;
  if (!standsForOption(text, written, start, end, own)) return null;
  const rest = text.slice(end);
  const ownText = followedByOwnText(rest, written, own);
  const joined = JOINED.exec(rest);
  if (!ownText && joined && joined[1]?.toUpperCase() !== written.toUpperCase()) return 'joined';
  // "B is …" is a statement about B: the anchored rules read it.
  if (!ownText && /^["')\]]*\s+(?:is|was|would|seems|isn't|wasn't|cannot|can't)\b/i.test(rest)) return null;
  return { answer: written.toUpperCase(), start, end, method: 'letter' };
}

const LABEL = /(?:^|[\s(])(?:[Oo]ption |[Cc]hoice )?\(?([A-Ja-j])[.):]\s*/g;

/** Whether the letter at the head begins a list of the options rather than an answer. */
export function beginsOptionList(text: string, own: readonly string[]): boolean {
  const labels = [...text.slice(0, 4000).matchAll(LABEL)].map((m) => ({
    letter: (m[1] ?? '').toUpperCase(),
    start: m.index,
    end: m.index + m[0].length,
  }));
  const [first, second, third] = labels;
  if (!first || !second || first.start > 2 || first.letter === second.letter) return false;
  const ownOf = (letter: string): string | undefined => own[letter.charCodeAt(0) - 65];
  const entry = (from: number, to: number | undefined): string => normalOption(text.slice(from, to).split('\n')[0] ?? '');
  // "A. <its text> B. <its text>" with nothing between, in any order.
  const alone = text.slice(first.end, second.start).trim().split('\n').length === 1;
  if (alone && entry(first.end, second.start) === ownOf(first.letter) && entry(second.end, third?.start) === ownOf(second.letter))
    return true;
  // Three labels in a row, up from A or down to A, on one line or on adjacent ones.
  const place = (label: { letter: string }): number => label.letter.charCodeAt(0);
  if (!third || place(second) - place(first) !== place(third) - place(second) || Math.abs(place(second) - place(first)) !== 1) return false;
  const lines = text
    .slice(first.end, third.start)
    .split('\n')
    .filter((line) => line.trim() !== '').length;
  return lines <= 2 && (first.letter === 'A' || place(second) < place(first));
}
