/** The metrics of a run's steps by columns of numbers: a run of 200,000 steps holds millions of values, and as objects they would take ten times the room. */

const FIRST_CAPACITY = 256;

/** Numbers that can be added to; what has not been written is NaN. */
export class Column {
  data: Float64Array;

  constructor(capacity: number) {
    this.data = new Float64Array(capacity).fill(Number.NaN);
  }

  grow(capacity: number): void {
    const grown = new Float64Array(capacity).fill(Number.NaN, this.data.length);
    grown.set(this.data);
    this.data = grown;
  }
}

/** What places a row in the run. */
export interface RowPlace {
  seq: number;
  step: number;
  epoch: number;
  /** Tokens read and written up to here; NaN where no step has told yet. */
  tokens: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** Rows of steps or validations, in the order of the run. A metric that a row does not hold is NaN there. */
export class MetricColumns {
  length = 0;
  private capacity = FIRST_CAPACITY;
  private readonly places = {
    seq: new Column(FIRST_CAPACITY),
    step: new Column(FIRST_CAPACITY),
    epoch: new Column(FIRST_CAPACITY),
    tokens: new Column(FIRST_CAPACITY),
    time: new Column(FIRST_CAPACITY),
  };
  private readonly metrics = new Map<string, Column>();

  /** Metrics that any row held, in the order in which they came. */
  get names(): readonly string[] {
    return [...this.metrics.keys()];
  }

  /** `length` numbers that place the rows; valid until a row is added. */
  place(of: keyof RowPlace): Float64Array {
    return this.places[of].data.subarray(0, this.length);
  }

  /** `length` values of a metric; valid until a row is added. */
  values(name: string): Float64Array {
    return (this.metrics.get(name)?.data ?? new Float64Array(0)).subarray(0, this.length);
  }

  /** The last row's place; null where there is none. */
  last(): RowPlace | null {
    if (this.length === 0) return null;
    const { seq, step, epoch, tokens, time } = this.places;
    const of = ({ data }: Column): number => data[this.length - 1] as number;
    return { seq: of(seq), step: of(step), epoch: of(epoch), tokens: of(tokens), time: of(time) };
  }

  /** The column of a metric, made where there is none: to be filled at the row that `add` gives. */
  column(name: string): Column {
    const column = this.metrics.get(name) ?? new Column(this.capacity);
    this.metrics.set(name, column);
    return column;
  }

  /** Adds a row without metrics and gives its place. */
  add(seq: number, step: number, epoch: number, tokens: number, time: number): number {
    if (this.length === this.capacity) {
      this.capacity *= 2;
      for (const column of [...Object.values(this.places), ...this.metrics.values()]) column.grow(this.capacity);
    }
    const row = this.length++;
    const { places } = this;
    places.seq.data[row] = seq;
    places.step.data[row] = step;
    places.epoch.data[row] = epoch;
    places.tokens.data[row] = tokens;
    places.time.data[row] = time;
    return row;
  }

  /** Takes back the rows at the end whose number is above `seq`. */
  dropAfter(seq: number): void {
    const before = this.length;
    while (this.length > 0 && (this.places.seq.data[this.length - 1] as number) > seq) this.length--;
    for (const { data } of this.metrics.values()) data.fill(Number.NaN, this.length, before);
  }
}
