/** Pieces of HTML that hold text from outside safely. */
import { createHash } from 'node:crypto';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for HTML, in content and in quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/**
 * JSON that cannot end the script element it stands in, nor start a comment or an element in it: `<`, `>`, `&` and the two line ends that
 * old scripts choke on are written as escapes, which JSON.parse reads back unchanged.
 */
export const embeddedJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The source expression by which a Content-Security-Policy lets exactly this script run. */
export const scriptHash = (script: string): string => `'sha256-${createHash('sha256').update(script, 'utf8').digest('base64')}'`;

/** `41.7 [37.4, 46.1]` as value and interval. */
function parts(cell: string): [string, string] {
  const at = cell.indexOf(' [');
  return at < 0 ? [cell, ''] : [cell.slice(0, at), cell.slice(at + 1)];
}

/**
 * A table: the first column is text, the rest figures. A column with intervals takes two, so that figures stand under figures.
 * `titles` explain the rows.
 */
export function tableHtml(header: readonly string[], rows: readonly (readonly string[])[], titles: readonly string[] = []): string {
  const split = header.map((_, column) => column > 0 && rows.some((row) => parts(row[column] ?? '')[1] !== ''));
  const head = header.map((name, column) => `<th scope="col"${split[column] ? ' colspan="2"' : ''}>${escapeHtml(name)}</th>`).join('');
  const body = rows.map((row, i) => {
    const title = titles[i] === undefined ? '' : ` title="${escapeHtml(titles[i])}"`;
    const cells = header.map((_, column) => {
      const cell = row[column] ?? '';
      if (column === 0) return `<th scope="row"${title}>${escapeHtml(cell)}</th>`;
      const [value, interval] = parts(cell);
      return split[column]
        ? `<td>${escapeHtml(value)}</td><td class="interval">${escapeHtml(interval)}</td>`
        : `<td>${escapeHtml(cell)}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}
