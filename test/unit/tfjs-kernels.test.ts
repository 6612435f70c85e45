/** Every compiled kernel against plain double-precision code, and every gradient against finite differences of that code. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../main/policy/tfjs/backend.ts';
import { type Address, GEMM_SCRATCH } from '../../main/policy/tfjs/kernels.ts';
import { rotaryTable } from '../../main/policy/tfjs/rotary-table.ts';
import { Scope } from '../../main/policy/tfjs/scope.ts';
import { RandomStream } from '../../shared/random.ts';
import type { Rows } from './plain-kernels.ts';
import * as plain from './plain-kernels.ts';

let backend: Backend;
let scope: Scope;
beforeAll(async () => {
  backend = await startBackend();
  scope = new Scope(backend);
  return () => scope.dispose();
});

const random = new RandomStream(7, 'kernel tests');
/** Values that float32 holds exactly, so that plain code starts from the same numbers. */
const draw = (rows: number, width: number): Rows =>
  Array.from({ length: rows }, () => Array.from({ length: width }, () => Math.fround(2 * random.next() - 1)));

function put(rows: Rows): Address {
  const flat = rows.flat();
  const address = scope.floats(flat.length);
  scope.viewFloats(address, flat.length).set(flat);
  return address;
}
/** Not-a-number, so that an element that a kernel forgets to write shows. */
const blank = (rows: number, width: number, fill = Number.NaN): Address =>
  put(Array.from({ length: rows }, () => new Array(width).fill(fill)));

function get(address: Address, rows: number, width: number): Rows {
  const flat = scope.viewFloats(address, rows * width);
  return Array.from({ length: rows }, (_, i) => Array.from(flat.subarray(i * width, (i + 1) * width)));
}

function expectClose(actual: Rows, expected: Rows, tolerance: number): void {
  const worst = Math.max(...actual.flatMap((row, i) => row.map((v, j) => Math.abs(v - ((expected[i] as number[])[j] as number)))));
  expect(actual.length).toBe(expected.length);
  expect(worst, 'largest difference').toBeLessThan(tolerance);
}

describe('gemm', () => {
  // Catches: wrong edges (rows not a multiple of 6, columns not of 8), wrong blocks (depth beyond 256, rows beyond 120), a lost accumulate.
  for (const [m, n, depth] of [
    [1, 1, 1],
    [5, 7, 3],
    [13, 24, 257],
    [125, 17, 40],
    [6, 8, 600],
  ] as const) {
    for (const [ta, tb, add] of [
      [0, 0, 0],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ] as const) {
      it(`equals the plain product for ${m} × ${n} × ${depth}, stored transposed: ${ta} ${tb}, accumulating: ${add}`, () => {
        const [a, b, c] = [draw(m, depth), draw(depth, n), draw(m, n)];
        const packed = blank(1, depth * 8 * Math.ceil(n / 8));
        const out = put(c);
        backend.kernels.pack(put(tb ? plain.transpose(b) : b), tb ? depth : n, tb, packed, depth, n);
        backend.kernels.gemm(
          put(ta ? plain.transpose(a) : a),
          ta ? m : depth,
          ta,
          packed,
          out,
          n,
          m,
          n,
          depth,
          add,
          blank(1, GEMM_SCRATCH),
        );
        const product = plain.multiply(a, b).map((row, i) => row.map((v, j) => v + (add ? ((c[i] as number[])[j] as number) : 0)));
        expectClose(get(out, m, n), product, 1e-6 * Math.max(8, depth));
      });
    }
  }

  it('gives a row the same bits alone and among others (sampling must not depend on the batch)', () => {
    const [depth, n] = [300, 40];
    const a = draw(64, depth);
    const packed = blank(1, depth * n);
    backend.kernels.pack(put(draw(depth, n)), n, 0, packed, depth, n);
    const product = (rows: Rows): Rows => {
      const out = blank(rows.length, n);
      backend.kernels.gemm(put(rows), depth, 0, packed, out, n, rows.length, n, depth, 0, 0);
      return get(out, rows.length, n);
    };
    const together = product(a);
    for (const i of [0, 5, 6, 61, 63]) expect(product([a[i] as number[]])[0]).toEqual(together[i]);
  });
});

