/** What a paired set of questions could have shown: an inconclusive result on a set too small to tell is no evidence of equality. */
import { Z80 } from './normal.ts';
import { Z95 } from './wilson.ts';

/**
 * The least true difference in accuracy (a fraction) that McNemar's test at a two-sided 5 % finds with 80 % power in `pairs` independent pairs of
 * which a share `discordant` is right on one side only. Connor (Biometrics 43, 1987): δ·√n = z_α·√ψ + z_β·√(ψ − δ²), solved for δ:
 * δ = √ψ·(z_α·√n + z_β·√(n + z_β² − z_α²)) / (n + z_β²).
 *
 * A difference can be no larger than the discordance, so where δ > ψ it is the least one found when all discordant pairs go one way
 * (ψ = δ): √(nδ) = z_α + z_β·√(1 − δ). Null where even a difference of 1 would not be found.
 * @throws RangeError for pairs that are negative or a share outside [0, 1].
 */
export function detectableDifference(pairs: number, discordant: number): number | null {
  if (!(pairs >= 0) || !(discordant >= 0 && discordant <= 1)) {
    throw new RangeError(`detectableDifference: ${pairs} pairs, ${discordant} discordant`);
  }
  // With everything discordant one way (δ = 1) the equation asks for √n ≥ z_α.
  if (pairs < Z95 * Z95) return null;
  const root = Z80 * Math.sqrt(pairs + Z80 * Z80 - Z95 * Z95);
  const difference = (Math.sqrt(discordant) * (Z95 * Math.sqrt(pairs) + root)) / (pairs + Z80 * Z80);
  if (discordant > 0 && difference <= discordant) return difference;
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (Math.sqrt(pairs * middle) < Z95 + Z80 * Math.sqrt(1 - middle)) low = middle;
    else high = middle;
  }
  return high;
}
