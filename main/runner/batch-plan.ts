/** Which questions go through the model together: of like length, and no more than memory holds. */

export interface Batch {
  /** Indices into the lengths given. */
  indices: number[];
  /** Tokens of the longest. */
  longest: number;
}

/** Indices of `lengths`, longest first, so that the batch that needs most memory comes first; equal ones keep their order. */
const longestFirst = (lengths: readonly number[]): number[] =>
  lengths.map((_, i) => i).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);

/**
 * Batches of at most `padded` tokens each, rows × the longest row, as a model that pads holds them; a single row may be longer.
 * @param lengths tokens of each row
 */
export function planBatches(lengths: readonly number[], padded: number): Batch[] {
  const batches: Batch[] = [];
  for (const index of longestFirst(lengths)) {
    const last = batches.at(-1);
    if (last && (last.indices.length + 1) * last.longest <= padded) last.indices.push(index);
    else batches.push({ indices: [index], longest: lengths[index] as number });
  }
  return batches;
}

/** Answers written at once where memory allows more; beyond it nothing is gained. */
const MOST_ROWS = 128;
/** Bytes of keys and values held at once where a policy cannot tell what it has. */
const CACHE_BYTES = 1 << 30;

export interface GenerationPlan extends Batch {
  /** Answers written at once: rows × longest × bytes a token stay within the memory given, one row at least. */
  rows: number;
}

/**
 * Groups for writing with a key-value cache, whose rows all have room for the longest of their group: no row of a group is shorter than
 * half its longest, so at most half of the cache is padding. Within a group a row that ends makes room for the next.
 * @param lengths tokens of prompt and longest answer of each row
 * @param tokenBytes bytes of keys and values that one token takes in all layers
 * @param memory bytes held now and at most, null where unknown (`PolicyInfo.memory`); a quarter of what is free may be taken
 */
export function planGeneration(
  lengths: readonly number[],
  tokenBytes: number,
  memory: { used: number | null; limit: number | null },
): GenerationPlan[] {
  const free = memory.limit === null ? CACHE_BYTES : Math.max(0, memory.limit - (memory.used ?? 0)) / 4;
  const bytes = Math.min(CACHE_BYTES, free);
  const groups: Batch[] = [];
  for (const index of longestFirst(lengths)) {
    const last = groups.at(-1);
    if (last && 2 * (lengths[index] as number) >= last.longest) last.indices.push(index);
    else groups.push({ indices: [index], longest: lengths[index] as number });
  }
  return groups.map((group) => ({ ...group, rows: Math.max(1, Math.min(MOST_ROWS, Math.floor(bytes / (tokenBytes * group.longest)))) }));
}
