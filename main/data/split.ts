/**
 * Fixed division of a source that has one split only. The share depends on the id alone, so it is the same on every
 * machine, for any subset of the rows and in any order.
 */
import { createHash } from 'node:crypto';

/** Share of a source with one split only (MedMCQA dev) that becomes `validation`; the rest is `test`. */
export const SINGLE_SPLIT_VALIDATION_SHARE = 0.5;
/** Share of the PubMedQA questions outside the official test that becomes `validation`; the rest is `train`. */
export const PUBMEDQA_VALIDATION_SHARE = 0.2;
/** Share of GSM8K train that becomes `validation`; the rest stays `train`. */
export const GSM8K_VALIDATION_SHARE = 0.1;

/** A number in [0, 1) from an id: the first 32 bits of SHA-256 of `split:<source>:<id>`. */
export function splitFraction(source: string, id: string): number {
  const digest = createHash('sha256').update(`split:${source}:${id}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

/** Whether the fixed hash puts this id into `validation`. */
export const inValidation = (source: string, id: string, share: number): boolean => splitFraction(source, id) < share;

/** The split of an id where a source is divided by shares, in their order; what the shares leave over falls to the last. */
export function splitByShares(source: string, id: string, shares: Readonly<Record<string, number>>): string {
  const fraction = splitFraction(source, id);
  const names = Object.keys(shares);
  let below = 0;
  for (const name of names) {
    below += shares[name] ?? 0;
    if (fraction < below) return name;
  }
  const last = names.at(-1);
  if (last === undefined) throw new RangeError('a division by shares needs at least one share');
  return last;
}
