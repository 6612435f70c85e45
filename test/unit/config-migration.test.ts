/** Runs of an older program must stay readable, and a config of a newer one must not be half understood. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RunConfig, StoredConfig } from '../../shared/config.ts';
import { CONFIG_VERSION, currentName, MIGRATIONS, type Migration, migrateConfig } from '../../shared/config-migration.ts';
import { InputError } from '../../shared/input-error.ts';
import type { JsonObject } from '../../shared/json-object.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { RunRecord } from '../../shared/run-record.ts';

/** A run.json that version 1 of the program wrote. */
const oldRecord = (kind: 'train' | 'evaluate'): { config: JsonObject } =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'run-version-1', `${kind}.json`), 'utf8'));

const refused = (work: () => unknown): InputError => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error('nothing was refused');
};

describe('run.json of version 1', () => {
  test('a training run is read with every setting that it had (a lost floor would resume another schedule)', () => {
    const old = oldRecord('train');
    expect(old.config).toMatchObject({ schema_version: 1, min_lr_ratio: 0.02 });
    const { config } = parseInput(RunRecord, old, 'run.json');
    const { min_lr_ratio, schema_version, ...kept } = old.config;
    expect(config).toMatchObject({ ...kept, schema_version: CONFIG_VERSION, lr_scheduler_kwargs: { min_lr_rate: min_lr_ratio } });
    expect(config).not.toHaveProperty('min_lr_ratio');
  });

  test('an evaluation is read', () => {
    const { config } = parseInput(RunRecord, oldRecord('evaluate'), 'run.json');
    expect(config).toMatchObject({ kind: 'evaluate', schema_version: CONFIG_VERSION, data: { test: 'arithmetic:test', limit: 5 } });
  });

  test('what is wrong in it is still told by field', () => {
    const old = oldRecord('train');
    const wrong = { ...old, config: { ...old.config, num_generations: 1, schema_version: 99 } };
    expect(refused(() => parseInput(RunRecord, wrong, 'run.json')).message).toContain(
      'run.json: "config.schema_version" is 99: the config is of version 99 of the schema and this program knows versions up to 3',
    );
    wrong.config.schema_version = 1;
    expect(refused(() => parseInput(RunRecord, wrong, 'run.json')).message).toBe(
      'run.json: "config.num_generations" is 1: expected a whole number of at least 2',
    );
  });
});

describe('run.json of version 2', () => {
  const torch = { dtype: 'bfloat16', sharding: 'auto', use_peft: true, lora_r: 8, lora_alpha: 16, lora_target_modules: 'q_proj' };

  test('what several backends take leaves the group torch (a lost adapter would train all weights on resume)', () => {
    const old = { kind: 'train', schema_version: 2, data: {}, backend: 'tensorflow', torch: { ...torch, gradient_checkpointing: true } };
    const config = StoredConfig.parse(old);
    expect(config).toMatchObject({
      use_peft: true,
      lora_r: 8,
      lora_alpha: 16,
      lora_target_modules: 'q_proj',
      gradient_checkpointing: true,
    });
    expect(config).toMatchObject({ schema_version: CONFIG_VERSION, lora_dropout: 0 });
    expect(config.torch).toEqual({ dtype: 'bfloat16', sharding: 'auto' });
  });

  test('an evaluation, which trains nothing, is read without them', () => {
    const old = {
      kind: 'evaluate',
      schema_version: 2,
      data: { test: 'arithmetic:test' },
      torch: { ...torch, gradient_checkpointing: false },
    };
    expect(StoredConfig.parse(old).torch).toEqual({ dtype: 'bfloat16', sharding: 'auto' });
    const now = { kind: 'evaluate', data: { test: 'arithmetic:test' }, use_peft: true };
    expect(() => StoredConfig.parse(now)).toThrow(/use_peft/);
  });

  test('each has its new name for --set, too', () => {
    expect(currentName('torch.lora_alpha')).toBe('lora_alpha');
    expect(currentName('torch.dtype')).toBe('torch.dtype');
  });
});

describe('migrateConfig', () => {
  test('the chain is whole: each step begins where the one before ended, and ends at the version that is written', () => {
    expect(MIGRATIONS.map(({ from, to }) => [from, to])).toEqual(MIGRATIONS.map((_, i) => [i + 1, i + 2]));
    expect(MIGRATIONS.at(-1)?.to).toBe(CONFIG_VERSION);
  });

  test('a config without a version may use either name; what it says does not change', () => {
    const old = migrateConfig({ kind: 'train', min_lr_ratio: 0.1 });
    expect(old.config).toEqual({ kind: 'train', lr_scheduler_kwargs: { min_lr_rate: 0.1 } });
    expect(old.notes).toEqual(['"min_lr_ratio" is called "lr_scheduler_kwargs.min_lr_rate" since version 2 of the schema']);
    expect(migrateConfig(old.config)).toEqual({ config: old.config, notes: [] });
  });

  test('the argument is left as it is', () => {
    const given = Object.freeze({ kind: 'train', min_lr_ratio: 0.1 });
    migrateConfig(given);
    expect(given).toEqual({ kind: 'train', min_lr_ratio: 0.1 });
  });

  test('a config of this version is not touched: an old name in it is a mistake', () => {
    const now = { kind: 'train', data: {}, schema_version: CONFIG_VERSION, min_lr_ratio: 0.1 };
    expect(migrateConfig(now).config).toEqual(now);
    expect(refused(() => parseInput(RunConfig, now, 'a.json')).message).toContain('unknown key "min_lr_ratio"');
  });

  test.each([99, 0, 1.5, '1', null])('version %j is refused', (schema_version) => {
    expect(refused(() => migrateConfig({ schema_version })).field).toBe('schema_version');
  });

  test('a setting given by both names is refused: neither may win in silence', () => {
    const error = refused(() => migrateConfig({ min_lr_ratio: 0.1, lr_scheduler_kwargs: { min_lr_rate: 0.2 } }));
    expect(error.message).toContain('both are given');
    expect(error.field).toBe('min_lr_ratio');
    expect(refused(() => migrateConfig({ min_lr_ratio: 0.1, lr_scheduler_kwargs: 3 })).message).toContain('is no object');
  });

  test('several steps follow one another, from where the config stands', () => {
    const steps: Migration[] = [
      { from: 1, to: 2, renamed: { a: 'b' } },
      { from: 2, to: 3, renamed: { b: 'c.d' } },
      { from: 3, to: 4, migrate: (config) => ('e' in config ? { ...config, e: String(config.e) } : config) },
    ];
    expect(migrateConfig({ schema_version: 1, a: 5, e: 1 }, steps).config).toEqual({ schema_version: 4, c: { d: 5 }, e: '1' });
    expect(migrateConfig({ schema_version: 2, a: 5, b: 6 }, steps).config).toEqual({ schema_version: 4, a: 5, c: { d: 6 } });
    expect(migrateConfig({ schema_version: 3, b: 6 }, steps).config).toEqual({ schema_version: 4, b: 6 });
    expect(currentName('a', steps)).toBe('c.d');
    expect(currentName('x', steps)).toBe('x');
  });
});
