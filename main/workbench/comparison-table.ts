/** A comparison as a table for the terminal. */
import { comparisonMarks, comparisonRows, contaminationSentences, powerSentence, verdictSentence } from '../../shared/comparison-rows.ts';
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

/** Lines of a table whose first column is text and whose others are figures, some with intervals; a rule under the header and under the last row. */
export function figureTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const at = header.map((_, column) => column);
  const values = at.map((column) => Math.max(0, ...rows.map((row) => width(splitInterval(row[column] ?? '')[0]))));
  const intervals = at.map((column) => Math.max(0, ...rows.map((row) => width(splitInterval(row[column] ?? '')[1]))));
  const columns = header.map((name, column) => Math.max(width(name), (values[column] ?? 0) + (intervals[column] ?? 0)));
  const line = (cells: readonly string[], isHeader: boolean): string =>
    cells
      .map((cell, column) => {
        if (column === 0 || isHeader) return padded(cell, columns[column] ?? 0, column > 0 && (intervals[column] ?? 0) === 0);
        const [value, interval] = splitInterval(cell);
        return padded(padded(value, values[column] ?? 0, true) + interval, columns[column] ?? 0, (intervals[column] ?? 0) === 0);
      })
      .join('   ')
      .trimEnd();
  const rule = '─'.repeat(columns.reduce((sum, column) => sum + column + 3, -3));
  return [line(header, true), rule, ...rows.map((row) => line(row, false)), rule];
}

/**
 * What was compared, a row a figure (before, after, change), and the verdict. Percentages are in points; the change of a count is a ratio.
 * Minus signs are U+2212.
 */
export function renderComparisonTable(comparison: Comparison): string {
  const { before, after } = comparison;
  const rows = comparisonRows(comparison).map((row) => [row.label, row.before, row.after, row.change]);
  return [
    `${before.data} · ${before.split} · n = ${countText(before.n)}${after.n === before.n ? '' : ` before, ${countText(after.n)} after`}`,
    `before: ${before.model}`,
    `after:  ${after.model}`,
    ...comparisonMarks(comparison).map((mark) => `⚠ ${mark}`),
    '',
    ...figureTable(['', 'before', 'after', 'after − before, or ×'], rows),
    verdictSentence(comparison),
    powerSentence(comparison),
    ...contaminationSentences(comparison.contamination).map(({ text }) => text),
  ].join('\n');
}
