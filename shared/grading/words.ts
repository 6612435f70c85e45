/** The word (yes, no, maybe) that an answer commits to. */
import { type Commitment, deniedBefore, resolveCommitments } from './commitment.ts';
import { type Extraction, invalid } from './extraction.ts';
import type { Scope } from './scope.ts';

const DEFAULT_WORDS = ['yes', 'no', 'maybe'];
const END = '(?=["\')\\]]*\\s*(?:[.,;:!?\\n\u2013]|-\\s|$|(?:because|since|as|but|based)\\b))';

type Patterns = { head: RegExp; joined: RegExp; closing: RegExp; anchors: RegExp[]; corrected: RegExp };
const cache = new Map<string, Patterns>();

function patternsOf(words: readonly string[]): Patterns {
  const key = words.join('|');
  const known = cache.get(key);
  if (known) return known;
  const word = `["'([]*(${words.map((w) => w.replace(/[^\w ]/g, '\\$&')).join('|')})(?![\\w'-]\\w)(?!\\w)`;
  const made: Patterns = {
    head: new RegExp(
      `^[^\\w"'([]*(?:(?:well|so|hmm|probably|likely|most likely|definitely|clearly|i think|i believe|i'd say|i would say)[,:]?\\s+)?${word}`,
      'i',
    ),
    joined: new RegExp(`^["')\\]]*\\s*(?:[,/|&]\\s*)?(?:or\\s+|and\\s+)?${word}(?=["')\\]]*\\s*(?:[.,;:!?/|\\n]|$|or\\b|and\\b))`, 'i'),
    closing: new RegExp(`(?:[.!?:]\\s+|\\n\\s*)${word}["')\\]]*[.!]?$`, 'i'),
    anchors: [
      `\\b(?:answer|conclusion|decision|verdict|response|judg(?:e)?ment)\\s*(?:(?:is|would be|should be|must be)\\s*:?|[:=])\\s*(?:an?\\s+)?(?:clear|definite|definitely|probably|likely|clearly|therefore)?\\s*${word}${END}`,
      `\\b(?:says?|choose|pick|select|go with|conclude|answer with|lean(?:ing)? towards?)[:,]?\\s+(?:that\\s+)?(?:an?\\s+)?(?:clear\\s+)?${word}${END}`,
      `\\b(?:it's|it is|that's|that is|this is|must be|should be)\\s+(?:an?\\s+)?(?:clear|definite|definitely|probably|likely|clearly)?\\s*${word}${END}`,
      `\\b(?:based on|given|according to)\\b[^.,\\n]{1,60},\\s+${word}${END}`,
      `\\b(?:so|therefore|thus|hence|consequently|in conclusion|overall|in short|in summary)[,:]?\\s+(?:probably\\s+|likely\\s+)?${word}${END}`,
    ].map((source) => new RegExp(source, 'gi')),
    corrected: new RegExp(
      `\\b(?:actually|wait|correction|sorry|rather|i meant?|hold on|on second thoughts?|on reflection|instead)[\\s,.:;!\u2013-]*(?:(?:it's|it is|it should be|should be|i meant?|make that|the answer is)[\\s,.:]{0,4}){0,6}${word}${END}`,
      'gi',
    ),
  };
  cache.set(key, made);
  return made;
}

/** What may follow a first word that answers; "No difference was found" is prose. */
const AFTER_FIRST =
  /^["')\]}]*\s*(?:$|[.,;:!?\n\u2013]|-\s|\((?!s\))|(?:it|they|there|he|she|this|these|those|that|we|i|because|since|as|but|based)\b)/i;

/** `scope.text` is plain; `words` are lower case. */
export function wordAnswer(scope: Scope, words: readonly string[] = DEFAULT_WORDS): Extraction {
  const text = scope.text.trim();
  if (text === '') return invalid(scope.unfinished ? 'unfinished-reasoning' : 'empty');
  const { head, joined, closing, anchors, corrected } = patternsOf(words);
  const prefix = scope.marked ? 'marked-' : '';
  const commitments: Commitment[] = [];
  const first = head.exec(text);
  if (first) {
    const rest = text.slice(first[0].length);
    const answer = (first[1] ?? '').toLowerCase();
    const other = joined.exec(rest)?.[1]?.toLowerCase();
    if (other !== undefined && other !== answer) return invalid('conflict');
    if (AFTER_FIRST.test(rest)) commitments.push({ answer, start: 0, end: first[0].length, method: 'word' });
  }
  for (const pattern of [...anchors, corrected]) {
    for (const match of text.matchAll(pattern)) {
      if (pattern !== corrected && deniedBefore(text, match.index + 1)) continue;
      const end = match.index + match[0].length;
      const other = joined.exec(text.slice(end))?.[1]?.toLowerCase();
      const answer = (match[1] ?? '').toLowerCase();
      if (other !== undefined && other !== answer) return invalid('conflict');
      commitments.push({ answer, start: match.index, end, method: 'anchored', corrects: pattern === corrected });
    }
  }
  // A word alone as the last sentence, where nothing else commits.
  const last = commitments.length === 0 ? closing.exec(text)?.[1] : undefined;
  if (last !== undefined) return { answer: last.toLowerCase(), method: `${prefix}closing-word` };
  const resolved = resolveCommitments(text, commitments);
  if (resolved.answer === null) return invalid(resolved.reason === 'none' ? 'no-answer' : resolved.reason);
  return { answer: resolved.answer, method: `${prefix}${resolved.method}` };
}
