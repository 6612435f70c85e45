/**
 * The local side of one mirrored run: takes what the machine sends into the run folder here. A file that only grows is as long here as it
 * is known, so that a mirror that was killed goes on where its files end; a file that is replaced whole appears whole. What an exited run
 * wrote stands here before its exit.json does.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, closeSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FileProof,
  GROWING,
  MirrorName,
  NOT_MIRRORED,
  PROVED_END,
  type RemoteRun,
  type RunSign,
  type Watched,
  type WatchFrame,
} from '../../../shared/remote-run.ts';
import { parseLine, SeqWatch, Tail } from '../../../shared/run-lines.ts';
import { RunEvent } from '../../../shared/run-record.ts';
import { mirrored, writeRemote } from './remote-file.ts';

/** `remote.json` is written this often where nothing but the time of contact has changed. */
const SAVE_EVERY_MS = 2000;
/** A heartbeat beats each second; one that was not seen to move for so long does not. */
const BEATS_WITHIN_MS = 8000;

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function bytesOf(path: string, from: number, to: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    const count = readSync(fd, bytes, 0, bytes.length, from);
    return bytes.subarray(0, count);
  } finally {
    closeSync(fd);
  }
}

function hashFile(path: string, size: number = sizeOf(path)): string {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += 1 << 20) hash.update(bytesOf(path, at, Math.min(size, at + (1 << 20))));
  return hash.digest('hex');
}

/** What the frames of one watching left undone: its reader must ask anew. */
export class AskAgain extends Error {
  override name = 'AskAgain';
}

export class Mirror {
  readonly folder: string;
  private remote: RemoteRun;
  private readonly pieces = new Map<string, Buffer[]>();
  private events: { tail: Tail; watch: SeqWatch } | null = null;
  private saved = Number.NEGATIVE_INFINITY;
  private moved = Number.NEGATIVE_INFINITY;
  /** Hash of the notes that were mirrored last: others here are the reader's own and stay. */
  private notes: string | null = null;
  private readonly hashes = new Map<string, { look: string; hash: string }>();

  /** Errors: InputError for a folder that is no mirror. */
  constructor(folder: string) {
    this.folder = folder;
    this.remote = mirrored(folder);
  }

  /** What `remote.json` says. */
  get state(): Readonly<RemoteRun> {
    return this.remote;
  }

  /** What is here, for the machine to send the rest. */
  watched(key: number): Watched {
    const growing: Watched['growing'] = {};
    for (const name of GROWING) {
      const path = join(this.folder, name);
      const bytes = sizeOf(path);
      growing[name] = { bytes, end_sha256: bytes === 0 ? null : sha256(bytesOf(path, Math.max(0, bytes - PROVED_END), bytes)) };
    }
    const whole: Watched['whole'] = {};
    for (const name of this.wholeNames()) whole[name] = this.hashOf(name);
    this.pieces.clear();
    this.events = null;
    return { key, folder: this.remote.folder, growing, whole };
  }

