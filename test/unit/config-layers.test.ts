/** Layers of a config: the order must hold for every config, and no value may come from nowhere or from two places. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assign } from '../../main/runner/set-assignment.ts';
import { RunConfig } from '../../shared/config.ts';
import { type Layered, leavesOf, noLayers, sourcesOf, withLayer } from '../../shared/config-layers.ts';
import { InputError } from '../../shared/input-error.ts';
import type { JsonObject } from '../../shared/json-object.ts';
import { valueAt } from '../../shared/schema-path.ts';

const preset = { source: 'preset', label: 'preset p' } as const;
const file = { source: 'file', label: 'f.json' } as const;
const noFacts = () => ({ text: false, fallback: undefined });

/** Few names, so that layers meet. */
const key = fc.constantFrom('a', 'b', 'c', 'd');
const { object } = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom('x', '', true, null),
    fc.array(fc.integer(), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));
const both = (lower: JsonObject, upper: JsonObject): Layered => withLayer(withLayer(noLayers, lower, preset), upper, file);

/** RFC 7386, section 2, word for word: what withLayer has to equal. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

describe('any two layers', () => {
  test('come out as the merge patch of RFC 7386, and neither is changed', () => {
    fc.assert(
      fc.property(object, object, (lower, upper) => {
        const before = structuredClone([lower, upper]);
        expect(both(lower, upper).config).toEqual(mergePatch(mergePatch({}, lower), upper));
        expect([lower, upper]).toEqual(before);
      }),
    );
  });

  test('laying the same layer again changes nothing', () => {
    fc.assert(
      fc.property(object, object, (lower, upper) => {
        const once = both(lower, upper);
        const twice = withLayer(once, upper, file);
        expect(twice.config).toEqual(once.config);
        expect(sourcesOf(twice.config, twice)).toEqual(sourcesOf(once.config, once));
      }),
    );
  });

  test('every single value has exactly one source, the layer that gave it; defaults have theirs', () => {
    fc.assert(
      fc.property(object, object, (lower, upper) => {
        const layered = both(lower, upper);
        const resolved = { ...layered.config, added_by_default: { deep: 1 } };
        const sources = sourcesOf(resolved, layered);
        expect(Object.keys(sources).sort()).toEqual(
          leavesOf(resolved)
            .map(({ path }) => path.join('.'))
            .sort(),
        );
        expect(sources['added_by_default.deep']).toBe('default');
        for (const { path, value } of leavesOf(layered.config)) {
          // An object that nulls have emptied is nobody's value.
          if (isObject(value) && Object.keys(value).length === 0) continue;
          const byUpper = path.some((_, depth) => {
            const said = valueAt(upper, path.slice(0, depth + 1));
            return said !== undefined && (!isObject(said) || depth === path.length - 1);
          });
          expect(sources[path.join('.')], path.join('.')).toBe(byUpper ? 'file' : 'preset');
        }
      }),
    );
  });

  test('a flag is above both, whatever they say', () => {
    fc.assert(
      fc.property(object, object, key, fc.integer(), (lower, upper, name, value) => {
        const layered = assign(both(lower, upper), `${name}=${value}`, noFacts);
        expect(layered.config[name]).toBe(value);
        expect(sourcesOf(layered.config, layered)[name]).toBe('flag');
      }),
    );
  });

  test('no key reaches the prototype that all objects share, at any depth and from any layer', () => {
    const unsafe = fc.constantFrom('__proto__', 'constructor', 'prototype');
    fc.assert(
      fc.property(object, unsafe, fc.array(key, { maxLength: 3 }), (lower, name, above) => {
        const inner = JSON.parse(`{ "${name}": { "polluted": 1 } }`);
        const layer = above.reduceRight<JsonObject>((inside, one) => ({ [one]: inside }), inner);
        expect(() => withLayer(withLayer(noLayers, lower, preset), layer, file)).toThrow(InputError);
        expect(() => assign(withLayer(noLayers, {}, preset), `${[...above, name].join('.')}.polluted=1`, noFacts)).toThrow(InputError);
        expect(() => assign(noLayers, `a=${JSON.stringify(layer)}`, noFacts)).toThrow(InputError);
        expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
      }),
    );
  });
});

describe('rules of laying', () => {
  test('objects are merged, lists replace, null takes back', () => {
    const layered = both({ o: { x: 1, y: 2 }, list: [{ n: 1, m: 2 }], gone: 5 }, { o: { y: 3 }, list: [{ n: 9 }], gone: null });
    expect(layered.config).toEqual({ o: { x: 1, y: 3 }, list: [{ n: 9 }] });
    expect(sourcesOf({ o: { x: 1, y: 3 }, list: [{ n: 9, m: 0 }], gone: 7 }, layered)).toEqual({
      'o.x': 'preset',
      'o.y': 'file',
      'list.0.n': 'file',
      // The preset's entry was replaced whole: what fills the gap is the default.
      'list.0.m': 'default',
      gone: 'default',
    });
  });

  test('null is what the schema takes by default wherever it takes null, so that null means one thing', () => {
    const nullables: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (schema instanceof z.ZodObject) for (const [name, field] of Object.entries(schema.shape)) visit(field, `${path}.${name}`);
      else if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
        const inner = schema.unwrap();
        if (z.safeParse(inner as z.ZodType, null).success) {
          nullables.push(path);
          expect(schema.parse(undefined), path).toBeNull();
        }
        visit(inner, path);
      } else if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) visit(schema.unwrap(), path);
    };
    for (const option of RunConfig.options) visit(option, option.shape.kind.value);
    expect(nullables).toContain('train.early_stopping');
  });
});
