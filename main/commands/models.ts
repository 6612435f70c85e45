/** `medlogictrace models inspect MODEL`: what a checkpoint is, read from its files without running it. */
import type { Command } from 'commander';
import type { ModelInspection } from '../../shared/model-inspection.ts';
import { hashCheckpoint } from '../policy/checkpoint.ts';
import { readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { checkTokenizerFits, loadTokenizer } from '../policy/tokenizer.ts';
import { readWeightHeaders } from '../policy/weight-headers.ts';
import type { Io } from './io.ts';

/** Reads config, headers and tokenizer of a model. Errors: InputError naming the file and the finding. */
export async function describeModel(model: string): Promise<ModelInspection> {
  const folder = locateModel(model);
  const config = await readModelConfig(folder);
  const weights = await readWeightHeaders(folder, config);
  const tokenizer = await loadTokenizer(folder);
  checkTokenizerFits(tokenizer, config);
  return {
    model,
    folder,
    hash: await hashCheckpoint(folder),
    architecture: config.architecture,
    parameters: weights.parameters,
    layers: config.num_hidden_layers,
    hidden_size: config.hidden_size,
    attention_heads: config.num_attention_heads,
    key_value_heads: config.num_key_value_heads,
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    tied_embeddings: config.tie_word_embeddings,
    dtype: weights.dtypes,
    bytes: weights.bytes,
    tokenizer: {
      size: tokenizer.vocabularySize,
      stop: tokenizer.stopIds.map((id) => ({ id, token: tokenizer.tokenOf(id) ?? '' })),
      chat_template: tokenizer.chatTemplate !== null,
    },
  };
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

export function register(program: Command, io: Io): void {
  const models = program.command('models').description('inspect a checkpoint');
  models
    .command('inspect')
    .description('architecture, size, number format and tokenizer of a checkpoint, and whether its parts fit each other')
    .argument('<model>', '"tiny", or a Hugging Face folder (config.json, model.safetensors, tokenizer.json)')
    .action(async (model: string) => {
      const found = await describeModel(model);
      io.out(found, () => modelText(found));
    });
}
