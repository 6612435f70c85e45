/**
 * Reads lines of training steps straight from their bytes. A run writes each of its steps alike: the same names in the same order, other
 * numbers. So the form of a line is learnt from one that was read whole, and in the next ones only the numbers are read; of a long run
 * this takes a fourth of the time that parsing every line takes. A line of any other form is not touched: who reads must parse it.
 */
import type { RunEvent } from '../../shared/run-record.ts';
import { JsonNumber } from './json-number.ts';

type StepEvent = Extract<RunEvent, { type: 'step' }>;

const [QUOTE, ZERO, NINE] = [0x22, 0x30, 0x39];
/** What ECMAScript writes for a time of the years 0 to 9999: 2026-01-31T12:00:00.000Z. */
const TIME_BYTES = 24;
const DAY_BYTES = 10;
const encoder = new TextEncoder();

/** Keeps the day's start, since parsing a date takes as long as the rest of a line. */
class TimeBytes {
  /** Milliseconds since 1970. */
  value = 0;
  private readonly day = new Uint8Array(DAY_BYTES);
  private dayStart = Number.NaN;

  /** False where the bytes are not a time in that one form. */
  read(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < DAY_BYTES; i++) {
      if (bytes[at + i] === this.day[i]) continue;
      this.day.set(bytes.subarray(at, at + DAY_BYTES));
      const day = String.fromCharCode(...this.day);
      // Of what is no such day Date.parse makes something all the same: `2026(02-28` is the year 2026 and a comment.
      this.dayStart = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN;
      break;
    }
    const digits = (from: number, count: number): number => {
      let number = 0;
      for (let i = at + from; i < at + from + count; i++) {
        const byte = bytes[i] as number;
        if (byte < ZERO || byte > NINE) return Number.NaN;
        number = 10 * number + (byte - ZERO);
      }
      return number;
    };
    const [hours, minutes, seconds, ms] = [digits(11, 2), digits(14, 2), digits(17, 2), digits(20, 3)];
    const sound =
      bytes[at + 10] === 0x54 && bytes[at + 13] === 0x3a && bytes[at + 16] === 0x3a && bytes[at + 19] === 0x2e && bytes[at + 23] === 0x5a;
    if (!sound || !(hours < 24 && minutes < 60 && seconds < 60)) return false;
    this.value = this.dayStart + 3_600_000 * hours + 60_000 * minutes + 1000 * seconds + ms;
    return !Number.isNaN(this.value);
  }
}

/** What lines of one form have in common. */
export class StepForm {
  /** Names of the metrics, in the order of `metrics`. */
  readonly names: readonly string[];
  /** What was read last. */
  seq = 0;
  step = 0;
  epoch = 0;
  /** Milliseconds since 1970. */
  time = 0;
  readonly metrics: Float64Array;
  /** Bytes before seq, time, step, epoch, each metric, and at the end. */
  private readonly pieces: readonly Uint8Array[];
  private readonly number = new JsonNumber();
  private readonly clock = new TimeBytes();

  private constructor(names: readonly string[], pieces: readonly string[]) {
    this.names = names;
    this.metrics = new Float64Array(names.length);
    this.pieces = pieces.map((piece) => encoder.encode(piece));
  }

  /** The form of a line; null where it is not written as `JSON.stringify` writes it, or its keys stand in another order. */
  static of(text: string, event: StepEvent): StepForm | null {
    const { seq, time, step, epoch, metrics } = event;
    // Written anew from its parts: a line that is not the same to the last character has something more in it.
    if (JSON.stringify({ seq, time, type: 'step', step, epoch, metrics }) !== text) return null;
    const names = Object.keys(metrics);
    const before = names.map((name, i) => `${i === 0 ? ',"metrics":{' : ','}${JSON.stringify(name)}:`);
    if (names.length === 0) return null;
    return new StepForm(names, ['{"seq":', ',"time":"', ',"type":"step","step":', ',"epoch":', ...before, '}}']);
  }

  /** Reads a line of this form; false, with nothing of worth read, where it is of another, or something in it is not sound. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    const { pieces, number, metrics } = this;
    let at = this.passed(0, bytes, from, to);
    if (at < 0) return false;
    at = number.read(bytes, at, to);
    if (at < 0 || !number.exact || !Number.isSafeInteger(number.value) || number.value < 0) return false;
    this.seq = number.value;
    at = this.passed(1, bytes, at, to);
    if (at < 0 || at + TIME_BYTES >= to || bytes[at + TIME_BYTES] !== QUOTE || !this.clock.read(bytes, at)) return false;
    this.time = this.clock.value;
    at = this.passed(2, bytes, at + TIME_BYTES + 1, to);
    if (at < 0) return false;
    at = number.read(bytes, at, to);
    if (at < 0 || !number.exact) return false;
    this.step = number.value;
    at = this.passed(3, bytes, at, to);
    if (at < 0) return false;
    at = number.read(bytes, at, to);
    if (at < 0) return false;
    this.epoch = number.value;
    for (let i = 0; i < metrics.length; i++) {
      at = this.passed(4 + i, bytes, at, to);
      if (at < 0) return false;
      at = number.read(bytes, at, to);
      if (at < 0) return false;
      metrics[i] = number.value;
    }
    return this.passed(pieces.length - 1, bytes, at, to) === to;
  }

  /** The place behind the piece where it stands at `at`, else −1. */
  private passed(piece: number, bytes: Uint8Array, at: number, to: number): number {
    const expected = this.pieces[piece] as Uint8Array;
    const { length } = expected;
    if (at + length > to) return -1;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== expected[i]) return -1;
    return at + length;
  }
}
