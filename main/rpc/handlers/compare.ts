/** Answers of the namespace "compare". */
import type { compareRoutes } from '../../../shared/rpc/compare.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export const compareHandlers = (_services: Services): Pick<Handlers, keyof typeof compareRoutes> => ({});
