/** Sentences that commit to a letter: "the answer is B", "I choose C", "D is the best choice", "wait, A". */
import { type Commitment, deniedBefore } from './commitment.ts';
import { followedByOwnText, JOINED, standsForOption } from './letter-token.ts';

const LET = "[\"'([]*(?:(?:option|choice|letter|answer)\\s*)?[\"'([]*([A-J])[\"')\\]]*(?!\\w|'\\w)";
const END = '(?=\\s*(?:[.,;:!?\\n]|$))';
const ADVERB =
  '(?:clearly|definitely|probably|most likely|likely|therefore|thus|indeed|actually|then|surely|simply|only|just|the|an?|option|choice|letter|answer)';

/** Sentences that commit to a letter. */
const ANCHORS: readonly RegExp[] = [
  // the correct option is B; my choice: B
  `\\b(?:answer|option|choice|letter|selection|response|pick|one|correct|right)\\s*(?:(?:is|would be|should be|must be|was|has to be|will be)\\s*:?|[:=])\\s*(?:${ADVERB}\\s+){0,5}${LET}`,
  // I choose B; I would go with option B
  `\\b(?:choose|chose|choosing|pick|picking|select|selecting|go(?:ing)? (?:with|for)|opt(?:ing)? for|settle on|say|guess|answering|answer with|prefer|lean(?:ing)? towards?)\\s+(?:(?:that|it's|it is|the answer is|${ADVERB})\\s+){0,5}${LET}`,
  // it is B; I think B; leaving B
  `\\b(?:it's|it is|that's|that is|this is|must be|has to be|should be|would be|think|believe|leaves(?: us)?(?: with)?|leaving(?: us)?(?: with)?)\\s+(?:${ADVERB}\\s+){0,5}${LET}`,
  // not A but B; based on the findings, B
  `\\bnot\\s+(?:option\\s+)?["'([]*[A-J]["')\\]]*,?\\s+but\\s+(?:rather\\s+|option\\s+)?${LET}`,
  `\\b(?:based on|given|according to)\\b[^.,\\n]{1,60},\\s+${LET}${END}`,
  // so B.; therefore, B
  `\\b(?:so|therefore|thus|hence|consequently|finally|in conclusion|overall)[,:]?\\s+${LET}${END}`,
].map((source) => new RegExp(source, 'dgi'));

/** B is the best choice: only where the letter begins a clause, so that "vitamin B is the right …" does not count. */
const PREDICATE = new RegExp(
  `(?:^|[.,;:!?\\n(\u2013]|\\b(?:option|choice|letter|answer|so|therefore|thus|hence|that|think|believe|and|but|only|then|because|since|say))\\s*${LET}\\s+(?:is|was|would be|seems|must be|should be|has to be|appears|looks|fits)\\s+(?:(?:to be|the|my|clearly|definitely|probably|indeed|actually|therefore|most|only|single|more|likely|final|one)\\s+){0,6}(?:correct|right|best|answer|appropriate|likely|true|accurate|choice|option|suitable|pick)\\b`,
  'dgi',
);

/** wait, D; no, it's D; I meant D; I change my answer to D. */
const CORRECTED = new RegExp(
  `\\b(?:actually|wait|no|correction|sorry|rather|scratch that|i meant?|hold on|on second thoughts?|instead|(?:chang|switch|revis|updat)\\w*\\b[^.\\n]{0,30}\\bto)[\\s,.:;!\u2013-]*(?:(?:actually|no|wait|sorry|it's|it is|it should be|should be|make (?:that|it)|that should be|i meant?|option|to|the (?:correct )?answer is)[\\s,.:]{0,4}){0,6}${LET}${END}`,
  'dgi',
);

const MENTION = /\b(?:option|choice|letter)\s*["'([]*([A-J])["')\]]*(?![\w'-])/gi;
const DENIED_AFTER =
  /^["')\]]*\s*(?:(?:is|was|are|would be|can be|could be|seems|looks|may be|might be)\s+)?(?:clearly |definitely |also |obviously |the )*(?:not\b|incorrect|wrong|false|inappropriate|unlikely|ruled out|eliminated|excluded|contraindicated|isn't|can't|cannot|does not|doesn't|wasn't|wouldn't)/i;

/** Every anchored statement about a letter, denied ones left out. `own` are the options' normal texts. */
export function anchoredLetters(text: string, own: readonly string[]): Commitment[] {
  const found: Commitment[] = [];
  for (const pattern of [...ANCHORS, PREDICATE, CORRECTED]) {
    const corrects = pattern === CORRECTED;
    for (const match of text.matchAll(pattern)) {
      const written = match[1];
      const [at, end] = match.indices?.[1] ?? [-1, -1];
      if (written === undefined || at < 0) continue;
      if (
        pattern === PREDICATE
          ? /^[ai]$/.test(written) && !/["'([]/.test(text.charAt(at - 1))
          : !standsForOption(text, written, at, end, own)
      )
        continue;
      if (!corrects && deniedBefore(text, match.index + 1)) continue;
      if (DENIED_AFTER.test(text.slice(end, end + 80))) continue;
      const answer = written.toUpperCase();
      found.push({ answer, start: match.index, end, method: 'anchored', corrects });
      const rest = text.slice(end, end + 40);
      const other = JOINED.exec(rest)?.[1]?.toUpperCase();
      if (pattern !== PREDICATE && other !== undefined && other !== answer && /^["')\]]*\s*(?:,|\/|or|and)/i.test(rest))
        found.push({ answer: other, start: end, end: end + 1, method: 'anchored' });
    }
  }
  return found;
}

const endsWithOption = (text: string, option: string): boolean =>
  text.slice(-option.length).toLowerCase() === option && !/\w/.test(text.charAt(text.length - option.length - 1));

/** "metformin (A)": an option's own text with its letter behind it. */
export function bracketedLetters(text: string, own: readonly string[]): Commitment[] {
  const found: Commitment[] = [];
  for (const match of text.matchAll(/\s*[([]([A-J])[)\]]/g)) {
    const answer = match[1] ?? '';
    const option = own[answer.charCodeAt(0) - 65];
    if (option === undefined || option.length < 2 || !endsWithOption(text.slice(0, match.index), option)) continue;
    // "(A) 4.6 (B) 4.61": the label of the next entry of a list.
    if (followedByOwnText(text.slice(match.index + match[0].length), answer, own)) continue;
    if (deniedBefore(text, match.index - option.length)) continue;
    found.push({ answer, start: match.index - option.length, end: match.index + match[0].length, method: 'anchored' });
  }
  return found;
}

/** Options named as such ("option B") and not denied: what is left where nothing commits in a sentence. */
export function mentionedLetters(text: string): string[] {
  const letters = new Set<string>();
  for (const match of text.matchAll(MENTION)) {
    const end = match.index + match[0].length;
    const written = match[1] ?? '';
    if (/^[ai]$/.test(written) && !/["'([)\]]/.test(match[0].slice(-2)) && !/^\s*(?:[.,;:!?)]|$)/.test(text.slice(end))) continue;
    if (DENIED_AFTER.test(text.slice(end, end + 80)) || deniedBefore(text, match.index)) continue;
    letters.add(written.toUpperCase());
  }
  return [...letters];
}
