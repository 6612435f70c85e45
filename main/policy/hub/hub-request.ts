/**
 * Requests to the Hugging Face Hub. The token goes to the hub's own origin only, never to the hosts that it redirects to. What may pass by
 * itself (too many requests, a server's fault, a broken connection) is tried again; the rest is told in a sentence without any address,
 * since an address may be signed.
 */
import { setTimeout } from 'node:timers/promises';
import { InputError } from '../../../shared/input-error.ts';
import { reason } from '../json-file.ts';

export interface HubOptions {
  /** Origin of the hub, without a slash at its end. */
  endpoint: string;
  /** Access token; null: none. */
  token: string | null;
  signal?: AbortSignal;
  /** Told before each wait. */
  onWait?: (seconds: number, why: string) => void;
  /** Factor on every wait, for tests. @default 1 */
  patience?: number;
  /** Milliseconds without a byte after which a connection counts as broken. @default 60 000 */
  silence?: number;
}

/** Seconds before each further try without progress. */
const WAITS = [1, 2, 5, 10, 20, 30];
/** Most redirects of one request. */
const REDIRECTS = 5;
/** Longest time that a server may ask us to wait, in seconds. */
const LONGEST_WAIT = 600;

/** The hub cannot be reached or answers with a fault; trying later may help. */
export class Passing extends Error {
  readonly seconds: number | null;
  constructor(message: string, seconds: number | null = null) {
    super(message);
    this.seconds = seconds;
  }
}

/** How the words of an error begin: `what` is what was asked for. */
function refusal(status: number, code: string | null, what: string, { endpoint, token }: HubOptions): Error {
  const host = new URL(endpoint).host;
  const access = token === null ? 'set HF_TOKEN, or the Hugging Face token in the settings' : 'the token in force may not read it';
  if (code === 'GatedRepo' || status === 403) {
    return new InputError(
      `${what}: ${host} lets only those in who have accepted its terms (403); open its page on ${host}, accept them, and use a token of that account (${access})`,
      'model',
    );
  }
  if (status === 401) {
    // The hub answers 401 for what does not exist, too, so that private names cannot be guessed.
    return new InputError(
      `${what}: ${host} asks for an account (401): it is private, or there is no such model. Check the name; ${access}`,
      'model',
    );
  }
  if (status === 404) return new InputError(`${what}: not found on ${host} (404); check name and revision`, 'model');
  return new Error(`${what}: ${host} answered ${status}`);
}

/** Seconds that a `Retry-After` header asks for: a number, or a date. */
export function retryAfter(header: string | null, now: number = Date.now()): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}

/** One request, redirects followed. Errors: Passing; InputError or Error for an answer that will not change. */
async function once(
  url: string,
  headers: Record<string, string>,
  what: string,
  options: HubOptions,
  signal: AbortSignal,
): Promise<Response> {
  const { endpoint, token } = options;
  const hub = new URL(endpoint).origin;
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const own: Record<string, string> = at.origin === hub && token !== null ? { authorization: `Bearer ${token}` } : {};
    let response: Response;
    try {
      response = await fetch(at, { headers: { ...headers, ...own, 'user-agent': 'medlogictrace' }, redirect: 'manual', signal });
    } catch (error) {
      options.signal?.throwIfAborted();
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Passing(`${at.host} cannot be reached (${reason(cause)})`);
    }
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && response.status !== 304 && location !== null) {
      await response.body?.cancel();
      if (redirects === REDIRECTS) throw new Error(`${what}: more than ${REDIRECTS} redirects`);
      const next = new URL(location, at);
      if (!/^https?:$/.test(next.protocol) || (at.protocol === 'https:' && next.protocol === 'http:')) {
        throw new Error(`${what}: ${at.host} redirects to an address that is not encrypted`);
      }
      at = next;
      continue;
    }
    if (response.ok || response.status === 416) return response;
    await response.body?.cancel();
    const { status } = response;
    if (status === 429 || status === 408 || status >= 500) {
      const why = status === 429 ? `${at.host} wants fewer requests (429)` : `${at.host} answered ${status}`;
      throw new Passing(why, retryAfter(response.headers.get('retry-after')));
    }
    // A signed address that has run out: the hub gives a fresh one.
    if (at.origin !== hub && (status === 401 || status === 403))
      throw new Passing(`the address that ${new URL(hub).host} gave has run out`);
    throw refusal(status, response.headers.get('x-error-code'), what, options);
  }
}

