/** The events of a run by columns, read once and then only what is new: a run of 200,000 events is looked at each second. */
import { join } from 'node:path';
import { parseLine, SeqWatch } from '../../shared/run-lines.ts';
import type { RunMark } from '../../shared/run-live.ts';
import { RunEvent } from '../../shared/run-record.ts';
import { JsonlGrowth } from './jsonl-growth.ts';

/** A step or a validation. */
export interface MetricRow {
  seq: number;
  step: number;
  epoch: number;
  /** Tokens read and written up to here; NaN where no step has told yet. */
  tokens: number;
  /** Milliseconds since 1970. */
  time: number;
  metrics: Record<string, number>;
}

/** A stretch of numbers that a resume took back: after < seq ≤ until. */
export interface TakenBack {
  after: number;
  until: number;
}

type StepEvent = Extract<RunEvent, { type: 'step' }>;

/**
 * A sound step, checked by hand: nearly every line is one, and of 200,000 the schema alone would take longer than all the rest. Null for
 * any other line, which then goes through the schema.
 */
function plainStep(text: string): { ok: true; row: StepEvent } | null {
  if (!text.includes('"type":"step"')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const event = value as Partial<StepEvent> | null;
  if (typeof event !== 'object' || event === null || event.type !== 'step' || typeof event.time !== 'string') return null;
  const { seq, step, epoch, metrics } = event;
  if (!Number.isInteger(seq) || (seq as number) < 0 || typeof step !== 'number' || typeof epoch !== 'number') return null;
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return null;
  for (const name in metrics) if (typeof metrics[name] !== 'number') return null;
  return { ok: true, row: event as StepEvent };
}

export class RunIndex {
  readonly training: MetricRow[] = [];
  readonly validation: MetricRow[] = [];
  /** Metrics that any of them holds. */
  readonly trainingNames = new Set<string>();
  readonly validationNames = new Set<string>();
  readonly marks: (RunMark & { seq: number; time: number })[] = [];
  readonly takenBack: TakenBack[] = [];
  /** Lines that cannot be read. */
  malformed = 0;
  firstMalformed: string | null = null;
  gaps = 0;
  /** When the first event came and when this process of the run began, milliseconds since 1970. */
  began: number | null = null;
  processBegan: number | null = null;
  finished = false;
  stopping = false;
  private readonly growth: JsonlGrowth;
  private readonly watch = new SeqWatch(0);
  private lines = 0;
  private reading: Promise<void> | null = null;

  constructor(folder: string) {
    this.growth = new JsonlGrowth(join(folder, 'events.jsonl'));
  }

  /** The byte of events.jsonl up to which it has been read. */
  get offset(): number {
    return this.growth.offset;
  }

  /** Takes in what was written since. Two callers at once share one reading. */
  refresh(): Promise<void> {
    this.reading ??= this.growth
      .read(({ text }) => this.take(text))
      .finally(() => {
        this.reading = null;
      });
    return this.reading;
  }

  private take(text: string): void {
    this.lines++;
    if (text.trim() === '') return;
    const parsed = plainStep(text) ?? parseLine(text, RunEvent);
    if (!parsed.ok) {
      this.malformed++;
      this.firstMalformed ??= `line ${this.lines}: ${parsed.message}`;
      return;
    }
    const event = parsed.row;
    if (this.watch.push(event.seq) !== null) this.gaps++;
    const time = Date.parse(event.time);
    this.began ??= time;
    switch (event.type) {
      case 'step': {
        for (const name in event.metrics) if (!this.trainingNames.has(name)) this.trainingNames.add(name);
        const tokens = event.metrics.num_tokens ?? this.training.at(-1)?.tokens ?? Number.NaN;
        this.training.push({ seq: event.seq, step: event.step, epoch: event.epoch, tokens, time, metrics: event.metrics });
        return;
      }
      case 'validation': {
        const last = this.training.at(-1);
        for (const name in event.metrics) this.validationNames.add(name);
        this.validation.push({
          seq: event.seq,
          step: event.step,
          epoch: last?.epoch ?? 0,
          tokens: last?.tokens ?? 0,
          time,
          metrics: event.metrics,
        });
        return;
      }
      case 'started':
        this.processBegan = time;
        return;
      case 'checkpoint':
        this.marks.push({ what: 'checkpoint', step: event.step, seq: event.seq, time });
        return;
      case 'early_stopped':
        this.marks.push({ what: 'early_stopped', step: event.best_step, seq: event.seq, time });
        return;
      case 'resumed':
        this.resume(event.supersedes_after_seq, event.seq, event.step, time);
        return;
      case 'stopping':
        this.stopping = true;
        return;
      case 'finished':
        this.finished = true;
        return;
      default:
    }
  }

  private resume(after: number, seq: number, step: number, time: number): void {
    for (const rows of [this.training, this.validation, this.marks]) {
      while ((rows.at(-1)?.seq ?? -1) > after) rows.pop();
    }
    this.takenBack.push({ after, until: seq });
    this.marks.push({ what: 'resumed', step, seq, time });
    this.processBegan = time;
    this.finished = false;
    this.stopping = false;
  }
}
