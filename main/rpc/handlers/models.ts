/** Answers about models. */
import type { DownloadEvent } from '../../../shared/hub-model.ts';
import type { AnswerEvent } from '../../../shared/model-answer.ts';
import type { modelsRoutes, modelsTopics } from '../../../shared/rpc/models.ts';
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
  'models.download': async function* ({ name }, signal): AsyncGenerator<DownloadEvent> {
    // The secret goes to the process that fetches, through its input; it comes back in nothing.
    const token = await new Secrets(secretStore).value('hf_token');
    yield* runner.follow('model.download', { name, token }, signal);
  },
});
