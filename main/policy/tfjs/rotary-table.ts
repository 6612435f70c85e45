import { type RopeScaling, scaledFrequency } from '../rope-scaling.ts';

/**
 * Cosines and sines of the rotary embedding (Su et al., arXiv 2104.09864) for positions 0 … length − 1: a row holds headWidth / 2 cosines,
 * then the sines of the same angles, angle = position · theta^(−2i / headWidth), the frequency scaled if the model says so. Angles are rounded to float32 as Transformers has them.
 */
export function rotaryTable(length: number, headWidth: number, theta: number, scaling: RopeScaling | null = null): Float32Array {
  const half = headWidth / 2;
  const table = new Float32Array(length * headWidth);
  const frequencies = Float32Array.from({ length: half }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / headWidth)));
    return scaling === null ? frequency : scaledFrequency(frequency, scaling);
  });
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * (frequencies[i] as number));
      table[position * headWidth + i] = Math.cos(angle);
      table[position * headWidth + half + i] = Math.sin(angle);
    }
  }
  return table;
}