/** Decides after each failure whether to go on, and waits; a call of `progressed` starts the count anew. */
export class Patience {
  private tries = 0;
  private readonly options: HubOptions;
  constructor(options: HubOptions) {
    this.options = options;
  }

  progressed(): void {
    this.tries = 0;
  }

  /** Errors: the failure itself when it will not pass; Error when it did not pass in time; the signal's reason. */
  async bear(error: unknown, what: string): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (!(error instanceof Passing)) throw error;
    const wait = WAITS[this.tries++];
    if (wait === undefined)
      throw new Error(`${what}: ${error.message}, ${WAITS.length + 1} times in a row; try again later, it goes on where it stopped`);
    if ((error.seconds ?? 0) > LONGEST_WAIT) {
      throw new Error(
        `${what}: ${error.message} and asks for a pause of ${Math.round(error.seconds ?? 0)} s; try again then, it goes on where it stopped`,
      );
    }
    const seconds = error.seconds ?? wait;
    this.options.onWait?.(seconds, error.message);
    await setTimeout(seconds * 1000 * (this.options.patience ?? 1), undefined, { signal: this.options.signal }).catch(() => undefined);
    this.options.signal?.throwIfAborted();
  }
}

/** A small answer as text. Errors: as `bear`. */
export async function hubText(url: string, what: string, options: HubOptions): Promise<{ text: string; headers: Headers }> {
  const patience = new Patience(options);
  for (;;) {
    const watch = silenceWatch(options);
    try {
      const response = await once(url, { accept: 'application/json' }, what, options, watch.signal);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bodyOf(response, watch)) chunks.push(chunk);
      return { text: Buffer.concat(chunks).toString('utf8'), headers: response.headers };
    } catch (error) {
      await patience.bear(error, what);
    } finally {
      watch.end();
    }
  }
}

/** One try to get a file from byte `from` on: the answer's first byte and its bytes. Errors: Passing and others, for `Patience.bear`. */
export async function openRange(
  url: string,
  from: number,
  what: string,
  options: HubOptions,
): Promise<{ start: number; body: AsyncIterable<Uint8Array> } | 'past the end'> {
  const watch = silenceWatch(options);
  try {
    // Byte counts must be those of the file, not of a compressed copy.
    const headers: Record<string, string> = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
    const response = await once(url, headers, what, options, watch.signal);
    if (response.status === 416) {
      await response.body?.cancel();
      watch.end();
      return 'past the end';
    }
    const start =
      response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN) : 0;
    if (!Number.isInteger(start)) throw new Error(`${what}: the answer to a part of the file does not say which part it is`);
    return { start, body: bodyOf(response, watch) };
  } catch (error) {
    watch.end();
    throw error;
  }
}

interface Watch {
  signal: AbortSignal;
  /** A byte has come. */
  beat(): void;
  end(): void;
}

/** Aborts after a time without a byte, or with the options' own signal. */
function silenceWatch({ signal, silence = 60_000 }: HubOptions): Watch {
  const controller = new AbortController();
  const timer = globalThis.setTimeout(() => controller.abort(new Error(`nothing came for ${silence / 1000} s`)), silence);
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    beat: () => void timer.refresh(),
    end: () => clearTimeout(timer),
  };
}

async function* bodyOf(response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    if (response.body === null) return;
    for await (const chunk of response.body) {
      watch.beat();
      yield chunk;
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Passing(`the connection broke (${reason(cause)})`);
  } finally {
    watch.end();
  }
}
