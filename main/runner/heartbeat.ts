/** The heartbeat of a run: a counter in a file that moves while the process does. Readers compare it with itself, never with a clock. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const EVERY_MS = 1000;

function readCounter(path: string): number {
  try {
    const value = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

export class Heartbeat {
  private readonly path: string;
  private readonly complain: (message: string) => void;
  private readonly timer: NodeJS.Timeout;
  private counter: number;
  private last = Number.NEGATIVE_INFINITY;
  private failing = false;

  /** Beats at once and then each second, going on from the number in the file. `complain` hears of a beat that could not be written. */
  constructor(path: string, complain: (message: string) => void) {
    this.path = path;
    this.complain = complain;
    this.counter = readCounter(path);
    this.beat();
    this.timer = setInterval(() => this.beat(), EVERY_MS);
    // The heart alone must not keep a finished process alive.
    this.timer.unref();
  }

  /** Beats where the last one is a second old: for code that computes long without letting timers run. */
  beatIfDue(): void {
    if (performance.now() - this.last >= EVERY_MS) this.beat();
  }

  private beat(): void {
    this.last = performance.now();
    this.counter++;
    try {
      writeFileSync(`${this.path}.tmp`, `${this.counter}\n`);
      renameSync(`${this.path}.tmp`, this.path);
      this.failing = false;
    } catch (error) {
      // A full disk must not end a training that may yet find room; it is said once, not each second.
      if (!this.failing) this.complain(`heartbeat not written: ${error instanceof Error ? error.message : String(error)}`);
      this.failing = true;
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
