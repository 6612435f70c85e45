/**
 * Every question that the window may ask of the services: what goes in and what comes out, one schema each. The router checks the
 * input, the window the output; a handler that is missing or answers something else does not compile.
 */
import { z } from 'zod';
import { RunDetail, RunList } from '../run-view.ts';

export const About = z.object({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  /** Folder whose runs are shown. */
  runs_dir: z.string(),
});
export type About = z.infer<typeof About>;

/** A run's id. Never a path: the window must not name files. */
const RunId = z.string().regex(/^[^/\\]+$/, 'a run id holds no slash');

export const routes = {
  'app.about': { input: z.strictObject({}), output: About },
  'runs.list': { input: z.strictObject({}), output: RunList },
  'runs.show': { input: z.strictObject({ run: RunId }), output: RunDetail },
} as const;

export type RouteName = keyof typeof routes;
export type RouteInput<R extends RouteName> = z.output<(typeof routes)[R]['input']>;
export type RouteOutput<R extends RouteName> = z.output<(typeof routes)[R]['output']>;

export const isRoute = (name: unknown): name is RouteName => typeof name === 'string' && Object.hasOwn(routes, name);

export const RpcError = z.object({
  /** `input`: what was asked is wrong. `failed`: the service could not do it. `denied`: the caller may not ask. */
  code: z.enum(['input', 'failed', 'denied']),
  message: z.string(),
  field: z.string().optional(),
});
export type RpcError = z.infer<typeof RpcError>;

export type Reply<T> = { ok: true; data: T } | { ok: false; error: RpcError };

/** The schema of a route's reply. */
export const replySchema = <R extends RouteName>(route: R) =>
  z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), data: routes[route].output }),
    z.object({ ok: z.literal(false), error: RpcError }),
  ]);