describe('rows', () => {
  it('normalises, and its gradient equals finite differences', () => {
    const [x, gain, dy] = [draw(5, 12), draw(1, 12), draw(5, 12)];
    const [g] = gain as [number[]];
    const y = blank(5, 12);
    backend.kernels.rmsNorm(put(x), put(gain), y, 5, 12, 1e-5);
    expectClose(get(y, 5, 12), plain.rmsNorm(x, g, 1e-5), 1e-6);
    const [dx, dgain] = [blank(5, 12), blank(1, 12, 0)];
    backend.kernels.rmsNormGradient(put(x), put(gain), put(dy), dx, dgain, 5, 12, 1e-5);
    const loss = (xs: Rows, gains: Rows): number => plain.inner(plain.rmsNorm(xs, gains[0] as number[], 1e-5), dy);
    expectClose(
      get(dx, 5, 12),
      plain.finiteDifferences((v) => loss(v, gain), x),
      1e-5,
    );
    expectClose(
      get(dgain, 1, 12),
      plain.finiteDifferences((v) => loss(x, v), gain),
      1e-5,
    );
  });

  // Catches: a gain taken from another head, values of the row touched, a gradient of the gain not summed over heads and rows.
  it('normalises heads within wider rows, and its gradient equals finite differences', () => {
    const [rows, stride, heads, headWidth] = [3, 40, 2, 8];
    const [x, gain, dy] = [draw(rows, stride), draw(1, headWidth), draw(rows, stride)];
    const first = heads * headWidth;
    const split = (from: Rows): Rows => from.flatMap((row) => [row.slice(0, headWidth), row.slice(headWidth, first)]);
    const normed = (xs: Rows, gains: Rows): Rows => plain.rmsNorm(split(xs), gains[0] as number[], 1e-5);
    const y = put(x);
    backend.kernels.rmsNormHeads(y, put(gain), y, rows, stride, heads, headWidth, 1e-5);
    const found = get(y, rows, stride);
    expectClose(split(found), normed(x, gain), 1e-6);
    expect(found.map((row) => row.slice(first))).toEqual(x.map((row) => row.slice(first)));
    const [dx, dgain] = [put(dy), blank(1, headWidth, 0)];
    backend.kernels.rmsNormHeadsGradient(put(x), put(gain), dx, dx, dgain, rows, stride, heads, headWidth, 1e-5);
    const loss = (xs: Rows, gains: Rows): number => plain.inner(normed(xs, gains), split(dy));
    const moved = get(dx, rows, stride);
    expectClose(split(moved), split(plain.finiteDifferences((v) => loss(v, gain), x)), 1e-5);
    expect(moved.map((row) => row.slice(first))).toEqual(dy.map((row) => row.slice(first)));
    expectClose(
      get(dgain, 1, headWidth),
      plain.finiteDifferences((v) => loss(x, v), gain),
      1e-5,
    );
  });

  it('rotates halves by position, leaves values alone, and turns back with sign −1', () => {
    const [heads, headWidth] = [3, 8];
    const x = draw(4, 4 * headWidth);
    const positions = [0, 3, 1, 30];
    const table = rotaryTable(31, headWidth, 100);
    const tableAt = put([Array.from(table)]);
    const at = scope.integersOf(positions);
    const out = blank(4, 4 * headWidth);
    backend.kernels.rotary(put(x), out, at, tableAt, 4, 4 * headWidth, heads, headWidth, 1);
    expectClose(get(out, 4, 4 * headWidth), plain.rotary(x, positions, heads, headWidth, 100), 3e-6);
    // The rotation is orthogonal, so its gradient is the turn back.
    backend.kernels.rotary(out, out, at, tableAt, 4, 4 * headWidth, heads, headWidth, -1);
    expectClose(get(out, 4, 4 * headWidth), x, 1e-6);
  });

  it('gates with silu, also far from zero, and its gradient equals finite differences', () => {
    const x = draw(3, 16).map((row, i) => row.map((v) => Math.fround(v * 10 ** i)));
    const dy = draw(3, 8);
    const [y, dx] = [blank(3, 8), blank(3, 16)];
    backend.kernels.swiGlu(put(x), y, 3, 8);
    const expected = plain.swiGlu(x, 8);
    expectClose(
      get(y, 3, 8).map((row, i) => row.map((v, j) => v / (1 + Math.abs((expected[i] as number[])[j] as number)))),
      expected.map((row) => row.map((v) => v / (1 + Math.abs(v)))),
      1e-6,
    );
    backend.kernels.swiGluGradient(put(x), put(dy), dx, 3, 8);
    expectClose(
      get(dx, 3, 16),
      plain.finiteDifferences((v) => plain.inner(plain.swiGlu(v, 8), dy), x),
      1e-4,
    );
  });

  it('looks up rows and adds gradients of repeated ids', () => {
    const [table, x] = [draw(5, 4), draw(4, 4)];
    const ids = [4, 0, 4, 2];
    const [out, sums] = [blank(4, 4), blank(5, 4, 0)];
    backend.kernels.gatherRows(put(table), scope.integersOf(ids), out, 4, 4);
    expect(get(out, 4, 4)).toEqual(ids.map((id) => table[id]));
    backend.kernels.scatterAddRows(put(x), scope.integersOf(ids), sums, 4, 4);
    const expected = table.map((_, id) =>
      [0, 1, 2, 3].map((j) => x.reduce((sum, row, i) => sum + (ids[i] === id ? (row[j] as number) : 0), 0)),
    );
    expectClose(get(sums, 5, 4), expected, 1e-6);
  });
});

