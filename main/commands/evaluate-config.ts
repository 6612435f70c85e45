/** From the options of `evaluate` to the config of one model on one data set. */
import { EvaluateConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import type { MachineOptions } from './machine-options.ts';

export interface EvaluateOptions extends MachineOptions {
  model?: string[];
  baseline?: string[];
  data?: string[];
  resume?: string[];
  mode?: string;
  limit?: number;
  seed: number;
  maxTokens: number;
  temperature?: number;
  topP: number;
  topK: number;
  samples?: number;
  fewShot?: number;
  fewShotData?: string;
  template?: string;
  budgets?: number[];
  rotateOptions?: boolean;
  prefix?: string;
  answerPrefix?: string;
  batchSize?: number;
  /** Absent: what the user has chosen, else the schema's. */
  backend?: string;
  runs?: string;
}

/** The train split of a data set that is named by itself; a file has to be named. */
function trainSplitOf(data: string): string {
  const name = data.split(':')[0] as string;
  if (/[/\\.]/.test(data))
    throw new InputError(`--few-shot needs --few-shot-data: "${data}" is a file; name a train split, as in gsm8k:train`, '--few-shot-data');
  return `${name}:train`;
}

/** The config of one model on one data set. Errors: InputError naming the option or setting. */
export function configOf(options: EvaluateOptions, model: string, data: string): EvaluateConfig {
  if (options.fewShotData !== undefined && options.fewShot === undefined) {
    throw new InputError('--few-shot-data says where examples come from; say how many with --few-shot', '--few-shot');
  }
  return parseInput(
    EvaluateConfig,
    {
      kind: 'evaluate',
      model,
      backend: options.backend,
      seed: options.seed,
      data: { test: data, limit: options.limit },
      mode: options.mode ?? 'generation',
      max_completion_length: options.maxTokens,
      temperature: options.temperature ?? (options.samples === undefined ? 0 : 1),
      top_p: options.topP,
      top_k: options.topK,
      samples: options.samples,
      few_shot: options.fewShot === undefined ? null : { k: options.fewShot, data: options.fewShotData ?? trainSplitOf(data) },
      budgets: options.budgets ?? [],
      rotate_options: options.rotateOptions ?? false,
      batch_size: options.batchSize,
      prompt: { prefix: options.prefix ?? '', answer_prefix: options.answerPrefix ?? '', template: options.template },
    },
    'evaluate',
  );
}
