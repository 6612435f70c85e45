/** Answers of the namespace "datasets". */
import type { datasetsRoutes, datasetsTopics } from '../../../shared/rpc/datasets.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

export const datasetsHandlers = (_services: Services): Pick<Handlers, keyof typeof datasetsRoutes> => ({});

export const datasetsSources = (_services: Services): Pick<Sources, keyof typeof datasetsTopics> => ({});
