/** Numbers as a reader sees them: three significant figures, a true minus sign, intervals in brackets. */

export const MINUS = '\u2212';

/** A whole number with thin groups from 10,000 on (4183, 12 345). */
export function countText(value: number): string {
  const digits = String(Math.abs(Math.round(value)));
  const grouped = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, '\u202f') : digits;
  return value < 0 ? MINUS + grouped : grouped;
}

/** Three significant figures; whole numbers from 100 on; below 0.0001 with an exponent (`1.74e−5`). `—` for null. */
export function figureText(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '—';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return countText(value);
  if (size < 1e-4) return value.toExponential(2).replaceAll('-', MINUS);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Number(size.toPrecision(3)))));
  return (value < 0 ? MINUS : '') + size.toFixed(digits);
}

/** A fraction in percent with one decimal: all accuracies of a table share their last digit. */
export function percentText(fraction: number | null): string {
  if (fraction === null) return '—';
  const text = Math.abs(100 * fraction).toFixed(1);
  return fraction < 0 && text !== '0.0' ? MINUS + text : text;
}

/** With its sign: a change. */
export const signed = (text: string): string => (text.startsWith(MINUS) || text === '—' || /^0(\.0+)?$/.test(text) ? text : `+${text}`);

export const intervalText = ([low, high]: readonly [number, number], text: (value: number) => string): string =>
  `[${text(low)}, ${text(high)}]`;

/** A p-value: three significant figures, `< 0.0001` below that. */
export const pText = (p: number): string => (p < 1e-4 ? '< 0.0001' : figureText(p));

const VERDICTS = {
  better: 'better',
  non_inferior: 'non-inferior',
  inferior: 'inferior',
  inconclusive: 'inconclusive',
} as const;

export const verdictText = (verdict: keyof typeof VERDICTS): string => VERDICTS[verdict];
