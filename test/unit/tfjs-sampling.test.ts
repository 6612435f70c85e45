import { describe, expect, it } from 'vitest';
import { checkSampling, drawFiltered } from '../../main/policy/tfjs/sampling.ts';
import { RandomStream } from '../../shared/random.ts';

const p = Float32Array.of(0.1, 0.3, 0.05, 0.3, 0.25);
/** Ids drawn over a fine grid of uniforms: the support of the filtered distribution, with shares. */
function shares(filter: { top_k: number; top_p: number }): Map<number, number> {
  const found = new Map<number, number>();
  for (let i = 0; i < 1000; i++) {
    const id = drawFiltered(p, filter, (i + 0.5) / 1000);
    found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

describe('drawFiltered', () => {
  it('top_k keeps the most probable ids, the lower id on a tie', () => {
    expect([...shares({ top_k: 1, top_p: 1 }).keys()]).toEqual([1]);
    expect([...shares({ top_k: 3, top_p: 1 }).keys()]).toEqual([1, 3, 4]);
  });

  it('top_p keeps the smallest set that reaches p, never none', () => {
    expect([...shares({ top_k: 0, top_p: 0.55 }).keys()]).toEqual([1, 3]);
    expect([...shares({ top_k: 0, top_p: 0.65 }).keys()]).toEqual([1, 3, 4]);
    expect([...shares({ top_k: 0, top_p: 1e-9 }).keys()]).toEqual([1]);
  });

  it('what is kept is renormalised, and top_p counts within top_k', () => {
    const found = shares({ top_k: 2, top_p: 1 });
    expect(found.get(1)).toBeGreaterThan(498);
    expect(found.get(3)).toBeGreaterThan(498);
    expect([...shares({ top_k: 2, top_p: 0.4 }).keys()]).toEqual([1]);
  });

  it('keeps what sorting the whole vocabulary would keep', () => {
    // Catches a shortcut that drops an id which the filter should keep.
    const random = new RandomStream(1, 'filters');
    for (let i = 0; i < 200; i++) {
      const row = Float32Array.from({ length: 40 }, () => random.next() ** (1 + (i % 30)));
      const [top_k, top_p] = [i % 3 === 0 ? 0 : 1 + (i % 45), i % 4 === 0 ? 1 : 0.05 + 0.95 * random.next()];
      const order = Array.from(row.keys()).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
      const within = top_k === 0 ? order : order.slice(0, top_k);
      const total = within.reduce((sum, id) => sum + (row[id] as number), 0);
      let mass = 0;
      const kept =
        top_p === 1
          ? within
          : within.filter((id, n) => {
              const open = n === 0 || mass < top_p * total;
              mass += row[id] as number;
              return open;
            });
      const least = Math.min(...kept);
      const most = Math.max(...kept);
      expect(drawFiltered(row, { top_k, top_p }, 0)).toBe(least);
      expect(drawFiltered(row, { top_k, top_p }, 1)).toBe(most);
    }
  });

  it('a uniform just below 1 still draws a kept id', () => {
    expect(drawFiltered(p, { top_k: 3, top_p: 1 }, 1 - 2 ** -24)).toBe(4);
  });
});

it('checkSampling names the setting', () => {
  const good = { temperature: 1, top_p: 1, top_k: 0, seed: 0 };
  expect(() => checkSampling(good)).not.toThrow();
  expect(() => checkSampling({ ...good, temperature: -1 })).toThrow(/temperature is -1/);
  expect(() => checkSampling({ ...good, top_p: 0 })).toThrow(/top_p is 0/);
  expect(() => checkSampling({ ...good, top_k: 1.5 })).toThrow(/top_k is 1.5/);
});
