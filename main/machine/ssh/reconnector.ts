/**
 * Keeps a connection: opens it when it is first needed, and again whenever it is lost, each time a little later. What belongs to an
 * earlier attempt is told by its generation and has no say. A refusal ends the trying until the user asks for it.
 */
import type { ConnectionState } from '../../../shared/machine-connection.ts';
import { MachineError } from '../machine.ts';
import { RefusedError } from './refused-error.ts';

/** What this file needs of a link. */
export interface LostLink {
  onLost(watcher: (why: MachineError) => void): () => void;
  end(why?: string): void;
}

/** Seconds before each further attempt; the last goes on for good. */
export const BACKOFF_S: readonly number[] = [1, 2, 5, 5, 10, 10, 10, 30];

export interface ReconnectorOptions<L extends LostLink> {
  name: string;
  open: (signal: AbortSignal) => Promise<L>;
  /** @default BACKOFF_S */
  backoff?: readonly number[];
  /** Milliseconds that an operation waits for a connection. @default 60000 */
  waitMs?: number;
}

export class Reconnector<L extends LostLink> {
  state: ConnectionState = { state: 'idle' };
  private readonly options: ReconnectorOptions<L>;
  private current: L | null = null;
  private generation = 0;
  private attempt = new AbortController();
  private wake: (() => void) | null = null;
  private readonly listeners = new Set<(state: ConnectionState) => void>();
  private readonly waiting = new Set<PromiseWithResolvers<L>>();

  constructor(options: ReconnectorOptions<L>) {
    this.options = options;
  }

  subscribe(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(state: ConnectionState): void {
    this.state = state;
    for (const listener of [...this.listeners]) listener(state);
  }

  private whyNot(): MachineError | null {
    if (this.state.state === 'refused') return new RefusedError(this.state.reason, this.state.message, this.state.offered);
    if (this.state.state === 'closed') return new MachineError('lost', `the connection to ${this.options.name} was closed`);
    return null;
  }

  /** The link, waiting for it where there is none. Errors: MachineError `refused`, or `lost` after `waitMs`; the signal's reason. */
  async link(signal?: AbortSignal): Promise<L> {
    signal?.throwIfAborted();
    if (this.current !== null) return this.current;
    const why = this.whyNot();
    if (why !== null) throw why;
    const waiter = Promise.withResolvers<L>();
    this.waiting.add(waiter);
    const waitMs = this.options.waitMs ?? 60_000;
    const timer = setTimeout(() => {
      const last = this.state.state === 'waiting' ? `: ${this.state.why}` : '';
      waiter.reject(new MachineError('lost', `no connection to ${this.options.name} within ${waitMs / 1000} s${last}`));
    }, waitMs);
    const stop = (): void => waiter.reject(signal?.reason);
    signal?.addEventListener('abort', stop);
    if (this.state.state === 'idle') this.start(null, null);
    try {
      return await waiter.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      this.waiting.delete(waiter);
    }
  }

  /** One attempt, now. Errors: why it failed; nothing is tried again then. */
  async connect(): Promise<void> {
    if (this.current !== null) return;
    if (this.state.state === 'closed') throw new MachineError('lost', `the connection to ${this.options.name} was closed`);
    const generation = this.next();
    this.tell({ state: 'connecting', attempt: 1, lost_since: null });
    try {
      this.take(await this.options.open(this.attempt.signal), generation);
    } catch (error) {
      if (generation === this.generation) this.failed(error, true);
      throw error;
    }
  }

  /** Tries at once. */
  retry(): void {
    if (this.wake !== null) this.wake();
    else if (this.state.state === 'refused' || this.state.state === 'idle') this.start(null, null);
  }

  /** Gives a link up that does not answer any more. */
  drop(link: L, why: string): void {
    if (this.current === link) link.end(why);
  }

  close(): void {
    this.next();
    const link = this.current;
    this.current = null;
    this.tell({ state: 'closed' });
    link?.end();
    this.refuseAll(new MachineError('lost', `the connection to ${this.options.name} was closed`));
  }

  private next(): number {
    this.attempt.abort();
    this.attempt = new AbortController();
    this.wake?.();
    return ++this.generation;
  }

  private refuseAll(why: MachineError): void {
    for (const waiter of [...this.waiting]) waiter.reject(why);
  }

  private start(lostSince: string | null, why: string | null): void {
    const generation = this.next();
    // What can go wrong in it is told by the state.
    void this.keepTrying(generation, lostSince, why);
  }

  private failed(error: unknown, once: boolean): boolean {
    if (error instanceof RefusedError) {
      this.tell({ state: 'refused', reason: error.reason, message: error.message, offered: error.offered });
      this.refuseAll(error);
      return true;
    }
    // A mistake in what was given does not pass by itself either.
    if (error instanceof Error && error.name === 'InputError') {
      this.tell({ state: 'refused', reason: 'configuration', message: error.message, offered: null });
      this.refuseAll(new RefusedError('configuration', error.message));
      return true;
    }
    if (once) this.tell({ state: 'idle' });
    return once;
  }

  private async keepTrying(generation: number, lostSince: string | null, lostWhy: string | null): Promise<void> {
    const backoff = this.options.backoff ?? BACKOFF_S;
    let why = lostWhy;
    for (let attempt = 1, waits = 0; ; attempt++) {
      if (why !== null) {
        await this.wait(backoff[Math.min(waits++, backoff.length - 1)] ?? 30, attempt, lostSince, why);
        if (generation !== this.generation) return;
      }
      this.tell({ state: 'connecting', attempt, lost_since: lostSince });
      try {
        this.take(await this.options.open(this.attempt.signal), generation);
        return;
      } catch (error) {
        if (generation !== this.generation || this.failed(error, false)) return;
        why = error instanceof Error ? error.message : String(error);
      }
    }
  }

  private wait(seconds: number, attempt: number, lostSince: string | null, why: string): Promise<void> {
    this.tell({ state: 'waiting', attempt, next_try: new Date(Date.now() + seconds * 1000).toISOString(), lost_since: lostSince, why });
    return new Promise((done) => {
      const over = (): void => {
        clearTimeout(timer);
        if (this.wake === over) this.wake = null;
        done();
      };
      const timer = setTimeout(over, seconds * 1000);
      this.wake = over;
    });
  }

  private take(link: L, generation: number): void {
    if (generation !== this.generation) {
      link.end('another attempt took its place');
      return;
    }
    this.current = link;
    this.tell({ state: 'connected', since: new Date().toISOString() });
    link.onLost((error) => {
      if (generation !== this.generation || this.current !== link) return;
      this.current = null;
      this.start(new Date().toISOString(), error.message);
    });
    for (const waiter of [...this.waiting]) waiter.resolve(link);
  }
}
