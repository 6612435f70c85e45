/** A model of the hub comes to a machine by the machine's own line, not through this computer; what is there already is not fetched. */
import { createHash } from 'node:crypto';
import { DownloadEvent, formatHubName, parseHubName } from '../../../shared/hub-model.ts';
import { InputError } from '../../../shared/input-error.ts';
import type { Machine } from '../../machine/machine.ts';
import { shellQuote as q } from '../../machine/ssh/shell-quote.ts';
import { layoutOn } from './check.ts';
import { carryOut } from './detached-step.ts';

export interface FetchModelOptions {
  /** Hugging Face token; it reaches the machine by standard input, and stands in no command line or file there. */
  token: string | null;
  /** Another hub than the usual one. */
  endpoint?: string;
  signal?: AbortSignal;
}

function eventOf(line: string): DownloadEvent | null {
  if (!line.startsWith('{')) return null;
  try {
    return DownloadEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    // A line that the other side has not finished, or that is none of ours.
    return null;
  }
}

/**
 * Fetches `organisation/name[@revision]`; the last event names the commit and the folder there. It goes on while the connection is lost, and
 * another call takes it up. Errors: an InputError for a name that is none, or a machine that is not set up; an Error with what it said.
 */
export async function* fetchModelThere(
  machine: Machine,
  root: string,
  model: string,
  options: FetchModelOptions,
): AsyncGenerator<DownloadEvent> {
  const name = formatHubName(parseHubName(model));
  const layout = await layoutOn(machine, root);
  const program = `${layout.runner}/main/runner/fetch-model.js`;
  if ((await machine.stat(layout.setup)) === null || (await machine.stat(program)) === null)
    throw new InputError(`${machine.name} is not set up for this version: medlogictrace machines setup ${machine.name}`, 'machine');
  const env: Record<string, string> = { HF_HOME: layout.models };
  if (options.token !== null) env.HF_TOKEN = options.token;
  if (options.endpoint !== undefined) env.HF_ENDPOINT = options.endpoint;
  const key = createHash('sha256').update(name).digest('hex').slice(0, 32);
  let rest = '';
  let done = false;
  const step = carryOut(
    machine,
    layout,
    { name: 'model', key, script: `exec ${q(layout.node)} ${q(program)} ${q(name)}`, env },
    options.signal,
  );
  for (;;) {
    const { value, done: over } = await step.next();
    if (over) break;
    if (value.type === 'waiting') {
      yield { type: 'waiting', seconds: 1, why: value.why };
      continue;
    }
    const lines = (rest + value.text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = eventOf(line);
      if (event === null) continue;
      done ||= event.type === 'done';
      yield event;
    }
  }
  if (!done) throw new Error(`${machine.name} did not say that ${name} is there`);
}
