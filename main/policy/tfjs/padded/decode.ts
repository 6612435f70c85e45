/** One token for each of the rows being written, against the cache. */
import * as tf from '@tensorflow/tfjs-core';
import type { GenerateRequest } from '../../policy.ts';
import type { Decoding, Row } from '../generation-loop.ts';
import { packPrompts } from '../packing.ts';
import { MASKED } from './attention.ts';
import { padBatch, paddedMicroBatches } from './batch.ts';
import { Cache } from './cache.ts';
import { disposeActivations, type Model, type PaddedDecoder } from './decoder.ts';
import { drawTokens } from './draw.ts';

type Tensor = tf.Tensor;

export function openDecoding(
  decoder: PaddedDecoder,
  model: Model,
  request: GenerateRequest,
  slots: number,
  capacity: number,
  maxTokens: number,
  lengthStep: number,
): Decoding {
  const cache = new Cache(decoder.ops, decoder.heads, decoder.layers, slots, capacity);
  let head: Tensor;
  try {
    // Products of a few rows with a matrix that has to be turned first are many times slower.
    head = tf.keep(tf.transpose(decoder.weight(model, decoder.headName)));
  } catch (error) {
    cache.dispose();
    throw error;
  }
  return {
    slots,
    async prefill(groups) {
      const lengths = groups.map(([row]) => (row as Row).start);
      for (const part of paddedMicroBatches(lengths, maxTokens)) {
        const members = part.map((g) => groups[g] as Row[]);
        const logits = prefill(decoder, model, cache, head, members, request, lengthStep);
        await drawTokens(decoder.ops, request, members.flat(), logits);
      }
    },
    async step(rows, free) {
      compact(cache, rows, free);
      await drawTokens(decoder.ops, request, rows, step(decoder, model, cache, head, rows));
    },
    dispose() {
      cache.dispose();
      head.dispose();
    },
  };
}

/** Computes prompts, fills the slots of their rows, and gives the logits of each row's first token. */
function prefill(
  decoder: PaddedDecoder,
  model: Model,
  cache: Cache,
  head: Tensor,
  groups: Row[][],
  request: GenerateRequest,
  lengthStep: number,
): Tensor {
  const prompts = groups.map(([row]) => request.prompts[(row as Row).prompt]?.ids as Int32Array);
  const batch = padBatch(packPrompts(prompts), lengthStep);
  const places = groups.flatMap((rows, source) => rows.map(({ slot, start }) => ({ source, slot, length: start })));
  const activations = decoder.forward(model, batch, { onLayer: (layer, keys, values) => cache.fill(layer, keys, values, places) });
  try {
    return tf.tidy(() => {
      // A row of logits for each sample, not for each prompt.
      const last = groups.flatMap((rows, g) => rows.map(() => batch.rows[g] as number));
      const picked = decoder.ops.gatherRows(activations.hidden, tf.tensor1d(last, 'int32'));
      return decoder.ops.matMul(decoder.norm(picked, decoder.weight(model, 'model.norm.weight')), head);
    });
  } finally {
    disposeActivations(activations);
  }
}

/** Rows move into the first slots where a quarter of those computed would be empty otherwise. */
function compact(cache: Cache, rows: readonly Row[], free: number[]): void {
  const used = Math.max(...rows.map(({ slot }) => slot)) + 1;
  if (used - rows.length <= rows.length / 4) return;
  const holes = free.filter((slot) => slot < rows.length).sort((a, b) => a - b);
  const moves: { from: number; to: number; length: number }[] = [];
  for (const row of rows) {
    if (row.slot < rows.length) continue;
    const to = holes.shift() as number;
    moves.push({ from: row.slot, to, length: row.start + row.ids.length - 1 });
    free.splice(free.indexOf(to), 1, row.slot);
    row.slot = to;
  }
  cache.move(moves);
}

/** Feeds each row's last token and gives the logits of its next, in the order of `rows`. */
function step(decoder: PaddedDecoder, model: Model, cache: Cache, head: Tensor, rows: readonly Row[]): Tensor {
  const { ops, heads } = decoder;
  const { capacity } = cache;
  const n = Math.max(...rows.map(({ slot }) => slot)) + 1;
  // Slots between that no row holds compute something that nobody reads.
  const [ids, positions] = [new Int32Array(n), new Array<number>(n).fill(0)];
  for (const { slot, ids: own, start } of rows) {
    ids[slot] = own[own.length - 1] as number;
    positions[slot] = start + own.length - 1;
  }
  const group = heads.count / heads.keys;
  return tf.tidy(() => {
    const { cos, sin } = decoder.rotaryRows(positions);
    const rotary = { cos: tf.tensor3d(cos, [n, 1, heads.width]), sin: tf.tensor3d(sin, [n, 1, heads.width]) };
    const slots = Array.from({ length: n }, (_, slot) => slot);
    const places = tf.tensor1d(cache.rowsOf(slots, positions), 'int32');
    const seen = new Float32Array(n * capacity);
    positions.forEach((position, slot) => {
      seen.fill(MASKED, slot * capacity + position + 1, (slot + 1) * capacity);
    });
    const mask = tf.tensor4d(seen, [n, 1, 1, capacity]);
    const scale = 1 / Math.sqrt(heads.width);
    let x = ops.gatherRows(decoder.weight(model, 'model.embed_tokens.weight'), tf.tensor1d(ids, 'int32'));
    for (let layer = 0; layer < decoder.layers; layer++) {
      const at = `model.layers.${layer}`;
      const input = x;
      x = tf.tidy(() => {
        const normed = decoder.norm(input, decoder.weight(model, `${at}.input_layernorm.weight`));
        const project = (name: 'q' | 'k', count: number): Tensor => {
          const raw = tf.reshape(decoder.linear(model, `${at}.self_attn.${name}_proj`, normed), [n, count, heads.width]);
          const gain = model.weights.get(`${at}.self_attn.${name}_norm.weight`);
          return ops.rotate(gain ? decoder.norm(raw, gain) : raw, rotary.cos, rotary.sin);
        };
        const q = tf.reshape(ops.scale(project('q', heads.count), scale), [n, heads.keys, group, heads.width]);
        const k = tf.reshape(project('k', heads.keys), [n * heads.keys, heads.width]);
        const v = tf.reshape(decoder.linear(model, `${at}.self_attn.v_proj`, normed), [n * heads.keys, heads.width]);
        cache.write(layer, places, k, v);
        const { keys, values } = cache.read(layer, n);
        const p = ops.softmax(ops.add(ops.matMul(q, keys, false, true), mask));
        const attended = tf.reshape(ops.matMul(p, values), [n, heads.count * heads.width]);
        const inner = ops.add(input, decoder.linear(model, `${at}.self_attn.o_proj`, attended));
        const innerNormed = decoder.norm(inner, decoder.weight(model, `${at}.post_attention_layernorm.weight`));
        const gate = decoder.linear(model, `${at}.mlp.gate_proj`, innerNormed);
        const up = decoder.linear(model, `${at}.mlp.up_proj`, innerNormed);
        return ops.add(inner, decoder.linear(model, `${at}.mlp.down_proj`, ops.swiGlu(gate, up)));
      });
      input.dispose();
    }
    const order = rows.map(({ slot }) => slot);
    const picked = order.every((slot, i) => slot === i) && order.length === n ? x : ops.gatherRows(x, tf.tensor1d(order, 'int32'));
    return ops.matMul(decoder.norm(picked, decoder.weight(model, 'model.norm.weight')), head);
  });
}
