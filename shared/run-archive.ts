/** A run as one file that travels: what the archive says of itself, and what `runs export` and `runs adopt` say with `--json`. */
import { z } from 'zod';

export const CheckpointChoice = z.enum(['all', 'last', 'none']);
export type CheckpointChoice = z.infer<typeof CheckpointChoice>;

/** First file of an archive, `<run>/archive.json`. The version changes when an older program could not read it. */
export const ArchiveManifest = z.object({
  format: z.literal('medlogictrace-run'),
  version: z.literal(1),
  run: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  exported: z.string(),
  checkpoints: CheckpointChoice,
  /** Every other file, in the order of the archive: path below the run's folder, `/` between folders. */
  files: z.array(z.object({ name: z.string(), bytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
export type ArchiveManifest = z.infer<typeof ArchiveManifest>;

/** `adopted.json` of a run that came out of an archive. */
export const Adoption = z.object({ time: z.string(), archive: z.string(), exported: z.string(), checkpoints: CheckpointChoice });
export type Adoption = z.infer<typeof Adoption>;

/** `runs export --json` */
export const RunExported = z.object({
  run: z.string(),
  file: z.string(),
  /** Of the archive, and of the files in it. */
  bytes: z.number(),
  content_bytes: z.number(),
  files: z.number(),
  checkpoints: z.array(z.string()),
});
export type RunExported = z.infer<typeof RunExported>;

/** `runs adopt --json` */
export const RunAdopted = z.object({
  run: z.string(),
  folder: z.string(),
  files: z.number(),
  bytes: z.number(),
  /** There is nothing left to do in it. */
  finished: z.boolean(),
  /** The step of the newest checkpoint that came along; null where the archive holds none. */
  checkpoint: z.number().nullable(),
});
export type RunAdopted = z.infer<typeof RunAdopted>;
