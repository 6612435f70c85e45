/**
 * Text to token ids and back, as `tokenizer.json` says, through @huggingface/tokenizers. Two ways in: `encode` recognises
 * special tokens written out in the text (for templates), `encodePlain` never produces one (for what a user or a data set wrote).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as Engine } from '@huggingface/tokenizers';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.ts';
import { isFile, readChecked, readCheckedIfThere, reason } from './json-file.ts';
import type { ModelConfig } from './model-config.ts';

export interface Tokenizer {
  /** The folder it was read from, for messages. */
  readonly folder: string;
  /** One more than the largest id. */
  readonly vocabularySize: number;
  /** Id that ends a text; null where the folder names none. */
  readonly eosId: number | null;
  /** Id that fills up batches; the end-of-text id where the folder names none. */
  readonly padId: number;
  /** Ids at which generation stops, ascending: every end-of-text id that the folder names, and the ends of a chat turn. */
  readonly stopIds: number[];
  /** Ids that the tokenizer puts before every text that no template made (Llama 3's `<|begin_of_text|>`); mostly none. */
  readonly startIds: readonly number[];
  /** Jinja source of the chat template; null where the folder has none. */
  readonly chatTemplate: string | null;
  /** What templates may refer to: bos_token, eos_token, pad_token, unk_token. */
  readonly namedTokens: Readonly<Record<string, string>>;
  /** Ids with a meaning beyond their text (`<|im_end|>`, `<tool_call>`), which a message's content must not produce. */
  readonly controlIds: ReadonlySet<number>;
  /** Control tokens as written, with their ids, longest first. */
  readonly controlTokens: readonly { content: string; id: number }[];
  /** Ids of a text in which control tokens are recognised; nothing is added at either end. */
  encode(text: string): number[];
  /** Ids of a text as nothing but text: no control token comes out, whatever is written. */
  encodePlain(text: string): number[];
  /** Text of ids. Ids without a token (an embedding padded beyond the vocabulary) give no text; broken UTF-8 gives U+FFFD. */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Token of an id as the vocabulary writes it. */
  tokenOf(id: number): string | undefined;
}

const AddedToken = z.looseObject({ id: z.number().int().min(0), content: z.string().min(1), special: z.boolean().default(false) });

const TokenizerFile = z.looseObject({
  added_tokens: z.array(AddedToken).default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  // The engine passes words of an unknown model type through unencoded, so only those it encodes are let in.
  model: z.looseObject({ type: z.enum(['BPE', 'Unigram', 'WordPiece']).optional(), vocab: z.unknown(), unk_token: z.string().nullish() }),
});
type TokenizerFile = z.infer<typeof TokenizerFile>;

const TokenName = z.union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)]).nullish();
const TokenizerConfigFile = z.looseObject({
  bos_token: TokenName,
  eos_token: TokenName,
  pad_token: TokenName,
  unk_token: TokenName,
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
});

const Ids = z.union([z.number().int().min(0), z.array(z.number().int().min(0))]).nullish();
const GenerationFile = z.looseObject({ eos_token_id: Ids });

/** Names that end a turn in the chat formats of Qwen, Phi, Llama 3 and Gemma: a stop even where no file lists them. */
const TURN_ENDS = ['<|im_end|>', '<|end|>', '<|eot_id|>', '<end_of_turn>', '<|endoftext|>'];

