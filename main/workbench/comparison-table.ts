/** A comparison as a table for the terminal. */
import { comparisonRows, verdictSentence } from '../../shared/comparison-rows.ts';
import type { Comparison } from '../../shared/evaluation.ts';
import { countText } from '../../shared/figures/number-text.ts';

/** Width in columns of a terminal: letters above a base (combining marks) take none. */
const width = (text: string): number => [...text.replace(/\p{Mark}/gu, '')].length;

const padded = (text: string, columns: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, columns - width(text)));
  return right ? space + text : text + space;
};

/** Values and their intervals in two sub-columns, so that figures stand under figures. */
function splitInterval(text: string): [string, string] {
  const at = text.indexOf(' [');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/**
 * What was compared, a row a figure (before, after, change), and the verdict. Percentages are in points; the change of a count is a ratio.
 * Minus signs are U+2212.
 */
export function renderComparisonTable(comparison: Comparison): string {
  const { before, after } = comparison;
  const header = ['', 'before', 'after', 'after − before, or ×'];
  const rows = comparisonRows(comparison).map((row) => [row.label, row.before, row.after, row.change]);
  const values = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => width(splitInterval(row[column] ?? '')[0]))));
  const intervals = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => width(splitInterval(row[column] ?? '')[1]))));
  const columns = header.map((name, column) => Math.max(width(name), (values[column] ?? 0) + (intervals[column] ?? 0)));
  const line = (cells: readonly string[], isHeader: boolean): string =>
    cells
      .map((cell, column) => {
        if (column === 0 || isHeader) return padded(cell, columns[column] ?? 0, column > 0 && (intervals[column] ?? 0) === 0);
        const [value, interval] = splitInterval(cell);
        return padded(padded(value, values[column] ?? 0, true) + interval, columns[column] ?? 0, false);
      })
      .join('   ')
      .trimEnd();
  const length = columns.reduce((sum, column) => sum + column + 3, -3);
  return [
    `${before.data} · ${before.split} · n = ${countText(before.n)}${after.n === before.n ? '' : ` before, ${countText(after.n)} after`}`,
    `before: ${before.model}`,
    `after:  ${after.model}`,
    '',
    line(header, true),
    '─'.repeat(length),
    ...rows.map((row) => line(row, false)),
    '─'.repeat(length),
    verdictSentence(comparison),
  ].join('\n');
}
