/** Whether a model fits this machine, by backend and use, before any config is written. */
import { EvaluateConfig, type RunConfig, TrainConfig } from '../../shared/config.ts';
import type { FitUse, FitWork, ModelFit } from '../../shared/model-fit.ts';
import { parametersOf } from '../policy/expected-tensors.ts';
import { readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { memoryAdvice, workAtOnce } from './memory-check.ts';
import { fits, memoryOf, type RunWork } from './memory-estimate.ts';

const BACKENDS = ['wasm', 'tensorflow', 'webgpu', 'torch'] as const;
const USES: readonly FitUse[] = ['write', 'lora', 'full'];

function configFor(use: FitUse, backend: (typeof BACKENDS)[number], work: FitWork): RunConfig {
  const base = { model: 'tiny', backend, max_completion_length: work.completion };
  if (use === 'write') return EvaluateConfig.parse({ kind: 'evaluate', ...base, data: { test: 'fit:test' } });
  return TrainConfig.parse({
    kind: 'train',
    ...base,
    data: {},
    per_device_train_batch_size: work.questions,
    num_generations: work.answers,
    use_peft: use === 'lora',
  });
}

/** What a config does at once where every prompt is as long as `prompt`, and every answer as its own cap. */
const workOf = (config: RunConfig, { prompt, questions, answers }: FitWork): RunWork =>
  workAtOnce(config, { mean: prompt, questions: questions * answers }, 'longest');

/** Errors: InputError or CheckpointError for a model that is not there, or whose config is none that can be computed. */
export async function modelFit(model: string, work: FitWork): Promise<ModelFit> {
  const config = await readModelConfig(locateModel(model));
  const sized = { config, parameters: parametersOf(config) };
  const cells = USES.flatMap((use) =>
    BACKENDS.map((backend): ModelFit['cells'][number] => {
      const asked = configFor(use, backend, work);
      const needs = memoryOf(asked, sized, workOf(asked, work));
      const good = fits(needs);
      const advice = good ? null : memoryAdvice(asked, sized, (changed) => workOf(changed, work));
      return { backend, use, needs: needs.thread, limit: needs.limit, fits: good, advice };
    }),
  );
  return { context: config.max_position_embeddings, longest: work.prompt + work.completion, cells };
}
