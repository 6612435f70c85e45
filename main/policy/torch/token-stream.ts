/** Tokens of a generation as events of the contract, in the order in which they come. */
import type { GenerateEvent } from '../policy.ts';
import type { Frame } from './frame.ts';
import { bytes, floats, integers } from './wire.ts';

/** How the engine marks a row's last token. */
const FINISHES = [null, 'stop', 'length'] as const;

/** Puts rows together from the engine's messages. */
export class TokenRows {
  private readonly rows = new Map<string, { ids: number[]; logprobs: number[] }>();

  /** The events of one message: each token, and behind a row's last one its completion. */
  *events(tensors: Frame['tensors']): Generator<GenerateEvent, void, void> {
    const [prompts, samples, positions] = [integers(tensors, 'prompt'), integers(tensors, 'sample'), integers(tensors, 'position')];
    const [ids, logprobs, finishes] = [integers(tensors, 'id'), floats(tensors, 'logprob'), bytes(tensors, 'finish')];
    for (let i = 0; i < ids.length; i++) {
      const [prompt, sample, position] = [prompts[i] as number, samples[i] as number, positions[i] as number];
      const [id, logprob] = [ids[i] as number, logprobs[i] as number];
      const name = `${prompt}/${sample}`;
      const row = this.rows.get(name) ?? { ids: [], logprobs: [] };
      if (position !== row.ids.length)
        throw new Error(`the engine sent token ${position} of a row of which ${row.ids.length} tokens have come`);
      row.ids.push(id);
      row.logprobs.push(logprob);
      yield { type: 'token', prompt, sample, position, id, logprob };
      const finish = FINISHES[finishes[i] as number];
      if (!finish) {
        this.rows.set(name, row);
        continue;
      }
      this.rows.delete(name);
      yield { type: 'completion', prompt, sample, ids: Int32Array.from(row.ids), logprobs: Float32Array.from(row.logprobs), finish };
    }
  }
}
