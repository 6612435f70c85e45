/** Asks a machine about its runs: a short-lived program of ours there, JSON each way, everything that comes back checked. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { DownloadEvent } from '../../../shared/hub-model.ts';
import { InputError } from '../../../shared/input-error.ts';
import { parseInput } from '../../../shared/parse-input.ts';
import {
  type AttendInput,
  type AttendOutput,
  AttendReply,
  type AttendVerb,
  attendVerbs,
  LARGEST_FILE,
  WatchFrame,
  type WatchRequest,
} from '../../../shared/remote-run.ts';
import { ServiceReply, serviceVerbs, type VerbOutput, type VerbRequest } from '../../../shared/runner-service.ts';
import { type ExecResult, MachineError } from '../../machine/machine.ts';
import type { MachinePlace } from './place.ts';

export interface AskOptions {
  signal?: AbortSignal;
  /** Milliseconds for one attempt. @default 120000 */
  timeoutMs?: number;
  /** Attempts where the connection goes in the middle: every question may be asked twice. @default 4 */
  attempts?: number;
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.trim().slice(-500) ?? '';

/** What went wrong on the machine, or in an answer that is none of ours. */
const strange = (name: string, what: string): Error => new Error(`machine ${name}: ${what}`);

function missing(place: MachinePlace, { code, stderr }: ExecResult): Error {
  const { name } = place.machine;
  if (code === 127 || /Cannot find module|MODULE_NOT_FOUND/.test(stderr)) {
    return new InputError(
      `machine ${name} has no runner of this version in ${place.root}: medlogictrace machines setup ${name}`,
      'machine',
    );
  }
  return strange(name, `our program there ended with code ${code}: ${lastLine(stderr) || 'it said nothing'}`);
}

export class Attendant {
  readonly place: MachinePlace;

  constructor(place: MachinePlace) {
    this.place = place;
  }

  get name(): string {
    return this.place.machine.name;
  }

  /** Errors: InputError as the machine throws it; MachineError where it cannot be reached; Error for an answer that is none of ours. */
  async ask<V extends AttendVerb>(verb: V, input: AttendInput<V>, options: AskOptions = {}): Promise<AttendOutput<V>> {
    const result = await this.again(options, () =>
      this.place.machine.exec([this.place.node, this.place.program('main/machine/attend'), verb], {
        input: JSON.stringify(input),
        env: this.place.env,
        timeoutMs: options.timeoutMs ?? 120_000,
        maxOutput: 256 << 20,
        signal: options.signal,
      }),
    );
    const text = lastLineWhole(result.stdout);
    if (text === '') throw missing(this.place, result);
    const reply = this.line(AttendReply, text, verb);
    if (reply.kind === 'error') {
      throw reply.code === 'input' ? new InputError(reply.message, reply.field) : strange(this.name, reply.message);
    }
    return this.value<z.ZodType>(attendVerbs[verb].output, reply.data, verb) as AttendOutput<V>;
  }

