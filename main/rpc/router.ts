/** Takes a route's name and input as they come over a transport, checks them, and answers with data or an error, never a throw. */
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import {
  isRoute,
  type Reply,
  type RouteInput,
  type RouteName,
  type RouteOutput,
  type RpcError,
  routes,
} from '../../shared/rpc/contract.ts';

/** One handler a route, no more and no less: a missing one is a compile error. */
export type Handlers = { [R in RouteName]: (input: RouteInput<R>) => Promise<RouteOutput<R>> };

export type Router = (route: unknown, input: unknown) => Promise<Reply<unknown>>;

function errorOf(thrown: unknown): RpcError {
  if (thrown instanceof InputError) {
    return { code: 'input', message: thrown.message, ...(thrown.field === undefined ? {} : { field: thrown.field }) };
  }
  return { code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

async function answer<R extends RouteName>(handlers: Handlers, route: R, input: unknown): Promise<RouteOutput<R>> {
  const checked = parseInput(routes[route].input, input, route) as RouteInput<R>;
  return handlers[route](checked);
}

/** The router over a set of handlers. */
export function createRouter(handlers: Handlers): Router {
  return async (route, input) => {
    if (!isRoute(route)) return { ok: false, error: { code: 'input', message: `unknown route ${JSON.stringify(route)}` } };
    try {
      return { ok: true, data: await answer(handlers, route, input) };
    } catch (thrown) {
      return { ok: false, error: errorOf(thrown) };
    }
  };
}
