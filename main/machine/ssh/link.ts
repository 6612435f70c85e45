/** One connection to a machine, for as long as it lasts. Every wait on it ends: with the answer, at its deadline, or when the link is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2';
import { MachineError } from '../machine.ts';

/** Longest wait for a channel to open or an answer about a file, in milliseconds. */
export const ANSWER_MS = 30_000;
/** Channels at a time: sshd allows 10 a connection by default (MaxSessions); one is for files, one for ending what must be ended. */
const MOST_CHANNELS = 8;
/** Times that a first channel is asked for where the machine has none left: another program's may end. */
const MOST_TRIES = 8;

type Callback<T> = (error: Error | undefined | null, value: T) => void;

export interface RunningCommand {
  channel: ClientChannel;
  /** How it ended, once it has. */
  exit: { code: number | null; signal: string | null } | null;
}

/** A server's words for a message: one line, no control characters, not without end. */
export const plainWords = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 200);

export class Link {
  readonly client: Client;
  private readonly watchers = new Set<(why: MachineError) => void>();
  private why: MachineError | null = null;
  private readonly ending: () => void;
  private files: Promise<SFTPWrapper> | null = null;
  private capacity = MOST_CHANNELS;
  private inUse = 0;
  private readonly queue: (() => void)[] = [];
  private readonly answerMs: number;

  /** `ending` closes the sockets below. */
  constructor(client: Client, ending: () => void, answerMs = ANSWER_MS) {
    this.client = client;
    this.ending = ending;
    this.answerMs = answerMs;
  }

  get lost(): MachineError | null {
    return this.why;
  }

  /** Told once when the link is lost, at once if it is; the function returned ends that. */
  onLost(watcher: (why: MachineError) => void): () => void {
    if (this.why !== null) queueMicrotask(() => this.why !== null && watcher(this.why));
    else this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Gives the link up. */
  end(why = 'the connection was closed'): void {
    if (this.why !== null) return;
    this.why = new MachineError('lost', why);
    for (const watcher of [...this.watchers]) watcher(this.why);
    this.watchers.clear();
    for (const next of this.queue.splice(0)) next();
    this.ending();
  }

  /** Waits for ssh2's callback. Errors: MachineError `timeout`, `lost`, or ssh2's own. */
  answer<T>(what: string, start: (done: Callback<T>) => void, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.why !== null) return Promise.reject(this.why);
    const timer = setTimeout(
      () => reject(new MachineError('timeout', `no answer within ${this.answerMs / 1000} s to: ${what}`)),
      this.answerMs,
    );
    const forget = this.onLost(reject);
    const stop = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', stop);
    const over = (): void => {
      clearTimeout(timer);
      forget();
      signal?.removeEventListener('abort', stop);
    };
    try {
      start((error, value) => (error ? reject(this.why ?? error) : resolve(value)));
    } catch (error) {
      // ssh2 throws where the connection has just ended.
      reject(this.why ?? new MachineError('lost', error instanceof Error ? error.message : String(error)));
    }
    return promise.finally(over);
  }

  /** The session for files, opened when it is first needed. */
  sftp(): Promise<SFTPWrapper> {
    this.files ??= this.answer<SFTPWrapper>('open a session for files', (done) => this.client.sftp(done)).then(
      (sftp) => {
        sftp.on('close', () => {
          this.files = null;
        });
        return sftp;
      },
      (error: unknown) => {
        this.files = null;
        if (error instanceof MachineError) throw error;
        throw new MachineError('failed', `the machine offers no transfer of files (SFTP): ${plainWords(String(error))}`);
      },
    );
    return this.files;
  }

  /** A channel that carries out `command`, when it is its turn. Errors: as `answer`; MachineError `failed` where the machine has none left. */
  async exec(what: string, command: string, signal?: AbortSignal): Promise<RunningCommand> {
    for (let attempt = 1; ; ) {
      while (this.inUse >= this.capacity) await new Promise<void>((done) => this.queue.push(done));
      if (this.why !== null) throw this.why;
      this.inUse++;
      try {
        return await this.answer<RunningCommand>(
          `start ${what}`,
          (done) =>
            this.client.exec(command, (error, channel) => {
              if (error) return done(error, { channel, exit: null });
              // A short command may have ended before a promise is looked at.
              const running: RunningCommand = { channel, exit: null };
              channel.on('exit', (code: number | null, name?: string) => {
                running.exit = { code, signal: name ?? null };
              });
              channel.once('close', () => this.release());
              done(error, running);
            }),
          signal,
        );
      } catch (error) {
        // Who has had enough of waiting leaves it to the channel, should it come, to give its place back.
        if (!signal?.aborted && !(error instanceof MachineError && error.kind === 'timeout')) this.release();
        if (!(error instanceof Error && /Channel open failure/.test(error.message))) throw error;
        if (this.inUse > 0) {
          // This machine allows fewer than most: its turn comes when another ends.
          this.capacity = this.inUse;
        } else if (attempt < MOST_TRIES) {
          await sleep(25 * 2 ** attempt++);
        } else throw new MachineError('failed', `the machine opens no channel for ${what}: ${plainWords(error.message)}`);
      }
    }
  }

  private release(): void {
    this.inUse--;
    this.queue.shift()?.();
  }
}
