/** Every setting of the schema is explained in the form, and nothing else is. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CONFIG_KINDS, formFields } from '../../shared/config-form.ts';
import { fieldSentence, PRESET_WORDS } from '../../shared/config-groups.ts';
import { FIELD_WORDS } from '../../shared/config-words.ts';

describe.each(CONFIG_KINDS)('the settings of a %s config', (kind) => {
  const fields = formFields(kind);

  test('each has a name and one sentence (bug: a new setting without a word in the form)', () => {
    for (const { path } of fields) {
      const words = FIELD_WORDS[path];
      expect(words, path).toBeDefined();
      if (words === undefined) continue;
      expect(words.label, path).not.toBe('');
      expect(fieldSentence(words, kind), path).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  test('a bound has its reason, and no reason stands without a bound', () => {
    for (const { path, bounds } of fields) expect(FIELD_WORDS[path]?.bound !== undefined, path).toBe(bounds !== null);
  });

  test('each choice says what it means, and none that is gone', () => {
    for (const { path, choices } of fields) expect(Object.keys(FIELD_WORDS[path]?.choices ?? {}).sort(), path).toEqual([...choices].sort());
  });

  test('what may be left out says what stands for it then', () => {
    for (const { path, optional, kind: type, fallback } of fields) {
      if (optional && type !== 'part' && fallback === undefined) expect(FIELD_WORDS[path]?.absent, path).toBeDefined();
    }
  });
});

test('no words are left of a setting that is gone', () => {
  const known = new Set(CONFIG_KINDS.flatMap((kind) => formFields(kind).map(({ path }) => path)));
  expect(Object.keys(FIELD_WORDS).filter((path) => !known.has(path))).toEqual([]);
});

test('each preset says what it is for', () => {
  const names = readdirSync(new URL('../../resources/presets', import.meta.url)).map((file) => file.replace(/\.json$/, ''));
  expect(Object.keys(PRESET_WORDS).sort()).toEqual(names.sort());
});
