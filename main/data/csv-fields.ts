/** The fields of one CSV record (RFC 4180: quotes round a field, doubled inside it; line ends inside quotes belong to the field). */
import { BadRow } from './bad-row.ts';

/** Throws BadRow where text stands before or after a quoted field's quotes. */
export function csvFields(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === '"') {
      let field = '';
      let from = at + 1;
      for (;;) {
        const quote = record.indexOf('"', from);
        if (quote < 0) throw new BadRow(`field ${fields.length + 1}`, record.slice(at), 'a quote is opened and never closed');
        field += record.slice(from, quote);
        at = quote + 1;
        if (record[at] !== '"') break;
        field += '"';
        from = at + 1;
      }
      if (at < record.length && record[at] !== delimiter) {
        throw new BadRow(`field ${fields.length + 1}`, record.slice(at), 'text follows the closing quote; double a quote inside a field');
      }
      fields.push(field);
    } else {
      const end = record.indexOf(delimiter, at);
      const field = record.slice(at, end < 0 ? record.length : end);
      if (field.includes('"')) {
        throw new BadRow(
          `field ${fields.length + 1}`,
          field,
          'a quote stands inside an unquoted field; quote the whole field and double the quote',
        );
      }
      fields.push(field);
      at = end < 0 ? record.length : end;
    }
    if (at >= record.length) return fields;
    at++;
    if (at === record.length) return [...fields, ''];
  }
}

/** The delimiter that a header line holds most of, outside quotes: comma, semicolon, tab or bar. */
export function csvDelimiter(header: string): string {
  const bare = header.replace(/"[^"]*"/g, '');
  const count = (delimiter: string): number => bare.split(delimiter).length;
  return [',', ';', '\t', '|'].reduce((best, one) => (count(one) > count(best) ? one : best));
}
