/** Everything that can be wrong with a run, found before its folder is made; and the record that freezes it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RunConfig, SftConfig } from '../../shared/config.ts';
import { GRADER_VERSION } from '../../shared/grading/grader.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { mean } from '../../shared/statistics/describe.ts';
import { openDataset } from '../data/catalogue.ts';
import { type Dataset, makeDataset } from '../data/dataset.ts';
import { parametersOf } from '../policy/expected-tensors.ts';
import { targetModules } from '../policy/lora.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { enginePins } from '../policy/torch/python-program.ts';
import type { NewRunRecord } from './create-run.ts';
import { checkEvaluateConfig, checkQuestions, promptingOf } from './evaluation-plan.ts';
import { withBackend } from './fastest-backend.ts';
import { openExamples } from './few-shot.ts';
import { checkMemory, type PromptLengths } from './memory-check.ts';
import { checkCheckpointing, inspectModel } from './open-model.ts';
import { checkRewards } from './rewards/registry.ts';
import { checkPromptsFit, promptIds } from './rollout.ts';
import { supervisedSequences } from './sft.ts';

/** The first `limit` questions, with a hash of their own. Errors: InputError where there are none. */
export function limited(data: Dataset, limit: number | undefined): Dataset {
  if (limit === undefined || limit >= data.questions.length) return data;
  const { hash: _, ...rest } = data;
  return makeDataset({ ...rest, questions: data.questions.slice(0, limit) });
}

/** A data set of a config; what is wrong with it is said of the setting that names it. */
async function openNamed(spec: string, field: string): Promise<Dataset> {
  try {
    return await openDataset(spec);
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.message, field) : error;
  }
}

/** The data sets of a run, as its config limits them. */
export async function openRunData(config: RunConfig): Promise<{ train?: Dataset; validation?: Dataset; test?: Dataset }> {
  if (config.kind === 'evaluate') return { test: limited(await openNamed(config.data.test, 'data.test'), config.data.limit) };
  const train = limited(await openNamed(config.data.train, 'data.train'), config.data.train_limit);
  const validation = limited(await openNamed(config.data.validation, 'data.validation'), config.data.validation_limit);
  if (train.name === validation.name && train.split === validation.split) {
    throw new InputError(
      `data.validation: "${config.data.validation}" is the training split itself; what selects must not be what trains. Name another split`,
      'data.validation',
    );
  }
  return { train, validation };
}

async function gitRevision(): Promise<string | null> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  try {
    return (await promisify(execFile)('git', ['-C', root, 'rev-parse', 'HEAD'])).stdout.trim();
  } catch {
    // An installed program has no repository: the version tells what it is.
    return null;
  }
}

function versions(config: RunConfig): Record<string, string> {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return {
    medlogictrace: own.version,
    node: process.versions.node,
    tfjs: own.dependencies['@tensorflow/tfjs-core'] ?? 'unknown',
    grader: GRADER_VERSION,
    ...(config.backend === 'torch' ? enginePins() : {}),
  };
}

/** Errors: InputError where the backend cannot do what the config asks of training. */
function checkTraining(config: Exclude<RunConfig, { kind: 'evaluate' }>): void {
  checkCheckpointing(config.backend, config.gradient_checkpointing);
  if (config.use_peft) targetModules(config.lora_target_modules);
}

/** Errors: InputError naming the first question that has no solution, or is longer with it than max_length or the model's context. */
function checkSolutionsFit(config: SftConfig, tokenizer: Tokenizer, questions: readonly Question[], context: number): void {
  supervisedSequences(config, tokenizer, questions).forEach(({ prompt, completion }, i) => {
    const length = prompt.length + completion.length;
    if (length <= context) return;
    const { id, dataset } = questions[i] as Question;
    throw new InputError(
      `question ${id} of ${dataset}: prompt and solution have ${length} tokens and the model's context is ${context}; leave the question out, or use a model with a longer context`,
      'data',
    );
  });
}

/** Prompts of a set that are looked at for how long they are. */
const LOOKED_AT = 16;

async function promptLengths(config: RunConfig, tokenizer: Tokenizer, data: Dataset): Promise<PromptLengths> {
  const { questions } = data;
  const some = questions.filter((_, i) => i % Math.ceil(questions.length / LOOKED_AT) === 0);
  const examples = config.kind === 'evaluate' ? await openExamples(config, data) : null;
  const prompting = config.kind === 'evaluate' ? promptingOf(config) : config.prompt;
  return {
    mean: mean(some.map((question) => promptIds(question, tokenizer, prompting, examples?.of(question)).length)),
    questions: questions.length,
  };
}

export interface PrepareOptions {
  /** It is carried out on another machine, which checks it against its own memory. @default false */
  elsewhere?: boolean;
  /** Called with the backend that `auto` came to, and why; and with a context that cuts answers. */
  tell?: ((line: string) => void) | undefined;
}

/** Checks model, tokenizer, data, prompts, rewards and memory of a config. Errors: InputError naming field, value and fix; nothing is written. */
export async function prepareRun(asked: RunConfig, { elsewhere = false, tell }: PrepareOptions = {}): Promise<NewRunRecord> {
  // run.json names what computes, so that a resumed run meets the same. Another machine measures for itself when its run is made there.
  const config = elsewhere ? asked : await withBackend(asked, { tell });
  if (config.kind !== 'evaluate') checkTraining(config);
  if (config.kind === 'train') checkRewards(config.rewards);
  const model = await inspectModel(config.model);
  const data = await openRunData(config);
  const sets = Object.values(data).filter((d) => d !== undefined);
  const context = model.config.max_position_embeddings;
  let longest = 0;
  for (const set of sets) {
    if (config.kind === 'evaluate') {
      checkEvaluateConfig(config, set.questions);
      longest = Math.max(longest, checkQuestions(set.questions, model.tokenizer, config, await openExamples(config, set), context));
    } else if (config.kind === 'sft') checkSolutionsFit(config, model.tokenizer, set.questions, context);
    else {
      const prompts = set.questions.map((q) => promptIds(q, model.tokenizer, config.prompt));
      longest = Math.max(longest, checkPromptsFit(set.questions, prompts, context));
    }
  }
  if (config.kind !== 'sft' && longest + config.max_completion_length > context && longest > 0) {
    tell?.(
      `the model's context is ${context} tokens and the longest prompt has ${longest}: its answer ends after ${context - longest}, not after max_completion_length ${config.max_completion_length}; choose a model with a longer context where that is too short`,
    );
  }
  const parameters = parametersOf(model.config);
  checkMemory(config, { config: model.config, parameters }, await promptLengths(config, model.tokenizer, sets[0] as Dataset), elsewhere);
  const name = (set: Dataset | undefined) => (set ? `${set.name}:${set.split}` : null);
  return {
    config,
    seed: config.seed,
    versions: versions(config),
    git_revision: await gitRevision(),
    model: { path: model.folder, hash: model.hash, parameters },
    data: sets.map((d) => ({ name: d.name, split: d.split, hash: d.hash, n: d.questions.length })),
    splits: {
      trained_on: name(data.train),
      selected_on: 'early_stopping' in config && config.early_stopping ? name(data.validation) : null,
      reported_on: name(data.test),
    },
  };
}