/**
 * Reads `tokenizer.json` with `tokenizer_config.json`, `chat_template.jinja`, `generation_config.json` and the ids in
 * `config.json` where they are there. Errors: CheckpointError naming the file and the finding.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  const file = await readChecked(TokenizerFile, path);
  const config = (await readCheckedIfThere(TokenizerConfigFile, join(folder, 'tokenizer_config.json'))) ?? {};
  const generation = await readCheckedIfThere(GenerationFile, join(folder, 'generation_config.json'));
  const model = await readCheckedIfThere(GenerationFile, join(folder, 'config.json'));

  checkPreTokenizer(file.pre_tokenizer, path);
  file.pre_tokenizer = explicitSplit(file.pre_tokenizer);
  const control = file.added_tokens.filter(isControl);
  const engine = build(file, path);
  const plain = build(withoutTokens(file, control), path);

  const special = new Set(file.added_tokens.filter((token) => token.special).map((token) => token.id));
  const namedTokens: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const) {
    const token = config[name];
    if (token == null) continue;
    if (engine.token_to_id(token) === undefined) {
      throw new CheckpointError(`${join(folder, 'tokenizer_config.json')}: ${name} ${JSON.stringify(token)} is not in tokenizer.json.`);
    }
    namedTokens[name] = token;
  }
  const idOf = (name: string): number | null => engine.token_to_id(namedTokens[name] ?? '') ?? null;
  const listed = [...list(generation?.eos_token_id), ...list(model?.eos_token_id)];
  const eosId = idOf('eos_token') ?? listed[0] ?? null;
  const turnEnds = control.filter((token) => TURN_ENDS.includes(token.content)).map((token) => token.id);
  const stopIds = [...new Set([...(eosId === null ? [] : [eosId]), ...listed, ...turnEnds])].sort((a, b) => a - b);

  let largest = -1;
  for (const id of engine.get_vocab().values()) if (id > largest) largest = id;

  return {
    folder,
    vocabularySize: largest + 1,
    eosId,
    padId: idOf('pad_token') ?? eosId ?? 0,
    stopIds,
    startIds: startOf(engine),
    chatTemplate: await readChatTemplate(folder, config.chat_template),
    namedTokens,
    controlIds: new Set(control.map((token) => token.id)),
    controlTokens: control.map(({ content, id }) => ({ content, id })).sort((a, b) => b.content.length - a.content.length),
    encode: (text) => engine.encode(text, { add_special_tokens: false }).ids,
    encodePlain: (text) => plain.encode(text, { add_special_tokens: false }).ids,
    decode(ids, options = {}) {
      const known = Array.from(ids).filter((id) => engine.id_to_token(id) !== undefined && !(options.skipSpecial && special.has(id)));
      // The engine refuses an empty list, and by default takes out spaces before punctuation: the text must be the model's own.
      return known.length === 0 ? '' : engine.decode(known, { clean_up_tokenization_spaces: false });
    },
    tokenOf: (id) => engine.id_to_token(id),
  };
}

/** Refuses a tokenizer with ids that the embedding has no row for. A larger embedding (padding rows) is in order. */
export function checkTokenizerFits(tokenizer: Tokenizer, config: ModelConfig): void {
  if (tokenizer.vocabularySize > config.vocab_size) {
    throw new CheckpointError(
      `${tokenizer.folder}: the tokenizer has ids up to ${tokenizer.vocabularySize - 1}, but the embedding has only ${config.vocab_size} rows (vocab_size). ` +
        'Tokenizer and weights belong to different models: take both from the same folder.',
    );
  }
  const outside = tokenizer.stopIds.find((id) => id >= config.vocab_size);
  if (outside !== undefined) {
    throw new CheckpointError(`${tokenizer.folder}: end-of-text id ${outside} lies outside the vocabulary of ${config.vocab_size}.`);
  }
}

const list = (ids: number | number[] | null | undefined): number[] => (ids == null ? [] : Array.isArray(ids) ? ids : [ids]);

/** A token marked special, or one that is written like markup: Qwen's `<tool_call>` and `<|fim_prefix|>` are not marked. */
const isControl = (token: { content: string; special: boolean }): boolean => token.special || /^<[^\s<>]+>$/.test(token.content);

/** What the post-processor puts in front. */
function startOf(engine: Engine): number[] {
  const [first] = engine.encode('a', { add_special_tokens: false }).ids;
  const whole = engine.encode('a', { add_special_tokens: true }).ids;
  return whole.slice(0, Math.max(0, whole.indexOf(first as number)));
}

