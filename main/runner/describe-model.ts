/** What a checkpoint is, read from its files without running it. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import type { LineageStep, ModelDescription, ModelInspection } from '../../shared/model-inspection.ts';
import type { Question } from '../../shared/question.ts';
import { hashCheckpoint } from '../policy/checkpoint.ts';
import { isFile } from '../policy/json-file.ts';
import { type ModelConfig, readModelConfig } from '../policy/model-config.ts';
import { EMBEDDED_MODELS, locateModel } from '../policy/model-location.ts';
import { checkTokenizerFits, loadTokenizer } from '../policy/tokenizer.ts';
import { findWeights, streamWeights } from '../policy/weight-files.ts';
import { readWeightHeaders } from '../policy/weight-headers.ts';
import { checkpointState } from './checkpoint-state.ts';
import { runsBehind } from './lineage.ts';
import { renderQuestion } from './prompt-pieces.ts';

/** Hashes of folders whose weights are finite numbers, as long as their files are the same: gigabytes must not be read at every look at them. */
const hashes = new Map<string, { state: string; hash: string }>();

async function knownHash(folder: string, config: ModelConfig): Promise<string> {
  const state = await checkpointState(folder);
  const known = hashes.get(folder);
  if (known?.state === state) return known.hash;
  await streamWeights(await findWeights(folder, config), () => undefined);
  const hash = await hashCheckpoint(folder);
  hashes.set(folder, { state, hash });
  return hash;
}

/** Reads config, weights and tokenizer of a model and checks that all fit. Errors: InputError naming the file and the finding. */
export async function inspectCheckpoint(model: string): Promise<ModelInspection> {
  const folder = locateModel(model);
  const config = await readModelConfig(folder);
  const weights = await readWeightHeaders(folder, config);
  const tokenizer = await loadTokenizer(folder);
  checkTokenizerFits(tokenizer, config);
  return {
    model,
    folder,
    hash: await knownHash(folder, config),
    architecture: config.architecture,
    parameters: weights.parameters,
    layers: config.num_hidden_layers,
    hidden_size: config.hidden_size,
    attention_heads: config.num_attention_heads,
    key_value_heads: config.num_key_value_heads,
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    tied_embeddings: config.tie_word_embeddings,
    dtype: weights.dtypes,
    bytes: weights.bytes,
    tokenizer: {
      size: tokenizer.vocabularySize,
      stop: tokenizer.stopIds.map((id) => ({ id, token: tokenizer.tokenOf(id) ?? '' })),
      chat_template: tokenizer.chatTemplate !== null,
    },
  };
}

/** Shown through a model's own template: short, with options and an instruction, as most questions are. */
export const EXAMPLE_QUESTION: Question = {
  id: 'example',
  dataset: 'example',
  split: 'example',
  kind: 'letter',
  question: 'Which vitamin prevents scurvy?',
  options: ['Vitamin A', 'Vitamin B12', 'Vitamin C', 'Vitamin D'],
  gold: 'C',
};

/** Characters of a model card that are shown. */
const CARD_LIMIT = 200_000;

async function cardOf(model: string, folder: string): Promise<ModelDescription['card']> {
  const path = join(Object.hasOwn(EMBEDDED_MODELS, model) ? dirname(folder) : folder, 'README.md');
  if (!(await isFile(path))) return null;
  const text = await readFile(path, 'utf8');
  return { text: text.slice(0, CARD_LIMIT), whole: text.length <= CARD_LIMIT };
}

async function lineageSteps(folder: string): Promise<LineageStep[]> {
  const runs = await runsBehind(folder);
  return runs.map(({ id, config, splits, model }) => ({
    run: id,
    kind: config.kind,
    name: config.name ?? null,
    trained_on: splits.trained_on,
    selected_on: splits.selected_on,
    from: Object.entries(EMBEDDED_MODELS).find(([, at]) => at === model.path)?.[0] ?? model.path,
  }));
}

/** All that the window shows of a model. Errors: as `inspectCheckpoint`; a lineage that cannot be read is told, not thrown. */
export async function describeModel(model: string): Promise<ModelDescription> {
  const inspection = await inspectCheckpoint(model);
  const tokenizer = await loadTokenizer(inspection.folder);
  let lineage: LineageStep[] = [];
  let problem: string | null = null;
  try {
    lineage = await lineageSteps(inspection.folder);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problem = error.message;
  }
  return {
    ...inspection,
    example: renderQuestion(tokenizer, inspection.context, EXAMPLE_QUESTION),
    template: tokenizer.chatTemplate,
    card: await cardOf(model, inspection.folder),
    lineage,
    lineage_problem: problem,
  };
}
