/** Whether a model fits here: the figures of the Models view, from the formulas that runs are refused by. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { modelFit } from '../../main/runner/model-fit.ts';
import { FitWork, ModelFit } from '../../shared/model-fit.ts';
import { QWEN_HALF_BILLION } from '../fixtures/qwen-sizes.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlt-fit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** The shape of Qwen2.5-0.5B; no weights are read. */
const shape = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  ...QWEN_HALF_BILLION,
  max_position_embeddings: 32768,
  tie_word_embeddings: true,
};
writeFileSync(join(folder, 'config.json'), JSON.stringify(shape));

const work = FitWork.parse({ prompt: 256, completion: 256, questions: 2, answers: 4 });
const cellOf = ({ cells }: ModelFit, backend: string, use: string) => cells.find((cell) => cell.backend === backend && cell.use === use);

describe('a model beside this machine', () => {
  test('has a figure for every backend and use, and an adapter takes less than all weights', async () => {
    const fit = ModelFit.parse(await modelFit(folder, work));
    expect(fit.cells).toHaveLength(12);
    expect(fit).toMatchObject({ longest: 512, context: 32768 });
    for (const backend of ['wasm', 'tensorflow', 'torch']) {
      const [lora, full] = [cellOf(fit, backend, 'lora'), cellOf(fit, backend, 'full')];
      // Its weights alone are 494 million numbers.
      expect(lora?.needs, backend).toBeGreaterThan(4 * 494e6);
      expect(lora?.needs, backend).toBeLessThan(full?.needs as number);
    }
    expect(cellOf(await modelFit('tiny', work), 'wasm', 'full')).toMatchObject({ fits: true, advice: null, limit: 2 ** 32 });
  });

  // Catches: a form that says "fits" where the start is then refused, or refuses without a way out.
  test('is told what would make it fit where it does not', async () => {
    const wasm = cellOf(await modelFit(folder, work), 'wasm', 'full');
    expect(wasm?.fits).toBe(false);
    expect(wasm?.needs).toBeGreaterThan(wasm?.limit as number);
    expect(wasm?.advice).toMatch(/would fit|would make it fit/);
  });

  test('that is not there is named', async () => {
    await expect(modelFit('no/such', work)).rejects.toThrow('no/such');
  });
});
