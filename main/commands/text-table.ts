/** A table for the terminal: columns padded to their widest cell, numbers to the right. */

/** Lines of a table; a column is aligned right where every cell below its title starts like a number or is a dash. */
export function textTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = titles.map((title, i) => ({
    width: Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
    right: rows.every((row) => /^([-+]?\d|–|$)/.test(row[i] ?? '')),
  }));
  const line = (cells: readonly string[]) =>
    columns
      .map(({ width, right }, i) => (right ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width)))
      .join('  ')
      .trimEnd();
  return [line(titles), columns.map(({ width }) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
