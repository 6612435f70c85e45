/** The letter that an answer commits to, in layers: direct letter, anchored letter, full option text. */
import { optionLetter } from '../question.ts';
import { type Commitment, deniedBefore, resolveCommitments } from './commitment.ts';
import { type Extraction, invalid } from './extraction.ts';
import { exactOption, leadingOption, normalOption, statedOptions } from './option-text.ts';
import type { Scope } from './scope.ts';

const LET = '["\'([]*(?:(?:option|choice|letter|answer)\\s*)?["\'([]*([A-J])["\')\\]]*(?![\\w\'])';
const END = '(?=\\s*(?:[.,;:!?\\n]|$))';
const ADVERB = '(?:clearly|definitely|probably|most likely|likely|therefore|thus|indeed|actually|then|surely|simply|only|just|the|an?|option|choice|letter|answer)';

/** Sentences that commit to a letter. */
const ANCHORS: readonly RegExp[] = [
  // the correct option is B; my choice: B
  `\\b(?:answer|option|choice|letter|selection|response|pick|one|correct|right)\\s*(?:(?:is|would be|should be|must be|was|has to be|will be)\\s*:?|[:=])\\s*(?:${ADVERB}\\s+)*${LET}`,
  // I choose B; I would go with option B
  `\\b(?:choose|chose|choosing|pick|picking|select|selecting|go(?:ing)? (?:with|for)|opt(?:ing)? for|settle on|say|guess|answering|answer with|prefer|lean(?:ing)? towards?)\\s+(?:(?:that|it's|it is|the answer is|${ADVERB})\\s+)*${LET}`,
  // it is B; I think B; leaving B
  `\\b(?:it's|it is|that's|that is|this is|must be|has to be|should be|would be|think|believe|leaves(?: us)?(?: with)?|leaving(?: us)?(?: with)?)\\s+(?:${ADVERB}\\s+)*${LET}`,
  // so B.; therefore, B
  `\\b(?:so|therefore|thus|hence|consequently|finally|in conclusion|overall)[,:]?\\s+${LET}${END}`,
].map((source) => new RegExp(source, 'gi'));

/** B is the best choice: only where the letter begins a clause, so that "vitamin B is the right …" does not count. */
const PREDICATE = new RegExp(
  `(?:^|[.,;:!?\\n(\u2013]|\\b(?:option|choice|letter|answer|so|therefore|thus|hence|that|think|believe|and|but|only|then|because|since|say))\\s*${LET}\\s+(?:is|was|would be|seems|must be|should be|has to be|appears|looks|fits)\\s+(?:(?:to be|the|my|clearly|definitely|probably|indeed|actually|therefore|most|only|single|more|likely|final|one)\\s+)*(?:correct|right|best|answer|appropriate|likely|true|accurate|choice|option|suitable|pick)\\b`,
  'gi',
);

/** wait, D; no, it's D; I meant D; I change my answer to D. */
const CORRECTED = new RegExp(
  `\\b(?:actually|wait|no|correction|sorry|rather|scratch that|i meant?|hold on|on second thoughts?|instead|(?:chang|switch|revis|updat)\\w*\\b[^.\\n]{0,30}\\bto)[\\s,.:;!\u2013-]*(?:(?:actually|no|wait|sorry|it's|it is|it should be|should be|make (?:that|it)|that should be|i meant?|option|to|the (?:correct )?answer is)[\\s,.:]*)*${LET}${END}`,
  'gi',
);

const MENTION = new RegExp(`\\b(?:option|choice|letter)\\s*["'([]*([A-J])["')\\]]*(?![\\w'-])`, 'gi');
const DENIED_AFTER =
  /^["')\]]*\s*(?:(?:is|was|are|would be|can be|could be|seems|looks|may be|might be)\s+)?(?:clearly |definitely |also |obviously |the )*(?:not\b|incorrect|wrong|false|inappropriate|unlikely|ruled out|eliminated|excluded|contraindicated|isn't|can't|cannot|does not|doesn't|wasn't|wouldn't)/i;
/** What may follow a letter that stands for an option; anything else makes it part of a word group ("B cells", "A patient"). */
const REASON = /^\s*(?:$|[.,;:!?)\]\n/]|\u2013|- |\((?!\w\))|(?:because|since|as|due|for|and|or|but|is|was|would|seems|not|rather|instead|over|here|based|given|which|so|that|on)\b)/i;

/** Whether the letter at [start, end) of `text`, as written, stands for an option. `own` are the options' normal texts. */
function standsForOption(text: string, written: string, start: number, end: number, own: readonly string[]): boolean {
  const rest = text.slice(end);
  const bracketed = /["'([]$/.test(text.slice(0, start)) || /^["')\]]/.test(rest);
  const afterClosing = rest.replace(/^["')\]]+/, '');
  if (/^-\w/.test(afterClosing) || /^\s*[&+]/.test(afterClosing)) return false;
  if (followedByOwnText(afterClosing, written, own)) return true;
  if (bracketed) return true;
  const lower = written !== written.toUpperCase();
  // "a" and "i" are words of their own; a small letter needs an end after it unless it is b, c, d, …
  if (lower && !/^\s*(?:$|[.,;:!?)\]\n])/.test(afterClosing) && /[ai]/i.test(written)) return false;
  if (/^i$/i.test(written)) return /^\s*(?:$|[.)\]:\n])/.test(afterClosing);
  // "C. difficile" is a name, if an option writes it so.
  const binomial = /^\.\s?[a-z]+/.exec(afterClosing);
  if (binomial && own.some((option) => option.startsWith(`${written.toLowerCase()}${binomial[0]}`))) return false;
  return REASON.test(afterClosing);
}

