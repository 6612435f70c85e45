/** `medlogictrace models`: the checkpoints at hand, what one is, read from its files without running it, and models from the hub. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type DownloadDone, formatHubName, parseHubName } from '../../shared/hub-model.ts';
import type { ModelInspection } from '../../shared/model-inspection.ts';
import type { CheckedModelList } from '../../shared/model-list.ts';
import type { Io } from './io.ts';
import type { Progress } from './progress.ts';
import { textTable } from './text-table.ts';

/** The models at hand with the state of each; none is loaded. */
export async function checkedModels(runsDir: string, modelsDir?: string): Promise<CheckedModelList> {
  const { listModels } = await import('../workbench/models.ts');
  const { checkModel } = await import('../runner/check-model.ts');
  const list = await listModels(runsDir, modelsDir);
  const models: CheckedModelList['models'] = [];
  for (const entry of list.models) {
    const { parameters, bytes, problem } = await checkModel(entry.location);
    models.push({ ...entry, parameters: parameters ?? entry.parameters, bytes, problem });
  }
  return { ...list, models };
}

function listText({ models, models_dir, hub_dir, unreadable }: CheckedModelList): string {
  const rows = models.map(({ id, parameters, bytes, run, problem }) => [
    id,
    parameters === null ? '–' : parameters.toLocaleString('en-US'),
    bytes === null ? '–' : `${(bytes / 2 ** 20).toFixed(1)} MiB`,
    run?.trained_on ?? '–',
    run?.selected_on ?? '–',
    problem === null ? 'whole' : 'broken',
  ]);
  const problems = models.flatMap(({ id, problem }) => (problem === null ? [] : [`${id}: ${problem}`]));
  return [
    textTable(['model', 'parameters', 'size', 'trained on', 'selected on', 'state'], rows),
    '',
    `Folders of your own models: ${models_dir}`,
    `Models of the Hugging Face Hub: ${hub_dir} (medlogictrace models download organisation/name)`,
    ...problems,
    ...unreadable.map(({ folder, message }) => `${folder}: ${message}`),
  ].join('\n');
}

function modelText(found: ModelInspection): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const rows: [string, string][] = [
    ['folder', found.folder],
    ['hash', found.hash.slice(0, 16)],
    ['architecture', `${found.architecture}, ${found.layers} layers of ${found.hidden_size}`],
    ['attention', `${found.attention_heads} query heads on ${found.key_value_heads} key-value heads`],
    ['parameters', number(found.parameters)],
    ['context', `${number(found.context)} tokens`],
    ['weights', `${found.dtype.join(', ')}, ${(found.bytes / 2 ** 20).toFixed(1)} MiB`],
    ['embedding', `${number(found.vocabulary)} rows${found.tied_embeddings ? ', tied to the output' : ''}`],
    ['tokenizer', `${number(found.tokenizer.size)} ids; stops at ${found.tokenizer.stop.map((stop) => stop.token).join(' ') || 'nothing'}`],
    ['chat template', found.tokenizer.chat_template ? 'yes' : 'no'],
  ];
  return [found.model, ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`)].join('\n');
}

const MIB = 2 ** 20;

async function download(name: string, io: Io): Promise<DownloadDone> {
  const wanted = parseHubName(name);
  const { downloadModel } = await import('../policy/hub/hub-download.ts');
  const { Secrets } = await import('../workbench/secrets.ts');
  const { hubState } = await import('../data/hub-settings.ts');
  const token = await new Secrets().value('hf_token');
  const { endpoint, offline } = await hubState();
  const progress = io.progress(`${formatHubName(wanted)} (MiB)`, null);
  try {
    return await downloadModel(wanted, {
      token,
      endpoint: endpoint.value,
      offline: offline.value,
      signal: io.signal,
      onEvent(event) {
        if (event.type === 'progress') {
          const note = `file ${Math.min(event.files_done + 1, event.files)} of ${event.files}: ${event.file}`;
          progress.update(Math.floor(event.bytes_done / MIB), { total: Math.ceil(event.bytes / MIB), note });
        } else if (event.type === 'waiting') io.note(`${event.why}; trying again in ${Math.ceil(event.seconds)} s`);
      },
    });
  } finally {
    progress.finish(io.signal.aborted ? 'stopped; the same command goes on where it stopped' : undefined);
  }
}

export function register(program: Command, io: Io): void {
  const models = program.command('models').description('list, inspect and download checkpoints');
  models
    .command('list')
    .description('the embedded model, your own, and the checkpoints of runs, with what they were trained and selected on')
    .option('--runs <dir>', 'folder of the runs')
    .option('--models <dir>', 'folder of your own models (default: MEDLOGICTRACE_MODELS, else "models" beside the runs)')
    .action(async (options: { runs?: string; models?: string }) => {
      const { defaultRunsDir } = await import('../workbench/runs.ts');
      const list = await checkedModels(resolve(options.runs ?? defaultRunsDir()), options.models && resolve(options.models));
      io.out(list, () => listText(list));
    });
  models
    .command('download')
    .description('fetch a model from the Hugging Face Hub into the cache of its own tools (HF_HOME); goes on where an earlier try stopped')
    .argument('<name>', 'organisation/name, or organisation/name@revision for a branch, tag or commit')
    .addHelpText(
      'after',
      '\nA token for models that ask for an account: HF_TOKEN, or the Hugging Face token in the settings of the window.\nHF_ENDPOINT names another hub; with HF_HUB_OFFLINE=1 nothing is fetched; what the settings of the window say of both holds where neither is set.',
    )
    .action(async (name: string) => {
      const done = await download(name, io);
      io.out(done, () => `${formatHubName(done)} is in ${done.folder}\nUse it by its name: --model ${formatHubName(done)}`);
    });
  models
    .command('merge')
    .description('write a model with an adapter (PEFT, LoRA) merged in to a new folder, in float32')
    .argument('<model>', 'the model that the adapter stands on: "tiny", a folder, or the name of a downloaded model')
    .argument('<adapter>', 'folder of adapter_config.json and adapter_model.safetensors; that of a run is model/adapter in its folder')
    .argument('<out>', 'the folder to make')
    .action(async (model: string, adapter: string, out: string) => {
      const [{ mergeAdapter }, { locateModel }] = await Promise.all([
        import('../policy/adapter-files.ts'),
        import('../policy/model-location.ts'),
      ]);
      const folder = resolve(out);
      // Only once something is read: a folder that is refused has no progress to tell of.
      let progress: Progress | undefined;
      try {
        await mergeAdapter(locateModel(model), resolve(adapter), folder, {
          signal: io.signal,
          onProgress: (done, total) => {
            progress ??= io.progress('weights', total);
            progress.update(done);
          },
        });
      } finally {
        progress?.finish();
      }
      io.out({ model, adapter: resolve(adapter), folder }, `${model} with the adapter merged in is in ${folder}`);
    });
  models
    .command('inspect')
    .description('architecture, size, number format and tokenizer of a checkpoint, and whether its parts fit each other')
    .argument(
      '<model>',
      '"tiny", a Hugging Face folder (config.json, model.safetensors, tokenizer.json), or the name of a downloaded model',
    )
    .action(async (model: string) => {
      const { inspectCheckpoint } = await import('../runner/describe-model.ts');
      const found = await inspectCheckpoint(model);
      io.out(found, () => modelText(found));
    });
}
