/** What every training run does around its steps: checkpoints, what watchers ask, the best checkpoint, the end. */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrainConfig } from '../../shared/config.ts';
import { copyTokenizerFiles } from '../policy/checkpoint.ts';
import { checkpointName } from './checkpoint-folder.ts';
import { damageOf } from './checksums.ts';
import { freshStoppingState, takeMeasurement } from './early-stopping.ts';
import type { OpenedModel } from './open-model.ts';
import type { RunFolder } from './run-folder.ts';
import { type RunnerState, readRunnerState, writeRunnerState } from './runner-state.ts';

type EarlyStoppingConfig = TrainConfig['early_stopping'];

/** The run was asked to stop; it has checkpointed and may be resumed. */
export class StopRequested extends Error {
  override name = 'StopRequested';
}

export class TrainingRun {
  readonly run: RunFolder;
  readonly model: OpenedModel;
  readonly signal: AbortSignal;
  readonly stopping: EarlyStoppingConfig;
  /** No checkpoint was loaded: what comes before the first step is still to be done. */
  fresh = true;
  state: RunnerState = { step: 0, batches: 0, num_tokens: 0, stopping: freshStoppingState(), seconds: 0 };
  private readonly start = performance.now();
  private secondsBefore = 0;
  private savedStep = -1;

  private constructor(run: RunFolder, model: OpenedModel, stopping: EarlyStoppingConfig, signal: AbortSignal) {
    this.run = run;
    this.model = model;
    this.stopping = stopping;
    this.signal = signal;
  }

  /** Starts at step 0, or where the newest checkpoint stands. */
  static async open(run: RunFolder, model: OpenedModel, stopping: EarlyStoppingConfig, signal: AbortSignal): Promise<TrainingRun> {
    const training = new TrainingRun(run, model, stopping, signal);
    if (!run.reopened) return training;
    const found = await run.latestCheckpoint(async (folder) => {
      const { best, bestStep } = (await readRunnerState(folder)).stopping;
      return stopping?.restore_best && best !== null ? bestStep : null;
    });
    const { latest } = found;
    if (!latest) {
      await run.goOnFrom(found);
      return training;
    }
    await model.policy.load(latest.folder, 'weights');
    await model.policy.load(latest.folder, 'trainer');
    training.state = await readRunnerState(latest.folder);
    training.savedStep = latest.step;
    training.secondsBefore = training.state.seconds;
    training.fresh = false;
    if (training.state.stopping.best !== null) run.pinned.add(training.state.stopping.bestStep);
    await run.goOnFrom(found);
    return training;
  }

  /** Patience has run out: there are no more steps, whatever the config says. */
  get stoppedEarly(): boolean {
    return this.stopping !== null && this.state.stopping.stale >= this.stopping.patience;
  }

  get seconds(): number {
    return this.secondsBefore + (performance.now() - this.start) / 1000;
  }

  /** An adapter is trained, not all weights. */
  private get adapter(): boolean {
    const { config } = this.run.record;
    return config.kind !== 'evaluate' && config.use_peft;
  }

  /** Writes a checkpoint of this step unless there is one. */
  async checkpoint(): Promise<void> {
    if (this.savedStep === this.state.step) return;
    await this.run.checkpoint(this.state.step, async (folder) => {
      await this.model.policy.save(folder, 'weights');
      await this.model.policy.save(folder, 'trainer');
      // The weights have it merged in; this is for who wants it alone. In a folder of its own, or Transformers would add it once more.
      if (this.adapter) await this.model.policy.save(join(folder, 'adapter'), 'adapter');
      await copyTokenizerFiles(this.model.folder, folder);
      await writeRunnerState(folder, { ...this.state, seconds: this.seconds });
    });
    this.savedStep = this.state.step;
  }

  /**
   * Does what watchers asked since the last step: checkpoint, pause (until resume or stop), stop.
   * Errors: StopRequested once everything is saved.
   */
  async obey(): Promise<void> {
    let paused = false;
    do {
      for (const { verb } of this.run.readControl()) {
        if (verb === 'checkpoint') await this.checkpoint();
        if (verb === 'pause') {
          paused = true;
          await this.checkpoint();
          this.run.log(`paused at step ${this.state.step}`);
        }
        if (verb === 'resume') paused = false;
        if (verb === 'stop') await this.stop('asked for in control.jsonl');
      }
      if (this.signal.aborted) await this.stop('signal');
      if (paused) await sleep(200);
    } while (paused);
  }

  private async stop(reason: string): Promise<never> {
    this.run.event({ type: 'stopping', step: this.state.step, reason });
    await this.checkpoint();
    throw new StopRequested(`stopped at step ${this.state.step} (${reason}); "medlogictrace runs resume" goes on from there`);
  }

  /** Takes a validation measurement: keeps the best checkpoint, and says whether patience has run out. */
  async measured(metrics: Record<string, number>): Promise<boolean> {
    const { step } = this.state;
    this.run.event({ type: 'validation', step, metrics });
    if (!this.stopping) return false;
    const value = metrics[this.stopping.metric];
    if (value === undefined) throw new Error(`early stopping watches ${this.stopping.metric}, which this run does not measure`);
    const { state, improved, stop } = takeMeasurement(this.state.stopping, this.stopping, step, value);
    this.state.stopping = state;
    if (improved) {
      this.run.pinned.clear();
      this.run.pinned.add(step);
      await this.checkpoint();
    }
    if (stop) {
      this.run.event({ type: 'early_stopped', step, best_step: state.bestStep, metric: this.stopping.metric, value: state.best ?? 0 });
    }
    return stop;
  }

  /**
   * Saves the last step, puts the best or the last weights in `<run>/model`, and says so.
   * Errors: an Error where the best checkpoint is no longer what was written.
   */
  async finish(): Promise<string> {
    await this.checkpoint();
    const { bestStep, best } = this.state.stopping;
    const step = this.stopping?.restore_best && best !== null ? bestStep : this.state.step;
    const folder = join(this.run.folder, 'checkpoints', checkpointName(step));
    const damage = await damageOf(folder);
    if (damage !== null) {
      throw new Error(
        `checkpoint ${checkpointName(step)}, which the model is made of, is damaged: ${damage}; resume the run to make it again`,
      );
    }
    const model = join(this.run.folder, 'model');
    const copying = join(this.run.folder, '.writing-model');
    await rm(copying, { recursive: true, force: true });
    await cp(folder, copying, { recursive: true, filter: (path) => !/(trainer|runner-state|checksums)[^/\\]*$/.test(path) });
    // A process killed after this line, resumed, comes by here again.
    await rm(model, { recursive: true, force: true });
    await rename(copying, model);
    this.run.event({ type: 'finished', step, model: 'model' });
    return model;
  }
}
