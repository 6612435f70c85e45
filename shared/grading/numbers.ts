/** Numbers as people write them: thousands commas, decimal commas, fractions, signs, powers of ten, small words; with a unit. */
import { readUnit, type Unit } from './units.ts';

export type Quantity = {
  value: number;
  unit: Unit | null;
  /** Where the number starts and where it ends, its unit included. */
  start: number;
  end: number;
};

const BODY = [
  '\\d+\\s+\\d+\\s?/\\s?\\d+(?![\\d.])', // 2 1/2
  '\\d+\\s?/\\s?\\d+(?![\\d.,]*\\d)', // 3/4
  '\\d{1,3}(?:,\\d{2,3})*,\\d{3}(?!\\d)(?:\\.\\d+)?', // 1,234.5
  '\\d{1,3}(?:\\.\\d{3})+,\\d+', // 1.234,5
  '\\d{1,3}(?: \\d{3})+(?![\\d.])', // 1 234
  '\\d+,\\d{1,2}(?!\\d)', // 0,5
  '\\d+(?:\\.\\d+)?',
  '\\.\\d+',
].join('|');
const POWER = '(?:e[-+]?\\d{1,3}(?![\\w])|\\s?[x×*]\\s?10\\s?\\^?\\s?\\{?\\(?[-+]?\\d{1,3}\\}?\\)?(?![\\d.]))?';
/** A number with its sign; a hyphen after a digit or letter (10-12, B12) is no sign, digits inside a word are no number. */
export const NUMBER_SOURCE = `(?:(?<![\\w.)])[-+]\\s?)?(?<![\\w.^])(?:${BODY})${POWER}`;
const NUMBER = new RegExp(NUMBER_SOURCE, 'gi');

/** The value of a text that `NUMBER_SOURCE` matches; null for a division by zero or an overflow. */
export function numberValue(text: string): number | null {
  const compact = text.trim().replace(/\s+/g, ' ');
  const sign = compact.startsWith('-') ? -1 : 1;
  let body = compact.replace(/^[-+]\s?/, '');
  let scale = 1;
  const power = /^(.*?)(?:e([-+]?\d+)|\s?[x×*]\s?10\s?\^?\s?\{?\(?([-+]?\d+)\}?\)?)$/i.exec(body);
  if (power) {
    body = power[1] ?? '';
    scale = 10 ** Number(power[2] ?? power[3]);
  }
  const fraction = /^(?:(\d+) )?(\d+) ?\/ ?(\d+)$/.exec(body);
  let value: number;
  if (fraction) value = Number(fraction[1] ?? 0) + Number(fraction[2]) / Number(fraction[3]);
  else if (/^\d{1,3}(?:\.\d{3})+,\d+$/.test(body)) value = Number(body.replaceAll('.', '').replace(',', '.'));
  else if (/^\d+,\d{1,2}$/.test(body)) value = Number(body.replace(',', '.'));
  else value = Number(body.replace(/[, ]/g, ''));
  value = sign * (scale === 1 ? value : value * scale);
  return Number.isFinite(value) ? value : null;
}

/** All numbers of a plain text with their units, in order. */
export function readQuantities(text: string): Quantity[] {
  const found: Quantity[] = [];
  for (const match of text.matchAll(NUMBER)) {
    const value = numberValue(match[0]);
    if (value === null) continue;
    const end = match.index + match[0].length;
    const unit = readUnit(text.slice(end, end + 80));
    found.push({ value, unit: unit?.unit ?? null, start: match.index, end: end + (unit?.length ?? 0) });
  }
  return found;
}

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const WORD_NUMBER = new RegExp(
  `^(?:(${SMALL.slice(1, 10).join('|')}) hundred(?: and)?(?: |(?![\\w-])))?(?:(${TENS.join('|')})(?:[- ](${SMALL.slice(1, 10).join('|')}))?|(${SMALL.join('|')}))?(?![\\w-])`,
  'i',
);

/** A number word below 1,000 at the start of `text`, with the unit after it: "twenty-five mg". Null where there is none. */
export function readWordNumber(text: string): Quantity | null {
  const match = WORD_NUMBER.exec(text);
  if (!match || match[0] === '') return null;
  const [whole, hundreds, tens, ones, small] = match;
  const index = (list: string[], word: string | undefined): number => (word === undefined ? 0 : list.indexOf(word.toLowerCase()));
  const value =
    100 * index(SMALL, hundreds) + (tens === undefined ? 0 : 20 + 10 * index(TENS, tens)) + index(SMALL, ones) + index(SMALL, small);
  const unit = readUnit(text.slice(whole.length));
  return { value, unit: unit?.unit ?? null, start: 0, end: whole.length + (unit?.length ?? 0) };
}
