/** Shades for the probability of a token: the less probable, the stronger. */

/** From probable to improbable; a token has the first shade whose `least` it reaches. `words` for the legend. */
export const SHADES = [
  { least: 0.9, words: '0.9 and more' },
  { least: 0.6, words: '0.6 to 0.9' },
  { least: 0.3, words: '0.3 to 0.6' },
  { least: 0.1, words: '0.1 to 0.3' },
  { least: 0, words: 'below 0.1' },
] as const;

/** Place in `SHADES` of a natural log-probability. */
export function shadeOf(logprob: number): number {
  const probability = Math.exp(logprob);
  const place = SHADES.findIndex(({ least }) => probability >= least);
  return place < 0 ? SHADES.length - 1 : place;
}
