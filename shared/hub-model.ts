/** Names of models on the Hugging Face Hub, where its tools keep what they have fetched, and what a download tells. */
import { z } from 'zod';
import { InputError } from './input-error.ts';

export interface HubName {
  /** `organisation/name` */
  name: string;
  /** A branch, tag or commit. */
  revision: string;
}

const PART = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?';
const NAME = new RegExp(`^${PART}/${PART}$`);
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9._/+-]*$/;

const allowed = (text: string): boolean => text.length <= 200 && !text.includes('..') && !text.includes('--');

/** `organisation/name` or `organisation/name@revision`; null for anything else. */
export function readHubName(text: string): HubName | null {
  const at = text.indexOf('@');
  const [name, revision] = at < 0 ? [text, 'main'] : [text.slice(0, at), text.slice(at + 1)];
  if (!NAME.test(name) || !allowed(name)) return null;
  if (!REVISION.test(revision) || !allowed(revision) || /(^|\/)(\.|$)/.test(revision)) return null;
  return { name, revision };
}

/** As `readHubName`. Errors: InputError for what is no name on the hub. */
export function parseHubName(text: string): HubName {
  const found = readHubName(text);
  if (found === null) {
    throw new InputError(
      `"${text}" is not the name of a model on the Hugging Face Hub; write organisation/name or organisation/name@revision, as in Qwen/Qwen2.5-0.5B-Instruct`,
      'model',
    );
  }
  return found;
}

/** The name as it is typed: a revision other than `main` behind an @. */
export const formatHubName = ({ name, revision }: HubName): string => (revision === 'main' ? name : `${name}@${revision}`);

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Hugging Face's own tools keep models, decided as they decide it. `home`: the user's folder. */
export function hubCacheFolder(env: Environment, home: string): string {
  const own = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (own) return own;
  return `${env.HF_HOME || `${env.XDG_CACHE_HOME || `${home}/.cache`}/huggingface`}/hub`;
}

/** Folder of a model below the cache folder. */
export const hubFolderName = (name: string): string => `models--${name.replace('/', '--')}`;

/** The name behind a folder of the cache; null for a folder of something else. */
export function nameOfHubFolder(folder: string): string | null {
  const [kind, organisation, name, ...more] = folder.split('--');
  if (kind !== 'models' || organisation === undefined || name === undefined || more.length > 0) return null;
  return readHubName(`${organisation}/${name}`)?.name ?? null;
}

/** A commit as it names a snapshot. */
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/**
 * An endpoint in its plain form, without a slash at its end. `from`: what gave it, and the field of the message. Errors: InputError for what
 * is no address, or one that would show a token to all.
 */
export function hubEndpoint(given: string | undefined, token: string | null, from = 'HF_ENDPOINT', field = from): string {
  const text = given?.trim() || DEFAULT_ENDPOINT;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new InputError(`${from} is "${text}"; it must be an address such as ${DEFAULT_ENDPOINT}`, field);
  }
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !loopback && token !== null) {
    throw new InputError(
      `${from} is "${text}", which is not encrypted, and a Hugging Face token is set; use https, or unset the token`,
      field,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** `HF_HUB_OFFLINE`, read as Hugging Face's tools read it. */
export const isOffline = (env: Environment): boolean => /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? '');

export const DownloadEvent = z.discriminatedUnion('type', [
  /** Bytes count every file, those already there included. */
  z.object({
    type: z.literal('progress'),
    file: z.string(),
    files_done: z.number().int(),
    files: z.number().int(),
    bytes_done: z.number(),
    bytes: z.number(),
    /** Of these, what was there before. */
    bytes_kept: z.number(),
  }),
  /** The hub or the network does not answer now; the next try comes after this time. */
  z.object({ type: z.literal('waiting'), seconds: z.number(), why: z.string() }),
  z.object({
    type: z.literal('done'),
    name: z.string(),
    revision: z.string(),
    commit: z.string(),
    folder: z.string(),
    bytes: z.number(),
    /** Bytes that came over the network. */
    fetched: z.number(),
  }),
]);
export type DownloadEvent = z.infer<typeof DownloadEvent>;
export type DownloadDone = Extract<DownloadEvent, { type: 'done' }>;
