/** JSON and JSONL text with errors that name the file and the line. */
import { InputError } from '../../shared/input-error.ts';

export type Row = { line: number; value: unknown };

/** Parses one JSON object a line; blank lines are skipped. `line` starts at 1. Throws InputError naming file and line. */
export function parseJsonLines(text: string, name: string): Row[] {
  const rows: Row[] = [];
  let line = 0;
  for (const raw of withoutMark(text).split('\n')) {
    line++;
    if (raw.trim() === '') continue;
    try {
      rows.push({ line, value: JSON.parse(raw) });
    } catch (error) {
      throw new InputError(`${name} line ${line}: not valid JSON (${(error as Error).message}). Repair or remove the line.`, 'data');
    }
  }
  if (rows.length === 0) throw new InputError(`${name} is empty. Give a file with at least one row.`, 'data');
  return rows;
}

/** Parses a whole JSON document. Throws InputError naming the file. */
export function parseJson(text: string, name: string): unknown {
  if (text.trim() === '') throw new InputError(`${name} is empty. Give a file with at least one row.`, 'data');
  try {
    return JSON.parse(withoutMark(text));
  } catch (error) {
    throw new InputError(`${name}: not valid JSON (${(error as Error).message}).`, 'data');
  }
}

/**
 * The keys of a JSON document's outermost object, in file order and with repeats. `JSON.parse` sorts keys that look
 * like numbers and drops all but the last of a repeated key, so PubMed ids need this.
 */
export function outermostKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === '"') {
      const start = i;
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (depth !== 1) continue;
      let after = i + 1;
      while (after < text.length && /\s/.test(text.charAt(after))) after++;
      if (text[after] === ':') keys.push(JSON.parse(text.slice(start, i + 1)) as string);
    }
  }
  return keys;
}

/** Without a byte-order mark at the start. */
export const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
