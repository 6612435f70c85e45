/** The file of an optimizer's state: both moments of every weight under its name, and the number of steps. Every tfjs decoder reads it. */
import { CheckpointError } from '../checkpoint-error.ts';
import { readSafetensors, type Tensor } from '../safetensors.ts';

export const TRAINER_FILE = 'trainer.safetensors';
export const FIRST_MOMENT = 'exp_avg.';
export const SECOND_MOMENT = 'exp_avg_sq.';
/** Tensors of an adapter, which is trained instead of the weights. */
export const ADAPTER = 'adapter.';

type Tensors = Map<string, Tensor>;

export interface TrainerState {
  step: number;
  /** Null before the first step. */
  moments: { first: Tensors; second: Tensors } | null;
  /** Null where none is wanted. */
  adapter: Tensors | null;
}

/** Errors: CheckpointError when the file is none, or does not hold both moments of exactly these weights. */
export async function readTrainer(path: string, shapes: ReadonlyMap<string, number[]>, wantsAdapter = false): Promise<TrainerState> {
  const { metadata, tensors: all } = await readSafetensors(path);
  const adapterPart = withPrefix(all, ADAPTER);
  const tensors = new Map([...all].filter(([name]) => !name.startsWith(ADAPTER)));
  if (wantsAdapter !== adapterPart.size > 0) {
    throw new CheckpointError(
      `${path}: ${wantsAdapter ? 'holds no adapter, which this policy trains' : 'holds an adapter; this policy trains all weights'}.`,
    );
  }
  if (wantsAdapter) checkParts(path, ADAPTER, adapterPart, shapes);
  const adapter = wantsAdapter ? adapterPart : null;
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0 || (metadata.step ?? '') === '') {
    throw new CheckpointError(`${path}: step is ${JSON.stringify(metadata.step)}, not a whole number; the file is no trainer state.`);
  }
  if (tensors.size === 0) {
    if (step !== 0) throw new CheckpointError(`${path}: holds no moments although ${step} steps were taken.`);
    return { step: 0, moments: null, adapter };
  }
  const [first, second] = [FIRST_MOMENT, SECOND_MOMENT].map((prefix) => {
    const part = withPrefix(tensors, prefix);
    checkParts(path, prefix, part, shapes);
    return part;
  }) as [Tensors, Tensors];
  return { step, moments: { first, second }, adapter };
}

const withPrefix = (tensors: Tensors, prefix: string): Tensors =>
  new Map([...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]));

function checkParts(path: string, prefix: string, part: Tensors, shapes: ReadonlyMap<string, number[]>): void {
  for (const [name, shape] of shapes) {
    const data = part.get(name)?.data;
    const size = shape.reduce((product, n) => product * n, 1);
    if (data?.length === size) continue;
    const why = `tensor ${name} [${shape.join(', ')}] has ${data?.length ?? 'no'} values, not ${size}`;
    throw new CheckpointError(`${path}: ${prefix}* does not fit this model: ${why}.`);
  }
}
