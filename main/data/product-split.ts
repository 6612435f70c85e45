/**
 * Which split a product belongs to. Every two-factor product that a generated problem uses, second products, divisions
 * (189 / 3 is the product 63 × 3) and drills included, is in one split only, so that no held-out result was ever seen in training.
 */
import { streamKey } from '../../shared/random.ts';

/**
 * `supervised`: what the embedded model was made from. `train`: what reinforcement learning practises on, products that the supervised
 * model has never seen, so that a reward tells what generalises from what was learnt by heart. `validation` selects, `test` reports.
 */
export const GENERATED_SPLITS = ['supervised', 'train', 'validation', 'test'] as const;
export type GeneratedSplit = (typeof GENERATED_SPLITS)[number];

/** Names of the splits' random streams, which fix every question: the embedded model's corpus hangs on them. */
export const SPLIT_STREAM: Readonly<Record<GeneratedSplit, string>> = {
  supervised: 'train',
  train: 'validation',
  validation: 'selection',
  test: 'report',
};

export type Factors = readonly [number, number];

/** Drops the decimal point and trailing zeros: 60 → 6, 2.5 → 25. What is left is the digits that must be multiplied. */
function significantDigits(value: number): number {
  let digits = Number(String(Math.abs(value)).replace('.', ''));
  while (digits !== 0 && digits % 10 === 0) digits /= 10;
  return digits;
}

/** A fixed hash of a name: 70 % supervised, 10 % each train, validation and test. */
export function splitOfName(name: string): GeneratedSplit {
  const bucket = streamKey(name)[0] % 10;
  if (bucket < 7) return 'supervised';
  return bucket === 7 ? 'train' : bucket === 8 ? 'validation' : 'test';
}

/** A product by the digits that must be multiplied, smaller factor first: 63 × 30 is `3x63`. */
export function productName([a, b]: Factors): string {
  return [significantDigits(a), significantDigits(b)].sort((x, y) => x - y).join('x');
}

/** Products with a formula's constant (72 × creatinine, the square of a height): known facts, as the times table is. */
const FORMULA_FACTS = new Set(['2x72', '8x72', '9x72', '12x72', '15x72', '15x15', '16x16', '17x17', '18x18', '19x19']);

/** Creatinine clearance of women multiplies what is found on the way by 0.85: products with 85 may turn up in every split's solutions. */
const LOOSE_FACTOR = 85;

/**
 * The other constants of the formulas (squares of heights, 72 × creatinine): a quotient that is rounded to one digit, and its check, spread
 * their products with one digit over every split ("8633/144 is about 60").
 */
const LOOSE_WITH_ONE_DIGIT = new Set([72, 108, 144, 225, 256, 289, 324, 361, 576, 648, 864]);

const isLoose = ([a, b]: readonly [number, number]): boolean =>
  a === LOOSE_FACTOR || b === LOOSE_FACTOR || (a < 10 && LOOSE_WITH_ONE_DIGIT.has(b)) || (b < 10 && LOOSE_WITH_ONE_DIGIT.has(a));

/**
 * The split of a product, or null for what every split may use: the times table (both factors have one significant digit), and products
 * with a formula's constant. `nobody`: no split may ask for it, since it cannot be kept out of the others.
 */
export function splitOfProduct(factors: Factors): GeneratedSplit | 'nobody' | null {
  const name = productName(factors);
  const digits = [significantDigits(factors[0]), significantDigits(factors[1])] as const;
  if (Math.max(...digits) < 10 || FORMULA_FACTS.has(name)) return null;
  const split = splitOfName(`product/${name}`);
  return isLoose(digits) && split !== 'supervised' ? 'nobody' : split;
}

/** Whether a problem with these products may stand in `split`: at least one product is held by a split, and all that are, by this one. */
export function productsBelongTo(split: GeneratedSplit, products: readonly Factors[]): boolean {
  const held = products.map(splitOfProduct).filter((s) => s !== null);
  return held.length > 0 && held.every((s) => s === split);
}
