/** `--set a.b=c`: one setting put over everything else. */
import { claim, type Layered, type Origin } from '../../shared/config-layers.ts';
import { currentName } from '../../shared/config-migration.ts';
import { InputError } from '../../shared/input-error.ts';
import { refuseUnsafeKey, refuseUnsafeKeys } from '../../shared/json-object.ts';

/** What the schema knows of a path of the config so far: whether a text stands there, and its default. */
export interface FieldFacts {
  text: boolean;
  fallback: unknown;
}

export interface Assigned extends Layered {
  /** Said where a setting was given by its old name. */
  note: string | null;
}

/** A value as typed: JSON where it is JSON (`3`, `true`, `null`, `[…]`, `"…"`), else the text. Where a text is asked for, `123` is one. */
function typed(written: string, text: boolean): unknown {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return written;
  }
  return text && value !== null && typeof value !== 'string' ? written : value;
}

/**
 * `a.b=c` put over `layered`. Entries of lists go by their number (`rewards.0.weight=2`); the number after the last adds one.
 * Errors: InputError that names the flag, where there is no `=`, the path leads through a single value, or a list has no such entry.
 */
export function assign(layered: Layered, assignment: string, facts: (path: readonly string[]) => FieldFacts): Assigned {
  const flag = `--set ${assignment}`;
  const at = assignment.indexOf('=');
  if (at < 1) throw new InputError(`${flag}: write it as name=value, for example --set learning_rate=1e-5`, '--set');
  const written = assignment.slice(0, at).trim();
  const name = currentName(written);
  const path = name.split('.');
  for (const key of path) {
    if (key === '') throw new InputError(`${flag}: "${written}" has an empty part; write it as name.name=value`, '--set');
    refuseUnsafeKey(key, flag);
  }
  if (path[0] === 'extends')
    throw new InputError(`${flag}: "extends" can only stand in a file; give the preset's name instead of a file`, '--set');
  const origin: Origin = { source: 'flag', label: flag };
  const config = structuredClone(layered.config);
  const origins = new Map(layered.origins);
  let place: Record<string, unknown> = config;
  path.slice(0, -1).forEach((key, depth) => {
    const here = path.slice(0, depth + 1);
    refuseMissingEntry(place, key, path.slice(0, depth), flag);
    if (place[key] === undefined) {
      const list = facts(here).fallback;
      place[key] = Array.isArray(list) ? structuredClone(list) : {};
      if (Array.isArray(list)) claim(origins, here, list, { source: 'default', label: 'the default' });
    }
    const next = place[key];
    if (typeof next !== 'object' || next === null) {
      throw new InputError(`${flag}: ${here.join('.')} is ${JSON.stringify(next)}, which has no "${path[depth + 1]}"`, '--set');
    }
    place = next as Record<string, unknown>;
  });
  const last = path.at(-1) as string;
  refuseMissingEntry(place, last, path.slice(0, -1), flag);
  const value = typed(assignment.slice(at + 1), facts(path).text);
  refuseUnsafeKeys(value, flag);
  // As in a file, null takes a setting back to its default.
  if (value === null && !Array.isArray(place)) delete place[last];
  else place[last] = value;
  claim(origins, path, value, origin);
  return { config, origins, note: name === written ? null : `${flag}: "${written}" is called "${name}" now` };
}

/** Refuses a number beyond the one after a list's last entry, and a name where a number is asked for. */
function refuseMissingEntry(place: unknown, key: string, path: readonly string[], flag: string): void {
  if (!Array.isArray(place)) return;
  if (/^(0|[1-9]\d*)$/.test(key) && Number(key) <= place.length) return;
  const entries = place.length === 1 ? '1 entry, 0' : `${place.length} entries, 0 to ${place.length - 1}`;
  throw new InputError(`${flag}: ${path.join('.')} is a list of ${entries}; "${key}" is none of them (${place.length} adds one)`, '--set');
}
