/** Answers of the namespace "configure". */
import type { configureRoutes } from '../../../shared/rpc/configure.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export const configureHandlers = (_services: Services): Pick<Handlers, keyof typeof configureRoutes> => ({});
