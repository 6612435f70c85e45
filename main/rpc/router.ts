/** Takes a name and an input as they come over a transport, checks them, and answers with data, items or an error, never a throw. */
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import {
  isRoute,
  isTopic,
  type Reply,
  type RouteInput,
  type RouteName,
  type RouteOutput,
  type RpcError,
  routes,
  type TopicInput,
  type TopicItem,
  type TopicName,
  topics,
} from '../../shared/rpc/contract.ts';

/**
 * One handler a route, no more and no less: a missing one is a compile error. The signal is aborted when nobody waits for the answer any
 * more; what must be carried out all the same takes no notice of it.
 */
export type Handlers = { [R in RouteName]: (input: RouteInput<R>, signal: AbortSignal) => Promise<RouteOutput<R>> };
/** One source a topic; it ends when its signal does. */
export type Sources = { [T in TopicName]: (input: TopicInput<T>, signal: AbortSignal) => AsyncIterable<TopicItem<T>> };

export interface Router {
  call(route: unknown, input: unknown, signal?: AbortSignal): Promise<Reply<unknown>>;
  /** Hands each item to `onItem`; resolves with null when there are no more or the signal was aborted, else with the error. */
  follow(topic: unknown, input: unknown, onItem: (item: unknown) => void, signal: AbortSignal): Promise<RpcError | null>;
}

export function errorOf(thrown: unknown): RpcError {
  if (thrown instanceof InputError) {
    return { code: 'input', message: thrown.message, ...(thrown.field === undefined ? {} : { field: thrown.field }) };
  }
  return { code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

async function answer<R extends RouteName>(handlers: Handlers, route: R, input: unknown, signal: AbortSignal): Promise<RouteOutput<R>> {
  const checked = parseInput(routes[route].input, input, route) as RouteInput<R>;
  return handlers[route](checked, signal);
}

function source<T extends TopicName>(sources: Sources, topic: T, input: unknown, signal: AbortSignal): AsyncIterable<TopicItem<T>> {
  const checked = parseInput(topics[topic].input, input, topic) as TopicInput<T>;
  return sources[topic](checked, signal);
}

/** The router over a set of handlers and sources. */
export function createRouter(handlers: Handlers, sources: Sources): Router {
  return {
    async call(route, input, signal = new AbortController().signal) {
      if (!isRoute(route)) return { ok: false, error: { code: 'input', message: `unknown route ${JSON.stringify(route)}` } };
      try {
        return { ok: true, data: await answer(handlers, route, input, signal) };
      } catch (thrown) {
        return { ok: false, error: errorOf(thrown) };
      }
    },
    async follow(topic, input, onItem, signal) {
      if (!isTopic(topic)) return { code: 'input', message: `unknown topic ${JSON.stringify(topic)}` };
      try {
        for await (const item of source(sources, topic, input, signal)) {
          if (signal.aborted) return null;
          onItem(item);
        }
        return null;
      } catch (thrown) {
        return signal.aborted ? null : errorOf(thrown);
      }
    },
  };
}