describe('attention', () => {
  const [heads, keyHeads, headWidth] = [4, 2, 8];
  const width = (heads + 2 * keyHeads) * headWidth;
  const starts = [0, 1, 20, 27];
  const n = 27;

  it('equals plain attention over each sequence, and its gradient finite differences', () => {
    // Catches: leaking across sequences or from the future, a wrong head grouping, a block edge that is skipped.
    const [qkv, dout] = [draw(n, width), draw(n, heads * headWidth)];
    const forward = (x: Rows): Rows => plain.attention(x, starts.slice(0, -1), heads, keyHeads, headWidth);
    const [out, logSum, dqkv] = [blank(n, heads * headWidth), blank(n, heads), blank(n, width)];
    const scratch = blank(1, 24 * (2 * headWidth + 2 * 24));
    const at = scope.integersOf(starts);
    const scale = 1 / Math.sqrt(headWidth);
    const x = put(qkv);
    backend.kernels.attention(x, out, logSum, at, scope.integersOf([0, 0, 0]), 3, heads, keyHeads, headWidth, scale, scratch);
    expectClose(get(out, n, heads * headWidth), forward(qkv), 2e-6);
    backend.kernels.attentionGradient(x, out, logSum, put(dout), dqkv, at, 3, heads, keyHeads, headWidth, scale, scratch);
    // Rows at the edges of sequences, blocks and panels: all of them would take seconds.
    const rows = [0, 1, 6, 7, 19, 26];
    const loss = (changed: Rows): number => plain.inner(forward(qkv.map((row, i) => changed[rows.indexOf(i)] ?? row)), dout);
    const pick = (all: Rows): Rows => rows.map((i) => all[i] as number[]);
    expectClose(pick(get(dqkv, n, width)), plain.finiteDifferences(loss, pick(qkv)), 2e-5);
  });

  it('gives sequences that share a beginning, in segments, what each gets whole, to the last bit', () => {
    // Catches: a segment that sees the one before it beyond its depth, keys or values at the wrong place of a panel, a mask that starts late.
    const segments = [
      { depth: 0, length: 19 },
      { depth: 11, length: 9 },
      { depth: 16, length: 1 },
      { depth: 3, length: 14 },
      { depth: 0, length: 5 },
      { depth: 5, length: 8 },
    ];
    const total = segments.reduce((sum, { length }) => sum + length, 0);
    const rows = draw(total, width);
    const scale = 1 / Math.sqrt(headWidth);
    const attend = (qkv: Rows, bounds: number[], depths: number[]): { out: Rows; logSum: Rows } => {
      const n = qkv.length;
      const [out, logSum] = [blank(n, heads * headWidth), blank(n, heads)];
      const at = scope.integersOf(bounds);
      const scratch = blank(1, 24 * (2 * headWidth + 6));
      const k = backend.kernels;
      k.attention(put(qkv), out, logSum, at, scope.integersOf(depths), depths.length, heads, keyHeads, headWidth, scale, scratch);
      return { out: get(out, n, heads * headWidth), logSum: get(logSum, n, heads) };
    };
    const bounds = [0];
    for (const { length } of segments) bounds.push((bounds.at(-1) as number) + length);
    const together = attend(
      rows,
      bounds,
      segments.map(({ depth }) => depth),
    );
    let path: number[] = [];
    segments.forEach(({ depth, length }, s) => {
      const start = bounds[s] as number;
      path = [...path.slice(0, depth), ...Array.from({ length }, (_, i) => start + i)];
      const qkv = path.map((row) => rows[row] as number[]);
      const whole = attend(qkv, [0, qkv.length], [0]);
      for (const name of ['out', 'logSum'] as const) expect(together[name].slice(start, start + length)).toEqual(whole[name].slice(depth));
      expectClose(whole.out, plain.attention(qkv, [0], heads, keyHeads, headWidth), 2e-6);
    });
  });

  it('decodes with a cache what the whole sequence gives, from a copied slot too', () => {
    const [length, capacity] = [19, 24];
    const qkv = draw(length, width);
    const expected = plain.attention(qkv, [0], heads, keyHeads, headWidth);
    const slot = keyHeads * headWidth * capacity;
    const [keys, values] = [blank(3, slot), blank(3, slot)];
    const k = backend.kernels;
    k.fillCache(put(qkv), 11, keys, values, 2, heads, keyHeads, headWidth, capacity);
    k.copySlot(keys, values, 2, 0, 11, keyHeads, headWidth, capacity);
    const scratch = blank(1, 6 * capacity);
    for (let position = 11; position < length; position++) {
      const row = qkv[position] as number[];
      const out = blank(2, heads * headWidth);
      const [slots, positions] = [scope.integersOf([0, 2]), scope.integersOf([position, position])];
      k.decodeAttention(
        put([row, row]),
        keys,
        values,
        slots,
        positions,
        out,
        2,
        heads,
        keyHeads,
        headWidth,
        capacity,
        1 / Math.sqrt(headWidth),
        scratch,
      );
      expectClose(get(out, 2, heads * headWidth), [expected[position] as number[], expected[position] as number[]], 2e-6);
    }
  });
});

