import { describe, expect, it } from 'vitest';
import { checkSampling, drawFiltered } from '../../main/policy/tfjs/sampling.ts';

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
