/** A config while it is being written in a form: sparse, perhaps wrong, and what can be said of it all the same. */
import { z } from 'zod';
import { CONFIG_KINDS, CONFIG_SCHEMAS, type ConfigKind, type FormField, formFields, OWN_DEFAULTS } from './config-form.ts';
import { noLayers, withLayer } from './config-layers.ts';
import { CONFIG_VERSION, migrateConfig } from './config-migration.ts';
import { InputError } from './input-error.ts';
import { isPlainObject, type JsonObject } from './json-object.ts';
import { parseJsonc } from './jsonc.ts';
import { unknownName } from './nearest.ts';
import { type Mistake, mistakesIn } from './parse-input.ts';
import { valueAt } from './schema-path.ts';

/** `kind` and the settings that are given. A number that cannot be read stands as the text that was typed. */
export type Draft = JsonObject & { kind: ConfigKind };

const FIELDS = Object.fromEntries(CONFIG_KINDS.map((kind) => [kind, formFields(kind)])) as Record<ConfigKind, FormField[]>;
export const fieldsOf = (kind: ConfigKind): readonly FormField[] => FIELDS[kind];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A copy of `draft` with `value` at a dotted path; undefined takes the setting out. */
export function withSetting(draft: Draft, path: string, value: unknown): Draft {
  const copy = structuredClone(draft);
  const keys = path.split('.');
  let place: Record<string, unknown> = copy;
  for (const key of keys.slice(0, -1)) {
    const next = place[key];
    if (typeof next !== 'object' || next === null) {
      if (value === undefined) return copy;
      place[key] = {};
    }
    place = place[key] as Record<string, unknown>;
  }
  const last = keys.at(-1) as string;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

/** What stands at a field: what is given, else the default. */
export function settingOf(draft: Draft, field: FormField): unknown {
  const given = valueAt(draft, field.path.split('.'));
  return given === undefined ? field.fallback : given;
}

/** Whether a field is asked for at all: those of a part that is left out are not. */
export const isAsked = (draft: Draft, field: FormField): boolean =>
  field.within === null || isPlainObject(valueAt(draft, field.within.split('.')));

/** A part counts as there or not; its fields speak for themselves. */
const compared = (draft: Draft, field: FormField): unknown => {
  if (!isAsked(draft, field)) return undefined;
  const value = settingOf(draft, field);
  if (field.kind === 'part') return isPlainObject(value);
  return field.kind === 'rewards' && Array.isArray(value) ? value.map(wholeTerm) : value;
};

/** A reward term with what it leaves out, its settings in one order. */
function wholeTerm(term: unknown): unknown {
  if (!isPlainObject(term)) return term;
  const { name, weight = 1, start_step = 0, params = {}, ...rest } = term;
  return { name, weight, start_step, params, ...rest };
}

export interface Difference {
  path: string;
  /** Undefined: not asked for there. */
  here: unknown;
  there: unknown;
}

/** The fields in which two drafts of one kind differ, in the order of the schema. */
export function differences(here: Draft, there: Draft): Difference[] {
  return fieldsOf(here.kind).flatMap((field) => {
    const [a, b] = [compared(here, field), compared(there, field)];
    return same(a, b) ? [] : [{ path: field.path, here: a, there: b }];
  });
}

/** Parts that a config must have, if only empty. */
const needed = (kind: ConfigKind): string[] =>
  Object.entries(CONFIG_SCHEMAS[kind].shape).flatMap(([key, schema]) =>
    schema instanceof z.ZodObject && !schema.safeParse(undefined).success ? [key] : [],
  );

/** The settings that differ from the defaults: what a file has to say. Settings that the schema does not know stay. */
export function sparse(config: Draft): Draft {
  let draft: Draft = structuredClone(config);
  delete draft.schema_version;
  for (const field of fieldsOf(config.kind)) {
    const given = valueAt(draft, field.path.split('.'));
    if (given !== undefined && !OWN_DEFAULTS.includes(field.path) && same(given, field.fallback))
      draft = withSetting(draft, field.path, undefined);
  }
  for (const [key, value] of Object.entries(draft)) {
    // A part such as early_stopping is there by being an object, even an empty one.
    const isPart = fieldsOf(config.kind).some(({ path, kind }) => path === key && kind === 'part');
    if (!isPart && isPlainObject(value) && Object.keys(value).length === 0) delete draft[key];
  }
  for (const key of needed(config.kind)) draft[key] ??= {};
  return draft;
}

/** What the schema says against a draft, field by field. */
export const draftMistakes = (draft: Draft): Mistake[] => mistakesIn(CONFIG_SCHEMAS[draft.kind], sparse(draft));

/** The draft as the text of a config file. */
export const fileText = (draft: Draft): string => {
  const { kind, ...rest } = sparse(draft);
  return `${JSON.stringify({ schema_version: CONFIG_VERSION, kind, ...rest }, null, 2)}\n`;
};

export interface ImportedDraft {
  draft: Draft;
  /** Settings that were given by a name of an older version. */
  notes: string[];
}

/**
 * A config file's text as a draft: comments allowed, older versions brought up to date, `extends` laid over its preset. What the schema
 * says against it is left to the form. Errors: InputError for a text that is no config at all.
 */
export function draftOfFile(text: string, name: string, presets: ReadonlyMap<string, JsonObject>): ImportedDraft {
  const json = parseJsonc(text, name);
  if (!isPlainObject(json)) throw new InputError(`${name}: a config is a JSON object with a "kind": train, sft or evaluate`);
  const { config, notes } = migrateConfig(json);
  const { extends: base, schema_version: _, ...own } = config;
  let layers = noLayers;
  if (base !== undefined) {
    const preset = typeof base === 'string' ? presets.get(base) : undefined;
    if (preset === undefined) {
      throw new InputError(
        `${name}: "extends": ${unknownName('preset', typeof base === 'string' ? base : JSON.stringify(base), [...presets.keys()])}`,
      );
    }
    layers = withLayer(layers, preset, { source: 'preset', label: `preset ${String(base)}` });
  }
  const whole = withLayer(layers, own, { source: 'file', label: name }).config;
  const kind = CONFIG_KINDS.find((known) => known === whole.kind);
  if (kind === undefined) {
    const given = whole.kind === undefined ? 'has no "kind"' : `has the "kind" ${JSON.stringify(whole.kind)}`;
    throw new InputError(`${name} ${given}: give "train", "sft" or "evaluate"`);
  }
  return { draft: { ...whole, kind }, notes };
}
