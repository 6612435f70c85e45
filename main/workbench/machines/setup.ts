/** `machines setup`: brings a machine to where runs can be started on it. What is done is not done again; what was broken off goes on. */
import { InputError } from '../../../shared/input-error.ts';
import type { SetupStepName } from '../../../shared/machine-check.ts';
import { type SetupEvent, type SetupOptions, SetupProof } from '../../../shared/machine-setup.ts';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { Machine } from '../../machine/machine.ts';
import type { RunnerBundle } from '../../machine/runner-bundle.ts';
import { lookAt } from './check.ts';
import { carryOut } from './detached-step.ts';
import { eventQueue } from './event-queue.ts';
import { sendRunner } from './send-runner.ts';

/** Steps whose results lie in what the step makes anew. */
const RESTS_ON: Partial<Record<SetupStepName, readonly SetupStepName[]>> = {
  python: ['torch', 'packages', 'node', 'proof'],
  torch: ['packages', 'proof'],
  packages: ['proof'],
  node: ['proof'],
  runner: ['native', 'proof'],
  native: ['proof'],
};

const stampPath = (layout: MachineLayout, name: SetupStepName): string => `${layout.setup}/${name}.stamp`;
const proofPath = (layout: MachineLayout): string => `${layout.setup}/proof.json`;

async function* upload(
  machine: Machine,
  layout: MachineLayout,
  bundle: RunnerBundle,
  signal?: AbortSignal,
): AsyncGenerator<SetupEvent, number> {
  const events = eventQueue<SetupEvent>();
  let told = -1;
  const sending = sendRunner(machine, layout, bundle, {
    signal,
    onProgress(done, total) {
      const percent = Math.floor((100 * done) / Math.max(1, total));
      // Pieces come by the thousand.
      if (percent === told) return;
      told = percent;
      events.push({ type: 'progress', name: 'runner', done, total });
    },
  });
  return yield* events.during(sending);
}

/** What the proof step printed, as one value. */
function readProof(said: string, runner: string): SetupProof {
  const line = /^proof (\{.*\})$/m.exec(said)?.[1];
  const node = /^node (v\S+)$/m.exec(said)?.[1];
  if (line === undefined || node === undefined) throw new Error('the environment there did not say what it is made of');
  const told = parseJson(line, 'the proof of the environment there');
  return parseInput(SetupProof, { ...(typeof told === 'object' ? told : {}), node, runner }, 'the proof of the environment there');
}

async function keptProof(machine: Machine, layout: MachineLayout): Promise<SetupProof | null> {
  const read = await machine.readFrom(proofPath(layout), 0, 10_000);
  if (read === null) return null;
  try {
    return SetupProof.parse(JSON.parse(Buffer.from(read.bytes).toString()));
  } catch {
    // Half of it, or another version's: proved anew.
    return null;
  }
}

/**
 * Carries out what is missing, and tells how it goes. Errors: an InputError for what blocks; an Error with a step's last words; MachineError.
 * When the signal is aborted the step that goes on there is ended; when only the connection is lost, or this app ends, it goes on.
 */
export async function* setUpMachine(
  machine: Machine,
  root: string,
  options: SetupOptions,
  signal?: AbortSignal,
): AsyncGenerator<SetupEvent> {
  const { layout, steps, plan, findings, bundle } = await lookAt(machine, root, options, signal);
  yield { type: 'plan', steps: plan };
  const blocking = findings.filter(({ level }) => level === 'blocking');
  if (blocking.length > 0)
    throw new InputError(`${machine.name} cannot be set up: ${blocking.map(({ what, fix }) => `${what}; ${fix}`).join('. ')}`, 'machine');

  const due = new Set(plan.filter(({ state }) => state !== 'done').map(({ name }) => name));
  let proof = due.has('proof') ? null : await keptProof(machine, layout);
  if (proof === null) due.add('proof');
  const done: SetupStepName[] = [];
  let sent = 0;
  for (const { name, key, script } of steps) {
    if (!due.has(name)) continue;
    for (const later of RESTS_ON[name] ?? []) due.add(later);
    signal?.throwIfAborted();
    const begun = performance.now();
    yield { type: 'step', name, state: 'running', seconds: 0 };
    // What rests on it must not count as done should it be broken off.
    for (const stamp of [name, ...(RESTS_ON[name] ?? [])]) await machine.remove(stampPath(layout, stamp));
    if (script === null) sent += yield* upload(machine, layout, bundle, signal);
    else {
      if (name === 'folders') await machine.makeFolder(layout.setup);
      const said = yield* told(carryOut(machine, layout, { name, key, script }, signal), name);
      if (name === 'proof') {
        proof = readProof(said, bundle.hash);
        await machine.writeFile(proofPath(layout), `${JSON.stringify(proof)}\n`);
      }
    }
    await machine.writeFile(stampPath(layout, name), `${key}\n`);
    done.push(name);
    yield { type: 'step', name, state: 'done', seconds: (performance.now() - begun) / 1000 };
  }
  if (proof === null) throw new Error('the setup ended without its proof');
  yield { type: 'report', report: { machine: machine.name, root: layout.root, done, sent, proof } };
}

/** The news of a step under its name. */
async function* told(step: ReturnType<typeof carryOut>, name: SetupStepName): AsyncGenerator<SetupEvent, string> {
  for (;;) {
    const { value, done } = await step.next();
    if (done) return value;
    yield { ...value, name };
  }
}
