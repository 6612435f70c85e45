import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, readSafetensorsHeader, type Tensor, writeSafetensors } from '../../main/policy/safetensors.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with a header as given, a header length as claimed and so many data bytes. */
async function file(header: unknown, data: Uint8Array | number, claimed?: bigint): Promise<string> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  const path = join(folder, 'file.safetensors');
  await writeFile(path, Buffer.concat([length, json, typeof data === 'number' ? new Uint8Array(data) : data]));
  return path;
}
const entry = (shape: number[], begin: number, end: number, dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  // Catches: values, shapes or metadata changed on the way; bytes that depend on the order of the map.
  it('come back as they were, whatever the order they were given in', async () => {
    const tensors = new Map<string, Tensor>([
      ['b', { shape: [2, 3], data: Float32Array.of(1, -0, Number.MIN_VALUE, 3e38, -1.5, 0.1) }],
      ['a', { shape: [], data: Float32Array.of(7) }],
      ['empty', { shape: [0, 4], data: new Float32Array() }],
      // A window on a larger buffer: its offset must be honoured.
      ['c', { shape: [2], data: new Float32Array([9, 8, 7, 6]).subarray(1, 3) }],
    ]);
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await writeSafetensors(one, tensors, { format: 'pt', step: '3' });
    await writeSafetensors(two, new Map([...tensors].reverse()), { format: 'pt', step: '3' });
    expect(await readFile(one)).toEqual(await readFile(two));
    const read = await readSafetensors(one);
    expect(read.metadata).toEqual({ format: 'pt', step: '3' });
    expect(read.tensors).toEqual(tensors);
    const { entries } = await readSafetensorsHeader(one);
    expect(entries.every(({ begin }) => begin % 8 === 0 || begin % 4 === 0)).toBe(true);
  });

  // Catches: a tensor longer than the buffer it is written through losing or repeating values where one bufferful ends; a window on
  // memory that moved while the disk was busy being read where it no longer is.
  it('longer than the buffer, and moving while they are written, come back as they were', async () => {
    const length = 2_500_001;
    const values = Float32Array.from({ length }, (_, i) => i);
    const tensor: Tensor = {
      shape: [length],
      get data() {
        return Float32Array.from(values);
      },
    };
    const path = join(folder, 'long');
    await writeSafetensors(path, new Map([['x', tensor]]));
    const read = (await readSafetensors(path)).tensors.get('x')?.data;
    expect(read && Buffer.compare(Buffer.from(read.buffer, read.byteOffset, read.byteLength), Buffer.from(values.buffer))).toBe(0);
  });

  // Catches: a shape that lies about its data reaching the disk, or a temporary file left behind.
  it('are refused when shape and data disagree, and nothing is left', async () => {
    const path = join(folder, 'never');
    await expect(writeSafetensors(path, new Map([['x', { shape: [3], data: new Float32Array(2) }]]))).rejects.toThrow(/tensor x/);
    expect((await readdir(folder)).filter((name) => name.includes('never'))).toEqual([]);
  });

  // Catches: a wrong widening of subnormals, infinities or the sign of zero. All 65,536 patterns, against the number each stands for.
  it.each(['F16', 'BF16'] as const)('widen %s exactly', async (dtype) => {
    const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const path = await file({ x: entry([65536], 0, 131072, dtype) }, new Uint8Array(patterns.buffer));
    const values = (await readSafetensors(path)).tensors.get('x')?.data ?? new Float32Array();
    const [exponentBits, fractionBits] = dtype === 'F16' ? [5, 10] : [8, 7];
    const bias = 2 ** (exponentBits - 1) - 1;
    for (const pattern of patterns) {
      const sign = pattern >>> 15 ? -1 : 1;
      const exponent = (pattern >>> fractionBits) & (2 ** exponentBits - 1);
      const fraction = (pattern & (2 ** fractionBits - 1)) / 2 ** fractionBits;
      let expected = sign * 2 ** (exponent - bias) * (1 + fraction);
      if (exponent === 0) expected = sign * 2 ** (1 - bias) * fraction;
      if (exponent === 2 ** exponentBits - 1) expected = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
      if (!Object.is(values[pattern], expected)) expect(values[pattern], `pattern ${pattern}`).toBe(expected);
    }
    expect(values).toHaveLength(65536);
  });
});

