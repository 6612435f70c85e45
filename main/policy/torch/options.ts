/** How an engine is started. */
import { availableParallelism } from 'node:os';
import { InputError } from '../../../shared/input-error.ts';
import type { LoraOptions } from '../lora.ts';
import { mayHaveGpu, probeTorch, pythonProgram } from './python-program.ts';

export interface TorchPolicyOptions {
  /** Hugging Face folder. */
  folder: string;
  /** Ranks. @default the number of NVIDIA GPUs that PyTorch sees, else 1 */
  processes?: number | undefined;
  /** What is computed in; trained weights stay float32. @default 'float32' */
  dtype?: 'float32' | 'bfloat16';
  gradient_checkpointing?: boolean;
  /** Weights, gradients and optimizer divided over the ranks: `auto` where they do not fit one device. @default 'auto' */
  sharding?: 'auto' | 'fsdp' | 'none';
  /** Trains an adapter instead of all weights. @default null */
  lora?: LoraOptions | null;
  /** Draws the adapter's first weights. @default 0 */
  seed?: number;
  /** Threads of each rank on the processor. @default MEDLOGICTRACE_THREADS, else 1 for a small model, else the cores divided by the ranks */
  threads?: number;
  /** Padded tokens of a micro-batch. @default what memory allows */
  max_batch_tokens?: number | null;
  /** @default MEDLOGICTRACE_PYTHON, else python3 */
  python?: string;
  /** Called with each line that the engine prints. @default it is only kept for the message of an engine that is lost */
  onLog?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Ranks of an engine. Errors: InputError where more are asked for than a machine can hold. */
export async function ranksFor(asked: number | undefined, python = pythonProgram()): Promise<number> {
  if (asked !== undefined) {
    if (!Number.isInteger(asked) || asked < 1) throw new InputError(`torch.processes is ${asked}; it must be 1 or more`, 'torch.processes');
    return asked;
  }
  if (!mayHaveGpu()) return 1;
  try {
    return Math.max(1, (await probeTorch(python)).cuda.length);
  } catch {
    // Starting the engine says what is wrong, in one place.
    return 1;
  }
}

/** Weights below which a second thread costs more in waiting for one another than it computes. */
const SMALL = 20e6;

/** Threads of each rank, for a model of `parameters` weights. Errors: InputError for a MEDLOGICTRACE_THREADS that is no number. */
export function threadsFor(
  processes: number,
  parameters: number,
  env: NodeJS.ProcessEnv = process.env,
  cores: number = availableParallelism(),
): number {
  const asked = env.MEDLOGICTRACE_THREADS;
  if (asked === undefined || asked === '') return parameters < SMALL ? 1 : Math.max(1, Math.floor(cores / processes));
  const threads = Number(asked);
  if (!Number.isInteger(threads) || threads < 1)
    throw new InputError(`MEDLOGICTRACE_THREADS is "${asked}"; it must be 1 or more`, 'MEDLOGICTRACE_THREADS');
  return threads;
}
