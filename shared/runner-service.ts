/**
 * The helper process of a shell: what needs a model or the runner's own code, in a process of its own, so that a model never lives in the
 * shell. One JSON object a line each way, checked on both sides; requests are numbered and may be cancelled.
 */
import { z } from 'zod';
import { AdapterInspection } from './adapter-list.ts';
import { AutoEvent, BackendList } from './backend-status.ts';
import { StoredConfig } from './config.ts';
import { DryRun } from './dry-run.ts';
import { DownloadEvent } from './hub-model.ts';
import { AnswerEvent, AnswerSampling, LONGEST_ANSWER } from './model-answer.ts';
import { FitWork, ModelFit } from './model-fit.ts';
import { ModelCheck, ModelDescription } from './model-inspection.ts';
import { AskedPrompt, PromptRequest, RenderedPrompt } from './prompt-view.ts';
import { Question } from './question.ts';
import { StartPoints } from './start-points.ts';

/** A name that the command line would take: an embedded model, or the path of a folder. Only the workbench names paths. */
const model = z.string().min(1);
/** A config as a file holds it: `extends` and left-out settings allowed. */
const config = z.record(z.string(), z.unknown());
/** The run is to be carried out on another machine: this one's memory does not bound it. */
const elsewhere = z.boolean().default(false);

const Resolved = DryRun.extend({
  /** Settings that were given by a name of an older version. */
  notes: z.array(z.string()),
});

/** Questions with one answer. */
export const serviceVerbs = {
  /** All of a model, with the prompt that it makes of an example. */
  'model.inspect': { input: z.strictObject({ model }), output: ModelDescription },
  /** Whether each can be used; never an error. */
  'model.check': { input: z.strictObject({ models: z.array(model) }), output: z.array(ModelCheck) },
  /** Whether it fits this machine, by backend and use. */
  'model.fit': { input: z.strictObject({ model, work: FitWork }), output: ModelFit },
  /** Each adapter beside a model; never an error of theirs. */
  'adapter.inspect': { input: z.strictObject({ model, adapters: z.array(model) }), output: z.array(AdapterInspection) },
  /** What `backends` gives. */
  'backends.list': { input: z.strictObject({}), output: BackendList },
  'prompt.render': { input: PromptRequest.extend({ model }), output: RenderedPrompt },
  /** What a run of this config put a question with, by the first of the tokenizers that can be used. */
  'prompt.asked': {
    input: z.strictObject({
      config: StoredConfig,
      question: Question,
      tokenizers: z.array(z.strictObject({ model, of: z.enum(['run', 'model']) })),
    }),
    output: AskedPrompt,
  },
  /** What a new config can begin with. */
  'config.start_points': { input: z.strictObject({}), output: StartPoints },
  /** What `run --dry-run --no-probe` gives. */
  'config.resolve': { input: z.strictObject({ config, elsewhere }), output: Resolved },
  /** What `run --dry-run` gives; tries the model for some seconds. */
  'config.estimate': { input: z.strictObject({ config, elsewhere }), output: Resolved },
  /** Makes the run folder, once for each `request`, however often it is asked; the run is not started. */
  'config.create': {
    input: z.strictObject({
      config,
      runs_dir: z.string().min(1),
      request: z.uuid(),
      /** The run's id; absent: made from time and name. */
      id: z.string().optional(),
    }),
    output: z.object({ run: z.string(), folder: z.string() }),
  },
} as const;

/** Questions with a stream of answers. */
export const serviceStreams = {
  'model.generate': {
    input: PromptRequest.extend({
      model,
      sampling: AnswerSampling.prefault({}),
      max_completion_length: z.number().int().min(1).max(LONGEST_ANSWER).default(256),
    }),
    item: AnswerEvent,
  },
  /** Writes a model with an adapter merged in to a new folder. */
  'adapter.merge': {
    input: z.strictObject({ model, adapter: model, folder: model }),
    item: z.object({ done: z.number().int(), total: z.number().int() }),
  },
  /** Tries each backend for a moment, as `backend: auto` does. */
  'backends.measure': { input: z.strictObject({}), item: AutoEvent },
  /** Fetches a model from the Hugging Face Hub; cancelled, it stops and can be gone on with. */
  'model.download': {
    input: z.strictObject({
      name: z.string().max(500),
      /** Null: none is set. */
      token: z.string().nullable(),
      /** Absent: as the environment of the process says. */
      endpoint: z.string().max(500).optional(),
      offline: z.boolean().optional(),
    }),
    item: DownloadEvent,
  },
} as const;

export type ServiceVerb = keyof typeof serviceVerbs;
export type VerbRequest<V extends ServiceVerb> = z.input<(typeof serviceVerbs)[V]['input']>;
export type VerbInput<V extends ServiceVerb> = z.output<(typeof serviceVerbs)[V]['input']>;
export type VerbOutput<V extends ServiceVerb> = z.output<(typeof serviceVerbs)[V]['output']>;
export type ServiceStream = keyof typeof serviceStreams;
export type StreamRequest<S extends ServiceStream> = z.input<(typeof serviceStreams)[S]['input']>;
export type StreamInput<S extends ServiceStream> = z.output<(typeof serviceStreams)[S]['input']>;
export type StreamItem<S extends ServiceStream> = z.output<(typeof serviceStreams)[S]['item']>;

export const isVerb = (name: string): name is ServiceVerb => Object.hasOwn(serviceVerbs, name);
export const isStream = (name: string): name is ServiceStream => Object.hasOwn(serviceStreams, name);

const id = z.number().int().min(1);

/** A line to the process. */
export const ServiceRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ask'), id, verb: z.string(), input: z.unknown() }),
  z.strictObject({ kind: z.literal('cancel'), id }),
]);
export type ServiceRequest = z.infer<typeof ServiceRequest>;

export const ServiceError = z.object({ code: z.enum(['input', 'failed']), message: z.string(), field: z.string().optional() });
export type ServiceError = z.infer<typeof ServiceError>;

/** A line from it. After `reply`, `end` or `error` nothing more comes under that number; a cancelled request ends without another line. */
export const ServiceReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reply'), id, data: z.unknown() }),
  z.object({ kind: z.literal('item'), id, item: z.unknown() }),
  z.object({ kind: z.literal('end'), id }),
  /** `id` null: the line itself could not be read. */
  z.object({ kind: z.literal('error'), id: id.nullable(), error: ServiceError }),
]);
export type ServiceReply = z.infer<typeof ServiceReply>;
