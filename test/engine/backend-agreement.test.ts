/**
 * Two backends train 20 steps on the same recorded rollouts. Rounding grows with each step; what is stated here is how far apart they may
 * be: losses and gradient norms by a thousandth, log-probabilities of the trained models by a hundredth.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Policy, TrainSequence } from '../../main/policy/policy.ts';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { webgpuDevice } from '../../main/policy/tfjs/webgpu/device.ts';
import { parityModel } from '../fixtures/parity.ts';
import { recordRollouts, type Trained, trainOn } from '../fixtures/recorded-rollouts.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';
import { hasWebgpu, onGpu, useWebgpu, withoutWebgpu } from '../fixtures/webgpu.ts';

const STEPS = 20;

if (tensorflowAddon === null) console.log(`skipped: agreement of wasm and tensorflow: ${withoutTensorflow}`);
if (!hasWebgpu) console.log(`skipped: agreement of wasm and webgpu: ${withoutWebgpu}`);

/** SwiftShader takes a minute for these, near two for all. */
const FEW = 4;

interface Own {
  rollouts: TrainSequence[];
  start: number[];
  trained: Trained;
}

// One after the other: tfjs has one backend at a time.
describe('wasm', () => {
  let all: Own;
  let few: Own;
  beforeAll(async () => {
    const wasm = await createTfjsPolicy({ folder: parityModel, threads: 1 });
    const recorded = await recordRollouts(wasm);
    const own = async (rollouts: TrainSequence[]): Promise<Own> => {
      const policy = await createTfjsPolicy({ folder: parityModel, threads: 1 });
      try {
        const scored = await policy.logprobs({ sequences: rollouts, model: 'policy' });
        const start = scored.flatMap(({ logprobs }) => Array.from(logprobs));
        return { rollouts, start, trained: await trainOn(policy, rollouts, STEPS) };
      } finally {
        await policy.dispose();
      }
    };
    [all, few] = [await own(recorded), await own(recorded.slice(0, FEW))];
    await wasm.dispose();
  });

  async function expectAgreement({ rollouts, start, trained }: Own, other: Policy): Promise<void> {
    const theirs = await trainOn(other, rollouts, STEPS);
    await other.dispose();
    theirs.steps.forEach((step, i) => {
      const own = trained.steps[i] as typeof step;
      expect(Math.abs(step.loss - own.loss), `loss of step ${i + 1}`).toBeLessThan(1e-3);
      expect(Math.abs(step.grad_norm / own.grad_norm - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-3);
    });
    const apart = theirs.logprobs.map((value, i) => Math.abs(value - (trained.logprobs[i] as number)));
    expect(Math.max(...apart)).toBeLessThan(1e-2);
    // Training moved the model by far more, so the agreement is not that of a model that stood still.
    expect(Math.max(...theirs.logprobs.map((value, i) => Math.abs(value - (start[i] as number))))).toBeGreaterThan(0.5);
  }

  it.skipIf(tensorflowAddon === null)(`and tensorflow agree over ${STEPS} steps on recorded rollouts`, async () => {
    await expectAgreement(all, await createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), parityModel));
  });

  it.skipIf(!hasWebgpu)(`and webgpu agree over ${STEPS} steps on recorded rollouts`, async () => {
    useWebgpu();
    await expectAgreement(onGpu ? all : few, await createPaddedPolicy(await webgpuDevice(), parityModel));
  });
});
