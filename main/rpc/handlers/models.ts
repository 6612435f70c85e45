/** Answers about models. */
import type { DownloadEvent } from '../../../shared/hub-model.ts';
import type { AnswerEvent } from '../../../shared/model-answer.ts';
import type { modelsRoutes, modelsTopics } from '../../../shared/rpc/models.ts';
import { addFolder, removeLink } from '../../workbench/added-folder.ts';
import { hubState } from '../../workbench/hub-settings.ts';
import { adaptersOf, mergeInto } from '../../workbench/model-adapters.ts';
import { checkModels, questionSets, someQuestions, viewModel } from '../../workbench/model-view.ts';
import { findModel, listModels } from '../../workbench/models.ts';
import { Secrets } from '../../workbench/secrets.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

export const modelsHandlers = ({ runsDir, runner }: Services): Pick<Handlers, keyof typeof modelsRoutes> => ({
  'models.list': () => listModels(runsDir),
  'models.check': async ({ models }) => {
    const wanted = new Set(models);
    const { models: all } = await listModels(runsDir);
    return checkModels(
      all.filter(({ id }) => wanted.has(id)),
      runner,
    );
  },
  'models.inspect': ({ model }) => viewModel(runsDir, runner, model),
  'models.fit': async ({ model, work }) => runner.ask('model.fit', { model: (await findModel(runsDir, model)).location, work }),
  'models.adapters': ({ model }) => adaptersOf(runsDir, runner, model),
  'models.add_folder': ({ path }) => addFolder(runsDir, path),
  'models.remove_link': async ({ model }) => {
    await removeLink(runsDir, model);
    return {};
  },
  'models.render': async ({ model, question, prompting }) => {
    const { location, run } = await findModel(runsDir, model);
    return runner.ask('prompt.render', { model: location, question, prompting: prompting ?? run?.prompt });
  },
  'models.question_sets': () => questionSets(),
  'models.questions': ({ data, ...draw }) => someQuestions(data, draw),
});

export const modelsSources = ({ runsDir, runner, secretStore }: Services): Pick<Sources, keyof typeof modelsTopics> => ({
  'models.generate': async function* ({ model, prompting, ...request }, signal): AsyncGenerator<AnswerEvent> {
    const { location, run } = await findModel(runsDir, model);
    yield* runner.follow('model.generate', { ...request, model: location, prompting: prompting ?? run?.prompt }, signal);
  },
  'models.merge': (merge, signal) => mergeInto(runsDir, runner, merge, signal),
  'models.download': async function* ({ name }, signal): AsyncGenerator<DownloadEvent> {
    // The secret goes to the process that fetches, through its input; it comes back in nothing.
    const token = await new Secrets(secretStore).value('hf_token');
    const { endpoint, offline } = await hubState();
    yield* runner.follow('model.download', { name, token, endpoint: endpoint.value, offline: offline.value }, signal);
  },
});
