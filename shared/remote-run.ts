/**
 * A run that is carried out on another machine and read from here: what its local mirror keeps beside the run's own files
 * (`remote.json`), and what is asked of a machine about its runs (main/machine/attend.ts), a JSON line each way.
 */
import { z } from 'zod';
import { ControlVerb } from './run-record.ts';

const count = z.number().int().min(0);
const presence = z.enum(['alive', 'gone', 'unknown']);

/** Names that a file of a run folder may have in a mirror: one plain part, so that nothing there can lead elsewhere here. */
export const MirrorName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

/** What the machine itself proved or counted when it was last asked; `waiting`: its place in the queue there, 1 is next. */
export const RunSign = z.object({
  /** Whether the process of the run's `pid` file runs there, by pid, start time and boot id. */
  process: presence,
  pid: z.number().int().positive().nullable(),
  /** The same of the launcher, which starts a lost runner again or writes its end. */
  launcher: presence.nullable(),
  heartbeat: count.nullable(),
  waiting: z.number().int().positive().nullable(),
});
export type RunSign = z.infer<typeof RunSign>;

/** `remote.json` of a mirror. Times are of this computer's clock; nothing is concluded from a clock of the machine. */
export const RemoteRun = z.object({
  version: z.literal(1),
  machine: z.string().min(1),
  /** The run's folder there. */
  folder: z.string().min(1),
  /** When the machine last answered about this run; null: not yet. */
  last_contact: z.string().nullable(),
  sign: RunSign.nullable(),
  /** Whether the heartbeat was seen to move at the last contact. */
  beating: z.boolean(),
  /** Bytes mirrored of each file that only grows. */
  offsets: z.record(z.string(), count),
  /** The run has ended and every file here was proved equal to the one there. */
  complete: z.boolean(),
  /** Places where numbers of events were missing or came twice; empty for a sound mirror. */
  gaps: z.array(z.object({ expected: z.number(), found: z.number() })),
  /** What was wrong with the mirror or the machine's answers at last, in words. */
  trouble: z.string().nullable(),
});
export type RemoteRun = z.infer<typeof RemoteRun>;

/** Files of a run folder that only ever grow; all others are replaced whole. */
export const GROWING: readonly string[] = ['completions.jsonl', 'log.txt', 'control.jsonl', 'telemetry.jsonl', 'events.jsonl'];
/** Files that belong to one side only. */
export const NOT_MIRRORED: readonly string[] = ['remote.json', 'adopted.json', 'launch.json'];
/** A file that is replaced whole and is larger than this is left there, and said. */
export const LARGEST_FILE = 64 << 20;

/** How many graphics processors a run takes: all of the machine, or so many. */
export const GpuShare = z.union([z.literal('all'), z.number().int().min(1).max(1024)]);
export type GpuShare = z.infer<typeof GpuShare>;

