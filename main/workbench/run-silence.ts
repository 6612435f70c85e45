/**
 * Whether a live run is stuck: its events stand still though its process or heartbeat goes on. Counted by this reader's own clock, from when
 * it saw the file grow last; clocks of two machines are never compared.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseJsonl } from '../../shared/run-lines.ts';
import { ControlLine } from '../../shared/run-record.ts';
import { expectedSilence, type RunSilence } from '../../shared/run-silence.ts';
import type { RunState } from '../../shared/run-view.ts';
import { processPresence, runProcess } from '../machine/local.ts';
import { Kept } from './kept.ts';
import { endOf, lastEvents } from './run-ends.ts';

interface Watched {
  bytes: number;
  /** Milliseconds of this reader's clock, which stands still while the machine sleeps. */
  grewAt: number;
  expected: ReturnType<typeof expectedSilence>;
}

export interface SilenceOptions {
  /** Milliseconds that only go forward. */
  now?: () => number;
  /**
   * Whether the file's own time is by this machine's clock, so that a first look already knows how long it has been silent.
   * @default where the run's process is seen here
   */
  ownClock?: (folder: string) => boolean;
}

const writtenHere = (folder: string): boolean => {
  const record = runProcess(folder);
  return record !== null && processPresence(record) === 'alive';
};

/** The last pause was not taken back: silence is what was asked for. */
function isResting(folder: string): boolean {
  const { rows } = parseJsonl(endOf(join(folder, 'control.jsonl'), 4096)?.content.toString('utf8') ?? '', ControlLine);
  return rows.findLast(({ verb }) => verb === 'pause' || verb === 'resume')?.verb === 'pause';
}

/** Watches runs for silence; one for a process, since what it has seen grow counts. */
export class SilenceWatch {
  private readonly watched = new Kept<Watched>(500);
  private readonly now: () => number;
  private readonly ownClock: (folder: string) => boolean;

  constructor({ now = () => performance.now(), ownClock = writtenHere }: SilenceOptions = {}) {
    this.now = now;
    this.ownClock = ownClock;
  }

  /** Null for a run that is not live, keeps its pace, rests because it was told to, or has not been watched for long enough. */
  look(folder: string, state: RunState): RunSilence | null {
    if (state.state !== 'live') {
      this.watched.drop(folder);
      return null;
    }
    const file = statSync(join(folder, 'events.jsonl'), { throwIfNoEntry: false });
    if (file === undefined) return null;
    const now = this.now();
    const kept = this.watched.get(folder, () => ({ bytes: -1, grewAt: now, expected: null }));
    if (kept.bytes !== file.size) {
      const age = kept.bytes < 0 && this.ownClock(folder) ? Math.max(0, Date.now() - file.mtimeMs) : 0;
      Object.assign(kept, { bytes: file.size, grewAt: now - age, expected: expectedSilence(lastEvents(folder)) });
    }
    const seconds = (now - kept.grewAt) / 1000;
    if (kept.expected === null || seconds <= kept.expected.expected_seconds) return null;
    if (isResting(folder)) {
      // Its pace counts again from when it is let go on.
      kept.grewAt = now;
      return null;
    }
    return { seconds: Math.floor(seconds), ...kept.expected };
  }
}
