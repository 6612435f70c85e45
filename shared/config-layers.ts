/**
 * A config put together from layers: settings < preset < file < flag, above what the schema takes by default. Objects are merged, lists and single
 * values replace, and null takes a setting back to its default (RFC 7386). Each setting knows which layer it came from.
 */
import { z } from 'zod';
import { isPlainObject, type JsonObject, refuseUnsafeKeys } from './json-object.ts';
import { valueAt } from './schema-path.ts';

export const ConfigSource = z.enum(['default', 'settings', 'preset', 'file', 'flag']);
export type ConfigSource = z.infer<typeof ConfigSource>;

export interface Origin {
  source: ConfigSource;
  /** As a message names it: `preset demo`, a path, `--set seed=1`. */
  label: string;
}

/** `origins`: by the dotted path of a single value (`rewards.0.weight`), an empty list or an empty object. */
export interface Layered {
  config: JsonObject;
  origins: ReadonlyMap<string, Origin>;
}

export const noLayers: Layered = { config: {}, origins: new Map() };

/** The single values of plain data, empty lists and empty objects among them, with the path of each. */
export function leavesOf(value: unknown, path: readonly string[] = []): { path: string[]; value: unknown }[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value).filter(([, each]) => each !== undefined) : [];
  if (inside.length === 0) return [{ path: [...path], value }];
  return inside.flatMap(([key, each]) => leavesOf(each, [...path, key]));
}

/** `below` with `json` laid over it; neither is changed. Errors: InputError for a key such as `__proto__`. */
export function withLayer(below: Layered, json: JsonObject, origin: Origin): Layered {
  refuseUnsafeKeys(json, origin.label);
  const config = structuredClone(below.config);
  const origins = new Map(below.origins);
  const lay = (place: JsonObject, layer: JsonObject, path: string[]): void => {
    for (const [key, value] of Object.entries(layer)) {
      const here = [...path, key];
      if (isPlainObject(value) && isPlainObject(place[key]) && Object.keys(value).length > 0) lay(place[key], value, here);
      else if (isPlainObject(value) && isPlainObject(place[key])) continue;
      else {
        claim(origins, here, value, origin);
        if (value === null) delete place[key];
        else place[key] = withoutNulls(value);
      }
    }
  };
  lay(config, json, []);
  return { config, origins };
}

/** A copy without the settings that are null; the entries of lists stay as they are. */
function withoutNulls(value: unknown): unknown {
  if (!isPlainObject(value)) return structuredClone(value);
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(each)]])));
}

/** Says that everything at and below `path`, now `value`, comes from `origin`; what stood there or above as one value is forgotten. */
export function claim(origins: Map<string, Origin>, path: readonly string[], value: unknown, origin: Origin): void {
  const name = path.join('.');
  for (const known of [...origins.keys()]) if (known === name || known.startsWith(`${name}.`)) origins.delete(known);
  for (let depth = 1; depth < path.length; depth++) origins.delete(path.slice(0, depth).join('.'));
  for (const leaf of leavesOf(value, path)) origins.set(leaf.path.join('.'), origin);
}

/**
 * Where each single value of `resolved` (the config with its defaults) came from, by dotted path: exactly one source each.
 * A value that null took back to its default counts as the layer's own where the default is null too.
 */
export function sourcesOf(resolved: unknown, layered: Layered): Record<string, ConfigSource> {
  return Object.fromEntries(
    leavesOf(resolved).map(({ path, value }) => {
      const name = path.join('.');
      const origin = layered.origins.get(name);
      const given = value === null || valueAt(layered.config, path) !== undefined;
      return [name, given ? (origin?.source ?? 'default') : 'default'];
    }),
  );
}
