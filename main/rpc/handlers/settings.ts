/** Answers of the namespace "settings". */
import type { settingsRoutes } from '../../../shared/rpc/settings.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export const settingsHandlers = (_services: Services): Pick<Handlers, keyof typeof settingsRoutes> => ({});
