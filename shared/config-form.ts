/** The fields of a config, read off its schema: what a form needs to ask for each of them. */
import { z } from 'zod';
import { EvaluateConfig, type RunConfig, SftConfig, TrainConfig } from './config.ts';
import { fallbackAt } from './schema-path.ts';

export type ConfigKind = RunConfig['kind'];
export const CONFIG_KINDS = ['train', 'sft', 'evaluate'] as const satisfies readonly ConfigKind[];
export const CONFIG_SCHEMAS = { train: TrainConfig, sft: SftConfig, evaluate: EvaluateConfig } as const;

/**
 * What is asked for. `rewards`: a list of reward terms. `numbers`: a list of whole numbers. `part`: an object that may be left out whole
 * and that further fields stand in.
 */
export type FieldKind = 'integer' | 'number' | 'boolean' | 'choice' | 'text' | 'rewards' | 'numbers' | 'part';

/** Settings whose default is the user's own to choose: what a config says of them is kept, even where it is what the schema takes. */
export const OWN_DEFAULTS: readonly string[] = ['backend'];

export interface FormField {
  /** As `--set` takes it: `data.train`. */
  path: string;
  kind: FieldKind;
  /** Of a `choice`. */
  choices: readonly string[];
  /** May be left out, and nothing stands for it then. */
  optional: boolean;
  /** What stands where nothing is given; undefined where that is nothing. */
  fallback: unknown;
  /** The bounds of a number as a text: `at least 2`, `above 0, at most 1`; null where it has none. */
  bounds: string | null;
  /** The path of the part that it stands in, where that may be left out. */
  within: string | null;
}

interface Bare {
  schema: unknown;
  optional: boolean;
  nullable: boolean;
}

/** The schema below defaults and the like. */
function bare(schema: unknown): Bare {
  let here = schema;
  let [optional, nullable] = [false, false];
  for (;;) {
    if (here instanceof z.ZodOptional) optional = true;
    else if (here instanceof z.ZodNullable) nullable = true;
    else if (!(here instanceof z.ZodDefault || here instanceof z.ZodPrefault)) return { schema: here, optional, nullable };
    here = here.unwrap();
  }
}

function boundsOf(schema: unknown): string | null {
  if (!(schema instanceof z.ZodNumber)) return null;
  const bound = (check: string, value: number | null, [open, closed]: readonly [string, string]): string[] => {
    if (value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER) return [];
    const isOpen = schema.def.checks?.some(({ _zod }) => {
      const def: { check: string; value?: unknown; inclusive?: unknown } = _zod.def;
      return def.check === check && def.value === value && def.inclusive === false;
    });
    // A whole number above 0 is one of at least 1.
    if (isOpen && schema.isInt) return [`${closed} ${check === 'greater_than' ? value + 1 : value - 1}`];
    return [`${isOpen ? open : closed} ${value}`];
  };
  const words = [
    ...bound('greater_than', schema.minValue, ['above', 'at least']),
    ...bound('less_than', schema.maxValue, ['below', 'at most']),
  ];
  return words.length === 0 ? null : words.join(', ');
}

function kindOf(schema: unknown): FieldKind | null {
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'integer' : 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodEnum) return 'choice';
  if (schema instanceof z.ZodString) return 'text';
  if (schema instanceof z.ZodArray) return bare(schema.element).schema instanceof z.ZodObject ? 'rewards' : 'numbers';
  return null;
}

/** The fields of a kind of config, in the order of the schema. Errors: Error for a schema that the form has no field for. */
export function formFields(kind: ConfigKind): FormField[] {
  const root = CONFIG_SCHEMAS[kind];
  const walk = (schema: z.ZodObject, path: readonly string[], within: string | null): FormField[] =>
    Object.entries(schema.shape).flatMap(([key, field]) => {
      const here = [...path, key];
      const { schema: inner, optional, nullable } = bare(field);
      if (inner instanceof z.ZodLiteral) return [];
      const name = here.join('.');
      const known = { path: name, choices: [], optional: optional || nullable, bounds: boundsOf(inner), within };
      if (inner instanceof z.ZodObject) {
        if (!nullable) return walk(inner, here, within);
        return [{ ...known, kind: 'part' as const, fallback: null }, ...walk(inner, here, name)];
      }
      const type = kindOf(inner);
      if (type === null) throw new Error(`the form has no field for ${name}`);
      // Inside a part that is left out the schema is looked for in one that is there.
      const fallback = within === null ? fallbackAt(root, here, { kind }) : z.safeParse(field as z.ZodType, undefined).data;
      const choices = inner instanceof z.ZodEnum ? inner.options.map(String) : [];
      return [{ ...known, kind: type, choices, fallback }];
    });
  return walk(root, [], null);
}
