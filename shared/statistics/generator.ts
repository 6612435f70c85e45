/** Random words for resampling: hundreds of millions of draws need a faster generator than Philox itself. */
import { philox4x32, streamKey } from '../random.ts';

/**
 * Fills buffers with whole numbers from 0 to `below` − 1, drawn by xoshiro128** (Blackman & Vigna, ACM TOMS 47, 2021), its state one Philox
 * block of seed and name: the same seed and name give the same numbers. A buffer at a time, so that the state stays in registers.
 */
export function indexFiller(seed: number, name: string, below: number): (target: Int32Array) => void {
  const key = streamKey(name);
  const state = Int32Array.from(philox4x32([0, 0, key[0], key[1]], [seed >>> 0, 2]));
  const scale = below / 2 ** 32;
  return (target) => {
    let [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
    for (let i = 0; i < target.length; i++) {
      const scrambled = Math.imul(s1, 5);
      const word = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);
      target[i] = word * scale;
    }
    state.set([s0, s1, s2, s3]);
  };
}
