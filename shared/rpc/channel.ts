/** The one channel between window and services. On its own, so that the preload script stays free of schemas. */
export const RPC_CHANNEL = 'rpc';

/** Name under which the preload script puts the bridge into the window. */
export const BRIDGE_NAME = 'workbench';

/** What the window sees of the other side: one call, checked there. */
export interface Bridge {
  call(route: string, input: unknown): Promise<unknown>;
}
