import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byteRecords, LineEnds, RECORD_LIMIT } from '../../main/data/byte-records.ts';
import { fileFormat, rowsOfFile } from '../../main/data/row-file.ts';
import { RandomStream } from '../../shared/random.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-rows-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readBack(name: string, content: string): Promise<unknown[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const values: unknown[] = [];
  for await (const batch of rowsOfFile(path)) for (const { value, fault } of batch) values.push(fault ?? value);
  return values;
}
type Fields = { a: string; b: string };
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (rows: readonly Fields[], end: string): string =>
  ['a,b', ...rows.map(({ a, b }) => `${quoted(a)},${quoted(b)}`)].join(end) + end;

describe('rows that are read back', () => {
  // Catches: a record that is cut where a chunk of the file ends, inside a character, a quote, an escape or a CR LF.
  test('across the ends of chunks, in every format', async () => {
    const random = new RandomStream(5, 'row test');
    const pieces = ['é', '日本', '"', '\\', '{', ']', ',', '\n', '\r\n', 'x'.repeat(40), ' '];
    const rows = Array.from({ length: 4000 }, (_, i): Fields => {
      const text = (): string => Array.from({ length: random.integer(0, 30) }, () => random.pick(pieces)).join('');
      return { a: `${i}${text()}`, b: `${text()}.` };
    });
    const lines = rows.map((row) => JSON.stringify(row));
    const ends = ['\n', '\r\n', '\r', '\n\n'];
    const mixed = lines.map((line, i) => line + ends[i % ends.length]).join('');
    expect(mixed.length).toBeGreaterThan(2 * 2 ** 18);
    expect(await readBack('rows.jsonl', mixed)).toEqual(rows);
    expect(await readBack('rows.json', `\ufeff[\n${lines.join(' ,\n')}\n]\n`)).toEqual(rows);
    expect(await readBack('rows.csv', csv(rows, '\r\n'))).toEqual(rows);
  });

  test('any text in CSV', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', '\t', ' ', 'é'), maxLength: 12 });
    // A first field of its own keeps a row from being blank.
    const rows = fc.array(fc.record({ a: text.map((value) => `k${value}`), b: text }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), async (list, end) => {
        expect(await readBack('any.csv', csv(list, end))).toEqual(list);
      }),
      { seed: 6, numRuns: 150 },
    );
  });
});

describe('a record of 50 MB', () => {
  // Catches: a line that is held whole before it is found too long.
  test('is never held', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const path = join(folder, 'long.jsonl');
    writeFileSync(path, `{"a": 1}\n"${'x'.repeat(50 * 2 ** 20)}"\n{"a": 2}\n`);
    let calls = 0;
    let most = 0;
    collect();
    const start = process.memoryUsage().arrayBuffers;
    class Watched extends LineEnds {
      override next(chunk: Uint8Array, from: number): number {
        if (++calls % 20 === 0) {
          collect();
          most = Math.max(most, process.memoryUsage().arrayBuffers - start);
        }
        return super.next(chunk, from);
      }
    }
    const lengths: number[] = [];
    for await (const batch of byteRecords(path, new Watched())) lengths.push(...batch.map(({ length }) => length));
    expect(lengths).toEqual([9, 50 * 2 ** 20 + 3, 9]);
    expect(calls).toBeGreaterThan(100);
    expect(most).toBeLessThan(3 * RECORD_LIMIT);
  });
});

describe('the format of a file', () => {
  // Catches: one document taken for lines and refused at its first line, or lines taken for a document.
  test.each([
    ['{"a": 1}\n{"a": 2}\n', 'jsonl'],
    ['{"options": {"A": "x"}, "answer": "x"}', 'jsonl'],
    ['{"a": 1, \n', 'jsonl'],
    ['[{"a": 1}]', 'json'],
    ['{"123": {"QUESTION": "?"}, "124": {}}', 'json'],
    ['{\n  "123": {\n', 'json'],
    ['\ufeff {\r\n"x": {}}', 'json'],
  ])('%j is %s', (content, format) => {
    const path = join(folder, 'some.txt');
    writeFileSync(path, content);
    expect(fileFormat(path)).toBe(format);
  });

  test.each([
    [Buffer.from([0x1f, 0x8b, 8]), /compressed \(gzip\)/],
    [Buffer.from('PK\u0003\u0004'), /compressed \(zip\)/],
    [Buffer.from('\ufeff{"a":1}', 'utf16le'), /is UTF-16/],
    [Buffer.from('  \n'), /is empty/],
  ])('%# is refused by its kind', (content, wanted) => {
    const path = join(folder, 'odd.jsonl');
    writeFileSync(path, content);
    expect(() => fileFormat(path)).toThrow(wanted);
  });
});