  private wholeNames(): string[] {
    return readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && MirrorName.safeParse(entry.name).success)
      .map((entry) => entry.name)
      .filter((name) => !GROWING.includes(name) && !NOT_MIRRORED.includes(name) && !name.endsWith('.tmp'));
  }

  private hashOf(name: string): string {
    const path = join(this.folder, name);
    const { size, mtimeMs, ino } = statSync(path);
    const look = `${ino} ${size} ${mtimeMs}`;
    const known = this.hashes.get(name);
    if (known?.look === look) return known.hash;
    const hash = hashFile(path);
    this.hashes.set(name, { look, hash });
    return hash;
  }

  /**
   * Takes one frame in. Gives true where the run has ended and all that it wrote has been sent.
   * Errors: AskAgain where the machine must be asked anew; the system's, where the disk here takes no more.
   */
  take(frame: Exclude<WatchFrame, { kind: 'end' }>): boolean {
    switch (frame.kind) {
      case 'grown':
        this.grow(frame.name, frame.at, Buffer.from(frame.data, 'base64'));
        return false;
      case 'whole':
        this.replace(frame.name, frame.at, Buffer.from(frame.data, 'base64'), frame.sha256);
        return false;
      case 'removed':
        if (this.isOurs(frame.name)) return false;
        rmSync(join(this.folder, frame.name), { force: true });
        return false;
      case 'differs':
        this.putAside(frame.name);
        throw new AskAgain(`${frame.name} is asked for anew`);
      case 'note':
        this.say(frame.text);
        return false;
      case 'unreadable':
        this.say(`its folder on ${this.remote.machine} cannot be read: ${frame.text}`);
        return false;
      case 'look':
        this.contact(frame.sign, frame.last);
        return frame.last;
    }
  }

  private isOurs(name: string): boolean {
    if (NOT_MIRRORED.includes(name)) return true;
    if (name !== 'notes.json') return false;
    // Nobody but its reader here writes notes; those that came from there may come anew.
    return sizeOf(join(this.folder, name)) > 0 && this.notes !== this.hashOf(name);
  }

  private grow(name: string, at: number, bytes: Buffer): void {
    if (!GROWING.includes(name)) throw new AskAgain(`${name} is no file that grows`);
    const path = join(this.folder, name);
    const size = sizeOf(path);
    if (size !== at) throw new AskAgain(`${name} has ${size} bytes here, and what comes begins at ${at}`);
    if (name === 'events.jsonl') this.events ??= this.eventsSoFar(path, size);
    appendFileSync(path, bytes);
    if (name === 'events.jsonl') this.prove(bytes);
  }

  /** Where the numbers of events stand at the end of what is here. */
  private eventsSoFar(path: string, size: number): { tail: Tail; watch: SeqWatch } {
    for (let length = 1 << 16; ; length *= 4) {
      const from = Math.max(0, size - length);
      const bytes = size === 0 ? Buffer.alloc(0) : bytesOf(path, from, size);
      const first = from === 0 ? 0 : bytes.indexOf(0x0a) + 1;
      if (from > 0 && first === 0) continue;
      const tail = new Tail(from + first);
      const seqs = tail.push(bytes.subarray(first)).flatMap((line) => {
        const parsed = parseLine(line, RunEvent);
        return parsed.ok ? [parsed.row.seq] : [];
      });
      const last = seqs.at(-1);
      if (last === undefined && from > 0) continue;
      const watch = new SeqWatch(last === undefined ? 0 : null);
      if (last !== undefined) watch.push(last);
      return { tail, watch };
    }
  }

  /** Numbers that are missing or come twice are kept in `remote.json`: the mirror is then not what the run wrote. */
  private prove(bytes: Buffer): void {
    if (this.events === null) return;
    for (const line of this.events.tail.push(bytes)) {
      const parsed = parseLine(line, RunEvent);
      const gap = parsed.ok ? this.events.watch.push(parsed.row.seq) : null;
      if (gap !== null) this.save({ gaps: [...this.remote.gaps, gap].slice(-100) });
    }
  }

  private replace(name: string, at: number, bytes: Buffer, hash: string | null): void {
    const pieces = at === 0 ? [] : (this.pieces.get(name) ?? []);
    const have = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (have !== at) throw new AskAgain(`a piece of ${name} is missing`);
    pieces.push(bytes);
    this.pieces.set(name, pieces);
    if (hash === null) return;
    this.pieces.delete(name);
    const content = Buffer.concat(pieces);
    if (sha256(content) !== hash) throw new AskAgain(`${name} does not have the SHA-256 that was stated`);
    if (this.isOurs(name)) return;
    const temporary = join(this.folder, `.mirror-${name}.tmp`);
    try {
      writeFileSync(temporary, content, { flush: name === 'exit.json' });
      renameSync(temporary, join(this.folder, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    if (name === 'notes.json') this.notes = hash;
  }

  /** A file here that is not how the one there begins is kept for who wants to look, and fetched from its start. */
  private putAside(name: string): void {
    const path = join(this.folder, name);
    if (sizeOf(path) > 0) renameSync(path, join(this.folder, `.differs-${Date.now()}-${name}`));
    writeFileSync(path, '');
    this.say(`${name} here was not how it begins on ${this.remote.machine}; it was fetched anew`);
  }

  private contact(sign: RunSign, last: boolean): void {
    const before = this.remote.sign;
    const now = performance.now();
    if (before !== null && before.heartbeat !== null && sign.heartbeat !== null && sign.heartbeat !== before.heartbeat) this.moved = now;
    const beating = now - this.moved < BEATS_WITHIN_MS;
    const { heartbeat: _, ...proved } = sign;
    const { heartbeat: __, ...provedBefore } = before ?? { heartbeat: null };
    const same = JSON.stringify(proved) === JSON.stringify(provedBefore) && beating === this.remote.beating && !last;
    this.remote = { ...this.remote, sign, beating, last_contact: new Date().toISOString() };
    if (!same || now - this.saved >= SAVE_EVERY_MS) this.save({});
  }

  /** The machine could not be asked. The last contact stays what it was. */
  say(trouble: string | null): void {
    if (this.remote.trouble !== trouble) this.save({ trouble });
  }

  private save(more: Partial<RemoteRun>): void {
    this.saved = performance.now();
    const offsets = Object.fromEntries(GROWING.map((name) => [name, sizeOf(join(this.folder, name))]));
    this.remote = { ...this.remote, offsets, ...more };
    writeRemote(this.folder, this.remote);
  }

  /**
   * Compares every file of an ended run with what the machine has, byte for byte by SHA-256, and says that the mirror is complete where
   * all are equal. Files that differ are put aside, to be fetched anew. `behind`: more has been written there than has come.
   */
  settle(files: readonly FileProof[]): { differing: string[]; behind: boolean } {
    const differing: string[] = [];
    let behind = !files.some(({ name }) => name === 'exit.json');
    for (const { name, bytes, sha256: stated } of files) {
      if (!MirrorName.safeParse(name).success || NOT_MIRRORED.includes(name) || name === 'notes.json') continue;
      const path = join(this.folder, name);
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? -1;
      if (GROWING.includes(name) && size !== bytes) behind = true;
      if (GROWING.includes(name) && size < bytes) continue;
      if (size >= bytes && hashFile(path, bytes) === stated) continue;
      differing.push(name);
      if (GROWING.includes(name)) this.putAside(name);
      else this.hashes.delete(name);
    }
    if (differing.length === 0 && !behind) this.save({ complete: true, trouble: null });
    return { differing, behind };
  }

  /** The run goes on: it is watched again. */
  reopen(): void {
    if (this.remote.complete) this.save({ complete: false });
  }
}
