/** The number that an answer commits to: after a marker, alone, or in a closing sentence. */
import { type Extraction, invalid } from './extraction.ts';
import { NUMBER_SOURCE, type Quantity, readQuantities, readWordNumber } from './numbers.ts';
import type { Scope } from './scope.ts';
import { parseUnit } from './units.ts';

const FILLER =
  /^[\s"'([:=~≈]*(?:(?:about|approximately|approx\.?|around|roughly|nearly|exactly|a total of|is|are|the|total|=|≈)\s+)*["'(]*/i;
const CORRECTION = new RegExp(
  `\\b(?:no|wait|actually|sorry|correction|scratch that|i meant?|hold on|rather)\\b[\\s,.:!;\u2013-]*(?:(?:it|that|this|the answer)\\s+(?:is|should be|must be|would be)\\s+|it's\\s+|that's\\s+|should be\\s+|make (?:that|it)\\s+|(?:wait|no|actually|sorry)[\\s,.]{1,4}|(?:that|this|it)(?:'s|\\s+is|\\s+was)\\s+(?:wrong|incorrect)[\\s,.:;!]{1,4}(?:(?:it|that)\\s+(?:is|should be)\\s+)?){0,6}(?=${NUMBER_SOURCE})`,
  'gi',
);
const RANGE_NEXT = new RegExp(`^\\s*(?:-|\u2013|\\bto\\b|\\bor\\b)\\s*(?=${NUMBER_SOURCE})`, 'i');

function quantity(found: Quantity, method: string): Extraction {
  const unit = found.unit?.name ?? null;
  const shown = String(found.value);
  return { answer: unit === null ? shown : `${shown} ${unit}`, method, value: found.value, unit };
}

/** Whether the quantity is one end of a range or of an alternative: no single number was given. */
function inRange(text: string, found: Quantity): boolean {
  if (RANGE_NEXT.test(text.slice(found.end)) || RANGE_NEXT.test(text.slice(numberEnd(text, found)))) return true;
  return /\bbetween\s*$/i.test(text.slice(0, found.start));
}
const numberEnd = (text: string, found: Quantity): number => {
  const match = new RegExp(NUMBER_SOURCE, 'iy');
  match.lastIndex = found.start;
  return found.start + (match.exec(text)?.[0].length ?? 0);
};

/** The number right after the last `=` or `≈` of a sentence; words may follow it, a further calculation may not. */
function afterEquals(line: string): Quantity | null {
  const at = Math.max(line.lastIndexOf('='), line.lastIndexOf('≈'));
  if (at < 0) return null;
  const tail = line.slice(at + 1);
  const first = readQuantities(tail)[0];
  if (!first || !/^[\s("']*$/.test(tail.slice(0, first.start))) return null;
  const rest = tail.slice(first.end);
  return rest.length <= 120 && !/^\s*[-+×*/x]\s*[\d(]/.test(rest) ? first : null;
}

/** The quantity corrected to by the last "wait, it is 8". */
function corrected(text: string): Quantity | null {
  let at = -1;
  for (const match of text.matchAll(CORRECTION)) at = match.index + match[0].length;
  return at < 0 ? null : (readQuantities(text.slice(at))[0] ?? null);
}

function afterMarker(text: string): Extraction {
  const fixed = corrected(text);
  if (fixed) return quantity(fixed, 'corrected');
  const denied = /^\W*(?:not|never|isn't)\b/i.test(text);
  if (denied) {
    const but = /\bbut\s+(?:rather\s+)?/i.exec(text);
    const instead = but ? readQuantities(text.slice(but.index + but[0].length))[0] : undefined;
    return instead ? quantity(instead, 'corrected') : invalid('negated');
  }
  const head = text.replace(FILLER, '');
  const word = readWordNumber(head);
  if (word) return quantity(word, 'marked-number');
  const line = text.split('\n').find((l) => l.trim() !== '') ?? '';
  const result = afterEquals(line.split(/[.!?](?:\s|$)/).find((part) => part.includes('=')) ?? '');
  if (result) return quantity(result, 'marked-equation');
  const first = readQuantities(text)[0];
  if (!first) return invalid('no-answer');
  return inRange(text, first) ? invalid('conflict') : quantity(first, 'marked-number');
}

const CONCLUSION =
  /^(?:and\s+|but\s+)?(?:so|therefore|thus|hence|in total|altogether|as a result|consequently|finally|in conclusion|overall|this means|that means|which means|this gives|we get|total|the total)\b/i;
const TOTAL = /\b(?:in total|altogether|in all|a total of)\b/i;
const LABELLED =
  /^[^\n:]{0,40}\b(?:dose|rate|total|volume|result|bmi|clearance|amount|infusion|flow|cost|concentration|crcl|solution)\b[^\n:\d]{0,20}:\s*/i;
const STATEMENT = /\b(?:is|are|equals|will be|would be|should be|comes to|gives|makes)\s+(?:about |approximately |around |roughly )?$/i;

/** A text that is a number and little else: "42", "about 42 mg.", "7 apples". */
function bare(text: string): Quantity | null {
  const head = text.replace(FILLER, '');
  const word = readWordNumber(head);
  if (word && /^\W*(?:[a-z]+\W*)?$/i.test(head.slice(word.end))) return word;
  const found = readQuantities(head);
  const only = found[0];
  if (found.length !== 1 || !only || only.start !== 0) return null;
  return /^[\s.!)\]"']*(?:[a-z]+(?:\s+[a-z]+)?)?[\s.!)\]"']*$/i.test(head.slice(only.end)) ? only : null;
}

/** A short statement with one number; where a unit was asked for, in its dimension. */
function answersAlone(sentence: string, found: Quantity, asked: string | null | undefined): boolean {
  if (sentence.includes('?') || sentence.split(/\s+/).length > 14) return false;
  if (!asked) return !/\b(?:in|since|by|during)\s*$/i.test(sentence.slice(0, found.start));
  return found.unit?.dimensions === parseUnit(asked)?.dimensions;
}

const lastSentence = (text: string): string => {
  const line =
    text
      .split('\n')
      .filter((l) => l.trim() !== '')
      .at(-1) ?? '';
  return (
    line
      .split(/(?<=[.!?])\s+(?=[^\s])/)
      .at(-1)
      ?.trim() ?? ''
  );
};

function unmarked(text: string, asked: string | null | undefined): Extraction {
  const alone = bare(text);
  if (alone) return quantity(alone, 'number');
  const sentence = lastSentence(text).replace(/^(?:[-*#>]+\s+)/, '');
  const result = afterEquals(sentence);
  if (result) return quantity(result, 'equation');
  const found = readQuantities(sentence);
  const last = found.at(-1);
  if (last) {
    const closes = !/\d/.test(sentence.slice(last.end)) && sentence.length - last.end <= 40;
    if (inRange(sentence, last) || found.some((q) => inRange(sentence, q))) return invalid('conflict');
    const denied = /(?:\bnot\b|n't\b|\bnever\b)[^.]*$/i.test(sentence.slice(0, last.start));
    if (closes && !denied) {
      if (CONCLUSION.test(sentence) || TOTAL.test(sentence)) return quantity(last, 'closing-sentence');
      if (LABELLED.test(sentence) && found.length === 1) return quantity(last, 'closing-sentence');
      if (found.length === 1 && /^(?:the|his|her|their|its|your|this)\b/i.test(sentence) && STATEMENT.test(sentence.slice(0, last.start)))
        return quantity(last, 'closing-sentence');
      // The last line of a calculation: "Mishka spent 243 on clothing."
      if (found.length === 1 && text.includes('=') && answersAlone(sentence, last, null)) return quantity(last, 'closing-sentence');
      // One sentence in all, with one number in the dimension that was asked for: "Set the pump to 62.5 mL/h."
      if (found.length === 1 && sentence === text && answersAlone(sentence, last, asked)) return quantity(last, 'only-quantity');
    }
  }
  const fixed = sentence.length <= 60 ? corrected(sentence) : null;
  if (fixed) return quantity(fixed, 'corrected');
  const firstLine = text.split('\n')[0] ?? '';
  const opening = firstLine === text ? null : bare(firstLine);
  return opening ? quantity(opening, 'number') : invalid('no-answer');
}

/** `scope.text` is plain; `asked` is the unit of the form, used only to tell a stray number from an answer. */
export function numberAnswer(scope: Scope, asked: string | null | undefined): Extraction {
  const text = scope.text.trim();
  if (text === '') return invalid(scope.unfinished ? 'unfinished-reasoning' : 'empty');
  return scope.marked ? afterMarker(text) : unmarked(text, asked);
}
