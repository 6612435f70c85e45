/** Routes and topics of the window's "models" view. */
import { z } from 'zod';
import { AdapterView, MergeEvent, NewModelName } from '../adapter-list.ts';
import { Prompting } from '../config.ts';
import { DownloadEvent } from '../hub-model.ts';
import { AnswerEvent, AnswerSampling, LONGEST_ANSWER } from '../model-answer.ts';
import { FitWork, ModelFit } from '../model-fit.ts';
import { LineageStep, ModelCheck, ModelDescription } from '../model-inspection.ts';
import { ModelEntry, ModelId, ModelList } from '../model-list.ts';
import { PromptRequest, RenderedPrompt } from '../prompt-view.ts';
import { Question } from '../question.ts';

/** A description with its place in the list. */
export const ModelView = ModelDescription.extend({
  entry: ModelEntry,
  lineage: z.array(
    LineageStep.extend({
      /** The run is in the folder that is shown. */
      here: z.boolean(),
      /** The model that it started from, where that is in the list. */
      from_id: ModelId.nullable(),
    }),
  ),
});
export type ModelView = z.infer<typeof ModelView>;

export const QuestionSet = z.object({ spec: z.string(), name: z.string(), split: z.string(), count: z.number().int().nullable() });
export type QuestionSet = z.infer<typeof QuestionSet>;

/** `prompting` absent: as the run that wrote the model asked, else the default. */
const ask = { ...PromptRequest.shape, prompting: Prompting.optional(), model: ModelId };

export const modelsRoutes = {
  'models.list': { input: z.strictObject({}), output: ModelList },
  /** The state of models of the list; one that is not in it is left out. Takes a while the first time. */
  'models.check': {
    input: z.strictObject({ models: z.array(ModelId).max(10_000) }),
    output: z.array(ModelCheck.omit({ model: true }).extend({ id: ModelId })),
  },
  'models.inspect': { input: z.strictObject({ model: ModelId }), output: ModelView },
  /** Memory by backend and use, for one step of `work`. */
  'models.fit': { input: z.strictObject({ model: ModelId, work: FitWork.prefault({}) }), output: ModelFit },
  /** Every adapter at hand, beside this model. */
  'models.adapters': { input: z.strictObject({ model: ModelId }), output: z.array(AdapterView) },
  /** Takes a folder that lies elsewhere into the list; `model` null: it is an adapter. */
  'models.add_folder': { input: z.strictObject({ path: z.string().min(1).max(4096) }), output: z.object({ model: ModelId.nullable() }) },
  /** Takes such a folder off the list; its files stay. */
  'models.remove_link': { input: z.strictObject({ model: ModelId }), output: z.strictObject({}) },
  /** A question as the model gets it. */
  'models.render': { input: z.strictObject(ask), output: RenderedPrompt },
  /** Splits that questions can be taken from. */
  'models.question_sets': { input: z.strictObject({}), output: z.array(QuestionSet) },
  /** Some questions of one, drawn by a seed. */
  'models.questions': {
    input: z.strictObject({
      data: z.string(),
      search: z.string().max(1000).default(''),
      /** Only the question of this id. */
      id: z.string().optional(),
      n: z.number().int().min(1).max(100).default(20),
      seed: z.number().int().min(0).default(0),
    }),
    output: z.array(Question),
  },
} as const;

export const modelsTopics = {
  /** One answer, as it is written; ends with it. Stops when it is no longer followed. */
  'models.generate': {
    input: z.strictObject({
      ...ask,
      sampling: AnswerSampling.prefault({}),
      max_completion_length: z.number().int().min(1).max(LONGEST_ANSWER).default(256),
    }),
    item: AnswerEvent,
  },
  /** Writes a model with an adapter merged in, as a new one of the list; ends with it. Stopped, it leaves nothing. */
  'models.merge': { input: z.strictObject({ model: ModelId, adapter: ModelId, name: NewModelName }), item: MergeEvent },
  /** Fetches a model from the Hugging Face Hub; ends with it. Stops when it is no longer followed, and goes on there the next time. */
  'models.download': { input: z.strictObject({ name: z.string().trim().min(1).max(500) }), item: DownloadEvent },
} as const;
