/**
 * Whether questions of one set stand in another: the same text after normalisation, or 13 words in a row that both hold.
 *
 * The rule is GPT-3's (Brown et al. 2020, arXiv 2005.14165, section 4 and appendix C): words in lower case without punctuation, n = 13.
 * A passage of fewer than 13 words is one gram as a whole, so it matches only a passage that is equal to it.
 * Passages are each context, and the question followed by its options; no gram runs from one passage into another.
 */
import { z } from 'zod';
import type { Question } from './question.ts';
import { streamKey } from './random.ts';

/** Words of a gram. */
export const GRAM_WORDS = 13;

const Pair = z.object({ a: z.string(), b: z.string() });

export const ContaminationFinding = z.object({
  /** Questions of each side: `a` trains or is looked through, `b` tests. */
  a: z.number().int(),
  b: z.number().int(),
  /** Questions of `b` whose text, options included in any order, stands in `a`; the first pairs of ids. */
  exact: z.object({ count: z.number().int(), share_of_b: z.number(), pairs: z.array(Pair) }),
  /** Questions of `b` that share a gram with `a`, the exact ones among them unless their options stand in another order. */
  ngram: z.object({
    n: z.number().int(),
    count: z.number().int(),
    share_of_b: z.number(),
    examples: z.array(Pair.extend({ gram: z.string() })),
  }),
  /** Ids of `b` that either rule names, for a result without them. At most 10,000; `affected` is the count. */
  affected: z.number().int(),
  ids: z.array(z.string()),
});
export type ContaminationFinding = z.infer<typeof ContaminationFinding>;

const SHOWN = 20;
const IDS = 10_000;

/** Words in lower case; punctuation separates words, except inside a number (`2.5`, `1,000`). */
export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/\d+(?:[.,]\d+)*|[\p{L}\p{N}\p{M}]+/gu) ?? [];

/** Lower case, one blank between words, no punctuation. */
export const normalText = (text: string): string => wordsOf(text).join(' ');

/** What two questions that are the same share: the normal text and the options' in any order. */
const exactKey = (q: Question): string => [normalText(q.question), ...(q.options ?? []).map(normalText).sort()].join('\n');

const passages = (q: Question): string[][] => [...(q.contexts ?? []), [q.question, ...(q.options ?? [])].join(' ')].map(wordsOf);

const MODULUS = 2_147_483_647;
const BASE = 48_271;

/** A number below 2³¹ − 1 for a word. */
const wordNumber = (() => {
  const known = new Map<string, number>();
  return (word: string): number => {
    let number = known.get(word);
    if (number === undefined) {
      number = streamKey(word)[0] % MODULUS;
      if (known.size < 500_000) known.set(word, number);
    }
    return number;
  };
})();

/** (a · b) mod 2³¹ − 1 without leaving exact integers: b is cut into 15 and 16 bits. */
const times = (a: number, b: number): number => (((a * (b >>> 15)) % MODULUS) * 32_768 + a * (b & 32_767)) % MODULUS;

const TOP = Array.from({ length: GRAM_WORDS - 1 }).reduce<number>((power) => times(power, BASE), 1);

/** Calls `see` with a hash and the place of every gram of a passage (Rabin-Karp: one step a word). */
function eachGram(words: readonly string[], see: (hash: number, start: number, length: number) => void): void {
  if (words.length === 0) return;
  let hash = 0;
  for (let i = 0; i < words.length; i++) {
    const leaves = words[i - GRAM_WORDS];
    if (leaves !== undefined) hash = (hash + MODULUS - times(wordNumber(leaves), TOP)) % MODULUS;
    hash = (times(hash, BASE) + wordNumber(words[i] as string)) % MODULUS;
    if (i >= GRAM_WORDS - 1) see(hash, i - GRAM_WORDS + 1, GRAM_WORDS);
  }
  // A short passage is one gram; its length keeps it apart from long ones.
  if (words.length < GRAM_WORDS) see((hash + words.length * 7919) % MODULUS, 0, words.length);
}

type Place = { test: number; passage: number; start: number; length: number };

/**
 * The grams of a test set, against which another set is held one question after the other: memory grows with the test set alone.
 * Hashes find candidates; words decide, so that no collision counts.
 */
export class OverlapIndex {
  private readonly tests: readonly Question[];
  private readonly exact = new Map<string, number[]>();
  private readonly grams = new Map<number, number | number[]>();
  private readonly places: Place[] = [];
  private readonly exactBy: (string | null)[];
  private readonly gramBy: boolean[];
  private readonly examples: { a: string; b: string; gram: string }[] = [];
  private seen = 0;

  constructor(tests: readonly Question[]) {
    this.tests = tests;
    this.exactBy = tests.map(() => null);
    this.gramBy = tests.map(() => false);
    tests.forEach((q, test) => {
      const key = exactKey(q);
      this.exact.set(key, [...(this.exact.get(key) ?? []), test]);
      passages(q).forEach((words, passage) => {
        eachGram(words, (hash, start, length) => this.keep(hash, { test, passage, start, length }));
      });
    });
  }

  private keep(hash: number, place: Place): void {
    const index = this.places.push(place) - 1;
    const before = this.grams.get(hash);
    if (before === undefined) this.grams.set(hash, index);
    else if (typeof before === 'number') this.grams.set(hash, [before, index]);
    else before.push(index);
  }

  /** Holds one question of the other set against the tests. */
  add(q: Question): void {
    this.seen++;
    for (const test of this.exact.get(exactKey(q)) ?? []) this.exactBy[test] ??= q.id;
    for (const words of passages(q)) {
      eachGram(words, (hash, start, length) => {
        const found = this.grams.get(hash);
        if (found !== undefined)
          for (const index of typeof found === 'number' ? [found] : found) this.compare(q, words, start, length, index);
      });
    }
  }

  private compare(q: Question, words: readonly string[], start: number, length: number, index: number): void {
    const place = this.places[index] as Place;
    if (this.gramBy[place.test] || place.length !== length) return;
    const test = this.tests[place.test] as Question;
    const theirs = passages(test)[place.passage] ?? [];
    for (let i = 0; i < length; i++) if (words[start + i] !== theirs[place.start + i]) return;
    this.gramBy[place.test] = true;
    if (this.examples.length < SHOWN) this.examples.push({ a: q.id, b: test.id, gram: words.slice(start, start + length).join(' ') });
  }

  finding(): ContaminationFinding {
    const n = this.tests.length;
    const pairs = this.tests.flatMap((q, index) => (this.exactBy[index] == null ? [] : [{ a: this.exactBy[index] as string, b: q.id }]));
    const ngram = this.gramBy.filter(Boolean).length;
    const affected = this.tests.filter((_, index) => this.exactBy[index] !== null || this.gramBy[index]);
    const share = (count: number): number => (n === 0 ? 0 : count / n);
    return {
      a: this.seen,
      b: n,
      exact: { count: pairs.length, share_of_b: share(pairs.length), pairs: pairs.slice(0, SHOWN) },
      ngram: { n: GRAM_WORDS, count: ngram, share_of_b: share(ngram), examples: this.examples },
      affected: affected.length,
      ids: affected.slice(0, IDS).map((q) => q.id),
    };
  }
}

/** Which questions of `test` stand in `train`, by text and by 13 words in a row. */
export function contaminationOf(train: readonly Question[], test: readonly Question[]): ContaminationFinding {
  const index = new OverlapIndex(test);
  for (const q of train) index.add(q);
  return index.finding();
}