/** How a run is started there: kept as `launch.json` in its folder, so that a resume starts it the same way. */
export const LaunchPlan = z.object({
  gpus: GpuShare.default('all'),
  /** How often the launcher starts a runner again that was killed or lost its engine. */
  auto_resume: count.max(100).default(1),
  /** Added to the environment: where data sets were put. No secrets. */
  env: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;

/** Where the places of a machine are handed out. */
const queue = z.string().min(1);
const runs = z.string().min(1);
const folder = z.string().min(1);

/** What a mirror has of a file: bytes, and the SHA-256 of the last 64 kB of them, which the machine compares with its own. */
const Have = z.object({ bytes: count, end_sha256: z.string().nullable() });
export const PROVED_END = 65_536;

const Watched = z.object({
  /** Stands in the answers for this run. */
  key: count,
  folder,
  growing: z.record(z.string(), Have),
  /** SHA-256 of the files that are replaced whole. */
  whole: z.record(z.string(), z.string()),
});
export type Watched = z.infer<typeof Watched>;

export const QueueEntry = z.object({
  run: z.string(),
  folder: z.string(),
  state: z.enum(['waiting', 'running']),
  gpus: GpuShare,
  /** The places that it has: GPU numbers, or slot numbers where there are no GPUs. */
  slots: z.array(count),
  since: z.string(),
});
export type QueueEntry = z.infer<typeof QueueEntry>;

export const QueueView = z.object({
  slots: z.number().int().min(1),
  /** What a slot is. */
  kind: z.enum(['gpu', 'slot']),
  /** Running first, then waiting in their order. */
  entries: z.array(QueueEntry),
  scheduler: z.object({ pid: z.number().int().positive() }).nullable(),
});
export type QueueView = z.infer<typeof QueueView>;

export const FoundRun = z.object({
  run: z.string(),
  folder: z.string(),
  /** Text of its `run.json`. */
  record: z.string(),
  exit: z.string().nullable(),
  sign: RunSign,
  /** Bytes of `events.jsonl`. */
  events: count,
});
export type FoundRun = z.infer<typeof FoundRun>;

export const FileProof = z.object({ name: z.string(), bytes: count, sha256: z.string() });
export type FileProof = z.infer<typeof FileProof>;

/** Questions with one answer. */
export const attendVerbs = {
  /** The runs of a folder. One that cannot be read is left out. */
  runs: { input: z.strictObject({ runs, queue }), output: z.object({ runs: z.array(FoundRun) }) },
  /** Starts the run, at once or when a place is free; asked again it starts nothing. */
  start: {
    input: z.strictObject({
      folder,
      queue,
      /** Null: as it was started before. */
      plan: LaunchPlan.nullable(),
      /** Goes on with a run that has ended; else one that was ever begun is left alone. */
      resume: z.boolean(),
      /** Waits for a place; else it is refused where none is free. */
      wait: z.boolean(),
      /** The runner's program; a test brings its own. */
      runner: z.string().optional(),
    }),
    output: z.object({
      /** `begun`: a runner has it. `waiting`: no place is free. `was_started`: nothing was done. `ended`: it ended before it had begun. */
      outcome: z.enum(['begun', 'waiting', 'was_started', 'ended']),
      place: z.number().int().positive().nullable(),
      said: z.string(),
    }),
  },
  /** Appends a line to `control.jsonl` once; a `stop` of a run that waits takes it out of the queue. */
  control: {
    input: z.strictObject({ folder, queue, verb: ControlVerb, time: z.string() }),
    output: z.object({ sign: RunSign, exit: z.string().nullable() }),
  },
  /** SHA-256 of the files of a run folder, its checkpoints and model left out; or of one folder below it with all in it. */
  proof: { input: z.strictObject({ folder, below: z.string().nullable() }), output: z.object({ files: z.array(FileProof) }) },
  queue: { input: z.strictObject({ queue }), output: QueueView },
  /** Sets how many runs of one place a machine without GPUs carries out side by side. */
  slots: { input: z.strictObject({ queue, slots: z.number().int().min(1).max(1024) }), output: QueueView },
} as const;
export type AttendVerb = keyof typeof attendVerbs;
export type AttendInput<V extends AttendVerb> = z.input<(typeof attendVerbs)[V]['input']>;
export type AttendOutput<V extends AttendVerb> = z.output<(typeof attendVerbs)[V]['output']>;

/** What `watch` is asked; its answers are `WatchFrame`s until `end`. */
export const WatchRequest = z.strictObject({
  queue,
  runs: z.array(Watched),
  /** It ends after so many milliseconds or bytes, and is asked again: a forgotten watcher goes by itself. */
  last_ms: count,
  last_bytes: count,
  poll_ms: z.number().int().min(10),
});
export type WatchRequest = z.infer<typeof WatchRequest>;

const key = count;
const base64 = z.base64();
export const WatchFrame = z.discriminatedUnion('kind', [
  /** The next bytes of a file that grows, from byte `at` on. */
  z.object({ kind: z.literal('grown'), key, name: MirrorName, at: count, data: base64 }),
  /** A piece of a file that is replaced whole; with the last piece comes the SHA-256 of all. */
  z.object({ kind: z.literal('whole'), key, name: MirrorName, at: count, data: base64, sha256: z.string().nullable() }),
  z.object({ kind: z.literal('removed'), key, name: MirrorName }),
  /** What the mirror has of it is not how it begins there. */
  z.object({ kind: z.literal('differs'), key, name: MirrorName }),
  z.object({ kind: z.literal('note'), key, text: z.string() }),
  /** All that was to be seen in one look has been sent; what was proved meanwhile. `last`: the run has ended. */
  z.object({ kind: z.literal('look'), key, sign: RunSign, last: z.boolean() }),
  /** The folder cannot be read. */
  z.object({ kind: z.literal('unreadable'), key, text: z.string() }),
  z.object({ kind: z.literal('end') }),
]);
export type WatchFrame = z.infer<typeof WatchFrame>;

/** What `attend` prints: for a question one line of `ok` or `error`. */
export const AttendReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ok'), data: z.unknown() }),
  z.object({ kind: z.literal('error'), code: z.enum(['input', 'failed']), message: z.string(), field: z.string().optional() }),
]);
export type AttendReply = z.infer<typeof AttendReply>;
