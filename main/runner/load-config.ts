/** A run's configuration from a file, an embedded preset, and `--set` overrides; checked by the one schema of shared/config.ts. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';

const PRESETS = new URL('../../resources/presets/', import.meta.url);

/** The names that `loadConfig` knows without a path. */
export const presetNames = async (): Promise<string[]> =>
  (await readdir(PRESETS)).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));

/** A value as typed: JSON where it is JSON (`3`, `true`, `null`, `[…]`), else the text. */
function typed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `a.b=c` put into `config`. Errors: InputError where there is no `=`, or a name leads through something that is no object. */
export function setPath(config: Record<string, unknown>, assignment: string): void {
  const at = assignment.indexOf('=');
  if (at < 1) throw new InputError(`--set ${assignment}: write it as name=value, for example --set learning_rate=1e-5`, '--set');
  const keys = assignment.slice(0, at).split('.');
  let place: Record<string, unknown> | unknown[] = config;
  for (const [depth, key] of keys.entries()) {
    const inside: Record<string, unknown> = place as Record<string, unknown>;
    if (depth === keys.length - 1) {
      Object.defineProperty(inside, key, { value: typed(assignment.slice(at + 1)), enumerable: true, writable: true, configurable: true });
      return;
    }
    inside[key] ??= {};
    const next = inside[key];
    if (typeof next !== 'object' || next === null || !Object.hasOwn(inside, key)) {
      throw new InputError(
        `--set ${assignment}: ${keys.slice(0, depth + 1).join('.')} is ${JSON.stringify(next)}, which has no "${keys[depth + 1]}"`,
        '--set',
      );
    }
    place = next as Record<string, unknown>;
  }
}

/** Reads the config at a path, or the preset of that name, and applies `--set` in order. Errors: InputError naming field, value and fix. */
export async function loadConfig(fileOrPreset: string, sets: readonly string[] = []): Promise<RunConfig> {
  const presets = await presetNames();
  const preset = presets.includes(fileOrPreset);
  const path = preset ? fileURLToPath(new URL(`${fileOrPreset}.json`, PRESETS)) : resolve(fileOrPreset);
  if (!existsSync(path)) {
    throw new InputError(`there is no config file ${path}, and ${unknownName('preset', fileOrPreset, presets)}`, 'config');
  }
  const json = parseJson(await readFile(path, 'utf8'), path);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError(`${path}: a config is a JSON object with a "kind": train, sft or evaluate`, 'config');
  }
  const config = { ...json } as Record<string, unknown>;
  for (const assignment of sets) setPath(config, assignment);
  return parseInput(RunConfig, config, path);
}
