/** The router over all services of the workbench: the same behind both shells. */
import { appHandlers } from './handlers/app.ts';
import { compareHandlers } from './handlers/compare.ts';
import { configureHandlers, configureSources } from './handlers/configure.ts';
import { datasetsHandlers, datasetsSources } from './handlers/datasets.ts';
import { machinesHandlers, machinesSources } from './handlers/machines.ts';
import { modelsHandlers, modelsSources } from './handlers/models.ts';
import { type PodServices, podServices, podsHandlers, podsSources } from './handlers/pods.ts';
import { remoteHandlers, remoteSources } from './handlers/remote.ts';
import { runsHandlers, runsSources } from './handlers/runs.ts';
import { settingsHandlers, settingsSources } from './handlers/settings.ts';
import { machinesInUse } from './machines-in-use.ts';
import { createRouter, type Handlers, type Router, type Sources } from './router.ts';
import type { Services } from './services.ts';

export const createHandlers = (services: Services, pods: PodServices = podServices(services)): Handlers => ({
  ...appHandlers(services),
  ...runsHandlers(services),
  ...remoteHandlers(services),
  ...datasetsHandlers(services),
  ...modelsHandlers(services),
  ...configureHandlers(services),
  ...compareHandlers(services),
  ...settingsHandlers(services),
  ...machinesHandlers(services),
  ...podsHandlers(services, pods),
});

export const createSources = (services: Services, pods: PodServices = podServices(services)): Sources => ({
  ...runsSources(services),
  ...remoteSources(services),
  ...datasetsSources(services),
  ...modelsSources(services),
  ...configureSources(services),
  ...settingsSources(services),
  ...machinesSources(services),
  ...podsSources(pods),
});

export interface WorkbenchRouter extends Router {
  /** Ends the connections to machines, without which the process would not end; what runs there goes on. */
  close(): Promise<void>;
  /** The computer has woken: connections from before are looked at. */
  afterSleep(): Promise<void>;
}

/** Keeps the mirrors of its runs folder up to date from now on. */
export function createWorkbenchRouter(services: Services): WorkbenchRouter {
  const { mirrors, open } = machinesInUse(services);
  mirrors.start();
  const pods = podServices(services);
  return {
    ...createRouter(createHandlers(services, pods), createSources(services, pods)),
    close: async () => {
      await mirrors.close();
      await open.close();
    },
    afterSleep: () => open.afterSleep(),
  };
}
