/** Rows as CSV for a file and as TSV for the clipboard. */
import { type Column, cellText, headerText } from './columns.ts';

/** A field of RFC 4180. A leading = + - @ of text would run as a formula in a spreadsheet: an apostrophe keeps it text. */
function csvField(text: string): string {
  const plain = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** CSV with a header line, ended by CR LF. */
export function toCsv<T>(columns: readonly Column<T>[], rows: Iterable<T>): string {
  const lines = [columns.map((column) => csvField(headerText(column))).join(',')];
  // A typographic minus is for the eye.
  for (const row of rows) lines.push(columns.map((column) => csvField(cellText(column, row).replaceAll('−', '-'))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

const tsvField = (text: string): string => text.replaceAll(/[\t\r\n]+/g, ' ');

/** Tab-separated lines; with a header where there are several rows. */
export function toTsv<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const lines = rows.map((row) => columns.map((column) => tsvField(cellText(column, row))).join('\t'));
  return (rows.length > 1 ? [columns.map((column) => tsvField(headerText(column))).join('\t'), ...lines] : lines).join('\n');
}

/** Lets the user keep a text as a file. */
export function saveText(name: string, text: string, type = 'text/csv'): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
