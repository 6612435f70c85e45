/** What an objective needs of each training sequence. */
import type { Objective, TrainSequence } from './policy.ts';

/** Errors: Error naming the sequence and the field whose length or presence is wrong. */
export function checkTrainSequences(sequences: readonly TrainSequence[], objective: Objective): void {
  sequences.forEach((sequence, i) => {
    const length = sequence.completion.length;
    const fields: [string, Float32Array | undefined, boolean][] = [
      ['mask', sequence.mask, true],
      ['weights', sequence.weights, true],
      ['advantages', sequence.advantages, objective.kind === 'policy_gradient'],
      ['oldLogprobs', sequence.oldLogprobs, false],
      ['referenceLogprobs', sequence.referenceLogprobs, objective.kind === 'policy_gradient' && objective.beta !== 0],
    ];
    for (const [name, values, needed] of fields) {
      if (!values && needed) throw new Error(`training sequence ${i}: ${name} is missing; the ${objective.kind} objective needs it`);
      if (values && values.length !== length) {
        throw new Error(`training sequence ${i}: ${name} has ${values.length} values for ${length} completion tokens`);
      }
    }
  });
}
