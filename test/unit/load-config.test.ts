/** A config as a user writes it: what it builds on, what is set over it, and what is said where it is wrong. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig, presetNames, resolveConfig } from '../../main/runner/load-config.ts';
import type { TrainConfig } from '../../shared/config.ts';
import { leavesOf } from '../../shared/config-layers.ts';
import { InputError } from '../../shared/input-error.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const file = async (text: string | object, name = 'a.json'): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, typeof text === 'string' ? text : JSON.stringify(text));
  return path;
};
const refused = async (text: string | object, ...sets: string[]): Promise<string> => {
  const error = await resolveConfig(await file(text), sets).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};
const train = { kind: 'train', data: {} };

describe('layers', () => {
  test('default < preset < file < flag, and every value knows which', async () => {
    const path = await file({ extends: 'demo', learning_rate: 1e-3, data: { validation_limit: 7 }, seed: 1 });
    const { config, sources } = await resolveConfig(path, ['seed=2', 'data.train_limit=9']);
    expect(config).toMatchObject({ kind: 'train', learning_rate: 1e-3, seed: 2, max_steps: 100, beta: 0 });
    expect(config).toMatchObject({ data: { train: 'arithmetic:train', validation_limit: 7, train_limit: 9 } });
    expect(config).not.toHaveProperty('extends');
    expect(sources).toMatchObject({
      kind: 'preset',
      learning_rate: 'file',
      'data.train': 'preset',
      'data.validation_limit': 'file',
      'data.train_limit': 'flag',
      seed: 'flag',
      beta: 'default',
      'rewards.1.name': 'preset',
      'prompt.style': 'default',
    });
    expect(Object.keys(sources).sort()).toEqual(
      leavesOf(config)
        .map((leaf) => leaf.path.join('.'))
        .sort(),
    );
  });

  test('a list replaces the list below it; null takes a setting of the preset back', async () => {
    const { config, sources } = await resolveConfig(
      await file({ extends: 'medlogictrace', rewards: [{ name: 'format' }], early_stopping: null, save_total_limit: null }),
    );
    expect(config).toMatchObject({ rewards: [{ name: 'format', weight: 1 }], early_stopping: null });
    expect(config).not.toHaveProperty('save_total_limit');
    expect(sources).toMatchObject({ 'rewards.0.name': 'file', 'rewards.0.weight': 'default', early_stopping: 'file' });
  });

  test('every preset is a whole config by itself', async () => {
    for (const name of await presetNames()) {
      const { sources, notes } = await resolveConfig(name);
      expect(sources.kind, name).toBe('preset');
      expect(notes, name).toEqual([]);
    }
  });

  test('a preset of another kind, an unknown one and what is no name are refused', async () => {
    expect(await refused({ extends: 'demo', kind: 'sft' })).toContain(
      '"kind" is "sft", but preset demo, which it extends, is of kind "train"',
    );
    expect(await refused({ extends: 'demmo' })).toContain('unknown preset "demmo": did you mean "demo"?');
    expect(await refused({ extends: 3 })).toContain('unknown preset "3"');
  });

  test('an old name is understood in a file and after --set, and said', async () => {
    const { config, notes } = await resolveConfig(await file({ ...train, min_lr_ratio: 0.5 }), ['min_lr_ratio=0.25']);
    expect((config as TrainConfig).lr_scheduler_kwargs).toEqual({ min_lr_rate: 0.25 });
    expect(notes).toEqual([
      expect.stringContaining('"min_lr_ratio" is called "lr_scheduler_kwargs.min_lr_rate" since version 2'),
      '--set min_lr_ratio=0.25: "min_lr_ratio" is called "lr_scheduler_kwargs.min_lr_rate" now',
    ]);
  });

  test('a config of the future names both versions', async () => {
    expect(await refused({ ...train, schema_version: 99 })).toMatch(/"schema_version" is 99: .* version 99 .* up to 3/);
  });
});

describe('--set', () => {
  const rewards = async (...sets: string[]) => ((await loadConfig(await file(train), sets)) as TrainConfig).rewards;

  test('entries of a list go by number, those of a default list too', async () => {
    expect(await rewards('rewards.0.weight=2')).toEqual([{ name: 'correct', weight: 2, start_step: 0, params: {} }]);
    expect(await rewards('rewards.1.name=format', 'rewards.1.weight=0.5')).toHaveLength(2);
    const { sources } = await resolveConfig(await file(train), ['rewards.0.weight=2']);
    expect(sources).toMatchObject({ 'rewards.0.weight': 'flag', 'rewards.0.name': 'default' });
    const { sources: emptied } = await resolveConfig(await file({ ...train, rewards: [{ name: 'format' }] }), ['rewards.0.weight=2']);
    expect(emptied).toMatchObject({ 'rewards.0.weight': 'flag', 'rewards.0.name': 'file' });
  });

  test('what is typed is read as the setting asks: 123 is a name where a text is wanted', async () => {
    expect(await loadConfig(await file(train), ['name=123', 'seed=7', 'early_stopping={"patience":2}', 'data.train=a=b'])).toMatchObject({
      name: '123',
      seed: 7,
      early_stopping: { patience: 2 },
      data: { train: 'a=b' },
    });
  });

  test.each([
    ['learning_rate', 'write it as name=value'],
    ['=1', 'write it as name=value'],
    ['a..b=1', 'has an empty part'],
    ['rewards.2.weight=1', 'rewards is a list of 1 entry, 0; "2" is none of them (1 adds one)'],
    ['rewards.x=1', '"x" is none of them'],
    ['seed.x=1', 'seed is 5, which has no "x"'],
    ['__proto__.x=1', '"__proto__" cannot be the name of a setting'],
    ['data={"constructor":1}', '"constructor" cannot be the name of a setting'],
    ['extends=demo', '"extends" can only stand in a file'],
    ['num_generations=1', '"num_generations" is 1 (from --set num_generations=1): expected a whole number of at least 2'],
    ['data.tran=x', 'unknown key "data.tran" (from --set data.tran=x): did you mean "train"?'],
  ])('%s is refused by the name of the flag', async (set, text) => {
    const message = await refused({ ...train, seed: 5, rewards: [{ name: 'correct' }] }, set);
    expect(message).toContain(text);
    expect(message).toContain(`--set ${set}`);
  });
});

describe('what is wrong', () => {
  test('is told whole: every field, not the first, each with the layer that it came from', async () => {
    const message = await refused({ extends: 'demo', learning_rate: 'a', foo: 1, rewards: [{ wieght: 1 }] }, 'beta=-1');
    expect(message.split('\n')[0]).toMatch(/a\.json: 5 settings are wrong$/);
    for (const text of [
      '"learning_rate" is "a"',
      '"foo"',
      '"rewards.0.name" is missing',
      '"rewards.0.wieght": did you mean',
      '"beta" is -1 (from --set beta=-1)',
    ])
      expect(message).toContain(text);
  });

  test('a syntax error names file, line and column', async () => {
    expect(await refused('{\n  "kind": "train"\n  "data": {}\n}')).toMatch(/a\.json is not JSON: line 3, column 3: a comma/);
  });

  test('a folder, a missing file and what is no object are told as such', async () => {
    await expect(loadConfig(folder)).rejects.toThrow('there is no config file');
    await expect(loadConfig(join(folder, 'medlogictrac'))).rejects.toThrow('there is no config file');
    await expect(loadConfig('medlogictrac')).rejects.toThrow('did you mean "medlogictrace"?');
    expect(await refused('[1]')).toContain('a config is a JSON object');
  });

  test('nothing is written beside the config', async () => {
    await refused({ ...train, foo: 1 });
    expect(await readdir(folder)).toEqual(['a.json']);
  });
});