  /** Frames until `end`, or until the connection goes. Errors: as `ask`, and those of `onFrame`, which ends the watching. */
  async watch(request: WatchRequest, onFrame: (frame: WatchFrame) => void, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const { promise: failed, reject } = Promise.withResolvers<never>();
    let rest = '';
    let ended = false;
    const take = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > 2 * LARGEST_LINE) throw strange(this.name, 'it sends a line without end');
      for (const line of lines) {
        const frame = this.line(WatchFrame, line, 'watch');
        if (frame.kind === 'end') ended = true;
        else onFrame(frame);
      }
    };
    const exec = this.place.machine.exec([this.place.node, this.place.program('main/machine/attend'), 'watch'], {
      input: JSON.stringify(request),
      env: this.place.env,
      timeoutMs: request.last_ms + 60_000,
      maxOutput: 2 * (request.last_bytes + request.runs.length * LARGEST_FILE) + (16 << 20),
      signal: AbortSignal.any([signal, stop.signal]),
      onOutput({ stream, text }) {
        if (stream !== 'stdout' || stop.signal.aborted) return;
        try {
          take(text);
        } catch (error) {
          reject(error);
          stop.abort(error);
        }
      },
    });
    exec.catch(() => undefined);
    const result = await Promise.race([exec, failed]);
    if (ended) return;
    const reply = AttendReply.safeParse(safeJson(lastLineWhole(result.stdout)));
    if (reply.success && reply.data.kind === 'error') throw strange(this.name, reply.data.message);
    throw missing(this.place, result);
  }

  /** What the runner's helper there answers to one question. Errors: as `ask`. */
  async service<V extends 'config.create' | 'config.resolve'>(
    verb: V,
    input: VerbRequest<V>,
    env: Readonly<Record<string, string>>,
    options: AskOptions = {},
  ): Promise<VerbOutput<V>> {
    const line = `${JSON.stringify({ kind: 'ask', id: 1, verb, input })}\n`;
    const result = await this.again(options, () =>
      this.place.machine.exec([this.place.node, this.place.program('main/runner/service'), '--once'], {
        input: line,
        env: { ...this.place.env, ...env },
        timeoutMs: options.timeoutMs ?? 600_000,
        signal: options.signal,
      }),
    );
    const text = lastLineWhole(result.stdout);
    if (text === '') throw missing(this.place, result);
    const reply = this.line(ServiceReply, text, verb);
    if (reply.kind === 'error') {
      const { code, message, field } = reply.error;
      throw code === 'input' ? new InputError(message, field) : strange(this.name, message);
    }
    if (reply.kind !== 'reply') throw strange(this.name, `it answered ${verb} with ${reply.kind}`);
    return this.value<z.ZodType>(serviceVerbs[verb].output, reply.data, verb) as VerbOutput<V>;
  }

  /** The machine itself fetches a model from the Hugging Face Hub. Gives the commit that it has now. Errors: as `ask`. */
  async downloadModel(
    name: string,
    token: string | null,
    onEvent: (event: DownloadEvent) => void,
    { signal }: Pick<AskOptions, 'signal'> = {},
  ): Promise<string> {
    const line = `${JSON.stringify({ kind: 'ask', id: 1, verb: 'model.download', input: { name, token } })}\n`;
    let commit: string | null = null;
    await this.again({ signal, attempts: 20 }, async () => {
      let rest = '';
      const take = (text: string): void => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const one of lines) {
          const reply = this.line(ServiceReply, one, 'model.download');
          if (reply.kind === 'error') {
            const { code, message, field } = reply.error;
            throw code === 'input' ? new InputError(message, field) : strange(this.name, message);
          }
          if (reply.kind !== 'item') continue;
          const event = this.value(DownloadEvent, reply.item, 'model.download');
          if (event.type === 'done') commit = event.commit;
          onEvent(event);
        }
      };
      const stop = new AbortController();
      let wrong: unknown = null;
      const result = await this.place.machine
        .exec([this.place.node, this.place.program('main/runner/service'), '--once'], {
          input: line,
          env: this.place.env,
          timeoutMs: 0,
          maxOutput: 256 << 20,
          signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
          onOutput: ({ stream, text }) => {
            if (stream !== 'stdout' || wrong !== null) return;
            try {
              take(text);
            } catch (error) {
              wrong = error;
              stop.abort(error);
            }
          },
        })
        .catch((error: unknown) => {
          throw wrong ?? error;
        });
      if (wrong !== null) throw wrong;
      if (commit === null) throw missing(this.place, result);
    });
    if (commit === null) throw strange(this.name, `it did not say what it fetched of ${name}`);
    return commit;
  }

  private async again<T>({ attempts = 4, signal }: AskOptions, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof MachineError) || error.kind !== 'lost' || attempt >= attempts) throw error;
        await sleep(500 * attempt, undefined, { signal });
      }
    }
  }

  private line<S extends z.ZodType>(schema: S, line: string, verb: string): z.output<S> {
    return this.value(schema, safeJson(line), verb);
  }

  private value<S extends z.ZodType>(schema: S, value: unknown, verb: string): z.output<S> {
    try {
      return parseInput(schema, value, 'its answer');
    } catch (error) {
      throw strange(this.name, `it answered ${verb} wrongly: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const LARGEST_LINE = 1 << 20;
const lastLineWhole = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