describe('safetensors files that lie', () => {
  // Each would otherwise be read as garbage weights, or end in an allocation or range error without a name.
  it.each<[string, unknown, number, bigint | undefined, RegExp]>([
    ['claim a longer header than the file', { x: entry([1], 0, 4) }, 4, 5000n, /claims 5000 bytes, but only 5\d follow/],
    ['claim an enormous header', { x: entry([1], 0, 4) }, 4, 2n ** 63n, /more than the format allows/],
    ['have a header that is cut', '{"x": {"dtype"', 4, undefined, /header is not valid JSON/],
    ['have a header that is no object', '[1, 2]', 4, undefined, /header/],
    ['are shorter than their tensors', { x: entry([2], 0, 8) }, 4, undefined, /tensor x ends at byte 8, the data has only 4/],
    ['hold more than their tensors', { x: entry([1], 0, 4) }, 8, undefined, /4 bytes follow the last tensor/],
    ['have offsets that do not fit the shape', { x: entry([2], 0, 4) }, 4, undefined, /tensor x F32 \[2\] needs 8 bytes/],
    ['have a shape beyond any file', { x: entry([2 ** 40, 2 ** 40], 0, 4) }, 4, undefined, /tensor x F32/],
    ['have tensors that overlap', { x: entry([1], 0, 4), y: entry([1], 0, 4) }, 4, undefined, /starts at data byte 0 where 4 was due/],
    ['have a gap', { x: entry([1], 0, 4), y: entry([1], 8, 12) }, 12, undefined, /tensor y starts at data byte 8 where 4 was due/],
    ['have offsets the wrong way round', { x: entry([1], 4, 0) }, 4, undefined, /tensor x/],
    ['have a negative offset', { x: entry([1], -4, 0) }, 4, undefined, /tensor x/],
    ['have a fraction as a size', { x: entry([0.5], 0, 2) }, 2, undefined, /tensor x/],
    [
      'name a tensor twice',
      '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0078":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      undefined,
      /names "x" twice/,
    ],
    ['hold another dtype', { x: entry([1], 0, 8, 'I64') }, 8, undefined, /tensor x has dtype I64; supported: F32, F16, BF16/],
    ['have metadata that is no text', { __metadata__: { step: 3 }, x: entry([1], 0, 4) }, 4, undefined, /__metadata__/],
  ])('%s', async (_, header, data, claimed, message) => {
    const path = await file(header, data, claimed);
    await expect(readSafetensors(path)).rejects.toThrow(message);
    await expect(readSafetensors(path)).rejects.toThrow(/file\.safetensors/);
  });

  it('are too short for a header length, or not there', async () => {
    await writeFile(join(folder, 'short'), 'abc');
    await expect(readSafetensors(join(folder, 'short'))).rejects.toThrow(/it has 3 bytes/);
    await expect(readSafetensors(join(folder, 'absent'))).rejects.toThrow(/absent: cannot be read/);
  });

  // Catches: a truncation or a flipped header byte that passes as a whole file with other contents.
  it('never pass after being cut, and never crash without a name after a byte is changed', async () => {
    const path = join(folder, 'whole');
    await writeSafetensors(path, new Map([['layer.weight', { shape: [3, 2], data: new Float32Array(6).fill(1.5) }]]));
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(whole.length - 25), fc.integer({ min: 1, max: 255 }), async (cut, at, change) => {
        await writeFile(join(folder, 'broken'), whole.subarray(0, cut));
        await expect(readSafetensors(join(folder, 'broken'))).rejects.toThrow(/broken/);
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] as number) ^ change;
        await writeFile(join(folder, 'broken'), flipped);
        // A change within a name or a text is a valid file; any other must be refused by name.
        const outcome = await readSafetensors(join(folder, 'broken')).catch((error: Error) => error);
        if (outcome instanceof Error) expect(outcome.message).toContain('broken');
        else expect([...outcome.tensors.values()].map(({ data }) => data.length)).toEqual([6]);
      }),
      { numRuns: 60 },
    );
  });
});
