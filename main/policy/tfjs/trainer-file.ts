/** The file of an optimizer's state: both moments of every weight under its name, and the number of steps. Every tfjs decoder reads it. */
import { CheckpointError } from '../checkpoint-error.ts';
import { readSafetensors, type Tensor } from '../safetensors.ts';

export const TRAINER_FILE = 'trainer.safetensors';
export const FIRST_MOMENT = 'exp_avg.';
export const SECOND_MOMENT = 'exp_avg_sq.';

type Tensors = Map<string, Tensor>;

export interface TrainerState {
  step: number;
  /** Null before the first step. */
  moments: { first: Tensors; second: Tensors } | null;
}

/** Errors: CheckpointError when the file is none, or does not hold both moments of exactly these weights. */
export async function readTrainer(path: string, shapes: ReadonlyMap<string, number[]>): Promise<TrainerState> {
  const { metadata, tensors } = await readSafetensors(path);
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0 || (metadata.step ?? '') === '') {
    throw new CheckpointError(`${path}: step is ${JSON.stringify(metadata.step)}, not a whole number; the file is no trainer state.`);
  }
  if (tensors.size === 0) {
    if (step !== 0) throw new CheckpointError(`${path}: holds no moments although ${step} steps were taken.`);
    return { step: 0, moments: null };
  }
  const [first, second] = [FIRST_MOMENT, SECOND_MOMENT].map((prefix) => {
    const part = new Map([...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, t]) => [name.slice(prefix.length), t]));
    for (const [name, shape] of shapes) {
      const data = part.get(name)?.data;
      const size = shape.reduce((product, n) => product * n, 1);
      if (data?.length !== size) {
        const why = `tensor ${name} [${shape.join(', ')}] has ${data?.length ?? 'no'} values, not ${size}`;
        throw new CheckpointError(`${path}: ${prefix}* does not fit this model: ${why}.`);
      }
    }
    return part;
  }) as [Tensors, Tensors];
  return { step, moments: { first, second } };
}
