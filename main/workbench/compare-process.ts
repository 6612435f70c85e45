/**
 * Asks the process that computes comparisons. It is started by the first question, again after a crash, and let go after some minutes
 * without any. What nobody waits for any more is not computed to its end: the process is ended, and a later question starts another.
 */
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { RouteInput, RouteOutput } from '../../shared/rpc/contract.ts';
import { programPath } from '../machine/programs.ts';
import { type ServiceProcess, startService } from '../machine/service-process.ts';
import { type CompareAsk, CompareReply, type ComputedRoute } from './compare-messages.ts';

/** How long a process without work keeps what it has opened. */
const IDLE_MS = 5 * 60_000;
/** What is no longer wanted may take so long to end by itself: a process that is ended has to open everything again. */
const PATIENCE_MS = 700;

interface Waiting {
  ask: CompareAsk;
  /** What it is about; questions about the same share their work. */
  subject: string;
  done: (data: unknown) => void;
  fail: (error: Error) => void;
}

export interface CompareProcessOptions {
  /** @default the process of this installation */
  program?: string;
  idleMs?: number;
  patienceMs?: number;
}

const subjectOf = ({ with: refs, reference, allow }: RouteInput<'compare.result'>): string => JSON.stringify([refs, reference, allow]);

export class CompareProcess {
  private readonly runsDir: string;
  private readonly options: CompareProcessOptions;
  private process: ServiceProcess | null = null;
  private readonly waiting = new Map<number, Waiting>();
  /** Asked of the process and no longer waited for, with what they are about. */
  private readonly abandoned = new Map<number, string>();
  private patience: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  private next = 1;

  constructor(runsDir: string, options: CompareProcessOptions = {}) {
    this.runsDir = runsDir;
    this.options = options;
  }

  /** Of the process that runs now; null where none does. */
  get pid(): number | null {
    return this.process?.pid ?? null;
  }

  /** Errors: InputError as the process throws it; Error when it crashed, or when the signal was aborted. */
  ask<R extends ComputedRoute>(route: R, input: RouteInput<R>, signal?: AbortSignal): Promise<RouteOutput<R>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Error('cancelled'));
      const ask = { id: this.next++, runs_dir: this.runsDir, route, input };
      const abandon = (): void => this.abandon(ask.id);
      const over = (): void => signal?.removeEventListener('abort', abandon);
      signal?.addEventListener('abort', abandon, { once: true });
      this.waiting.set(ask.id, {
        ask,
        subject: subjectOf(input),
        // The window checks every answer; it comes from our own process.
        done: (data) => {
          over();
          resolve(data as RouteOutput<R>);
        },
        fail: (error) => {
          over();
          reject(error);
        },
      });
      clearTimeout(this.idle);
      this.write(ask);
    });
  }

  /** Ends the process; a later question starts another. */
  close(): void {
    this.stop(new Error('the comparison was closed'));
  }

  private write(ask: CompareAsk): void {
    if (this.process === null) {
      const started: ServiceProcess = startService({
        program: this.options.program ?? programPath('main/workbench/compare-worker'),
        background: true,
        onLine: (line) => this.receive(started, line),
        onEnd: (why) => {
          if (started !== this.process) return;
          this.process = null;
          this.stop(new Error(`the comparison's process stopped in the middle of this (${why}). Nothing else is lost; try again`));
        },
      });
      this.process = started;
    }
    this.process.write(JSON.stringify(ask));
  }

  private receive(from: ServiceProcess, line: string): void {
    if (from !== this.process) return;
    let reply: CompareReply;
    try {
      reply = parseInput(CompareReply, parseJson(line, 'line'), 'line');
    } catch (error) {
      this.stop(
        new Error(`the comparison's process wrote what is none of ours: ${error instanceof Error ? error.message : String(error)}`),
      );
      return;
    }
    this.abandoned.delete(reply.id);
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (waiting !== undefined) {
      if ('data' in reply) waiting.done(reply.data);
      else waiting.fail(reply.input ? new InputError(reply.error, reply.field) : new Error(reply.error));
    }
    if (this.waiting.size === 0) this.rest();
  }

  private abandon(id: number): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    this.waiting.delete(id);
    this.abandoned.set(id, waiting.subject);
    waiting.fail(new Error('cancelled'));
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.dropAbandoned(), this.options.patienceMs ?? PATIENCE_MS);
    this.patience.unref();
  }

  /** Ends work that nobody waits for, where nothing that is waited for would be lost with it: what came later is asked again. */
  private dropAbandoned(): void {
    if (this.abandoned.size === 0 || this.process === null) return;
    const [subjects, last] = [new Set(this.abandoned.values()), Math.max(...this.abandoned.keys())];
    const wanted = [...this.waiting.values()];
    if (wanted.some(({ ask, subject }) => ask.id < last || subjects.has(subject))) return;
    this.end();
    for (const { ask } of wanted) this.write(ask);
  }

  private end(): void {
    const { process } = this;
    this.process = null;
    this.abandoned.clear();
    clearTimeout(this.patience);
    clearTimeout(this.idle);
    process?.kill();
  }

  private stop(error: Error): void {
    this.end();
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    for (const { fail } of lost) fail(error);
  }

  private rest(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.end(), this.options.idleMs ?? IDLE_MS);
    this.idle.unref();
  }
}
