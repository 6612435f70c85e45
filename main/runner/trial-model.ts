/** What backends are tried with: a model as wide as a run's and a layer or two deep, made up on the spot. */

import { RandomStream } from '../../shared/random.ts';
import { expectedTensors, parametersOf } from '../policy/expected-tensors.ts';
import type { ModelConfig } from '../policy/model-config.ts';
import type { Tensor } from '../policy/safetensors.ts';

/** Tokens of a row, half of them predicted. */
export const TRIAL_TOKENS = 96;
/** Weights that two layers may have; wider models are tried with one. */
const TWO_LAYERS = 64e6;
/** A vocabulary of which more says nothing that the width does not. */
const WORDS = 2048;
/** Operations of a trial step: a second for a slow processor. */
const OPERATIONS = 10e9;
const MOST_ROWS = 16;

/**
 * The model and the rows of a step. Which backend is the fastest depends on the width: a narrow model is bound by what it costs to ask for
 * an operation, a wide one by the arithmetic.
 */
export function trialModel(model: ModelConfig): { config: ModelConfig; rows: number } {
  const few = (num_hidden_layers: number): ModelConfig => ({ ...model, num_hidden_layers, vocab_size: Math.min(model.vocab_size, WORDS) });
  const two = few(Math.min(2, model.num_hidden_layers));
  const config = parametersOf(two) > TWO_LAYERS ? few(1) : two;
  // 6 operations a weight and token (Kaplan et al., arXiv 2001.08361).
  const rows = Math.floor(OPERATIONS / (6 * parametersOf(config) * TRIAL_TOKENS));
  return { config, rows: Math.min(MOST_ROWS, Math.max(1, rows)) };
}

/** Small weights, some thousands of numbers over and over: what they are does not change the work. */
export function trialTensors(config: ModelConfig): Map<string, Tensor> {
  const random = new RandomStream(1, 'backend trial weights');
  const some = Float32Array.from({ length: 4099 }, () => 0.04 * (random.next() - 0.5));
  return new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const centre = name.endsWith('norm.weight') ? 1 : 0;
      return [name, { shape, data: Float32Array.from({ length }, (_, i) => centre + (some[i % some.length] as number)) }] as const;
    }),
  );
}
