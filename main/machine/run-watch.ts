/** What a mirror of a run lacks, told as it comes into being: the machine's side of a mirror. Reads only, and never through a link. */
import { createHash } from 'node:crypto';
import { closeSync, constants as fsConstants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GROWING,
  LARGEST_FILE,
  MirrorName,
  NOT_MIRRORED,
  PROVED_END,
  type RunSign,
  type Watched,
  type WatchFrame,
  type WatchRequest,
} from '../../shared/remote-run.ts';
import { signOf } from './run-sign.ts';

const PIECE = 192 * 1024;
/** Processes are looked at this often; files at each look. */
const SIGN_EVERY_MS = 1000;
/** Says that it is still there, where nothing else is to be said. */
const BEAT_EVERY_MS = 2000;

/** Opens a plain file; null where it is not there or is none. */
function openPlain(path: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, fsConstants.O_RDONLY | fsConstants.O_NOFOLLOW);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ELOOP') return null;
    throw error;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return null;
}

/** Calls `take` with pieces of bytes `from` to `to`; the buffer is used again. */
function readPieces(fd: number, from: number, to: number, take: (bytes: Buffer, at: number) => void): void {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(PIECE, to - from)));
  for (let at = from; at < to; ) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at);
    if (count === 0) return;
    take(buffer.subarray(0, count), at);
    at += count;
  }
}

function endHash(fd: number, bytes: number): string {
  const hash = createHash('sha256');
  readPieces(fd, Math.max(0, bytes - PROVED_END), bytes, (piece) => void hash.update(piece));
  return hash.digest('hex');
}

type Emit = (frame: WatchFrame) => void;

/** One run of a request: what has been sent of it. */
class RunSource {
  private readonly watched: Watched;
  private readonly queue: string;
  private readonly emit: Emit;
  private readonly sent = new Map<string, number>();
  private readonly wrong = new Set<string>();
  private readonly whole = new Map<string, string>();
  /** What a file that is replaced whole looked like when it was read last. */
  private readonly looks = new Map<string, string>();
  /** What exit.json holds; null while there is none. */
  private end: Buffer | null = null;
  private sign: RunSign | null = null;
  private signed = Number.NEGATIVE_INFINITY;
  private told = Number.NEGATIVE_INFINITY;
  private proved = false;

  constructor(watched: Watched, queue: string, emit: Emit) {
    this.watched = watched;
    this.queue = queue;
    this.emit = emit;
    for (const [name, hash] of Object.entries(watched.whole)) this.whole.set(name, hash);
  }