/** Whether what follows the letter is that option's own text. */
function followedByOwnText(rest: string, letter: string, own: readonly string[]): boolean {
  const text = own[letter.toUpperCase().charCodeAt(0) - 65];
  if (!text) return false;
  const next = rest.toLowerCase().replace(/^[\s.:;,)\]("'\u2013-]+/, '');
  return next.startsWith(text) && !/^\w/.test(next.slice(text.length));
}

const HEAD = /^(?:[-*>\u2013]\s+)?(?:(?:well|sure|okay|ok|hmm|so|thus|therefore)[,!.:]\s+)?(?:(?:the\s+)?(?:option|choice|letter|alternative)\s*[:\s]\s*)?["'([]*(?:(?:option|choice)\s+)?["'([]*([A-Ja-j])(?![\w'])/i;
/** Another letter joined to the first: "A or B", "A, B, C", "A. B. C." */
const JOINED = /^["')\]]*\s*(?:,|\/|&|\+|\bor\b|\band\b|\bto\b|-|;|\.|\n)+\s*(?:or\s+|and\s+)?["'([]*(?:(?:option|choice)\s+)?["'([]*([A-J])(?:["')\]]*\s*(?:[.,;:!?\n)/&+]|$|(?:or|and|are|both)\b))/i;

/** A letter right at the head of the text; 'joined' when several stand there as one. */
function directLetter(text: string, own: readonly string[]): Commitment | 'joined' | null {
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

const LABEL = /(?:^|[\s(])\(?([A-J])[.):]\s*/g;

/** Whether the letter at the head begins a list of the options rather than an answer. */
function beginsOptionList(text: string, own: readonly string[]): boolean {
  const labels = [...text.matchAll(LABEL)].map((m) => ({ letter: m[1] ?? '', start: m.index, end: m.index + m[0].length }));
  const [first, second, third] = labels;
  if (!first || !second || first.letter === second.letter) return false;
  const between = normalOption(text.slice(first.end, second.start).replace(/\(\s*$/, ''));
  const index = first.letter.charCodeAt(0) - 65;
  const follows = second.letter.charCodeAt(0) === first.letter.charCodeAt(0) + 1;
  // "A. <its text> B. <its text>" with nothing between, or three labels in order on adjacent lines or one line.
  const afterSecond = normalOption(text.slice(second.end, third?.start ?? text.length).split('\n')[0] ?? '');
  const secondOwn = own[second.letter.charCodeAt(0) - 65] ?? '';
  if (between === own[index] && follows && afterSecond === secondOwn) return true;
  if (!third || !follows || third.letter.charCodeAt(0) !== second.letter.charCodeAt(0) + 1) return false;
  const lines = text.slice(first.end, third.start).split('\n').filter((line) => line.trim() !== '').length;
  return lines <= 3 && first.letter === 'A';
}

function anchoredLetters(text: string, own: readonly string[]): Commitment[] {
  const found: Commitment[] = [];
  const collect = (pattern: RegExp, method: string, corrects: boolean): void => {
    for (const match of text.matchAll(pattern)) {
      const written = match[1];
      if (written === undefined) continue;
      const start = match.index + match[0].search(new RegExp(`${written}(?![\\s\\S]*?\\b${written}\\b)`));
      const at = lettersPlace(match[0], written) + match.index;
      const end = at + 1;
      if (start < 0 || (pattern !== PREDICATE && !standsForOption(text, written, at, end, own))) continue;
      if (pattern === PREDICATE && /^[ai]$/.test(written) && !/["'([]/.test(text.charAt(at - 1))) continue;
      if (!corrects && deniedBefore(text, match.index + 1)) continue;
      if (DENIED_AFTER.test(text.slice(end))) continue;
      found.push({ answer: written.toUpperCase(), start: match.index, end, method, corrects });
      const joined = JOINED.exec(text.slice(end));
      const other = joined?.[1]?.toUpperCase();
      if (pattern !== PREDICATE && other && other !== written.toUpperCase() && /^["')\]]*\s*(?:,|\/|or|and)/i.test(text.slice(end)))
        found.push({ answer: other, start: end, end: end + 1, method, corrects: false });
    }
  };
  for (const pattern of ANCHORS) collect(pattern, 'anchored', false);
  collect(PREDICATE, 'anchored', false);
  collect(CORRECTED, 'anchored', true);
  return found;
}

/** Place of the letter in a matched sentence: its last occurrence as a word of its own. */
function lettersPlace(match: string, written: string): number {
  let place = -1;
  for (const found of match.matchAll(new RegExp(`(?<![\\w'])${written}(?![\\w'])`, 'g'))) place = found.index;
  return place;
}