function build(file: TokenizerFile, path: string): Engine {
  try {
    return new Engine(file, {});
  } catch (error) {
    throw new CheckpointError(`${path}: is not a tokenizer that can be used (${reason(error)}). Fetch it again, or choose another model.`);
  }
}

/** The same tokenizer without some added tokens: not matched in the text, and not reachable through the vocabulary either. */
function withoutTokens(file: TokenizerFile, tokens: readonly { content: string }[]): TokenizerFile {
  const names = new Set(tokens.map((token) => token.content));
  const { vocab, unk_token } = file.model;
  const kept =
    typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab)
      ? Object.fromEntries(Object.entries(vocab).filter(([token]) => !names.has(token) || token === unk_token))
      : vocab;
  return { ...file, added_tokens: file.added_tokens.filter((token) => !names.has(token.content)), model: { ...file.model, vocab: kept } };
}

/** Kinds of pre-tokenizer that the engine has. */
const PRE_TOKENIZERS = [
  ...['BertPreTokenizer', 'ByteLevel', 'Digits', 'FixedLength', 'Metaspace', 'Punctuation', 'Replace', 'Sequence', 'Split'],
  ...['Whitespace', 'WhitespaceSplit'],
];
const PreTokenizer = z.looseObject({ type: z.string(), pretokenizers: z.array(z.unknown()).optional() });

/** Errors: CheckpointError for a kind that is not known, with those that are. */
function checkPreTokenizer(preTokenizer: unknown, path: string): void {
  const one = PreTokenizer.safeParse(preTokenizer);
  if (!one.success) return;
  const { type, pretokenizers } = one.data;
  if (!PRE_TOKENIZERS.includes(type)) {
    throw new CheckpointError(
      `${path}: pre_tokenizer.type ${JSON.stringify(type)} is not known (known: ${PRE_TOKENIZERS.join(', ')}). Choose a model whose tokenizer has one of these.`,
    );
  }
  for (const part of pretokenizers ?? []) checkPreTokenizer(part, path);
}

/** GPT-2's word pattern (Radford et al. 2019, encoder.py), which a byte-level pre-tokenizer applies unless told not to. */
const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The engine applies GPT-2's pattern with JavaScript's notion of white space (U+FEFF yes, U+0085 no), Python's
 * tokenizers with Unicode's; and it takes 0 to 9 for the digits of a Digits pre-tokenizer, Python's everything that Unicode calls a number.
 * Written out as a Split, both agree.
 */
function explicitSplit(preTokenizer: unknown): unknown {
  const one = PreTokenizer.safeParse(preTokenizer);
  if (!one.success) return preTokenizer;
  if (one.data.pretokenizers) return { ...one.data, pretokenizers: one.data.pretokenizers.map(explicitSplit) };
  if (one.data.type === 'Digits') {
    return {
      type: 'Split',
      pattern: { Regex: one.data.individual_digits === true ? '\\p{N}' : '\\p{N}+' },
      behavior: 'Isolated',
      invert: false,
    };
  }
  if (one.data.type !== 'ByteLevel' || one.data.use_regex === false || one.data.add_prefix_space === true) return preTokenizer;
  const split = { type: 'Split', pattern: { Regex: GPT2_PATTERN }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, { ...one.data, use_regex: false }] };
}

/** `chat_template.jinja` comes before the field in tokenizer_config.json, as in Transformers; of several the one named default. */
async function readChatTemplate(
  folder: string,
  field: string | { name: string; template: string }[] | null | undefined,
): Promise<string | null> {
  const path = join(folder, 'chat_template.jinja');
  if (await isFile(path)) return readFile(path, 'utf8');
  if (!Array.isArray(field)) return field ?? null;
  return (field.find((entry) => entry.name === 'default') ?? field[0])?.template ?? null;
}
