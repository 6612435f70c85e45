/** Where the time of a training step goes, in seconds of wall time: sampling, rewards, update. The three are disjoint. */
import type { RankSeconds } from '../../shared/run-record.ts';

type Part = 'generation' | 'reward' | 'update';

const seconds = (since: number): number => (performance.now() - since) / 1000;

function added(before: readonly number[] | undefined, more: readonly number[] | undefined): number[] | undefined {
  if (before === undefined || more === undefined) return more === undefined ? before && [...before] : [...more];
  return more.map((value, rank) => value + (before[rank] ?? 0));
}

/** The times of one step; `begin` starts the next. */
export class StepTimes {
  private start = performance.now();
  private spent: Record<Part, number> = { generation: 0, reward: 0, update: 0 };
  private ranks: RankSeconds = {};

  begin(): void {
    this.start = performance.now();
    this.spent = { generation: 0, reward: 0, update: 0 };
    this.ranks = {};
  }

  /** Counts what `work` takes as `part`. */
  during<T>(part: Part, work: () => T): T {
    const since = performance.now();
    try {
      return work();
    } finally {
      this.spent[part] += seconds(since);
    }
  }

  /** As `during`, for work that is waited for. */
  async duringAsync<T>(part: Part, work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    try {
      return await work();
    } finally {
      this.spent[part] += seconds(since);
    }
  }

  /**
   * Hands `events` on and counts the waiting for each as sampling. What the caller does between two of them is not: an engine of another
   * process may sample on meanwhile, and that costs the step nothing.
   */
  async *sampling<T>(events: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    let since = performance.now();
    for await (const event of events) {
      this.spent.generation += seconds(since);
      yield event;
      since = performance.now();
    }
    this.spent.generation += seconds(since);
  }

  /** Adds what an engine of several ranks told. */
  tellRanks(told: RankSeconds | undefined): void {
    if (told === undefined) return;
    for (const part of ['generation', 'update', 'waiting'] as const) {
      const sum = added(this.ranks[part], told[part]);
      if (sum !== undefined) this.ranks[part] = sum;
    }
  }

  /** As metrics of shared/metrics.ts. */
  metrics(): Record<string, number> {
    const { waiting } = this.ranks;
    return {
      step_time: seconds(this.start),
      'step_time/generation': this.spent.generation,
      'step_time/reward': this.spent.reward,
      'step_time/update': this.spent.update,
      ...(waiting === undefined || waiting.length === 0
        ? {}
        : { 'step_time/waiting': waiting.reduce((sum, one) => sum + one, 0) / waiting.length }),
    };
  }

  /** What each rank did; absent where no engine told. */
  rankSeconds(): { rank_seconds?: RankSeconds } {
    return Object.keys(this.ranks).length === 0 ? {} : { rank_seconds: this.ranks };
  }
}
