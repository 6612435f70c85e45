/** Which part of an answer counts: what follows the reasoning, and in it what follows the last answer marker. */
import type { AnswerKind } from '../question.ts';

export type Scope = {
  text: string;
  /** A marker such as `Answer:` stands before the text. */
  marked: boolean;
  /** The marker is that of an answer key (`Ans:`, `Answer- `), as quoted explanations begin. */
  key: boolean;
  /** A reasoning tag was opened and never closed: nothing was answered yet. */
  unfinished: boolean;
};

const REASONING_END = /<\/(?:think|thinking|thought|reasoning|reason|scratchpad)>/gi;
const REASONING_START = /<(?:think|thinking|thought|reasoning|reason|scratchpad)>/i;

const ANSWER_KEY = /^\s*(?:final\s+|correct\s+)?(?:ans\b|answer\s*[-\u2013])/i;
/** Characters of a scope that are read: the head after a marker, else the tail. Bounds the time on degenerate output. */
const SCOPE_LIMIT = 12_000;

const OF_WHAT = '(?:\\s+(?:choice|option|letter|here|now|to (?:the|this|that) (?:question|problem)|(?:to|for) (?:this|that|it)))?';
const MARKER = new RegExp(
  [
    '<answer>',
    '\\[answer\\]',
    '^[^\\w\\n]*final\\s*:',
    '\\\\boxed\\s*\\{?',
    '#{4,}',
    '答案\\s*(?:是|为|:)?',
    // "Answer:", "Final answer is:", "Ans =", "Answer (short):"
    `\\bans(?:wer)?s?${OF_WHAT}(?:\\s+(?:is|was|would be))?\\s*(?:\\([^()\\n]{0,20}\\)\\s*)?["']?\\s*[:=]`,
    // "the answer is", not "the answer is not" or "is unclear"
    `\\banswer${OF_WHAT}(?:\\s+(?:among|of|out of|from) [^.,:\\n]{1,30}?)?\\s+(?:is|was|would be|should be|must be|has to be|will be|becomes|remains)\\b(?!\\s+(?:not|never|clearly not|unclear|unknown|uncertain)\\b)`,
    // a line of its own, as a heading
    '^[# \\t>-]*(?:the\\s+|my\\s+)?(?:final\\s+|correct\\s+)?answer[ \\t]*$',
    // "Answer- C", "Ans. is 'b'"
    '^\\s*(?:final\\s+|correct\\s+)?ans(?:wer)?\\s*(?:[-\u2013]\\s*|\\.\\s*(?:is\\s+)?(?=[\'"(]*[a-jA-J\\d]))',
  ].join('|'),
  'gim',
);

/** Words before a marker that take it back: "I don't think the answer is B", "if the answer is B". */
const VOID_BEFORE =
  /(?:\b(?:if|whether|unless|doubt|nor)|\b(?:don't|do not|didn't|wouldn't|cannot|can't|would not) (?:think|believe|say|know)|\bnot (?:true|sure|certain|clear)(?: that| if| whether)?|\b(?:un)?likely)(?:\s+(?:that|what))?(?:\s+(?:the|my|a|its))?(?:\s+(?:correct|final|best|right|most likely|likely))*\s*$/i;

/** `####` is GSM8K's marker only before a short answer; before words it is a markdown heading. */
function hashesMark(rest: string, kind: AnswerKind): boolean {
  if (kind === 'number') return /^\s*[-+]?[\d.]/.test(rest);
  if (kind === 'letter') return /^\s*\(?[A-Ja-j]\)?\s*(?:[.:)]|$|\n)/.test(rest);
  return /^\s*\w+\W*(?:\n|$)/.test(rest);
}

/** The content of `{…}` whose opening brace was just passed. */
function braced(rest: string): string {
  let depth = 1;
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === '{') depth++;
    else if (rest[i] === '}' && --depth === 0) return rest.slice(0, i);
  }
  return rest;
}

const NOTHING: Scope = { text: '', marked: false, key: false, unfinished: true };

/** What counts of `text`, which is plain (see `plainText`). */
export function answerScope(text: string, kind: AnswerKind): Scope {
  let reasoned = 0;
  for (const match of text.matchAll(REASONING_END)) reasoned = match.index + match[0].length;
  if (reasoned === 0 && REASONING_START.test(text)) return NOTHING;
  const rest = text.slice(reasoned);
  let last: { marker: string; end: number } | null = null;
  for (const match of rest.matchAll(MARKER)) {
    const marker = match[0];
    const end = match.index + marker.length;
    if (/^#+$/.test(marker) && !hashesMark(rest.slice(end, end + 80), kind)) continue;
    if (VOID_BEFORE.test(rest.slice(Math.max(0, match.index - 60), match.index))) continue;
    last = { marker, end };
  }
  if (!last) return { text: rest.slice(-SCOPE_LIMIT), marked: false, key: false, unfinished: false };
  let part = rest.slice(last.end, last.end + SCOPE_LIMIT);
  if (/^\\boxed\s*\{$/.test(last.marker)) part = braced(part);
  else if (last.marker.toLowerCase() === '<answer>') part = part.split(/<\/answer>/i)[0] ?? part;
  return { text: part, marked: true, key: ANSWER_KEY.test(last.marker), unfinished: false };
}
