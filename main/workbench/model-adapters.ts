/** Adapters beside a model of the list, and the merge of one into it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AdapterView, MergeEvent } from '../../shared/adapter-list.ts';
import { InputError } from '../../shared/input-error.ts';
import { listModels, modelIn } from './models.ts';
import type { RunnerService } from './runner-service.ts';

/** Every adapter at hand: those that name the model, then those that fit it, then the others with the reason. */
export async function adaptersOf(runsDir: string, runner: RunnerService, id: string): Promise<AdapterView[]> {
  const { models, adapters } = await listModels(runsDir);
  const { location: model } = modelIn(models, id);
  const found = await runner.ask('adapter.inspect', { model, adapters: adapters.map(({ location }) => location) });
  const views = adapters.flatMap(({ id: adapter, name, location, run }, i): AdapterView[] => {
    const facts = found[i];
    return facts === undefined ? [] : [{ ...facts, id: adapter, name, folder: location, run }];
  });
  const rank = ({ problem, named }: AdapterView): number => (problem !== null ? 2 : named ? 0 : 1);
  return views.sort((a, b) => rank(a) - rank(b));
}

export interface Merge {
  model: string;
  adapter: string;
  /** Of the folder that is made below the folder of models. */
  name: string;
}

/** Errors: InputError for what is not in the list or a name that is taken; those of the merge. Ended in the middle, it leaves nothing. */
export async function* mergeInto(
  runsDir: string,
  runner: RunnerService,
  { model, adapter, name }: Merge,
  signal: AbortSignal,
): AsyncGenerator<MergeEvent> {
  const list = await listModels(runsDir);
  const base = modelIn(list.models, model);
  const part = list.adapters.find(({ id }) => id === adapter);
  if (part === undefined) throw new InputError(`there is no adapter ${JSON.stringify(adapter)}; it may have been deleted`, 'adapter');
  const folder = join(list.models_dir, name);
  if (existsSync(folder))
    throw new InputError(`there is something named ${name} in ${list.models_dir} already; choose another name`, 'name');
  for await (const { done, total } of runner.follow('adapter.merge', { model: base.location, adapter: part.location, folder }, signal)) {
    yield { type: 'progress', done, total };
  }
  yield { type: 'done', model: `installed/${name}` };
}
