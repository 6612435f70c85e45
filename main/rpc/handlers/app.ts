/** Answers about the program itself. */
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export const appHandlers = ({ version, runsDir }: Services): Pick<Handlers, 'app.about'> => ({
  'app.about': async () => ({ version, node: process.versions.node, platform: process.platform, runs_dir: runsDir }),
});
