/** Asks the services. Which transport carries the question is the bridge's affair. */
import { BRIDGE_NAME, type Bridge } from '../../shared/rpc/channel.ts';
import { type RouteInput, type RouteName, type RouteOutput, type RpcError, replySchema } from '../../shared/rpc/contract.ts';

/** A service's own answer that it could not: its message is for the user. */
export class CallFailed extends Error {
  override name = 'CallFailed';
  readonly code: RpcError['code'];
  constructor({ code, message }: RpcError) {
    super(message);
    this.code = code;
  }
}

function bridge(): Bridge {
  const found = (globalThis as unknown as Record<string, Bridge | undefined>)[BRIDGE_NAME];
  if (found === undefined) throw new Error('this page runs without its shell: start the window with "npm start"');
  return found;
}

/** The answer of a route. Errors: CallFailed with the service's message; an answer of the wrong shape. */
export async function call<R extends RouteName>(route: R, input: RouteInput<R>): Promise<RouteOutput<R>> {
  const reply = replySchema(route).parse(await bridge().call(route, input));
  if (!reply.ok) throw new CallFailed(reply.error);
  return reply.data as RouteOutput<R>;
}
