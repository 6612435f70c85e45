/** Answers about the program itself. */
import type { appRoutes } from '../../../shared/rpc/app.ts';
import { lookedAt } from '../../workbench/preferences.ts';
import { readExamples } from '../../workbench/recorded-example.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export const appHandlers = ({ version, runsDir }: Services): Pick<Handlers, keyof typeof appRoutes> => ({
  'app.about': async () => ({
    version,
    node: process.versions.node,
    electron: process.versions.electron ?? null,
    platform: `${process.platform} ${process.arch}`,
    runs_dir: runsDir,
  }),
  'app.look': async () => ({ before: await lookedAt(runsDir, new Date().toISOString()) }),
  'app.examples': async () => ({ examples: await readExamples() }),
});
