/** Finding one's way in a zod schema by the path of a value: what is known there, and what is expected. */
import { z } from 'zod';

/** The value at a path of plain data, undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** `rewards.0.weight`: a path as `--set` takes it and messages name it. */
export const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

/** The schema below defaults, optionals, nullables and preprocessing; of a union the member whose literal fields fit `value`. */
function unwrapped(schema: unknown, value: unknown): unknown {
  let here = schema;
  for (;;) {
    if (here instanceof z.ZodDefault || here instanceof z.ZodPrefault || here instanceof z.ZodOptional || here instanceof z.ZodNullable) {
      here = here.unwrap();
    } else if (here instanceof z.ZodPipe) {
      here = here.in instanceof z.ZodTransform ? here.out : here.in;
    } else if (here instanceof z.ZodUnion) {
      const member = here.options.find((option) => literalsFit(option, value));
      if (member === undefined) return undefined;
      here = member;
    } else return here;
  }
}

/** Whether `value` could be meant for this member of a union: an object whose literal fields it has, or anything else that takes it. */
function literalsFit(option: unknown, value: unknown): boolean {
  if (!(option instanceof z.ZodObject)) return option instanceof z.ZodType && option.safeParse(value).success;
  return Object.entries(option.shape).every(
    ([key, field]) => !(field instanceof z.ZodLiteral) || field.safeParse(valueAt(value, [key])).success,
  );
}

/**
 * The schema of the field at `path`, free of defaults and the like; undefined where there is none, or where `value` does not say which
 * member of a union is meant.
 */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): unknown {
  let here = unwrapped(schema, value);
  path.forEach((key, depth) => {
    if (here instanceof z.ZodObject) here = Object.hasOwn(here.shape, key) ? here.shape[key as string] : undefined;
    else if (here instanceof z.ZodArray) here = here.element;
    else if (here instanceof z.ZodRecord) here = here.valueType;
    else here = undefined;
    here = unwrapped(here, valueAt(value, path.slice(0, depth + 1)));
  });
  return here;
}

/** What stands at `path` where nothing is given; undefined where that is an error or nothing. */
export function fallbackAt(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): unknown {
  const parent = schemaAt(schema, path.slice(0, -1), value);
  const key = path.at(-1);
  if (!(parent instanceof z.ZodObject) || key === undefined || !Object.hasOwn(parent.shape, key)) return undefined;
  return z.safeParse(parent.shape[key as string], undefined).data;
}

/** Whether the field takes texts: then what is typed on the command line is one, whatever it looks like. */
export const isText = (schema: unknown): boolean => schema instanceof z.ZodString || schema instanceof z.ZodEnum;

/** The keys that the object at `path` may have; empty where the schema there is not a plain object. */
export function knownKeys(schema: z.ZodType | undefined, path: readonly PropertyKey[], value: unknown): string[] {
  const here = schema && schemaAt(schema, path, value);
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** A field in words: `a number of at least 2`, `one of "a", "b"`, `an object with "name"`. Null where there are no plain words for it. */
export function expectation(schema: unknown): string | null {
  if (schema instanceof z.ZodNumber) return numberWords(schema);
  if (schema instanceof z.ZodString) return 'a text';
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodArray) return 'a list';
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral)
    return oneOf('options' in schema ? schema.options : [...schema.values]);
  if (schema instanceof z.ZodRecord) return 'an object';
  if (!(schema instanceof z.ZodObject)) return null;
  const needed = Object.keys(schema.shape).filter((key) => !schema.shape[key].safeParse(undefined).success);
  return needed.length === 0 ? 'an object' : `an object with ${needed.map((key) => JSON.stringify(key)).join(', ')}`;
}

/** `"a"`, or `one of "a", "b"`. */
export function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value)));
  return texts.length === 1 ? (texts[0] as string) : `one of ${texts.join(', ')}`;
}

/** `a whole number of at least 2`, `a number above 0 and at most 1`. */
function numberWords(schema: z.ZodNumber): string {
  const bound = (check: string, value: number | null, words: readonly [string, string]): string[] => {
    if (value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER) return [];
    const open = schema.def.checks?.some(({ _zod }) => {
      const def: { check: string; value?: unknown; inclusive?: unknown } = _zod.def;
      return def.check === check && def.value === value && def.inclusive === false;
    });
    return [`${words[open ? 0 : 1]} ${value}`];
  };
  const bounds = [
    ...bound('greater_than', schema.minValue, ['above', 'of at least']),
    ...bound('less_than', schema.maxValue, ['below', 'at most']),
  ];
  return [schema.isInt ? 'a whole number' : 'a number', bounds.join(' and ')].filter((part) => part !== '').join(' ');
}
