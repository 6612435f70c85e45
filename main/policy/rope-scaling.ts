/** How rotary frequencies are stretched for contexts longer than the model was first trained on: none, or Llama 3's way. */
import { z } from 'zod';

const Positive = z.number().positive();

/** Llama 3.1's scaling, under Hugging Face's names. */
export const RopeScaling = z.object({
  rope_type: z.literal('llama3'),
  /** Waves longer than original_max_position_embeddings / low_freq_factor are slowed down by this factor. */
  factor: Positive,
  low_freq_factor: Positive,
  high_freq_factor: Positive,
  /** Context in tokens before the scaling. */
  original_max_position_embeddings: z.number().int().positive(),
});
export type RopeScaling = z.infer<typeof RopeScaling>;

/** Kinds of scaling that are computed, as messages name them. */
export const SCALINGS = ['default', 'llama3'] as const;

/**
 * One inverse frequency after Llama 3's scaling: short waves keep it, long ones are slowed by `factor`, between the two it goes over
 * smoothly (Transformers, modeling_rope_utils.py, _compute_llama3_parameters; rounded to float32 at each step as there).
 */
export function scaledFrequency(frequency: number, scaling: RopeScaling): number {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = scaling;
  const f = Math.fround;
  const wave = f(f(2 * Math.PI) / frequency);
  if (wave < context / high) return frequency;
  if (wave > context / low) return f(frequency / factor);
  const smooth = f((f(context / wave) - low) / (high - low));
  return f(f(f(f(1 - smooth) * frequency) / factor) + f(smooth * frequency));
}