describe('scores', () => {
  const vocabulary = 21;
  const logits = draw(4, vocabulary).map((row) => row.map((v) => Math.fround(8 * v)));
  const targets = [0, 20, 7, 3];

  it('gives log-probability, entropy and arg-max at a temperature, and the gradient by the logits', () => {
    const temperature = 0.6;
    const coefficients = [0.5, -1, 0, 2];
    const x = put(logits);
    const [logprob, entropy, logSum] = [blank(1, 4), blank(1, 4), blank(1, 4)];
    const greedy = scope.integers(4);
    const at = scope.integersOf(targets);
    backend.kernels.scoreRows(x, at, logprob, entropy, greedy, logSum, 4, vocabulary, 1 / temperature);
    const all = logits.map((row) => plain.logSoftmax(row, temperature));
    expectClose(get(logprob, 1, 4), [all.map((row, i) => row[targets[i] as number] as number)], 3e-6);
    expectClose(get(entropy, 1, 4), [all.map((row) => -row.reduce((sum, v) => sum + Math.exp(v) * v, 0))], 3e-6);
    const best = logits.map((row, i) => (row.indexOf(Math.max(...row)) === targets[i] ? 1 : 0));
    expect(Array.from(scope.viewIntegers(greedy, 4))).toEqual(best);
    const loss = (v: Rows): number =>
      v.reduce(
        (sum, row, i) => sum + (coefficients[i] as number) * (plain.logSoftmax(row, temperature)[targets[i] as number] as number),
        0,
      );
    backend.kernels.scoreRowsGradient(x, at, logSum, put([coefficients]), 4, vocabulary, 1 / temperature);
    expectClose(get(x, 4, vocabulary), plain.finiteDifferences(loss, logits), 1e-5);
  });

  it('draws by inverse transform in id order', () => {
    const uniforms = [0, 0.999, 0.4, 0.73];
    const x = put(logits);
    const ids = scope.integers(4);
    const logprob = blank(1, 4);
    backend.kernels.sampleRows(x, put([uniforms]), ids, logprob, 4, vocabulary, 1 / 2);
    const all = logits.map((row) => plain.logSoftmax(row, 2));
    const expected = all.map((row, i) => {
      let sum = 0;
      return row.findIndex((v) => {
        sum += Math.exp(v);
        return sum > (uniforms[i] as number);
      });
    });
    expect(Array.from(scope.viewIntegers(ids, 4))).toEqual(expected);
    expectClose(get(logprob, 1, 4), [all.map((row, i) => row[expected[i] as number] as number)], 1e-6);
  });

  it('marks a row that is not finite instead of drawing from it', () => {
    const ids = scope.integers(2);
    const rows = [new Array<number>(8).fill(0), [0, 1, Number.NaN, 0, 0, 0, 0, 0]];
    backend.kernels.sampleRows(put(rows), put([[0.5, 0.5]]), ids, blank(1, 2), 2, 8, 1);
    expect(Array.from(scope.viewIntegers(ids, 2))).toEqual([4, -1]);
  });
});

