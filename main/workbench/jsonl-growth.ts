/** Reading what was added to an append-only file since the last look. */
import { open } from 'node:fs/promises';

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;

export interface GrownLine {
  text: string;
  /** The byte of the file at which the line starts, and how many it has without its newline. */
  start: number;
  bytes: number;
}

/** Takes a line as `bytes[from]` to `bytes[to - 1]`, without its newline. The bytes are overwritten once it returns. */
export type TakeBytes = (bytes: Uint8Array, from: number, to: number) => void;

/** Follows one file from its beginning; each whole line is given once. A file that is not there yet holds nothing. */
export class JsonlGrowth {
  private readonly path: string;
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Begun line without its newline: copies, since what is read into is filled again. */
  private pieces: Uint8Array[] = [];
  private at = 0;
  private given = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The byte behind the last whole line that was given. */
  get offset(): number {
    return this.given;
  }

  /** Hands every new whole line to `onLine` as text. Errors: the system's, other than that the file is not there. */
  read(onLine: (line: GrownLine) => void): Promise<void> {
    return this.readBytes((bytes, from, to) => {
      onLine({ text: this.textOf(bytes, from, to), start: this.given, bytes: to - from });
    });
  }

  /** The same, as bytes: for a reader that needs no text of most lines. */
  async readBytes(onLine: TakeBytes): Promise<void> {
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
        this.push(buffer, bytesRead, onLine);
      }
    } finally {
      await file.close();
    }
  }

  /** Text of a line that `readBytes` gave. */
  textOf(bytes: Uint8Array, from: number, to: number): string {
    return this.decoder.decode(bytes.subarray(from, to));
  }

  private push(buffer: Uint8Array, length: number, onLine: TakeBytes): void {
    let from = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < length; end = buffer.indexOf(NEWLINE, from)) {
      const whole = this.pieces.length === 0 ? null : Buffer.concat([...this.pieces, buffer.subarray(from, end)]);
      this.pieces = [];
      if (whole === null) onLine(buffer, from, end);
      else onLine(whole, 0, whole.length);
      this.given += (whole?.length ?? end - from) + 1;
      from = end + 1;
    }
    // (Not `slice`: that of Node's Buffer is a view of the same bytes.)
    if (from < length) this.pieces.push(new Uint8Array(buffer.subarray(from, length)));
  }
}
