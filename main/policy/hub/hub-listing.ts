/** What a model on the hub consists of, and which of its files a model here needs. */
import { listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import type { HubName } from '../../../shared/hub-model.ts';
import { InputError } from '../../../shared/input-error.ts';
import { checked } from '../json-file.ts';
import { TOKENIZER_FILES } from '../tokenizer-files.ts';
import { WEIGHTS, WEIGHTS_INDEX } from '../weight-files.ts';
import { type HubOptions, hubText } from './hub-request.ts';

const Commit = z.string().regex(/^[0-9a-f]{40}$/);
const Listed = z.looseObject({
  type: z.string(),
  path: z.string().min(1),
  size: z.number().int().min(0),
  oid: Commit,
  lfs: z.looseObject({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().min(0) }).nullish(),
});

export interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of a large file; of a small one the hash that git gives it. Names the blob in the cache, too. */
  hash: string;
  kind: 'sha256' | 'git';
}

/** Listing and names of files go through Hugging Face's own library, its requests through ours. */
const fetchFor =
  (what: string, options: HubOptions): typeof fetch =>
  async (input) => {
    const { text, headers } = await hubText(input instanceof Request ? input.url : String(input), what, options);
    try {
      JSON.parse(text);
    } catch {
      throw new Error(`${what}: ${new URL(options.endpoint).host} answered something that is not JSON; is it a Hugging Face Hub?`);
    }
    return new Response(text, { headers: new Headers([...headers].filter(([name]) => name === 'link' || name === 'content-type')) });
  };

/** The commit that a revision stands for now. Errors: InputError for a model that is not there or may not be read. */
export async function resolveRevision({ name, revision }: HubName, what: string, options: HubOptions): Promise<string> {
  const info = await modelInfo({ name, revision, additionalFields: ['sha'], hubUrl: options.endpoint, fetch: fetchFor(what, options) });
  return checked(Commit, info.sha, `${what}: commit`);
}

/** The files to fetch, those that say what the model is first. Errors: InputError for a model without safetensors weights. */
export async function neededFiles(name: string, commit: string, what: string, options: HubOptions): Promise<HubFile[]> {
  const files = new Map<string, HubFile>();
  for await (const entry of listFiles({ repo: name, revision: commit, hubUrl: options.endpoint, fetch: fetchFor(what, options) })) {
    if (entry.type !== 'file') continue;
    const { path, size, oid, lfs } = checked(Listed, entry, `${what}: file`);
    files.set(path, lfs ? { path, size: lfs.size, hash: lfs.oid, kind: 'sha256' } : { path, size, hash: oid, kind: 'git' });
  }
  const paths = [...files.keys()];
  if (!files.has('config.json'))
    throw new InputError(`${what}: it has no config.json, so it is not a model in Hugging Face's format`, 'model');
  const weights = files.has(WEIGHTS)
    ? [WEIGHTS]
    : files.has(WEIGHTS_INDEX)
      ? [WEIGHTS_INDEX, ...paths.filter((path) => /^model-\d+-of-\d+\.safetensors$/.test(path)).sort()]
      : [];
  if (weights.length === 0) {
    const other = paths.filter((path) => /\.(bin|gguf|pt|pth|h5|msgpack|onnx|safetensors)$/.test(path)).slice(0, 5);
    throw new InputError(
      `${what}: it has no ${WEIGHTS}${other.length > 0 ? ` (only ${other.join(', ')})` : ''}; choose a model with safetensors weights`,
      'model',
    );
  }
  const beside = paths.filter((path) => /^(README\.md|LICEN[CS]E(\.\w+)?|NOTICE(\.\w+)?)$/i.test(path));
  const wanted = ['config.json', ...TOKENIZER_FILES, ...beside, ...weights];
  return wanted.flatMap((path) => files.get(path) ?? []);
}