describe('adamW', () => {
  it('follows the formula, with decay, clipping scale and a length that is not a multiple of 4', () => {
    const [w, g, m] = [draw(1, 7), draw(1, 7), draw(1, 7)];
    const v = draw(1, 7).map((row) => row.map(Math.abs));
    const [scale, keep, b1, b2, step, root, epsilon] = [0.5, 0.99, 0.9, 0.95, 0.02, 0.4, 1e-8];
    const [wAt, gAt, mAt, vAt] = [put(w), put(g), put(m), put(v)];
    expect(backend.kernels.sumOfSquares(gAt, 7)).toBeCloseTo(plain.inner(g, g), 10);
    backend.kernels.adamW(wAt, gAt, mAt, vAt, 7, scale, keep, 1 - b1, b2, 1 - b2, step, root, epsilon);
    const at = (rows: Rows, i: number): number => (rows[0] as number[])[i] as number;
    const newM = Array.from({ length: 7 }, (_, i) => b1 * at(m, i) + (1 - b1) * scale * at(g, i));
    const newV = Array.from({ length: 7 }, (_, i) => b2 * at(v, i) + (1 - b2) * (scale * at(g, i)) ** 2);
    const newW = newM.map((mi, i) => keep * at(w, i) - (step * mi) / (Math.sqrt(newV[i] as number) / root + epsilon));
    expectClose(get(mAt, 1, 7), [newM], 1e-6);
    expectClose(get(vAt, 1, 7), [newV], 1e-6);
    expectClose(get(wAt, 1, 7), [newW], 1e-6);
  });
});
