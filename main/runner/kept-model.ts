/** The model that was asked last stays in memory; another takes its place. One piece of work on weights at a time. */
import { EvaluateConfig } from '../../shared/config.ts';
import { ownDefaults } from '../data/own-defaults.ts';
import { locateModel } from '../policy/model-location.ts';
import { checkpointState } from './checkpoint-state.ts';
import { type OpenedModel, openModel } from './open-model.ts';

export class KeptModel {
  private kept: { state: string; model: OpenedModel } | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  /** Waits for its turn. Errors: the signal's reason when aborted before; those of `work`. */
  alone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** The model, loaded; again where its files have changed. Another one's memory is given back. Only within `alone`. Errors: as `openModel`. */
  async open(name: string): Promise<OpenedModel> {
    // On what the user has chosen for runs: a model that wasm cannot hold is tried where it can be.
    const settings = EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'none' }, ...(await ownDefaults()) });
    const key = `${settings.backend} ${await checkpointState(locateModel(name))}`;
    if (this.kept?.state === key) return this.kept.model;
    await this.drop();
    const model = await openModel(name, settings);
    this.kept = { state: key, model };
    return model;
  }

  /** Gives the memory back. */
  async drop(): Promise<void> {
    const { kept } = this;
    this.kept = null;
    await kept?.model.policy.dispose();
  }
}
