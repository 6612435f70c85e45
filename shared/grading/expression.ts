/**
 * Answers that are mathematical expressions (MATH): compared as text after a normalisation, as in the MATH paper
 * (Hendrycks et al., NeurIPS 2021 data sets, `is_equiv`). Two writings of one value that the rules do not bring together
 * (`x+1` and `1+x`) count as different: an answer can be missed, never given away.
 */
import { lastBoxed } from './boxed.ts';
import { type Extraction, invalid } from './extraction.ts';

/** `\frac12`, `\frac1{72}`, `\sqrt3` with braces. */
const braced = (text: string): string =>
  text
    .replace(/\\frac\s*([^\s{\\])\s*([^\s{\\])/g, '\\frac{$1}{$2}')
    .replace(/\\frac\s*([^\s{\\])\s*\{/g, '\\frac{$1}{')
    .replace(/\\frac\s*(\{[^{}]*\})\s*([^\s{\\])/g, '\\frac$1{$2}')
    .replace(/\\sqrt\s*([^\s{[\\])/g, '\\sqrt{$1}');

/**
 * The form in which expressions are compared: no blanks, dollar signs, `\left`, `\right`, spacing commands, degree and percent
 * signs, units in `\text{…}` at the end; one kind of fraction; `0.5` for `.5`; the right side of `x = 5`; `a/b` as `\frac{a}{b}`;
 * no thousands commas in a plain number.
 */
export function normalExpression(text: string): string {
  let out = text
    .trim()
    .replace(/\\[!,;: ]/g, '')
    .replace(/\\\\/g, '\\')
    .replace(/\\[dt]frac(?![a-z])/g, '\\frac')
    .replace(/\\(?:left|right)(?![a-z])/g, '')
    .replace(/\^\{?\s*\\circ\s*\}?/g, '')
    .replace(/\\?[$%]/g, '')
    .replace(/[\u2212\u2013]/g, '-')
    .replace(/(?<=.)\s*\\(?:text|mbox|mathrm|textrm)\s*\{[^{}]*\}\s*(?:\^\{?\d\}?)?$/, '')
    .replace(/^\\(?:text|mbox|mathrm|textrm|textbf)\s*\{([^{}]*)\}$/, '$1')
    .replace(/(^|[^\d])\.(?=\d)/g, '$10.')
    .replace(/[.\s]+$/, '');
  const sides = out.split('=');
  if (sides.length === 2 && (sides[0] ?? '').trim().length <= 2) out = sides[1] ?? '';
  out = braced(out).replace(/\s+/g, '');
  if (/^-?\d{1,3}(?:(?:,|\{,\})\d{3})+(?:\.\d+)?$/.test(out)) out = out.replace(/\{,\}|,/g, '');
  if (out === '0.5') return '\\frac{1}{2}';
  const ratio = /^(-?\d+)\/(-?\d+)$/.exec(out);
  return ratio === null ? out : `\\frac{${ratio[1]}}{${ratio[2]}}`;
}

/** Whether two expressions are the same after normalisation; an empty one is like none. */
export function sameExpression(a: string, b: string): boolean {
  const [left, right] = [normalExpression(a), normalExpression(b)];
  return left !== '' && left === right;
}

const REASONING_END = /<\/(?:think|thinking|thought|reasoning|reason|scratchpad)>/gi;
const REASONING_START = /<(?:think|thinking|thought|reasoning|reason|scratchpad)>/i;
const MARKER = /\b(?:final\s+)?answer(?:\s+is)?\s*(?:[:=]|\bis\b)\s*|^#{4}\s+/gim;
const DENIED = /(?:\bnot|n't|\bif|\bwhether)\s+(?:\w+\s+){0,3}$/i;

/** The expression that `text` commits to: its last box, else what follows its last answer marker on that line. Raw text, not plain. */
export function expressionAnswer(text: string): Extraction {
  const reasoned = text.split(REASONING_END);
  if (reasoned.length === 1 && REASONING_START.test(text)) return invalid('unfinished-reasoning');
  const rest = reasoned.at(-1) ?? '';
  if (rest.trim() === '') return invalid('empty');
  const boxed = lastBoxed(rest);
  if (boxed !== null) return boxed.trim() === '' ? invalid('empty') : { answer: boxed.trim(), method: 'boxed' };
  let line: string | null = null;
  for (const match of rest.matchAll(MARKER)) {
    if (!DENIED.test(rest.slice(Math.max(0, match.index - 40), match.index)))
      line = rest.slice(match.index + match[0].length).split('\n')[0] ?? '';
  }
  if (line === null) return invalid('no-answer');
  const answer = line
    .trim()
    .replace(/^\*+|\*+$/g, '')
    .replace(/^(?:\\\(|\\\[|\$)+\s*|\s*(?:\\\)|\\\]|\$)+\.?$/g, '')
    .trim();
  return answer === '' ? invalid('no-answer') : { answer, method: 'marked-expression' };
}
