/** What every tfjs policy checks of what it is given. */
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { CheckpointError } from '../checkpoint-error.ts';
import type { ModelConfig } from '../model-config.ts';
import type { Sequence } from '../policy.ts';

/** Errors: Error naming the sequence and what is wrong with it. */
export function checkSequences(
  sequences: readonly Sequence[],
  { max_position_embeddings: context, vocab_size: vocabulary }: ModelConfig,
): void {
  sequences.forEach(({ prompt, completion }, i) => {
    if (prompt.length === 0) throw new Error(`sequence ${i} has an empty prompt; at least one token must precede a completion`);
    const length = prompt.length + completion.length;
    if (length > context) throw new Error(`sequence ${i} has ${length} tokens (prompt ${prompt.length}); the context holds ${context}`);
    for (const ids of [prompt, completion]) {
      const wrong = ids.find((id) => id < 0 || id >= vocabulary);
      if (wrong !== undefined) throw new Error(`sequence ${i} has token id ${wrong}; the vocabulary ends at ${vocabulary - 1}`);
    }
  });
}

/** Errors: RangeError. */
export function checkTemperature(temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new RangeError(`temperature is ${temperature}; logits are divided by it, so it must be above 0`);
}

/** Errors: RangeError. */
export function checkMicroBatchSize(size: number | undefined): void {
  if (size !== undefined && (!Number.isInteger(size) || size < 1))
    throw new RangeError(`micro_batch_size is ${size}; it must be 1 or more`);
}

/** Whether weights of `found` fit a policy of `config`. Errors: CheckpointError naming the folder and the field. */
export function checkSameModel(folder: string, config: ModelConfig, found: ModelConfig): void {
  for (const [name, value] of Object.entries(config)) {
    const other: unknown = Reflect.get(found, name);
    if (name.endsWith('_id') || name === 'initializer_range' || isDeepStrictEqual(other, value)) continue;
    throw new CheckpointError(
      `${folder}/config.json: ${name} is ${JSON.stringify(other)}, but this policy's is ${JSON.stringify(value)}. Load it as a new policy.`,
    );
  }
}

/** Lets the rest of the process run, then stops if asked to. */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
