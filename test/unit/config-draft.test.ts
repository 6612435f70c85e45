/** Drafts of the form: what they leave out, in what they differ, and that file and command say the same as the form. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, readPreset } from '../../main/runner/load-config.ts';
import { RunConfig } from '../../shared/config.ts';
import { type Draft, differences, draftMistakes, draftOfFile, fileText, sparse, withSetting } from '../../shared/config-draft.ts';
import { CONFIG_KINDS } from '../../shared/config-form.ts';
import { assignments, headlessCommand, shellWord } from '../../shared/headless-command.ts';
import type { JsonObject } from '../../shared/json-object.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlt-draft-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const preset = async (name: string): Promise<Draft> => ({ ...(await readPreset(name)), kind: 'train' });
const withAll = (draft: Draft, settings: Readonly<Record<string, unknown>>): Draft =>
  Object.entries(settings).reduce((now, [path, value]) => withSetting(now, path, value), draft);

const CHANGES: Record<string, Readonly<Record<string, unknown>>> = {
  nothing: {},
  'a text that looks like a number, and one with quotes and newlines': { name: '12', 'prompt.prefix': `it's "so"\nand so` },
  'a setting taken back to its default': { beta: undefined, eval_steps: undefined, 'data.validation_limit': undefined },
  'a part put in': { 'early_stopping.patience': 5 },
  'a part with nothing of its own': { early_stopping: {} },
  'a part taken out': { early_stopping: undefined },
  'a nested setting and a list': {
    'lr_scheduler_kwargs.min_lr_rate': 0.1,
    'data.train_limit': 20,
    rewards: [
      { name: 'format', weight: -0.5 },
      { name: 'lcpo_max', params: { alpha: 0.02 } },
    ],
  },
};

describe.each(['demo', 'medlogictrace', 'smoke'])('a draft from the preset %s', (name) => {
  test.each(Object.keys(CHANGES))('with %s is the same config from its command and from its file', async (change) => {
    const base = await preset(name);
    const draft = withAll(base, CHANGES[change] ?? {});
    const meant = RunConfig.parse(sparse(draft));
    expect(await loadConfig(name, assignments(draft, base))).toEqual(meant);
    const file = join(folder, 'draft.json');
    writeFileSync(file, fileText(draft));
    expect(await loadConfig(file)).toEqual(meant);
  });
});

test('a command is words that a shell takes as they are', async () => {
  const base = await preset('smoke');
  const text = headlessCommand(withAll(base, { name: "it's" }), {
    preset: { name: 'smoke', draft: base },
    file: 'x.json',
    runsDir: '/my runs',
  });
  expect(text).toBe(`npx medlogictrace run smoke --set 'name="it'\\''s"' --runs '/my runs'`);
  expect(shellWord('$(rm)')).toBe("'$(rm)'");
});

test('a whole config is no different from the file that it came from (bug: every default listed as a difference)', async () => {
  const base = await preset('medlogictrace');
  const whole: JsonObject = RunConfig.parse(base);
  expect(differences({ ...whole, kind: 'train' }, base)).toEqual([]);
  expect(differences(withSetting(base, 'seed', 7), base)).toEqual([{ path: 'seed', here: 7, there: 42 }]);
  expect(differences(withSetting(base, 'early_stopping', undefined), base)[0]).toEqual({
    path: 'early_stopping',
    here: false,
    there: true,
  });
});

test.each(CONFIG_KINDS)('the empty %s draft lacks only what has no default (bug: a form whose first word is an error)', (kind) => {
  expect(draftMistakes({ kind }).map(({ field }) => field)).toEqual(kind === 'evaluate' ? ['data.test'] : []);
});

describe('a file', () => {
  const presets = new Map<string, JsonObject>([['smoke', { kind: 'train', data: {}, max_steps: 30, temperature: 0.5 }]]);

  test('is laid over the preset that it extends; an older name is moved and told', () => {
    const { draft, notes } = draftOfFile('{ // mine\n "extends": "smoke", "min_lr_ratio": 0.1, "temperature": null }', 'a.json', presets);
    expect(draft).toEqual({ kind: 'train', data: {}, max_steps: 30, lr_scheduler_kwargs: { min_lr_rate: 0.1 } });
    expect(notes).toEqual(['"min_lr_ratio" is called "lr_scheduler_kwargs.min_lr_rate" since version 2 of the schema']);
  });

  test('keeps what is not known, so that the form can say what was meant', () => {
    const { draft } = draftOfFile('{ "kind": "train", "sead": 1, "data": { "trian": "x:y" } }', 'a.json', presets);
    expect(draftMistakes(draft).map(({ text }) => text)).toEqual([
      'unknown key "data.trian": did you mean "train"?',
      'unknown key "sead": did you mean "seed"?',
    ]);
  });

  test.each([
    ['[1]', /a config is a JSON object/],
    ['{}', /has no "kind"/],
    ['{ "kind": "trian" }', /has the "kind" "trian": give "train", "sft" or "evaluate"/],
    ['{ "extends": "smokey" }', /unknown preset "smokey": did you mean "smoke"/],
    ['{ "kind": ', /a\.json/],
    ['{ "kind": "train", "__proto__": { "x": 1 } }', /__proto__/],
  ])('that is no config is refused by name: %s', (text, message) => {
    expect(() => draftOfFile(text, 'a.json', presets)).toThrow(message);
  });
});
