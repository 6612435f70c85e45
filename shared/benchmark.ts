/** What `medlogictrace bench --json` and each script below test/bench say. Timings of one run on one machine: only ratios travel. */
import { z } from 'zod';

export const BenchmarkRow = z.object({
  what: z.string(),
  unit: z.string(),
  ours: z.number(),
  /** The same work done by what it is measured against; null where that is not installed. */
  theirs: z.number().nullable(),
  /** ours ÷ theirs. */
  ratio: z.number().nullable(),
  /** The ratio aimed at. */
  aim: z.number().nullable(),
});
export type BenchmarkRow = z.infer<typeof BenchmarkRow>;

export const Benchmark = z.object({
  name: z.string(),
  what: z.string(),
  /** What both sides share: model, threads, dtype. */
  conditions: z.record(z.string(), z.union([z.string(), z.number()])),
  rows: z.array(BenchmarkRow),
  notes: z.array(z.string()).default([]),
});
export type Benchmark = z.infer<typeof Benchmark>;

export const BenchmarkReport = z.object({
  time: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.number(), platform: z.string(), node: z.string() }),
  benchmarks: z.array(Benchmark),
});
export type BenchmarkReport = z.infer<typeof BenchmarkReport>;
