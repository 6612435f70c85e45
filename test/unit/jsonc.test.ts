/** A config that cannot be read must say where: "Unexpected token" in a file of forty lines helps nobody. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../shared/input-error.ts';
import { parseJsonc } from '../../shared/jsonc.ts';

const messageOf = (text: string): string => {
  try {
    parseJsonc(text, 'a.json');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error('the text was accepted');
};

describe('parseJsonc', () => {
  test('comments, trailing commas and a byte order mark are no mistakes', () => {
    const text = '\uFEFF// of mine\n{ "a": [1, 2,], /* why */ "b": "// kept", }\n';
    expect(parseJsonc(text, 'a.json')).toEqual({ a: [1, 2], b: '// kept' });
  });

  test.each([
    ['{\n  "a": 1\n  "b": 2\n}', 'a.json is not JSON: line 3, column 3: a comma is expected here'],
    ['{\r\n  "a": tru\r\n}', 'line 2, column 8: this is no JSON value'],
    ["{ 'a': 1 }", 'line 1, column 3'],
    ['{ "a": 1', 'line 1, column 9: a closing } is missing'],
    ['{ "a": "x\n" }', 'line 1, column 8: a text is not closed'],
    ['{} {}', 'line 1, column 4: the text should have ended here'],
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['// nothing', 'a value is expected here'],
    ['{ /* open', 'a comment is not closed'],
  ])('%j is told by line and column', (text, part) => {
    expect(messageOf(text)).toContain(part);
  });

  test('a key given twice is told by place: the first would be lost in silence', () => {
    expect(messageOf('{\n "seed": 1,\n "seed": 2 }')).toBe('a.json: line 3, column 2: "seed" is given a second time; keep one');
  });

  test('"__proto__" becomes a key of its own and no prototype (it is refused later, by name)', () => {
    const value = parseJsonc('{ "__proto__": { "seed": 1 } }', 'a.json') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('every JSON text is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJsonc(text, 'a.json')).toEqual(JSON.parse(text));
      }),
    );
  });
});
