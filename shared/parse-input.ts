/** Checks outside input against a schema and turns everything that is wrong into one message that names each field, its value and the fix. */
import type { z } from 'zod';
import { InputError } from './input-error.ts';
import { nearest } from './nearest.ts';
import { dotted, expectation, knownKeys, oneOf, schemaAt, valueAt } from './schema-path.ts';

/** More mistakes than a config has fields: a long list of records is not worth more lines. */
const MOST_SHOWN = 100;

const shownValue = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

export interface ExplainOptions {
  /** Used to say what is expected and to suggest the key that was meant. */
  schema?: z.ZodType;
  /** Where the value of a field came from (`--set seed=x`), where that is not `what` itself. */
  from?: (path: readonly PropertyKey[]) => string | undefined;
  /** `line`: all in one line, with semicolons. `list`: several mistakes in a line each, below a heading. @default 'line' */
  layout?: 'line' | 'list';
}

export interface Mistake {
  /** Dotted path of what is wrong; empty for the value as a whole. */
  field: string;
  /** Field, value and fix in one line. */
  text: string;
  /** The fix alone: `expected a number above 0`. */
  rule: string;
  /** A setting of this name is not known at all. */
  unknown: boolean;
}

/** What a zod issue asks for. Its own words only where the issue is a rule of our own or has no plain words. */
function expected(issue: z.core.$ZodIssue, value: unknown, schema: z.ZodType | undefined): string {
  if (issue.code === 'custom') return issue.message;
  if ((issue.code === 'too_small' || issue.code === 'too_big') && (issue.origin === 'array' || issue.origin === 'string')) {
    const [few, bound] = issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum];
    return `expected ${few} ${bound} ${issue.origin === 'array' ? 'entries' : 'characters'}`;
  }
  const words = schema && expectation(schemaAt(schema, issue.path, value));
  if (words) return `expected ${words}`;
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) return `expected ${oneOf(issue.options)}`;
  if (issue.code === 'invalid_value') return `expected ${oneOf(issue.values)}`;
  const own = issue.message.replace(/^Invalid input: /, '').replace(/, received \w+$/, '');
  return own === 'Invalid input' ? 'does not fit any of the forms that are known' : own;
}

/** `: did you mean "cosine"?` where the text given is near one of the words asked for. */
function meant(issue: z.core.$ZodIssue, given: unknown): string {
  const words =
    issue.code === 'invalid_value' ? issue.values : issue.code === 'invalid_union' && 'options' in issue ? (issue.options ?? []) : [];
  const guess =
    typeof given === 'string'
      ? nearest(
          given,
          words.filter((word) => typeof word === 'string'),
        )
      : null;
  return guess === null ? '' : ` (did you mean "${guess}"?)`;
}

function mistakesOf(issue: z.core.$ZodIssue, value: unknown, options: ExplainOptions): Mistake[] {
  const { schema, from } = options;
  const origin = (path: readonly PropertyKey[]): string => {
    const source = from?.(path);
    return source === undefined ? '' : ` (from ${source})`;
  };
  if (issue.code === 'unrecognized_keys') {
    const keys = knownKeys(schema, issue.path, value);
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const guess = nearest(key, keys);
      const fix = guess !== null ? `: did you mean "${guess}"?` : keys.length > 0 ? `; known: ${keys.join(', ')}` : '';
      const text = `unknown key "${dotted(path)}"${origin(path)}${fix}`;
      return { field: dotted(path), text, rule: fix.replace(/^[:;] /, ''), unknown: true };
    });
  }
  const field = dotted(issue.path);
  const name = field === '' ? 'the value' : `"${field}"`;
  const given = valueAt(value, issue.path);
  const rule = expected(issue, value, schema) + meant(issue, given);
  if (value === undefined) return [{ field, text: `${name}: ${rule}`, rule, unknown: false }];
  const state = given === undefined ? 'is missing' : `is ${shownValue(given)}${origin(issue.path)}`;
  return [{ field, text: `${name} ${state}: ${rule}`, rule, unknown: false }];
}

/** Everything that the schema finds wrong in `value`, one by one, for a form that says each beside its field. */
export function mistakesIn(schema: z.ZodType, value: unknown): Mistake[] {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : listed(error, value, { schema });
}

/** A number may break two rules of its field; its one line names both. */
function listed(error: z.ZodError, value: unknown, options: ExplainOptions): Mistake[] {
  const all = error.issues.flatMap((issue) => mistakesOf(issue, value, options));
  return [...new Map(all.map((mistake) => [mistake.text, mistake])).values()];
}

/** One message for everything wrong in `value`. `what` names where it came from (`config run.json`, `option --limit`). */
export function explainZodError(error: z.ZodError, what: string, value: unknown, options: ExplainOptions = {}): InputError {
  const found = listed(error, value, options);
  const shown = found.slice(0, MOST_SHOWN).map((mistake) => mistake.text);
  if (found.length > shown.length) shown.push(`and ${found.length - shown.length} more`);
  const heading = options.layout === 'list' && found.length > 1 ? `${what}: ${found.length} settings are wrong\n  ` : `${what}: `;
  return new InputError(heading + shown.join(options.layout === 'list' ? '\n  ' : '; '), found[0]?.field || undefined);
}

/** `value` as the schema reads it. Errors: an InputError that names every wrong field, its value and what is expected. */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  options: Omit<ExplainOptions, 'schema'> = {},
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw explainZodError(result.error, what, value, { schema, ...options });
}

/** The value of JSON text. Errors: an InputError that names the source. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : error instanceof Error ? error.message : String(error);
    throw new InputError(`${what} is not JSON: ${reason}`);
  }
}
