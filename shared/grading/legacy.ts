/** The grader of the project that this one follows, kept as a view so that a reader sees the difference. */

/** Right if the gold, lower-cased, occurs anywhere in the first 10 or 50 characters of the lower-cased answer. */
export const legacyCorrect = (text: string, gold: string, characters: 10 | 50): boolean =>
  text.toLowerCase().slice(0, characters).includes(gold.toLowerCase());
