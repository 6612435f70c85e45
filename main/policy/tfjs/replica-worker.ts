/** The second thread of a policy: a backend, a decoder and weights of its own; does one task after another. */
import { parentPort, workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import type { GenerateEvent } from '../policy.ts';
import { adapterLayout, type ModelWeights } from './adapter.ts';
import { startBackend } from './backend.ts';
import { Decoder } from './decoder.ts';
import { generate } from './generate.ts';
import { sumGradient } from './gradient.ts';
import type { Address } from './kernels.ts';
import {
  type FinalReply,
  type NumbersName,
  packEvents,
  type ReplicaReply,
  type ReplicaStart,
  type ReplicaTask,
  type SharedModel,
  type SharedNumbers,
} from './replica-message.ts';
import { Scope } from './scope.ts';
import { scoreSequences } from './scoring.ts';

/** Generated tokens are handed over this often, in milliseconds. */
const HANDOVER = 10;

class Stopped extends Error {
  override name = 'Stopped';
}

const port = parentPort;
if (!port) throw new Error('this program is the second thread of a policy; it does not run by itself');
const { config, lora, maxTokens } = workerData as ReplicaStart;
const backend = await startBackend();
const decoder = new Decoder(backend, config);
const layout = lora === null ? null : adapterLayout(decoder.layout, lora);
/** Floats of what is trained. */
const { size } = layout ?? decoder.layout;
const own = new Scope(backend);
const held = new Map<NumbersName, { address: Address; version: number }>();
const send = (reply: ReplicaReply): void => port.postMessage(reply);

/** Where numbers of a task are in this thread's memory, after a copy if they are new. */
function current({ name, version, values }: SharedNumbers): Address {
  const copy = held.get(name) ?? { address: own.floats(values.length), version: -1 };
  held.set(name, copy);
  if (copy.version !== version) {
    own.viewFloats(copy.address, values.length).set(values);
    copy.version = version;
  }
  return copy.address;
}

function modelOf({ base, adapter }: SharedModel): ModelWeights {
  return { base: current(base), adapter: layout === null || adapter === null ? null : { layout, address: current(adapter) } };
}

async function perform({ task, stop, model, work }: ReplicaTask): Promise<FinalReply> {
  const breathe = async (): Promise<void> => {
    if (Atomics.load(stop, 0) !== 0) throw new Stopped();
  };
  await breathe();
  const weights = modelOf(model);
  switch (work.kind) {
    case 'generate': {
      let events: GenerateEvent[] = [];
      let since = performance.now();
      for await (const event of generate(decoder, weights, work.request, maxTokens)) {
        await breathe();
        events.push(event);
        if (performance.now() - since < HANDOVER) continue;
        send({ task, kind: 'events', events: packEvents(events) });
        events = [];
        since = performance.now();
      }
      send({ task, kind: 'events', events: packEvents(events) });
      return { task, kind: 'generated', tensors: tf.memory().numTensors };
    }
    case 'logprobs': {
      const scores = await scoreSequences(decoder, weights, work.sequences, work.temperature, maxTokens, breathe);
      return { task, kind: 'scored', scores, tensors: tf.memory().numTensors };
    }
    case 'gradient': {
      const scope = new Scope(backend);
      try {
        const gradients = scope.floats(size);
        const totals = await sumGradient(decoder, weights, gradients, work, breathe);
        work.into.set(scope.viewFloats(gradients, size));
        scope.dispose();
        return { task, kind: 'summed', totals, tensors: tf.memory().numTensors };
      } finally {
        scope.dispose();
      }
    }
  }
}

async function answer(message: ReplicaTask): Promise<void> {
  const { task } = message;
  try {
    send(await perform(message));
  } catch (error) {
    const tensors = tf.memory().numTensors;
    if (error instanceof Stopped) send({ task, kind: 'stopped', tensors });
    else send({ task, kind: 'failed', message: error instanceof Error ? error.message : String(error), tensors });
  }
}

let last: Promise<void> = Promise.resolve();
port.on('message', (message: ReplicaTask) => {
  last = last.then(() => answer(message));
});
