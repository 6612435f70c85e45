/** Checks outside input against a schema and turns what is wrong into one message that names the field, the value and the fix. */
import { z } from 'zod';
import { InputError } from './input-error.ts';
import { nearest } from './nearest.ts';

const shownValue = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** The value at a path of an object, undefined where the path leads nowhere. */
function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

const fieldName = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`)).join('');

/** The keys that the object at `path` of a schema may have; empty where the schema is not a plain object there. */
function knownKeys(schema: z.ZodType | undefined, path: readonly PropertyKey[], value: unknown): string[] {
  let here: unknown = schema;
  let at = value;
  const steps: (PropertyKey | null)[] = [...path, null];
  for (const key of steps) {
    here = unwrapped(here, at);
    if (key === null) break;
    if (here instanceof z.ZodObject) here = here.shape[key as string];
    else if (here instanceof z.ZodArray) here = here.element;
    else return [];
    at = valueAt(at, [key]);
  }
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** The schema below defaults, optionals and nullables; of a union the member whose literal fields fit `value`. */
function unwrapped(schema: unknown, value: unknown): unknown {
  let here = schema;
  while (here instanceof z.ZodDefault || here instanceof z.ZodPrefault || here instanceof z.ZodOptional || here instanceof z.ZodNullable)
    here = here.unwrap();
  if (!(here instanceof z.ZodUnion)) return here;
  return here.options.find(
    (option) =>
      option instanceof z.ZodObject &&
      Object.entries(option.shape).every(
        ([key, field]) => !(field instanceof z.ZodLiteral) || field.safeParse(valueAt(value, [key])).success,
      ),
  );
}

function sentence(issue: z.core.$ZodIssue, value: unknown, schema: z.ZodType | undefined): { field: string; text: string } {
  const field = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const keys = knownKeys(schema, issue.path, value);
    const texts = issue.keys.map((key) => {
      const guess = nearest(key, keys);
      return `unknown key "${fieldName([...issue.path, key])}"${guess === null ? '' : `: did you mean "${guess}"?`}`;
    });
    const list = keys.length > 0 && texts.every((text) => !text.includes('did you mean')) ? `; known: ${keys.join(', ')}` : '';
    return { field: fieldName([...issue.path, issue.keys[0] ?? '']), text: texts.join('; ') + list };
  }
  const given = valueAt(value, issue.path);
  const rule = issue.message.replace(/^Invalid input: /, '').replace(/, received \w+$/, '');
  return { field, text: `${field === '' ? 'the value' : `"${field}"`}${value === undefined ? '' : ` is ${shownValue(given)}`}: ${rule}` };
}

/**
 * One message for everything wrong in `value`. `what` names where it came from (`config run.json`, `option --limit`).
 * The schema, where given, is only used to suggest a key that was meant.
 */
export function explainZodError(error: z.ZodError, what: string, value: unknown, schema?: z.ZodType): InputError {
  const found = error.issues.map((issue) => sentence(issue, value, schema));
  const shown = found.slice(0, 5).map((item) => item.text);
  if (found.length > shown.length) shown.push(`and ${found.length - shown.length} more`);
  return new InputError(`${what}: ${shown.join('; ')}`, found[0]?.field || undefined);
}

/** `value` as the schema reads it. Errors: an InputError that names field, value and rule. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw explainZodError(result.error, what, value, schema);
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
