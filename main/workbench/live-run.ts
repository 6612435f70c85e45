/** What is kept of the runs looked at last, so that a second look reads only what is new. */
import { CompletionIndex } from './completion-index.ts';
import { Kept } from './kept.ts';
import { LogLines } from './log-lines.ts';
import { RunIndex } from './run-index.ts';

export class LiveRuns {
  /** Enough for an overlay of many runs. */
  private readonly events = new Kept<RunIndex>(24);
  private readonly answers = new Kept<CompletionIndex>(4);
  private readonly logs = new Kept<LogLines>(4);

  /** A run's events, as they are now. Errors: the system's. */
  async index(folder: string): Promise<RunIndex> {
    const index = this.events.get(folder, () => new RunIndex(folder));
    await index.refresh();
    return index;
  }

  /** A run's answers, those taken back left out. */
  async completions(folder: string): Promise<CompletionIndex> {
    const completions = this.answers.get(folder, () => new CompletionIndex(folder));
    // The rows first, as readCompletions has it: a resume written in between must not leave standing what it took back.
    await completions.refresh();
    const { takenBack } = await this.index(folder);
    completions.drop(takenBack);
    return completions;
  }

  async log(folder: string): Promise<LogLines> {
    const log = this.logs.get(folder, () => new LogLines(folder));
    await log.refresh();
    return log;
  }
}
