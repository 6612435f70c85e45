/** How much memory the policy of a config takes, and how much its backend can have. */
import type { RunConfig } from '../../shared/config.ts';
import { expectedTensors, numbersIn } from '../policy/expected-tensors.ts';
import { adapterShapes } from '../policy/lora.ts';
import { machineMemory } from '../policy/machine-memory.ts';
import type { MemoryNeeds, MemoryWork } from '../policy/memory-needs.ts';
import type { ModelConfig } from '../policy/model-config.ts';
import { memoryNeeds } from '../policy/tfjs/memory-needs.ts';
import { paddedMemoryNeeds } from '../policy/tfjs/padded/memory.ts';
import { threadsToUse } from '../policy/tfjs/threads.ts';
import { torchMemoryNeeds } from '../policy/torch/memory-needs.ts';
import { mayHaveGpu } from '../policy/torch/python-program.ts';
import { adapterOf } from './open-model.ts';

export interface SizedModel {
  config: ModelConfig;
  parameters: number;
}

/** The largest calls of a run. */
export type RunWork = Pick<MemoryWork, 'generation' | 'update'>;

/** Weights of the adapter that a run trains; null: it trains the model's. Errors: InputError for modules that no layer has. */
function adapterWeights(config: RunConfig, model: ModelConfig): number | null {
  const lora = config.kind === 'evaluate' ? null : adapterOf(config);
  return lora === null ? null : numbersIn(adapterShapes(expectedTensors(model), lora));
}

/** Bytes that a backend's device has here; null where nobody tells: a GPU's memory is its own. */
function deviceMemory(backend: RunConfig['backend']): number | null {
  if (backend === 'webgpu') return process.platform === 'darwin' ? machineMemory() : null;
  return mayHaveGpu() ? null : machineMemory();
}

/**
 * What TensorFlow's allocator holds at the peak over what its tensors take: 1.15 (writing) to 1.38 (training all weights), measured on
 * SmolLM2-135M; docs/verified.md.
 */
const TENSORFLOW_HOLDS = 1.2;

/** The surplus counts as working space of what is done, writing or training. */
function withHeld(needs: MemoryNeeds): MemoryNeeds {
  const held = (TENSORFLOW_HOLDS - 1) * needs.total;
  const beside = (part: number): number => (part === 0 ? 0 : part + held);
  const total = needs.total + held;
  return { ...needs, activations: beside(needs.activations), generation: beside(needs.generation), total, thread: total };
}

/** `elsewhere`: the run is carried out on another machine, of whose memory nothing is known. */
export function memoryOf(config: RunConfig, model: SizedModel, work: RunWork, elsewhere = false): MemoryNeeds {
  const asked: MemoryWork = {
    ...work,
    reference: 'beta' in config && config.beta > 0,
    adapter: adapterWeights(config, model.config),
    gradient_checkpointing: config.kind !== 'evaluate' && config.gradient_checkpointing,
  };
  if (config.backend === 'wasm') return memoryNeeds(model.config, model.parameters, asked, threadsToUse());
  const limit = elsewhere ? null : deviceMemory(config.backend);
  if (config.backend === 'torch') return torchMemoryNeeds(model.config, model.parameters, asked, { dtype: config.torch.dtype, limit });
  // What is done at once goes by what a device tells: TensorFlow tells what the machine has, or nothing; Dawn about as much.
  const budget = limit ?? (config.backend === 'webgpu' ? machineMemory() : null);
  const needs = { ...paddedMemoryNeeds(model.config, model.parameters, asked, budget), limit };
  return config.backend === 'tensorflow' ? withHeld(needs) : needs;
}

export const fits = ({ thread, limit }: MemoryNeeds): boolean => limit === null || thread <= limit;

export const gibibytes = (bytes: number): string => {
  const gib = bytes / 2 ** 30;
  return `${gib.toFixed(gib < 10 ? 2 : 1)} GiB`;
};
