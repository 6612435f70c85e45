/**
 * Every question that the window may ask of the services (`routes`) and everything that it may follow (`topics`): what goes in and what
 * comes out, one schema each, a file a namespace. The router checks the input, the window the output; a handler that is missing or
 * answers something else does not compile.
 */
import { z } from 'zod';
import { appRoutes } from './app.ts';
import { compareRoutes } from './compare.ts';
import { configureRoutes, configureTopics } from './configure.ts';
import { datasetsRoutes, datasetsTopics } from './datasets.ts';
import { machinesRoutes, machinesTopics } from './machines.ts';
import { modelsRoutes, modelsTopics } from './models.ts';
import { podsRoutes, podsTopics } from './pods.ts';
import { remoteRoutes, remoteTopics } from './remote.ts';
import { runsRoutes, runsTopics } from './runs.ts';
import { settingsRoutes, settingsTopics } from './settings.ts';

export const routes = {
  ...appRoutes,
  ...runsRoutes,
  ...remoteRoutes,
  ...datasetsRoutes,
  ...modelsRoutes,
  ...configureRoutes,
  ...compareRoutes,
  ...settingsRoutes,
  ...machinesRoutes,
  ...podsRoutes,
} as const;

export const topics = {
  ...runsTopics,
  ...remoteTopics,
  ...datasetsTopics,
  ...modelsTopics,
  ...configureTopics,
  ...settingsTopics,
  ...machinesTopics,
  ...podsTopics,
} as const;

export type RouteName = keyof typeof routes;
/** What a caller gives: defaults may be left out. */
export type RouteRequest<R extends RouteName> = z.input<(typeof routes)[R]['input']>;
export type RouteInput<R extends RouteName> = z.output<(typeof routes)[R]['input']>;
export type RouteOutput<R extends RouteName> = z.output<(typeof routes)[R]['output']>;

export type TopicName = keyof typeof topics;
export type TopicRequest<T extends TopicName> = z.input<(typeof topics)[T]['input']>;
export type TopicInput<T extends TopicName> = z.output<(typeof topics)[T]['input']>;
export type TopicItem<T extends TopicName> = z.output<(typeof topics)[T]['item']>;

export const isRoute = (name: unknown): name is RouteName => typeof name === 'string' && Object.hasOwn(routes, name);
export const isTopic = (name: unknown): name is TopicName => typeof name === 'string' && Object.hasOwn(topics, name);

export const RpcError = z.object({
  /** `input`: what was asked is wrong. `failed`: the service could not do it. `denied`: the caller may not ask. `lost`: no answer came. */
  code: z.enum(['input', 'failed', 'denied', 'lost']),
  message: z.string(),
  field: z.string().optional(),
});
export type RpcError = z.infer<typeof RpcError>;

export type Reply<T> = { ok: true; data: T } | { ok: false; error: RpcError };

/** The schema of a reply that holds `data`. */
export const replySchema = <S extends z.ZodType>(data: S) =>
  z.discriminatedUnion('ok', [z.object({ ok: z.literal(true), data }), z.object({ ok: z.literal(false), error: RpcError })]);
