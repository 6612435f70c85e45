/** Says once, in the log of a run, that its groups teach it nothing. The run goes on: harder questions may be to come. */
import { type GroupOutcome, learningSignal, type SignalSettings } from '../../shared/learning-signal.ts';
import type { ScoredGroup } from './rewards/registry.ts';
import type { Rollout } from './rewards/reward.ts';
import { outcomeOf } from './trial-signal.ts';

/** Batches in a row, from the start of a run or of its going on, without a group that differs. */
const BATCHES = 3;

export class SignalWatch {
  private readonly settings: SignalSettings;
  private readonly say: (line: string) => void;
  private groups: GroupOutcome[] = [];
  private batches = 0;

  constructor(settings: SignalSettings, say: (line: string) => void) {
    this.settings = settings;
    this.say = say;
  }

  /** A batch as it was scored: the rollouts of its groups one after another. */
  take({ rollouts, scored, fracZeroStd }: { rollouts: readonly Rollout[]; scored: readonly ScoredGroup[]; fracZeroStd: number }): void {
    if (this.batches >= BATCHES) return;
    // One group that differs is a signal: nothing more is watched for.
    if (fracZeroStd < 1) {
      this.batches = BATCHES;
      return;
    }
    const size = this.settings.num_generations;
    scored.forEach((group, i) => {
      this.groups.push(outcomeOf(rollouts.slice(i * size, (i + 1) * size), group));
    });
    this.batches++;
    if (this.batches < BATCHES) return;
    const { advice } = learningSignal(this.groups, this.groups.length, this.settings);
    this.say(
      `warning: no learning signal in the first ${BATCHES} batches: in all ${this.groups.length} groups all rewards are equal, so nothing is learnt; ${advice}`,
    );
    this.groups = [];
  }
}
