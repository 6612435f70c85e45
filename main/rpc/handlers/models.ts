/** Answers of the namespace "models". */
import type { modelsRoutes, modelsTopics } from '../../../shared/rpc/models.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

export const modelsHandlers = (_services: Services): Pick<Handlers, keyof typeof modelsRoutes> => ({});

export const modelsSources = (_services: Services): Pick<Sources, keyof typeof modelsTopics> => ({});
