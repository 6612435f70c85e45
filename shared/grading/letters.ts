/** The letter that an answer commits to, in layers: direct letter, anchored letter, full option text. */
import { optionLetter } from '../question.ts';
import { type Commitment, resolveCommitments } from './commitment.ts';
import { type Extraction, invalid } from './extraction.ts';
import { anchoredLetters, bracketedLetters, mentionedLetters } from './letter-anchors.ts';
import { beginsOptionList, directLetter } from './letter-head.ts';
import { followedByOwnText } from './letter-token.ts';
import { exactOption, leadingOption, normalOption, REASONED, statedOptions } from './option-text.ts';
import type { Scope } from './scope.ts';

/** Without options, five letters are allowed. */
const DEFAULT_COUNT = 5;

/** A capital letter alone as the last sentence or line. */
const CLOSING_LETTER = /(?:[.!?:]\s+|\n\s*)["'(]*([A-J])["')]*[.!]?$/;

/** An answer that is, as a whole, one option's text. */
function wholeOption(text: string, marked: boolean, own: readonly string[]): number {
  // A single letter is a letter, even where an option's text is one (blood groups).
  if (/^\W*[A-Ja-j]\W*$/.test(text)) return -1;
  const whole = exactOption(text, own);
  if (whole >= 0) return whole;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const first = exactOption(lines[0] ?? '', own);
  const another = lines.slice(1).some((line) => own.includes(normalOption(line)));
  if (first >= 0 && !another) return first;
  const leading = leadingOption(text, own, marked);
  if (leading < 0) return -1;
  // Unmarked prose may begin with an option's words; only a name written like "C. difficile" and a reasoned answer are read.
  const option = own[leading] ?? '';
  return marked || /^[a-z]\. /.test(option) || REASONED.test(text.replace(/^[\s"'([]+/, '').slice(option.length)) ? leading : -1;
}

/**
 * After `Ans:` a letter is followed by its option's text. Other words there name an option of another question, as where an
 * explanation learnt by heart is recited.
 */
function namesForeignText(rest: string, letter: string, own: readonly string[]): boolean {
  const line = (rest.split('\n')[0] ?? '').replace(/^["')\].:;,\s-]+/, '');
  if (!/\w/.test(line) || /^(?:because|since|as|is|it)\b/i.test(line)) return false;
  return own.length > 0 && !followedByOwnText(rest.replace(/^["')\].:;,\s-]*i\.?\s?e\.?/i, ''), letter, own);
}

/** `scope.text` is plain. Letters run from A to the number of options. */
export function letterAnswer(scope: Scope, options: readonly string[] | undefined): Extraction {
  const text = scope.text.trim();
  if (text === '') return invalid(scope.unfinished ? 'unfinished-reasoning' : 'empty');
  const own = (options ?? []).map(normalOption);
  const prefix = scope.marked ? 'marked-' : '';
  const whole = wholeOption(text, scope.marked, own);
  if (whole >= 0) return { answer: optionLetter(whole), method: `${prefix}option-text` };

  const commitments: Commitment[] = [...anchoredLetters(text, own), ...bracketedLetters(text, own)];
  const head = directLetter(text, own);
  const list = head !== null && beginsOptionList(text, own);
  if (scope.key && head !== null && head !== 'joined' && namesForeignText(text.slice(head.end), head.answer, own))
    return invalid('foreign-key');
  if (head === 'joined' && commitments.length === 0) return invalid(list ? 'option-list' : 'conflict');
  if (head !== null && head !== 'joined' && !list) commitments.push(head);
  const resolved = resolveCommitments(text, commitments);
  if (resolved.answer !== null) return letterIn(resolved.answer, `${prefix}${resolved.method}`, options?.length ?? DEFAULT_COUNT);
  if (resolved.reason !== 'none') return invalid(resolved.reason);
  if (list) return invalid('option-list');

  const closing = head === 'joined' ? undefined : CLOSING_LETTER.exec(text)?.[1];
  if (closing !== undefined) return letterIn(closing, `${prefix}closing-letter`, options?.length ?? DEFAULT_COUNT);
  const stated = statedOptions(text, own);
  if (stated.length === 1) return { answer: optionLetter(stated[0] ?? 0), method: `${prefix}option-text` };
  if (stated.length > 1) return invalid('conflict');
  const mentioned = mentionedLetters(text);
  if (mentioned.length === 1) return letterIn(mentioned[0] ?? '', `${prefix}anchored`, options?.length ?? DEFAULT_COUNT);
  return invalid(mentioned.length > 1 ? 'conflict' : 'no-answer');
}

const letterIn = (letter: string, method: string, count: number): Extraction =>
  letter.charCodeAt(0) - 65 < count ? { answer: letter, method } : invalid('no-such-option');
