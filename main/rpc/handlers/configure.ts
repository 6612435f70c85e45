/** Answers of the view "New run". */
import type { configureRoutes, configureTopics } from '../../../shared/rpc/configure.ts';
import { checkNamed, RunStarts } from '../../workbench/start-run.ts';
import { machinesInUse } from '../machines-in-use.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

export function configureHandlers(services: Services): Pick<Handlers, keyof typeof configureRoutes> {
  const { runsDir, runner } = services;
  const { mirrors } = machinesInUse(services);
  const starts = new RunStarts(runsDir, runner);
  return {
    'configure.start_points': () => runner.ask('config.start_points', {}),
    'configure.check': async ({ config, elsewhere }) => {
      checkNamed(config, runsDir);
      return runner.ask('config.resolve', { config, elsewhere });
    },
    'configure.start': async ({ config, request, place }) => {
      const started = await starts.start(config, request, place);
      // Its mirror is followed from the first event on.
      if (place !== undefined) await mirrors.look();
      return started;
    },
  };
}

export const configureSources = ({ runsDir, runner }: Services): Pick<Sources, keyof typeof configureTopics> => ({
  'configure.estimate': async function* ({ config, elsewhere }, signal) {
    checkNamed(config, runsDir);
    yield await runner.ask('config.estimate', { config, elsewhere }, signal);
  },
});
