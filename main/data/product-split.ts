/**
 * Which split a product belongs to. Every two-factor product that a generated problem uses, second products, divisions
 * (189 / 3 is the product 63 × 3) and drills included, is in one split only, so that no held-out result was ever seen in training.
 */
import { streamKey } from '../../shared/random.ts';

export type GeneratedSplit = 'train' | 'validation' | 'test';
export type Factors = readonly [number, number];

/** Drops the decimal point and trailing zeros: 60 → 6, 2.5 → 25. What is left is the digits that must be multiplied. */
function significantDigits(value: number): number {
  let digits = Number(String(Math.abs(value)).replace('.', ''));
  while (digits !== 0 && digits % 10 === 0) digits /= 10;
  return digits;
}

/** A fixed hash of a name: 70 % train, 10 % validation, 20 % test. */
export function splitOfName(name: string): GeneratedSplit {
  const bucket = streamKey(name)[0] % 10;
  return bucket < 7 ? 'train' : bucket < 8 ? 'validation' : 'test';
}

/** A product by the digits that must be multiplied, smaller factor first: 63 × 30 is `3x63`. */
export function productName([a, b]: Factors): string {
  return [significantDigits(a), significantDigits(b)].sort((x, y) => x - y).join('x');
}

/** Products with a formula's constant (72 × creatinine, the square of a height): known facts, as the times table is. */
const FORMULA_FACTS = new Set(['2x72', '8x72', '9x72', '12x72', '15x72', '15x15', '16x16', '17x17', '18x18', '19x19']);

/**
 * The split of a product, or null for what every split may use: the times table (both factors have one significant digit), and products with a formula's constant.
 */
export function splitOfProduct(factors: Factors): GeneratedSplit | null {
  const name = productName(factors);
  if (Math.max(...factors.map(significantDigits)) < 10 || FORMULA_FACTS.has(name)) return null;
  return splitOfName(`product/${name}`);
}

/** Whether a problem with these products may stand in `split`: at least one product is held by a split, and all that are, by this one. */
export function productsBelongTo(split: GeneratedSplit, products: readonly Factors[]): boolean {
  const held = products.map(splitOfProduct).filter((s) => s !== null);
  return held.length > 0 && held.every((s) => s === split);
}
