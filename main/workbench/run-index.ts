/** The events of a run by columns, read once and then only what is new: a run of 200,000 events is looked at each second. */
import { join } from 'node:path';
import { parseLine, SeqWatch } from '../../shared/run-lines.ts';
import type { RunMark } from '../../shared/run-live.ts';
import { RunEvent } from '../../shared/run-record.ts';
import { JsonlGrowth } from './jsonl-growth.ts';
import { type Column, MetricColumns } from './metric-columns.ts';
import { StepForm } from './step-form.ts';

/** A stretch of numbers that a resume took back: after < seq ≤ until. */
export interface TakenBack {
  after: number;
  until: number;
}

type StepEvent = Extract<RunEvent, { type: 'step' }>;

/** A form of step lines with the columns that its numbers go to. */
interface KnownForm {
  form: StepForm;
  columns: readonly Column[];
  /** Place of `num_tokens` among its metrics; −1 where it has none. */
  tokens: number;
}

/** Runs write their steps in one form, or in two where something is measured now and then. */
const MOST_FORMS = 4;

export class RunIndex {
  readonly training = new MetricColumns();
  readonly validation = new MetricColumns();
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
  /** Forms of steps that were met, the last one first. */
  private readonly forms: KnownForm[] = [];
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
      .readBytes((bytes, from, to) => {
        this.lines++;
        if (!this.takeStep(bytes, from, to)) this.takeText(this.growth.textOf(bytes, from, to));
      })
      .finally(() => {
        this.reading = null;
      });
    return this.reading;
  }

  /** Takes in a step in a form that is known; false where the line is anything else. */
  private takeStep(bytes: Uint8Array, from: number, to: number): boolean {
    for (const [place, known] of this.forms.entries()) {
      const { form, columns, tokens } = known;
      if (!form.read(bytes, from, to)) continue;
      if (place > 0) this.forms.unshift(...this.forms.splice(place, 1));
      this.cameAt(form.seq, form.time);
      const row = this.addStep(form.seq, form.step, form.epoch, tokens < 0 ? undefined : form.metrics[tokens], form.time);
      for (let i = 0; i < columns.length; i++) (columns[i] as Column).data[row] = form.metrics[i] as number;
      return true;
    }
    return false;
  }

  private addStep(seq: number, step: number, epoch: number, tokens: number | undefined, time: number): number {
    return this.training.add(seq, step, epoch, tokens ?? this.training.last()?.tokens ?? Number.NaN, time);
  }

  private learnForm(text: string, event: StepEvent): void {
    const form = StepForm.of(text, event);
    if (form === null) return;
    const columns = form.names.map((name) => this.training.column(name));
    this.forms.unshift({ form, columns, tokens: form.names.indexOf('num_tokens') });
    this.forms.length = Math.min(this.forms.length, MOST_FORMS);
  }

  private cameAt(seq: number, time: number): void {
    if (this.watch.push(seq) !== null) this.gaps++;
    this.began ??= time;
  }

  private takeText(text: string): void {
    if (text.trim() === '') return;
    const parsed = parseLine(text, RunEvent);
    if (!parsed.ok) {
      this.malformed++;
      this.firstMalformed ??= `line ${this.lines}: ${parsed.message}`;
      return;
    }
    const event = parsed.row;
    const time = Date.parse(event.time);
    this.cameAt(event.seq, time);
    switch (event.type) {
      case 'step': {
        const row = this.addStep(event.seq, event.step, event.epoch, event.metrics.num_tokens, time);
        for (const [name, value] of Object.entries(event.metrics)) this.training.column(name).data[row] = value;
        this.learnForm(text, event);
        return;
      }
      case 'validation': {
        const last = this.training.last();
        const row = this.validation.add(event.seq, event.step, last?.epoch ?? 0, last?.tokens ?? 0, time);
        for (const [name, value] of Object.entries(event.metrics)) this.validation.column(name).data[row] = value;
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
    this.training.dropAfter(after);
    this.validation.dropAfter(after);
    while ((this.marks.at(-1)?.seq ?? -1) > after) this.marks.pop();
    this.takenBack.push({ after, until: seq });
    this.marks.push({ what: 'resumed', step, seq, time });
    this.processBegan = time;
    this.finished = false;
    this.stopping = false;
  }
}
