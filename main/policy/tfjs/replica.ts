/** The main side of a policy's second thread. Results are bit for bit those of this thread. */
import { Worker } from 'node:worker_threads';
import type { GenerateEvent, GenerateRequest, Sequence, TokenLogprobs } from '../policy.ts';
import type { GradientWork } from './gradient.ts';
import type { Totals } from './objective.ts';
import {
  type FinalReply,
  type ModelName,
  type NumbersName,
  type ReplicaReply,
  type ReplicaStart,
  type ReplicaTask,
  type ReplicaWork,
  type SharedFloats,
  type SharedModel,
  type SharedNumbers,
  sharedFloats,
  unpackEvents,
} from './replica-message.ts';

/** Work under way in the other thread. */
export interface Away<T> {
  /** Errors: the other thread's message; Error when it ended or was asked to stop. */
  result: Promise<T>;
  /** Asks it to stop at its next token or micro-batch. */
  stop(): void;
  /** Resolves once the other thread is through with it, however it went. */
  settled: Promise<void>;
}

/** A flat array of this thread's; `version` counts its changes. */
export interface Numbers {
  name: NumbersName;
  version: number;
  values: Float32Array;
}

/** Results of this thread's half and the other's. Once one fails or the signal is aborted, the other is stopped and waited for. */
export async function bothHalves<A, B>(own: Promise<A>, away: Away<B>, signal: AbortSignal | undefined): Promise<[A, B]> {
  signal?.addEventListener('abort', away.stop);
  try {
    const mine = await own;
    await away.settled;
    signal?.throwIfAborted();
    return [mine, await away.result];
  } finally {
    signal?.removeEventListener('abort', away.stop);
    away.stop();
    await away.settled;
  }
}

interface Waiting {
  resolve(reply: FinalReply): void;
  reject(error: Error): void;
  onEvents: ((events: GenerateEvent[]) => void) | undefined;
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = new URL(`./replica-worker.${extension}`, import.meta.url);

export class Replica {
  /** Tensors that the thread held after its last task. */
  tensors = 0;
  private readonly worker: Worker;
  private readonly size: number;
  private readonly models = new Map<ModelName, SharedModel>();
  private readonly numbers = new Map<NumbersName, SharedNumbers>();
  private readonly waiting = new Map<number, Waiting>();
  private gradients: SharedFloats | undefined;
  private tasks = 0;
  /** Why there is no thread any more. */
  private gone: Error | undefined;

  /** Starts the thread; `size`: floats of what is trained. `program` is there for tests. */
  constructor(start: ReplicaStart, size: number, program: URL = PROGRAM) {
    this.size = size;
    this.worker = new Worker(program, { workerData: start });
    this.worker.unref();
    this.worker.on('message', (reply: ReplicaReply) => this.receive(reply));
    this.worker.on('error', (error: unknown) => this.end(error instanceof Error ? error.message : String(error)));
    this.worker.on('exit', (code) => this.end(`it left with exit code ${code}`));
  }

  /** Puts a model's numbers where the thread finds them, those of which `version` is not what is there. */
  share(name: ModelName, base: Numbers, adapter: Numbers | null): void {
    this.models.set(name, { base: this.shared(base), adapter: adapter && this.shared(adapter) });
  }

  private shared({ name, version, values }: Numbers): SharedNumbers {
    const shared = this.numbers.get(name) ?? { name, version: -1, values: sharedFloats(values.length) };
    this.numbers.set(name, shared);
    if (shared.version !== version) {
      shared.values.set(values);
      shared.version = version;
    }
    return shared;
  }

  /** `onEvents` is called until `result` resolves. */
  generate(request: GenerateRequest, onEvents: (events: GenerateEvent[]) => void): Away<void> {
    const { signal: _, onRankSeconds: __, ...rest } = request;
    const prompts = request.prompts.map(({ key, ids }) => ({ key, ids: compact(ids) }));
    return this.post('policy', { kind: 'generate', request: { ...rest, prompts } }, () => undefined, onEvents);
  }

  logprobs(name: ModelName, sequences: readonly Sequence[], temperature: number): Away<TokenLogprobs[]> {
    const work = {
      kind: 'logprobs' as const,
      sequences: sequences.map(({ prompt, completion }) => plain({ prompt, completion })),
      temperature,
    };
    return this.post(name, work, (reply) => expectKind(reply, 'scored').scores);
  }

  /** The gradient is shared memory: it holds until the next call. */
  gradient(work: GradientWork): Away<{ totals: Totals; gradients: SharedFloats }> {
    this.gradients ??= sharedFloats(this.size);
    const into = this.gradients;
    return this.post('policy', { kind: 'gradient', into, ...work, sequences: work.sequences.map(plain) }, (reply) => ({
      totals: expectKind(reply, 'summed').totals,
      gradients: into,
    }));
  }

  /** Ends the thread; work under way is rejected. */
  async terminate(): Promise<void> {
    this.end('the policy was disposed of');
    await this.worker.terminate();
  }

  private post<T>(
    name: ModelName,
    work: ReplicaWork,
    read: (reply: FinalReply) => T,
    onEvents?: (events: GenerateEvent[]) => void,
  ): Away<T> {
    if (this.gone) throw this.gone;
    const model = this.models.get(name);
    if (!model) throw new Error(`the model ${name} was not shared with the second thread`);
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const task = ++this.tasks;
    const result = new Promise<FinalReply>((resolve, reject) => this.waiting.set(task, { resolve, reject, onEvents })).then(read);
    const message: ReplicaTask = { task, stop, model, work };
    // Only work under way keeps the process alive, not an idle thread.
    this.worker.ref();
    this.worker.postMessage(message);
    const nothing = (): void => {};
    return { result, stop: () => void Atomics.store(stop, 0, 1), settled: result.then(nothing, nothing) };
  }

  private receive(reply: ReplicaReply): void {
    const waiting = this.waiting.get(reply.task);
    if (!waiting) return;
    if (reply.kind === 'events') {
      waiting.onEvents?.(unpackEvents(reply.events));
      return;
    }
    this.waiting.delete(reply.task);
    if (this.waiting.size === 0) this.worker.unref();
    this.tensors = reply.tensors;
    if (reply.kind === 'failed') waiting.reject(new Error(reply.message));
    else if (reply.kind === 'stopped') waiting.reject(new Error('the second thread was asked to stop'));
    else waiting.resolve(reply);
  }

  private end(why: string): void {
    this.gone ??= new Error(`the second thread of the policy ended: ${why}. Load the model again, or set MEDLOGICTRACE_THREADS=1.`);
    for (const waiting of this.waiting.values()) waiting.reject(this.gone);
    this.waiting.clear();
  }
}

function expectKind<K extends FinalReply['kind']>(reply: FinalReply, kind: K): Extract<FinalReply, { kind: K }> {
  if (reply.kind !== kind) throw new Error(`the second thread answered ${reply.kind}, not ${kind}`);
  return reply as Extract<FinalReply, { kind: K }>;
}

/** A message carries the whole buffer that an array is a window on; so a window is copied first. */
function compact<T extends Int32Array | Float32Array>(values: T): T {
  return (values.byteLength === values.buffer.byteLength ? values : values.slice()) as T;
}

function plain<T extends Sequence>(sequence: T): T {
  const entries = Object.entries(sequence).map(([name, values]) => [
    name,
    values instanceof Int32Array || values instanceof Float32Array ? compact(values) : values,
  ]);
  return Object.fromEntries(entries) as T;
}
