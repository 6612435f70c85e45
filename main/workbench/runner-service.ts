/**
 * Asks the runner's helper process. It is started by the first request and again after a crash, which fails the requests that it had;
 * it is let go after some minutes without any, and the model in its memory with it.
 */
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import {
  type ServiceError,
  ServiceReply,
  type ServiceRequest,
  type ServiceStream,
  type ServiceVerb,
  type StreamItem,
  type StreamRequest,
  serviceStreams,
  serviceVerbs,
  type VerbOutput,
  type VerbRequest,
} from '../../shared/runner-service.ts';
import { type ServiceProcess, startService } from '../machine/service-process.ts';

/** How long a helper without work is kept. */
const IDLE_MS = 5 * 60_000;

interface Waiting {
  verb: string;
  onData: (data: unknown) => void;
  onEnd: (error: Error | null) => void;
}

export interface RunnerServiceOptions {
  /** The helper's program; absent: the runner's own. */
  program?: string;
  /** The Node that runs it. @default the one that runs this process */
  node?: string;
  /** @default 5 minutes */
  idleMs?: number;
}

const thrownFrom = ({ code, message, field }: ServiceError): Error =>
  code === 'input' ? new InputError(message, field) : new Error(message);

export class RunnerService {
  private readonly options: RunnerServiceOptions;
  private readonly waiting = new Map<number, Waiting>();
  private process: ServiceProcess | null = null;
  private idle: NodeJS.Timeout | undefined;
  private next = 1;

  constructor(options: RunnerServiceOptions = {}) {
    this.options = options;
  }

  /** Of the helper that runs now; null where none does. */
  get pid(): number | null {
    return this.process?.pid ?? null;
  }

  /** The answer to a question. Errors: InputError as the helper throws it; Error when it crashed; the signal's reason when aborted. */
  ask<V extends ServiceVerb>(verb: V, input: VerbRequest<V>, signal?: AbortSignal): Promise<VerbOutput<V>> {
    return new Promise((done, fail) => {
      let answer: unknown;
      const onEnd = (error: Error | null): void => {
        if (error !== null) {
          fail(error);
          return;
        }
        try {
          done(parseInput(serviceVerbs[verb].output, answer, `answer to ${verb}`) as VerbOutput<V>);
        } catch (thrown) {
          fail(new Error(`the model process answered ${verb} wrongly: ${thrown instanceof Error ? thrown.message : String(thrown)}`));
        }
      };
      this.begin({ verb, onData: (data) => (answer = data), onEnd }, input, signal);
    });
  }

  /** What a stream gives until it ends; aborted, it stops at once. Errors: as `ask`. */
  async *follow<S extends ServiceStream>(stream: S, input: StreamRequest<S>, signal?: AbortSignal): AsyncGenerator<StreamItem<S>> {
    const items: unknown[] = [];
    let over: { error: Error | null } | null = null;
    let wake = (): void => undefined;
    const cancel = this.begin(
      {
        verb: stream,
        onData: (item) => {
          items.push(item);
          wake();
        },
        onEnd: (error) => {
          over = { error };
          wake();
        },
      },
      input,
      signal,
    );
    try {
      for (;;) {
        while (items.length > 0) yield parseInput(serviceStreams[stream].item, items.shift(), `item of ${stream}`) as StreamItem<S>;
        const ended = over as { error: Error | null } | null;
        if (ended?.error) throw ended.error;
        if (ended !== null) return;
        await new Promise<void>((resume) => {
          wake = resume;
        });
      }
    } finally {
      // The reader went away in the middle.
      cancel();
    }
  }

  /** Lets the helper go; a later request starts another. */
  close(): void {
    clearTimeout(this.idle);
    this.process?.close();
  }

  private begin(waiting: Waiting, input: unknown, signal: AbortSignal | undefined): () => void {
    if (signal?.aborted) {
      waiting.onEnd(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
      return () => undefined;
    }
    const id = this.next++;
    const cancel = (): void => {
      if (!this.waiting.delete(id)) return;
      this.write({ kind: 'cancel', id });
      this.rest();
      waiting.onEnd(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const onEnd = (error: Error | null): void => {
      signal?.removeEventListener('abort', cancel);
      waiting.onEnd(error);
    };
    this.waiting.set(id, { ...waiting, onEnd });
    clearTimeout(this.idle);
    this.write({ kind: 'ask', id, verb: waiting.verb, input });
    return cancel;
  }

  private write(request: ServiceRequest): void {
    if (this.process === null) {
      const { program, node } = this.options;
      const started: ServiceProcess = startService({
        program,
        node,
        onLine: (line) => this.receive(started, line),
        onEnd: (why) => this.ended(started, why),
      });
      this.process = started;
    }
    this.process.write(JSON.stringify(request));
  }

  private receive(from: ServiceProcess, line: string): void {
    if (from !== this.process) return;
    let reply: ServiceReply;
    try {
      reply = parseInput(ServiceReply, parseJson(line, 'line'), 'line');
    } catch (error) {
      // What it says is not to be trusted any more.
      this.ended(from, `it wrote a line that is none of ours: ${error instanceof Error ? error.message : String(error)}`);
      from.kill();
      return;
    }
    if (reply.id === null) {
      this.ended(from, reply.kind === 'error' ? reply.error.message : 'it gave no number');
      from.kill();
      return;
    }
    const waiting = this.waiting.get(reply.id);
    // Cancelled in the meantime.
    if (waiting === undefined) return;
    if (reply.kind === 'item') {
      waiting.onData(reply.item);
      return;
    }
    this.waiting.delete(reply.id);
    this.rest();
    if (reply.kind === 'reply') waiting.onData(reply.data);
    waiting.onEnd(reply.kind === 'error' ? thrownFrom(reply.error) : null);
  }

  private ended(which: ServiceProcess, why: string): void {
    if (which !== this.process) return;
    this.process = null;
    clearTimeout(this.idle);
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    const error = new Error(`the model process stopped in the middle of this (${why}). Nothing else is lost; try again`);
    for (const { onEnd } of lost) onEnd(error);
  }

  /** Without work for a while, it goes. */
  private rest(): void {
    clearTimeout(this.idle);
    if (this.waiting.size > 0) return;
    this.idle = setTimeout(() => {
      const { process } = this;
      // A request that comes now must start another one.
      this.process = null;
      process?.close();
    }, this.options.idleMs ?? IDLE_MS);
    this.idle.unref();
  }
}
