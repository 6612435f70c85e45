/**
 * Asking RunPod's REST API v2: bearer key in a header and nowhere else, every answer through a schema, errors (RFC 9457) in our words, a
 * timeout round everything, 429 waited for as `Retry-After` says, reads tried again after a 5xx. What changes something is never repeated
 * here after an answer that was lost: only its caller can find out whether it was done.
 */
import type { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import { ErrorResponse } from './api-schema.ts';
import { type Pause, pause } from './pause.ts';
import { CURES, kindOfStatus, RunpodError } from './runpod-error.ts';

export const RUNPOD_API = 'https://api.runpod.io';

export interface TransportOptions {
  /** Gives the key in force, null where none is set. Asked for each request: it may be set while the app runs. */
  key: () => Promise<string | null>;
  /** @default RUNPOD_API */
  base?: string;
  fetch?: typeof globalThis.fetch;
  /** Milliseconds for one attempt. @default 30000 */
  timeoutMs?: number;
  /** Waits; a test passes the time. */
  wait?: Pause;
}

export interface Ask {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base, parts encoded: `/v2/pods`. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  /** What is being done, for messages: "list pods". */
  what: string;
  signal?: AbortSignal;
}

const MOST_BYTES = 16 << 20;
const READ_TRIES = 4;
const RATE_TRIES = 5;
/** Longer than this nobody waits in silence. */
const MOST_WAIT_S = 90;

/** The text of an answer, cut off where it is endless. */
async function textOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer is longer than ${MOST_BYTES >> 20} MiB`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After`: "Seconds to wait before retrying", an integer (openapi.json, TooManyRequestsError). */
const retryAfter = (answer: Response): number => {
  const text = answer.headers.get('retry-after') ?? '';
  return /^\d+$/.test(text) ? Number(text) : 5;
};

const base = (text: string): URL => {
  const url = new URL(text);
  const own = url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol !== 'https:' && !own) throw new InputError(`the RunPod API must be reached over https, not ${url.protocol}//`, 'base');
  return url;
};

export class Transport {
  private readonly key: TransportOptions['key'];
  private readonly base: URL;
  private readonly fetch: typeof globalThis.fetch;
  private readonly timeoutMs: number;
  private readonly wait: Pause;

  constructor(options: TransportOptions) {
    this.key = options.key;
    this.base = base(options.base ?? RUNPOD_API);
    this.fetch = options.fetch ?? globalThis.fetch;
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.wait = options.wait ?? pause;
  }

  /** Errors: RunpodError; the signal's reason. */
  async ask<T>(ask: Ask, schema: z.ZodType<T>): Promise<T> {
    const { status, value } = await this.answered(ask);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? 'it' : `${issue.path.join('.') || 'it'}: ${issue.message}`;
    throw new RunpodError('answer', status, `RunPod’s answer to “${ask.what}” cannot be read (${where}); ${CURES.answer}`);
  }

  /** As `ask`, for what answers with no body. */
  async do(ask: Ask): Promise<void> {
    await this.answered(ask);
  }

  private async answered(ask: Ask): Promise<{ status: number; value: unknown }> {
    for (let [rated, failed] = [0, 0]; ; ) {
      ask.signal?.throwIfAborted();
      try {
        return await this.once(ask);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { refused, retrySeconds } = error;
        if (refused.kind === 'rate' && rated < RATE_TRIES && retrySeconds <= MOST_WAIT_S) {
          rated++;
          await this.wait(1000 * retrySeconds, ask.signal);
        } else if (ask.method === 'GET' && refused.uncertain && refused.kind !== 'answer' && failed < READ_TRIES - 1) {
          failed++;
          await this.wait(500 * 2 ** failed, ask.signal);
        } else throw refused;
      }
    }
  }

  private async once(ask: Ask): Promise<{ status: number; value: unknown }> {
    const key = await this.key();
    if (key === null || key === '') throw new RunpodError('key', null, `no RunPod API key is set; ${CURES.key}`);
    const url = new URL(ask.path, this.base);
    for (const [name, value] of Object.entries(ask.query ?? {})) url.searchParams.set(name, value);
    let answer: Response;
    let text: string;
    try {
      answer = await this.fetch(url, {
        method: ask.method,
        headers: {
          authorization: `Bearer ${key}`,
          accept: 'application/json, application/problem+json',
          ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
        // Another host must never be shown the key.
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(this.timeoutMs), ...(ask.signal ? [ask.signal] : [])]),
      });
      text = await textOf(answer);
    } catch (error) {
      ask.signal?.throwIfAborted();
      throw new Refused(new RunpodError('network', null, `RunPod did not answer to “${ask.what}”: ${whyNot(error)}; ${CURES.network}`));
    }
    if (answer.ok) return { status: answer.status, value: text === '' ? null : parsedJson(text) };
    throw new Refused(refusal(ask.what, answer.status, text.replaceAll(key, '•••')), retryAfter(answer));
  }
}

/** A refusal that `answered` may still get over. */
class Refused extends Error {
  readonly refused: RunpodError;
  readonly retrySeconds: number;
  constructor(refused: RunpodError, retrySeconds = 0) {
    super(refused.message);
    this.refused = refused;
    this.retrySeconds = retrySeconds;
  }
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function refusal(what: string, status: number, text: string): RunpodError {
  const problem = ErrorResponse.safeParse(parsedJson(text));
  const said = problem.success ? [problem.data.detail, ...(problem.data.errors ?? [])].join('; ') : text.trim().slice(0, 300);
  const kind = kindOfStatus(status);
  const cure = CURES[kind];
  return new RunpodError(
    kind,
    status,
    `RunPod refused to ${what} (${status}${said === '' ? '' : `: ${said.slice(0, 1000)}`})${cure === undefined ? '' : `; ${cure}`}`,
  );
}
