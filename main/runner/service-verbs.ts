/** What each request of the helper process does. */
import { parseHubName } from '../../shared/hub-model.ts';
import type { ServiceStream, ServiceVerb, StreamInput, StreamItem, VerbInput, VerbOutput } from '../../shared/runner-service.ts';
import type { KeptModel } from './kept-model.ts';
import type { KeptTokenizers } from './kept-tokenizers.ts';

type Verbs = { [V in ServiceVerb]: (input: VerbInput<V>, signal: AbortSignal) => Promise<VerbOutput<V>> };
type Streams = {
  [S in ServiceStream]: (input: StreamInput<S>, signal: AbortSignal, onItem: (item: StreamItem<S>) => void) => Promise<void>;
};

/** Least time between two words on how far a download is. */
const PROGRESS_MS = 200;

// What a request needs is read at the first such request: a list of models must not wait for data sets and kernels.
let kept: Promise<KeptModel> | undefined;
const keptModel = (): Promise<KeptModel> => {
  kept ??= import('./kept-model.ts').then(({ KeptModel }) => new KeptModel());
  return kept;
};
let tokenizers: Promise<KeptTokenizers> | undefined;
const keptTokenizers = (): Promise<KeptTokenizers> => {
  tokenizers ??= import('./kept-tokenizers.ts').then(({ KeptTokenizers }) => new KeptTokenizers());
  return tokenizers;
};

const verbs: Verbs = {
  'model.inspect': async ({ model }) => (await import('./describe-model.ts')).describeModel(model),
  'model.check': async ({ models }, signal) => {
    const { checkModel } = await import('./check-model.ts');
    const checks = [];
    for (const model of models) {
      signal.throwIfAborted();
      checks.push(await checkModel(model));
    }
    return checks;
  },
  'model.fit': async ({ model, work }) => (await import('./model-fit.ts')).modelFit(model, work),
  'adapter.inspect': async ({ model, adapters }) => (await import('./inspect-adapter.ts')).inspectAdapters(model, adapters),
  'prompt.render': async ({ model, question, prompting }) => {
    const { renderQuestion } = await import('./prompt-pieces.ts');
    const { tokenizer, config } = await (await keptTokenizers()).open(model);
    return renderQuestion(tokenizer, config.max_position_embeddings, question, prompting);
  },
  'prompt.asked': async ({ config, question, tokenizers }) => {
    const { askedPrompt } = await import('./asked-prompt.ts');
    const kept = await keptTokenizers();
    return askedPrompt((model) => kept.open(model), config, question, tokenizers);
  },
  'backends.list': async () => (await import('./backends.ts')).listBackends(),
  'config.start_points': async () => (await import('./start-points.ts')).startPoints(),
  'config.resolve': async ({ config, elsewhere }) => (await import('./config-requests.ts')).resolveRequest(config, elsewhere),
  // The trial needs the memory and both cores.
  'config.estimate': async ({ config, elsewhere }, signal) => {
    const { estimateRequest } = await import('./config-requests.ts');
    const models = await keptModel();
    return models.alone(signal, async () => {
      await models.drop();
      return estimateRequest(config, elsewhere, signal);
    });
  },
  'config.create': async ({ config, runs_dir, request, id }) =>
    (await import('./config-requests.ts')).createRequest(config, runs_dir, request, id),
};

const streams: Streams = {
  'model.generate': async ({ model, ...request }, signal, onItem) => {
    const { writeAnswer } = await import('./write-answer.ts');
    const models = await keptModel();
    await models.alone(signal, async () => {
      for await (const event of writeAnswer(await models.open(model), request, signal)) onItem(event);
    });
  },
  'adapter.merge': async ({ model, adapter, folder }, signal, onItem) => {
    const { mergeAdapter } = await import('../policy/adapter-files.ts');
    const { locateModel } = await import('../policy/model-location.ts');
    const models = await keptModel();
    // It holds a model of its own.
    await models.alone(signal, async () => {
      await models.drop();
      await mergeAdapter(locateModel(model), adapter, folder, { signal, onProgress: (done, total) => onItem({ done, total }) });
    });
  },
  // The trials need both cores, and memory.
  'backends.measure': async (_, signal, onItem) => {
    const { measureBackends } = await import('./fastest-backend.ts');
    const models = await keptModel();
    await models.alone(signal, async () => {
      for await (const event of measureBackends(signal)) onItem(event);
    });
  },
  'model.download': async ({ name, token, endpoint, offline }, signal, onItem) => {
    const { downloadModel } = await import('../policy/hub/hub-download.ts');
    let told = 0;
    await downloadModel(parseHubName(name), {
      token,
      endpoint,
      offline,
      signal,
      onEvent(event) {
        // A piece of some kilobytes is no news to a reader.
        if (event.type === 'progress' && event.bytes_done < event.bytes && performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        onItem(event);
      },
    });
  },
};

export const verbFor = <V extends ServiceVerb>(verb: V): Verbs[V] => verbs[verb];
export const streamFor = <S extends ServiceStream>(stream: S): Streams[S] => streams[stream];
