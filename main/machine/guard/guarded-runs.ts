/** The runs on a pod, as its guard sees them: which live, and asking them to stop. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJsonl } from '../../../shared/run-lines.ts';
import { ControlLine } from '../../../shared/run-record.ts';

const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

function foldersIn(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => join(root, entry.name));
  } catch {
    // Not made yet.
    return [];
  }
}

/** A run that rests costs as much as one that works. */
function isPaused(folder: string): boolean {
  const { rows } = parseJsonl(textOf(join(folder, 'control.jsonl')) ?? '', ControlLine);
  return rows.findLast(({ verb }) => verb === 'pause' || verb === 'resume')?.verb === 'pause';
}

interface Beat {
  text: string;
  /** Seconds of the guard's own clock. */
  movedAt: number;
}

export class GuardedRuns {
  private readonly beats = new Map<string, Beat>();
  private readonly asked = new Set<string>();

  /**
   * Runs that have not exited and whose heartbeat moved lately, by this reader's clock alone; one seen for the first time counts as live.
   * `working`: those that are not paused.
   */
  look(roots: readonly string[], now: number, patience: number): { live: string[]; working: string[] } {
    const live: string[] = [];
    for (const folder of roots.flatMap(foldersIn)) {
      const text = textOf(join(folder, 'heartbeat'));
      if (text === null || existsSync(join(folder, 'exit.json'))) continue;
      const before = this.beats.get(folder);
      if (before === undefined || before.text !== text) this.beats.set(folder, { text, movedAt: now });
      if (now - (this.beats.get(folder)?.movedAt ?? now) <= patience) live.push(folder);
    }
    return { live, working: live.filter((folder) => !isPaused(folder)) };
  }

  /** Asks each once to stop, which writes a checkpoint first. Gives those that were asked now. */
  askToStop(live: readonly string[]): string[] {
    const fresh = live.filter((folder) => !this.asked.has(folder));
    for (const folder of fresh) {
      this.asked.add(folder);
      const line: ControlLine = { verb: 'stop', time: new Date().toISOString() };
      // A torn last line is closed, so that it does not swallow this one; an empty line is passed over.
      appendFileSync(join(folder, 'control.jsonl'), `\n${JSON.stringify(line)}\n`);
    }
    return fresh;
  }

  /** What was asked no longer holds: a run that goes on is asked anew next time. */
  forget(): void {
    this.asked.clear();
  }
}
