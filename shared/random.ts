/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
 * constants and test vectors from Random123). A value depends only on its key and counter, so what is drawn does not
 * depend on batch, order or machine.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of a 32 × 32 bit product. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const mid1 = aHigh * bLow + (low >>> 16);
  const mid2 = aLow * bHigh + (mid1 & 0xffff);
  return (aHigh * bHigh + Math.floor(mid1 / 65536) + Math.floor(mid2 / 65536)) >>> 0;
}

export type Block = [number, number, number, number];

/** Ten rounds of Philox4x32: counter (4 words) and key (2 words) to four words, all unsigned 32-bit. */
export function philox4x32(counter: Readonly<Block>, key: readonly [number, number]): Block {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a over the UTF-8 bytes of a name, two 32-bit lanes with different offsets: names a stream, not a secret. */
export function streamKey(name: string): [number, number] {
  const bytes = new TextEncoder().encode(name);
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193) >>> 0;
    b = Math.imul(b ^ byte, 0x01000193) >>> 0;
    b = (b ^ (b >>> 15)) >>> 0;
  }
  return [a, b];
}

/** Uniform in [0, 1) with 24 bits, so that float32 holds it exactly. */
export const toUnit = (word: number): number => (word >>> 8) / 0x1000000;

/**
 * The uniform number that picks token `position` of sample `sample` of the prompt named `key` under `seed`.
 * The counter is (position, sample, key's two hash words); the Philox key is (seed, 0).
 */
export function tokenUniform(seed: number, key: readonly [number, number], sample: number, position: number): number {
  return toUnit(philox4x32([position >>> 0, sample >>> 0, key[0], key[1]], [seed >>> 0, 0])[0]);
}

/** A named, seeded stream whose position can be saved and restored. */
export class RandomStream {
  readonly name: string;
  readonly seed: number;
  private readonly words: readonly [number, number];
  /** Numbers drawn so far. */
  position: number;

  constructor(seed: number, name: string, position = 0) {
    this.seed = seed;
    this.name = name;
    this.words = streamKey(name);
    this.position = position;
  }

  /** Next uniform number in [0, 1). */
  next(): number {
    const index = this.position++;
    const block = philox4x32([index >>> 0, Math.floor(index / 2 ** 32), this.words[0], this.words[1]], [this.seed >>> 0, 1]);
    return toUnit(block[0]);
  }

  /** Whole number in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new RangeError(`stream ${this.name}: cannot pick from an empty list`);
    return item;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
