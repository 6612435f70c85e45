/** A run's configuration: a file or an embedded preset, what a file extends, and `--set`; checked by the one schema of shared/config.ts. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunConfig } from '../../shared/config.ts';
import { type ConfigSource, type Layered, noLayers, type Origin, sourcesOf, withLayer } from '../../shared/config-layers.ts';
import { migrateConfig } from '../../shared/config-migration.ts';
import { InputError } from '../../shared/input-error.ts';
import { isPlainObject, type JsonObject } from '../../shared/json-object.ts';
import { parseJsonc } from '../../shared/jsonc.ts';
import { unknownName } from '../../shared/nearest.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { dotted, fallbackAt, isText, schemaAt, valueAt } from '../../shared/schema-path.ts';
import { ownDefaults } from '../data/own-defaults.ts';
import { assign } from './set-assignment.ts';

const PRESETS = new URL('../../resources/presets/', import.meta.url);

/** The names that `loadConfig` knows without a path. */
export const presetNames = async (): Promise<string[]> =>
  (await readdir(PRESETS)).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));

export interface ResolvedConfig {
  config: RunConfig;
  /** Where each single value came from, by dotted path (`rewards.0.weight`). */
  sources: Record<string, ConfigSource>;
  /** Settings that were given by a name of an older version of the schema. */
  notes: string[];
}

/** The config at a path, or the preset of that name, with `--set` applied in order. Errors: InputError naming every wrong field, its value and the fix. */
export const loadConfig = async (fileOrPreset: string, sets: readonly string[] = []): Promise<RunConfig> =>
  (await resolveConfig(fileOrPreset, sets)).config;

/**
 * As `loadConfig`, with the source of every value. Order: default < settings (what the user has chosen) < preset < file < flag. A file names the preset that it builds on by
 * `"extends": "demo"`; objects are merged, lists replace, and null takes a setting back to its default.
 */
export async function resolveConfig(fileOrPreset: string, sets: readonly string[] = []): Promise<ResolvedConfig> {
  const presets = await presetNames();
  const notes: string[] = [];
  if (presets.includes(fileOrPreset)) {
    const what = `preset ${fileOrPreset}`;
    const layered = withLayer(await ownLayer(), await readLayer(presetPath(fileOrPreset), what, notes), { source: 'preset', label: what });
    return checkLayers(layered, what, sets, notes);
  }
  const what = resolve(fileOrPreset);
  if (!(await stat(what).catch(() => null))?.isFile()) {
    throw new InputError(`there is no config file ${what}, and ${unknownName('preset', fileOrPreset, presets)}`, 'config');
  }
  const layered = await extended(await readLayer(what, what, notes), what, presets, notes);
  return checkLayers(layered, what, sets, notes);
}

/** As `resolveConfig`, of settings that are in memory as a file would hold them; `what` names them in messages. */
export async function resolveSettings(settings: JsonObject, what: string): Promise<ResolvedConfig> {
  const notes: string[] = [];
  return checkLayers(await extended(newest(settings, what, notes), what, await presetNames(), notes), what, [], notes);
}

/** A file's own settings, laid over the preset that they name. */
async function extended(settings: JsonObject, what: string, presets: readonly string[], notes: string[]): Promise<Layered> {
  const { extends: base, ...own } = settings;
  const below = base === undefined ? await ownLayer() : await presetLayer(base, own, what, presets, notes);
  return withLayer(below, own, { source: 'file', label: what });
}

/** What lies lowest. */
const ownLayer = async (): Promise<Layered> => withLayer(noLayers, await ownDefaults(), { source: 'settings', label: 'the Settings' });

function checkLayers(layers: Layered, what: string, sets: readonly string[], notes: string[]): ResolvedConfig {
  let layered = layers;
  for (const assignment of sets) {
    const { config } = layered;
    const assigned = assign(layered, assignment, (path) => ({
      text: isText(schemaAt(RunConfig, path, config)),
      fallback: fallbackAt(RunConfig, path, config),
    }));
    if (assigned.note !== null) notes.push(assigned.note);
    layered = assigned;
  }
  const { config: json, origins } = layered;
  const config = parseInput(RunConfig, json, what, { layout: 'list', from: (path) => labelOf(origins, dotted(path), what) });
  return { config, sources: sourcesOf(config, layered), notes };
}

/** A preset's own settings in the newest form. */
export const readPreset = (name: string): Promise<JsonObject> => readLayer(presetPath(name), `preset ${name}`, []);

const presetPath = (name: string): string => fileURLToPath(new URL(`${name}.json`, PRESETS));

/** The preset that a file extends. Errors: InputError for an unknown one, or one of another kind than the file states. */
async function presetLayer(name: unknown, own: JsonObject, what: string, presets: readonly string[], notes: string[]): Promise<Layered> {
  if (typeof name !== 'string' || !presets.includes(name)) {
    const said = typeof name === 'string' ? name : JSON.stringify(name);
    throw new InputError(`${what}: "extends": ${unknownName('preset', said, presets)}`, 'extends');
  }
  const label = `preset ${name}`;
  const json = await readLayer(presetPath(name), label, notes);
  if (own.kind !== undefined && own.kind !== json.kind) {
    throw new InputError(
      `${what}: "kind" is ${JSON.stringify(own.kind)}, but ${label}, which it extends, is of kind ${JSON.stringify(json.kind)}; ` +
        'leave "kind" out or extend another preset',
      'kind',
    );
  }
  return withLayer(await ownLayer(), json, { source: 'preset', label });
}

/** One file's settings in the newest form. */
async function readLayer(path: string, what: string, notes: string[]): Promise<JsonObject> {
  const json = parseJsonc(await readFile(path, 'utf8'), what);
  if (!isPlainObject(json)) throw new InputError(`${what}: a config is a JSON object with a "kind": train, sft or evaluate`, 'config');
  return newest(json, what, notes);
}

/** Settings of any version of the schema as the newest has them. */
function newest(json: JsonObject, what: string, notes: string[]): JsonObject {
  try {
    const migrated = migrateConfig(json);
    notes.push(...migrated.notes.map((note) => `${what}: ${note}`));
    return migrated.config;
  } catch (error) {
    if (!(error instanceof InputError) || error.field === undefined) throw error;
    const value = JSON.stringify(valueAt(json, error.field.split('.')));
    throw new InputError(`${what}: "${error.field}" is ${value}: ${error.message}`, error.field);
  }
}

/** The layer that a field, or the first value below it, came from; undefined where it is the one that the message is about. */
function labelOf(origins: ReadonlyMap<string, Origin>, name: string, what: string): string | undefined {
  const below = [...origins].find(([known]) => known === name || (name !== '' && known.startsWith(`${name}.`)));
  return below === undefined || below[1].label === what ? undefined : below[1].label;
}
