/**
 * Two backends train 20 steps on the same recorded rollouts. Rounding grows with each step; what is stated here is how far apart they may
 * be: losses and gradient norms by a thousandth, log-probabilities of the trained models by a hundredth.
 */
import { describe, expect, it } from 'vitest';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { parityModel } from '../fixtures/parity.ts';
import { recordRollouts, trainOn } from '../fixtures/recorded-rollouts.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

const STEPS = 20;

if (tensorflowAddon === null) console.log(`skipped: agreement of wasm and tensorflow: ${withoutTensorflow}`);

describe.skipIf(tensorflowAddon === null)('wasm and tensorflow', () => {
  it(`agree over ${STEPS} steps on recorded rollouts`, async () => {
    // One after the other: tfjs has one backend at a time.
    const wasm = await createTfjsPolicy({ folder: parityModel, threads: 1 });
    const rollouts = await recordRollouts(wasm);
    const before = await wasm.logprobs({ sequences: rollouts, model: 'policy' });
    const ours = await trainOn(wasm, rollouts, STEPS);
    await wasm.dispose();
    const tensorflow = await createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), parityModel);
    const theirs = await trainOn(tensorflow, rollouts, STEPS);
    await tensorflow.dispose();

    theirs.steps.forEach((step, i) => {
      const other = ours.steps[i] as typeof step;
      expect(Math.abs(step.loss - other.loss), `loss of step ${i + 1}`).toBeLessThan(1e-3);
      expect(Math.abs(step.grad_norm / other.grad_norm - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-3);
    });
    const apart = theirs.logprobs.map((value, i) => Math.abs(value - (ours.logprobs[i] as number)));
    expect(Math.max(...apart)).toBeLessThan(1e-2);
    // Training moved the model by far more, so the agreement is not that of a model that stood still.
    const start = before.flatMap(({ logprobs }) => Array.from(logprobs));
    expect(Math.max(...theirs.logprobs.map((value, i) => Math.abs(value - (start[i] as number))))).toBeGreaterThan(0.5);
  });
});
