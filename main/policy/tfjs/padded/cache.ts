/**
 * Keys and values of the rows being written: for each layer one table [slots · key heads · capacity, width], made once for a request. Rows
 * of it are written in place where the backend can do that.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Ops } from '../ops/ops.ts';
import type { Heads } from './attention.ts';

type Tensor = tf.Tensor;

export class Cache {
  readonly slots: number;
  readonly capacity: number;
  private readonly ops: Ops;
  private readonly heads: Heads;
  private readonly layers: { keys: Tensor; values: Tensor }[] = [];

  constructor(ops: Ops, heads: Heads, layers: number, slots: number, capacity: number) {
    this.ops = ops;
    this.heads = heads;
    this.slots = slots;
    this.capacity = capacity;
    const table = (): Tensor => tf.keep(tf.zeros([slots * heads.keys * capacity, heads.width]));
    try {
      for (let i = 0; i < layers; i++) this.layers.push({ keys: table(), values: table() });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Table rows of one position of each slot, all key heads: for slot, head the row of that position. */
  rowsOf(slots: readonly number[], positions: readonly number[]): Int32Array {
    const { keys } = this.heads;
    const rows = new Int32Array(slots.length * keys);
    slots.forEach((slot, i) => {
      for (let head = 0; head < keys; head++) {
        rows[i * keys + head] = (slot * keys + head) * this.capacity + (positions[i] as number);
      }
    });
    return rows;
  }

  /** Puts keys and values [n, width] at table rows. */
  write(layer: number, rows: Tensor, keys: Tensor, values: Tensor): void {
    const own = this.layers[layer] as (typeof this.layers)[number];
    own.keys = tf.keep(this.ops.replaceRows(own.keys, rows, keys));
    own.values = tf.keep(this.ops.replaceRows(own.values, rows, values));
  }

  /** Keys and values of slots 0 … n − 1, [n, key heads, capacity, width]; the caller disposes of them. */
  read(layer: number, n: number): { keys: Tensor; values: Tensor } {
    const own = this.layers[layer] as (typeof this.layers)[number];
    const { keys: heads, width } = this.heads;
    const first = (table: Tensor): Tensor => {
      const rows = n * heads * this.capacity;
      const part = n === this.slots ? table : tf.slice(table, [0, 0], [rows, width]);
      return tf.reshape(part, [n, heads, this.capacity, width]);
    };
    return { keys: first(own.keys), values: first(own.values) };
  }

  /**
   * Fills slots with positions 0 … length − 1 of a computed batch's keys and values [count, key heads, batch length, width]: row `source`
   * of the batch goes to slot `slot`.
   */
  fill(layer: number, keys: Tensor, values: Tensor, places: readonly { source: number; slot: number; length: number }[]): void {
    const { keys: heads, width } = this.heads;
    const [count, , padded] = keys.shape as [number, number, number, number];
    const total = places.reduce((sum, { length }) => sum + length * heads, 0);
    const [from, to] = [new Int32Array(total), new Int32Array(total)];
    let at = 0;
    for (const { source, slot, length } of places) {
      for (let head = 0; head < heads; head++) {
        for (let position = 0; position < length; position++, at++) {
          from[at] = (source * heads + head) * padded + position;
          to[at] = (slot * heads + head) * this.capacity + position;
        }
      }
    }
    tf.tidy(() => {
      const [source, target] = [tf.tensor1d(from, 'int32'), tf.tensor1d(to, 'int32')];
      const flat = (x: Tensor): Tensor => this.ops.gatherRows(tf.reshape(x, [count * heads * padded, width]), source);
      this.write(layer, target, flat(keys), flat(values));
    });
  }

  /** Moves slots: each to a place that no other of them leaves or takes. */
  move(moves: readonly { from: number; to: number; length: number }[]): void {
    const { keys: heads, width } = this.heads;
    const places = moves.map(({ from, to, length }) => ({ source: from, slot: to, length }));
    this.layers.forEach((own, layer) => {
      const shape: [number, number, number, number] = [this.slots, heads, this.capacity, width];
      tf.tidy(() => this.fill(layer, tf.reshape(own.keys, shape), tf.reshape(own.values, shape), places));
    });
  }

  dispose(): void {
    for (const { keys, values } of this.layers) tf.dispose([keys, values]);
    this.layers.length = 0;
  }
}
