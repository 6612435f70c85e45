/** Reading what was added to an append-only file since the last look. */
import { open } from 'node:fs/promises';
import { Tail } from '../../shared/run-lines.ts';

const CHUNK = 1 << 20;

export interface GrownLine {
  text: string;
  /** The byte of the file at which the line starts, and how many it has without its newline. */
  start: number;
  bytes: number;
}

/** Follows one file from its beginning; each whole line is given once. A file that is not there yet holds nothing. */
export class JsonlGrowth {
  private readonly path: string;
  private tail = new Tail();
  private at = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The byte behind the last whole line that was given. */
  get offset(): number {
    return this.tail.offset;
  }

  /** Hands every new whole line to `onLine`. Errors: the system's, other than that the file is not there. */
  async read(onLine: (line: GrownLine) => void): Promise<void> {
    const file = await open(this.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return;
    try {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(4096, (await file.stat()).size - this.at)));
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.at);
        if (bytesRead === 0) return;
        this.at += bytesRead;
        this.push(buffer.subarray(0, bytesRead), onLine);
      }
    } finally {
      await file.close();
    }
  }

  private push(bytes: Uint8Array, onLine: (line: GrownLine) => void): void {
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(0x0a, from);
      const stop = end < 0 ? bytes.length : end + 1;
      const start = this.tail.offset;
      for (const text of this.tail.push(bytes.subarray(from, stop))) onLine({ text, start, bytes: this.tail.offset - start - 1 });
      from = stop;
    }
  }
}
