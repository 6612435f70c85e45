/** Numbers as they are typed. */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number of a text; the text itself where it is none, so that the field can say so; undefined where there is nothing. */
export function typedNumber(text: string): number | string | undefined {
  const plain = text.trim().replace('−', '-');
  if (plain === '') return undefined;
  const value = NUMBER.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(value) ? value : text.trim();
}

/** `64, 128` as a list; what is no number stays as it was typed. */
export function typedNumbers(text: string): (number | string)[] | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.map((part) => typedNumber(part) ?? part);
}

/** A value as the text of its field. */
export function fieldText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(fieldText).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
