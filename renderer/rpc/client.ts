/** Asks the services and follows what they tell. Which shell carries it is the port's affair. */
import { z } from 'zod';
import { PORT_NAME, type Port } from '../../shared/rpc/channel.ts';
import {
  type RouteName,
  type RouteOutput,
  type RouteRequest,
  RpcError,
  replySchema,
  routes,
  type TopicItem,
  type TopicName,
  type TopicRequest,
  topics,
} from '../../shared/rpc/contract.ts';
import { webSocketPort } from './web-socket-port.ts';

/** A service's own answer that it could not: its message is for the user. `lost`: nothing is known of what became of the question. */
export class CallFailed extends Error {
  override name = 'CallFailed';
  readonly code: RpcError['code'];
  readonly field: string | undefined;
  constructor({ code, message, field }: RpcError) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** What to tell of anything that a call threw. */
export const messageOf = (thrown: unknown): string => (thrown instanceof CallFailed ? thrown.message : String(thrown));

interface Following {
  onItem: (item: unknown) => void;
  onEnd: (error: CallFailed | null) => void;
}

const LOST: RpcError = { code: 'lost', message: 'the workbench process cannot be reached; runs go on without it' };

const CANCELLED: RpcError = { code: 'failed', message: 'cancelled' };

const Frame = z.discriminatedUnion('kind', [
  z.object({ id: z.number(), kind: z.literal('reply'), reply: z.unknown() }),
  z.object({ id: z.number(), kind: z.literal('item'), item: z.unknown() }),
  z.object({ id: z.number(), kind: z.literal('end'), error: RpcError.nullable() }),
  z.object({ id: z.number(), kind: z.literal('show'), address: z.string().startsWith('#/') }),
]);
const GivenFile = z.object({ handle: z.string(), name: z.string(), bytes: z.number() });
export type GivenFile = z.infer<typeof GivenFile>;

class Client {
  private readonly port: Port;
  private connected = false;
  private next = 1;
  private readonly waiting = new Map<number, { done: (reply: unknown) => void; fail: (error: CallFailed) => void }>();
  private readonly following = new Map<number, Following>();
  private readonly watchers = new Set<(connected: boolean) => void>();
  /** Questions asked before the first connection. */
  private readonly early: (() => void)[] = [];
  private everConnected = false;

  constructor(port: Port) {
    this.port = port;
    port.onFrame((frame) => this.receive(frame));
    port.onConnected((connected) => this.changed(connected));
  }

  private changed(connected: boolean): void {
    this.connected = connected;
    if (connected) {
      this.everConnected = true;
      for (const ask of this.early.splice(0)) ask();
    } else {
      for (const { fail } of this.waiting.values()) fail(new CallFailed(LOST));
      this.waiting.clear();
      const lost = [...this.following.values()];
      this.following.clear();
      for (const { onEnd } of lost) onEnd(new CallFailed(LOST));
    }
    for (const watcher of this.watchers) watcher(connected);
  }

  private receive(value: unknown): void {
    const frame = Frame.parse(value);
    if (frame.kind === 'reply') {
      this.waiting.get(frame.id)?.done(frame.reply);
      this.waiting.delete(frame.id);
    } else if (frame.kind === 'show') location.hash = frame.address;
    else if (frame.kind === 'item') this.following.get(frame.id)?.onItem(frame.item);
    else {
      const ended = this.following.get(frame.id);
      this.following.delete(frame.id);
      ended?.onEnd(frame.error === null ? null : new CallFailed(frame.error));
    }
  }

  private whenConnected(ask: () => void, fail: (error: CallFailed) => void): void {
    if (this.connected) ask();
    else if (this.everConnected) fail(new CallFailed(LOST));
    else this.early.push(ask);
  }

  ask(route: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
    const id = this.next++;
    return new Promise((done, fail) => {
      if (signal?.aborted) return fail(new CallFailed(CANCELLED));
      const cancel = (): void => {
        if (this.waiting.delete(id) && this.connected) this.port.send({ id, kind: 'cancel' });
        fail(new CallFailed(CANCELLED));
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const over = (): void => signal?.removeEventListener('abort', cancel);
      this.whenConnected(() => {
        if (signal?.aborted) return;
        this.waiting.set(id, {
          done: (reply) => {
            over();
            done(reply);
          },
          fail: (error) => {
            over();
            fail(error);
          },
        });
        this.port.send({ id, kind: 'call', route, input });
      }, fail);
    });
  }

  follow(topic: string, input: unknown, following: Following): () => void {
    const id = this.next++;
    let over = false;
    this.whenConnected(() => {
      if (over) return;
      this.following.set(id, following);
      this.port.send({ id, kind: 'subscribe', topic, input });
    }, following.onEnd);
    return () => {
      over = true;
      if (this.following.delete(id) && this.connected) this.port.send({ id, kind: 'cancel' });
    };
  }

  giveFile(file: File): Promise<unknown> {
    return this.port.giveFile(file);
  }

  watch(watcher: (connected: boolean) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  get isConnected(): boolean {
    return this.connected || !this.everConnected;
  }
}

let client: Client | null = null;
const theClient = (): Client => {
  client ??= new Client((globalThis as unknown as Record<string, Port | undefined>)[PORT_NAME] ?? webSocketPort());
  return client;
};

/** The answer of a route. `signal`: aborted when it is not wanted any more. Errors: CallFailed with the service's message; an answer of the wrong shape. */
export async function call<R extends RouteName>(route: R, input: RouteRequest<R>, signal?: AbortSignal): Promise<RouteOutput<R>> {
  const reply = replySchema(routes[route].output as z.ZodType).parse(await theClient().ask(route, input, signal));
  if (!reply.ok) throw new CallFailed(reply.error);
  return reply.data as RouteOutput<R>;
}

/** Follows a topic until it ends or the returned function is called. Items that have not the promised shape end it with an error. */
export function follow<T extends TopicName>(
  topic: T,
  input: TopicRequest<T>,
  onItem: (item: TopicItem<T>) => void,
  onEnd: (error: CallFailed | null) => void,
): () => void {
  const schema = topics[topic].item as z.ZodType;
  const stop = theClient().follow(topic, input, {
    onItem: (item) => {
      const parsed = schema.safeParse(item);
      if (parsed.success) onItem(parsed.data as TopicItem<T>);
      else {
        stop();
        onEnd(new CallFailed({ code: 'failed', message: `${topic}: ${z.prettifyError(parsed.error)}` }));
      }
    },
    onEnd,
  });
  return stop;
}

/** Hands a file that the user chose to the services. Errors: CallFailed. */
export async function giveFile(file: File): Promise<GivenFile> {
  const reply = replySchema(GivenFile).parse(await theClient().giveFile(file));
  if (!reply.ok) throw new CallFailed(reply.error);
  return reply.data;
}

/** Calls back on every loss and return of the connection. */
export const watchConnection = (watcher: (connected: boolean) => void): (() => void) => theClient().watch(watcher);
/** Whether the services can be reached, as far as is known. */
export const isConnected = (): boolean => theClient().isConnected;
