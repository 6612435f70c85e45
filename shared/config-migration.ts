/**
 * Configs of older versions of the schema, brought up to this one: a chain of steps, each from one version to the next. It is gone through
 * wherever a config is read, a file or the one frozen in `run.json`, so that an old run can be shown, compared and resumed.
 */
import { InputError } from './input-error.ts';
import { isPlainObject, type JsonObject } from './json-object.ts';
import { dotted, valueAt } from './schema-path.ts';

/** The version that this program writes. */
export const CONFIG_VERSION = 3;

export interface Migration {
  from: number;
  to: number;
  /** Settings that only changed their name or place, `{ 'old.name': 'new.name' }`: moved, and understood after `--set` too. */
  renamed?: Readonly<Record<string, string>>;
  /** Anything else, done before. It must leave a config that is of the newer form already as it is, since a file need not state its version. */
  migrate?: (config: JsonObject) => JsonObject;
}

const FROM_TORCH: readonly string[] = ['use_peft', 'lora_r', 'lora_alpha', 'lora_target_modules', 'gradient_checkpointing'];

/**
 * Every step, oldest first.
 * 1 → 2: the floor of the schedule takes the name and place that Transformers gives it.
 * 2 → 3: what several backends take leaves the group `torch` for the place that TRL gives it; an evaluation, which trains nothing, no longer has it.
 */
export const MIGRATIONS: readonly Migration[] = [
  { from: 1, to: 2, renamed: { min_lr_ratio: 'lr_scheduler_kwargs.min_lr_rate' } },
  {
    from: 2,
    to: 3,
    renamed: Object.fromEntries(FROM_TORCH.map((name) => [`torch.${name}`, name])),
    migrate: (config) => {
      if (config.kind !== 'evaluate' || !isPlainObject(config.torch)) return config;
      const kept = Object.entries(config.torch).filter(([name]) => !FROM_TORCH.includes(name));
      return { ...config, torch: Object.fromEntries(kept) };
    },
  },
];

export interface Migrated {
  config: JsonObject;
  /** What was renamed, a sentence each. */
  notes: string[];
}

/** What a setting is called now: `min_lr_ratio` → `lr_scheduler_kwargs.min_lr_rate`; a name that is current stays. */
export function currentName(name: string, migrations: readonly Migration[] = MIGRATIONS): string {
  return migrations.reduce((now, { renamed }) => (renamed && Object.hasOwn(renamed, now) ? (renamed[now] as string) : now), name);
}

/**
 * `config` in the newest form; the argument is left as it is. A config without `schema_version` goes through every step: steps leave
 * the newer form alone, and hand-written files seldom state a version.
 * Errors: InputError (field `schema_version`) for a version that this program does not know, or (the old name) for a setting given by both its names.
 */
export function migrateConfig(config: JsonObject, migrations: readonly Migration[] = MIGRATIONS): Migrated {
  const newest = migrations.at(-1)?.to ?? 1;
  const given = config.schema_version;
  const stated = given !== undefined;
  if (stated && !(typeof given === 'number' && Number.isInteger(given) && given >= 1)) {
    throw new InputError(`expected a whole number from 1 to ${newest}, or nothing`, 'schema_version');
  }
  if (typeof given === 'number' && given > newest) {
    throw new InputError(
      `the config is of version ${given} of the schema and this program knows versions up to ${newest}; use a newer program, or write it for version ${newest}`,
      'schema_version',
    );
  }
  const notes: string[] = [];
  let now: JsonObject = structuredClone(config);
  for (const step of migrations) {
    if (step.from < ((given as number | undefined) ?? 1)) continue;
    now = step.migrate?.(now) ?? now;
    for (const [old, name] of Object.entries(step.renamed ?? {})) {
      if (move(now, old.split('.'), name.split('.'))) notes.push(`"${old}" is called "${name}" since version ${step.to} of the schema`);
    }
  }
  if (stated) now.schema_version = newest;
  return { config: now, notes };
}

/** Moves a value to another path of `config`, in place; says whether there was one. */
function move(config: JsonObject, from: readonly string[], to: readonly string[]): boolean {
  const parent = valueAt(config, from.slice(0, -1));
  const name = from.at(-1) as string;
  if (!isPlainObject(parent) || !Object.hasOwn(parent, name)) return false;
  let place = config;
  for (const key of to.slice(0, -1)) {
    place[key] ??= {};
    const next = place[key];
    if (!isPlainObject(next))
      throw new InputError(`it is called "${dotted(to)}" now, and "${key}" is no object; give that instead`, dotted(from));
    place = next;
  }
  const last = to.at(-1) as string;
  if (Object.hasOwn(place, last)) throw new InputError(`it is called "${dotted(to)}" now, and both are given; keep that one`, dotted(from));
  place[last] = parent[name];
  delete parent[name];
  return true;
}
