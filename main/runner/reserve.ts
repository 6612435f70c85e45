/** A little room kept back on the disk, so that a run that fills it can still say how it ended. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';

/** Enough for exit.json, the last lines of the log and the lock. */
const BYTES = 65_536;

export class Reserve {
  private readonly path: string;

  /** Errors: the system's, where there is no such room left. */
  constructor(path: string) {
    this.path = path;
    const fd = openSync(path, 'w');
    try {
      // Not zeros: a file system that compresses would keep nothing back for them.
      const noise = crypto.getRandomValues(new Uint8Array(BYTES));
      for (let at = 0; at < BYTES; ) at += writeSync(fd, noise, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Gives the room back, where the disk lets it: if not, what is written next says why. Calling it twice does nothing. */
  release(): void {
    try {
      rmSync(this.path, { force: true });
    } catch (error) {
      console.error(`reserve not given back: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
