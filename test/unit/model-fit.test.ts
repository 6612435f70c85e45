/** Whether a model fits here: the figures of the Models view, from the formulas that runs are refused by. */
import { describe, expect, test } from 'vitest';
import { modelFit } from '../../main/runner/model-fit.ts';
import { FitWork, ModelFit } from '../../shared/model-fit.ts';

const work = FitWork.parse({ prompt: 100, completion: 100, questions: 2, answers: 4 });
const cellOf = ({ cells }: ModelFit, backend: string, use: string) => cells.find((cell) => cell.backend === backend && cell.use === use);

describe('a model beside this machine', () => {
  test('has a figure for every backend and use, and an adapter takes less than all weights', async () => {
    const fit = ModelFit.parse(await modelFit('tiny', work));
    expect(fit.cells).toHaveLength(12);
    expect(fit.longest).toBe(200);
    for (const backend of ['wasm', 'tensorflow', 'torch']) {
      const [lora, full] = [cellOf(fit, backend, 'lora'), cellOf(fit, backend, 'full')];
      expect(lora?.needs).toBeGreaterThan(0);
      expect(lora?.needs).toBeLessThan(full?.needs as number);
    }
    expect(cellOf(fit, 'wasm', 'full')).toMatchObject({ fits: true, advice: null, limit: 2 ** 32 });
  });

  // Catches: a form that says "fits" where the start is then refused, or refuses without a way out.
  test('is told what would make it fit where it does not', async () => {
    const fit = await modelFit('tiny', { ...work, prompt: 200_000, completion: 200_000, questions: 64 });
    const wasm = cellOf(fit, 'wasm', 'full');
    expect(wasm?.fits).toBe(false);
    expect(wasm?.needs).toBeGreaterThan(wasm?.limit as number);
    expect(wasm?.advice).toMatch(/would fit|would make it fit/);
  });

  test('that is not there is named', async () => {
    await expect(modelFit('no/such', work)).rejects.toThrow('no/such');
  });
});
