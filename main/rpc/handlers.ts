/** The handlers of every route over the services of the workbench. */
import { findRun, listRuns, showRun } from '../workbench/runs.ts';
import type { Handlers } from './router.ts';

export interface Services {
  version: string;
  /** Folder whose runs are shown. */
  runsDir: string;
}

export function createHandlers({ version, runsDir }: Services): Handlers {
  return {
    'app.about': async () => ({ version, node: process.versions.node, platform: process.platform, runs_dir: runsDir }),
    'runs.list': () => listRuns(runsDir),
    'runs.show': async ({ run }) => showRun(await findRun(runsDir, run)),
  };
}