  /** Sends what is new; at most about `budget` bytes. */
  look(budget: number): void {
    const { folder, key } = this.watched;
    try {
      if (!this.proved) this.proveEnds();
      this.proved = true;
      // The end first, and sent last: what an ended run wrote is then all there before its end is.
      const end = this.readWhole('exit.json');
      if (end !== 'same') this.end = end;
      const names = readdirSync(folder).filter((name) => MirrorName.safeParse(name).success && !NOT_MIRRORED.includes(name));
      let left = budget;
      for (const name of names.filter((one) => !GROWING.includes(one) && one !== 'exit.json' && !/\.tmp$/.test(one))) {
        left -= this.sendWhole(name, this.readWhole(name));
      }
      for (const name of this.whole.keys()) if (name !== 'exit.json' && !names.includes(name)) this.forget(name);
      let all = true;
      for (const name of GROWING) {
        const { sent, more } = this.sendGrown(name, left);
        left -= sent;
        all &&= !more;
      }
      const changed = all && (this.end === null ? this.forget('exit.json') : this.sendWhole('exit.json', this.end) > 0);
      this.tell(all, changed || left < budget);
    } catch (error) {
      this.emit({ kind: 'unreadable', key, text: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Whether what the mirror has is how the files begin here. */
  private proveEnds(): void {
    const { folder, key, growing } = this.watched;
    for (const name of GROWING) {
      const have = growing[name] ?? { bytes: 0, end_sha256: null };
      this.sent.set(name, have.bytes);
      if (have.bytes === 0) continue;
      const fd = openPlain(join(folder, name));
      const same = fd !== null && fstatSync(fd).size >= have.bytes && endHash(fd, have.bytes) === have.end_sha256;
      if (fd !== null) closeSync(fd);
      if (same) continue;
      this.wrong.add(name);
      this.emit({ kind: 'differs', key, name });
    }
  }

  private sendGrown(name: string, budget: number): { sent: number; more: boolean } {
    // Its reader has to begin anew, and asks again.
    if (this.wrong.has(name)) return { sent: 0, more: true };
    const { folder, key } = this.watched;
    const path = join(folder, name);
    const from = this.sent.get(name) ?? 0;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile() || found.size === from) return { sent: 0, more: false };
    const fd = openPlain(path);
    if (fd === null) return { sent: 0, more: false };
    try {
      const { size } = fstatSync(fd);
      if (size < from) {
        this.wrong.add(name);
        this.emit({ kind: 'differs', key, name });
        return { sent: 0, more: true };
      }
      const to = Math.min(size, from + Math.max(PIECE, budget));
      let at = from;
      readPieces(fd, from, to, (bytes) => {
        this.emit({ kind: 'grown', key, name, at, data: bytes.toString('base64') });
        at += bytes.length;
      });
      this.sent.set(name, at);
      return { sent: at - from, more: at < size };
    } finally {
      closeSync(fd);
    }
  }

  /** The content of a file that is replaced whole, where it may have changed; `same` where it has not, null where it is not there. */
  private readWhole(name: string): Buffer | 'same' | null {
    const { folder, key } = this.watched;
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return null;
    const look = `${found.ino} ${found.size} ${found.mtimeMs}`;
    if (this.looks.get(name) === look) return 'same';
    this.looks.set(name, look);
    if (found.size > LARGEST_FILE) {
      this.emit({ kind: 'note', key, text: `${name} has ${found.size} bytes and stays on the machine` });
      return 'same';
    }
    const fd = openPlain(path);
    if (fd === null) return null;
    try {
      const pieces: Buffer[] = [];
      readPieces(fd, 0, fstatSync(fd).size, (bytes) => void pieces.push(Buffer.from(bytes)));
      return Buffer.concat(pieces);
    } finally {
      closeSync(fd);
    }
  }

  private sendWhole(name: string, content: Buffer | 'same' | null): number {
    if (content === 'same' || content === null) return 0;
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (this.whole.get(name) === sha256) return 0;
    const { key } = this.watched;
    this.whole.set(name, sha256);
    for (let at = 0; at === 0 || at < content.length; at += PIECE) {
      const piece = content.subarray(at, at + PIECE);
      const last = at + PIECE >= content.length;
      this.emit({ kind: 'whole', key, name, at, data: piece.toString('base64'), sha256: last ? sha256 : null });
    }
    return content.length;
  }

  private forget(name: string): boolean {
    this.looks.delete(name);
    if (!this.whole.delete(name)) return false;
    this.emit({ kind: 'removed', key: this.watched.key, name });
    return true;
  }

  private tell(all: boolean, changed: boolean): void {
    const now = performance.now();
    // A launcher that has just written an end is gone in a moment.
    const ending = this.end !== null && this.sign?.launcher === 'alive';
    const due = this.sign === null || now - this.signed >= SIGN_EVERY_MS || changed || ending;
    const before = JSON.stringify(this.sign);
    if (due) {
      this.sign = signOf(this.watched.folder, this.queue);
      this.signed = now;
    }
    if (this.sign === null || (!changed && JSON.stringify(this.sign) === before && now - this.told < BEAT_EVERY_MS)) return;
    this.told = now;
    this.emit({ kind: 'look', key: this.watched.key, sign: this.sign, last: all && this.end !== null && this.sign.launcher !== 'alive' });
  }
}

/** Looks again and again until the request's time or bytes are over or the signal says so; the last frame is `end`. */
export async function watchRuns(
  request: WatchRequest,
  write: (frame: WatchFrame) => number | Promise<number>,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + request.last_ms;
  let waiting: WatchFrame[] = [];
  const sources = request.runs.map((watched) => new RunSource(watched, request.queue, (frame) => void waiting.push(frame)));
  let left = request.last_bytes;
  while (!signal.aborted && performance.now() < until && left > 0) {
    for (const source of sources) {
      source.look(Math.max(0, Math.min(left, 4 << 20)));
      // Nothing is read ahead of what its reader has taken.
      for (const frame of waiting) left -= await write(frame);
      waiting = [];
    }
    await sleep(request.poll_ms, undefined, { signal }).catch(() => undefined);
  }
  await write({ kind: 'end' });
}
