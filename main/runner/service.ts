/**
 * `node service.ts`: answers the requests of shared/runner-service.ts, a JSON line each, on standard input and output. It ends when its
 * input closes, and so never outlives the shell that started it. With `--once` it first answers what it was asked: for one who asks from
 * afar and closes the line behind the question.
 */
import { Console } from 'node:console';
import { createInterface } from 'node:readline';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import {
  isStream,
  isVerb,
  type ServiceError,
  type ServiceReply,
  ServiceRequest,
  type ServiceStream,
  type ServiceVerb,
  type StreamInput,
  type StreamItem,
  serviceStreams,
  serviceVerbs,
  type VerbInput,
  type VerbOutput,
} from '../../shared/runner-service.ts';
import { streamFor, verbFor } from './service-verbs.ts';

// Standard output is the line to the shell: a library's word there would break it.
globalThis.console = new Console(process.stderr, process.stderr);

const send = (reply: ServiceReply): void => void process.stdout.write(`${JSON.stringify(reply)}\n`);

const errorOf = (thrown: unknown): ServiceError =>
  thrown instanceof InputError
    ? { code: 'input', message: thrown.message, ...(thrown.field === undefined ? {} : { field: thrown.field }) }
    : { code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) };

const running = new Map<number, AbortController>();

const answer = <V extends ServiceVerb>(verb: V, input: unknown, signal: AbortSignal): Promise<VerbOutput<V>> =>
  verbFor(verb)(parseInput(serviceVerbs[verb].input, input, verb) as VerbInput<V>, signal);

const stream = <S extends ServiceStream>(
  name: S,
  input: unknown,
  signal: AbortSignal,
  onItem: (item: StreamItem<S>) => void,
): Promise<void> => streamFor(name)(parseInput(serviceStreams[name].input, input, name) as StreamInput<S>, signal, onItem);

async function carryOut(id: number, verb: string, input: unknown, signal: AbortSignal): Promise<void> {
  if (isVerb(verb)) {
    const data = await answer(verb, input, signal);
    if (!signal.aborted) send({ kind: 'reply', id, data });
  } else if (isStream(verb)) {
    await stream(verb, input, signal, (item) => {
      if (!signal.aborted) send({ kind: 'item', id, item });
    });
    if (!signal.aborted) send({ kind: 'end', id });
  } else throw new InputError(`unknown verb ${JSON.stringify(verb)}`, 'verb');
}

async function take(request: ServiceRequest): Promise<void> {
  if (request.kind === 'cancel') {
    running.get(request.id)?.abort(new Error('cancelled'));
    return;
  }
  const { id, verb, input } = request;
  if (running.has(id)) return send({ kind: 'error', id: null, error: { code: 'input', message: `request ${id} is running already` } });
  const controller = new AbortController();
  running.set(id, controller);
  try {
    await carryOut(id, verb, input, controller.signal);
  } catch (thrown) {
    if (!controller.signal.aborted) send({ kind: 'error', id, error: errorOf(thrown) });
  } finally {
    running.delete(id);
    if (closed && running.size === 0) leave();
  }
}

const once = process.argv.includes('--once');
let closed = false;
/** Ends once what was written has been taken: a pipe drops the rest at an exit. */
const leave = (): void => void process.stdout.write('', () => process.exit(0));

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
lines.on('line', (line) => {
  let request: ServiceRequest;
  try {
    request = parseInput(ServiceRequest, parseJson(line, 'request'), 'request');
  } catch (thrown) {
    send({ kind: 'error', id: null, error: errorOf(thrown) });
    return;
  }
  void take(request);
});
lines.on('close', () => {
  if (!once) process.exit(0);
  closed = true;
  if (running.size === 0) leave();
});
// The shell is gone: there is nobody to tell.
process.stdout.on('error', () => process.exit(0));
