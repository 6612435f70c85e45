/** `telemetry.jsonl` of a run folder, followed: what the GPUs did in the last hour, then each new sample. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLine } from '../../shared/run-lines.ts';
import type { RunTelemetry } from '../../shared/run-live.ts';
import { TelemetryLine } from '../../shared/telemetry.ts';
import { JsonlGrowth } from './jsonl-growth.ts';

/** An hour at the usual pace. */
const MOST = 720;
const EVERY_MS = 1000;

/** Takes in lines; hands on what is new. Lines that cannot be read are passed over: nothing rests on them. */
class TelemetryReader {
  private readonly growth: JsonlGrowth;
  private gpus: RunTelemetry['gpus'] = null;
  private trouble: string | null = null;

  constructor(folder: string) {
    this.growth = new JsonlGrowth(join(folder, 'telemetry.jsonl'));
  }

  /** Errors: the system's. */
  async news(): Promise<RunTelemetry> {
    let samples: RunTelemetry['samples'] = [];
    await this.growth.read(({ text }) => {
      const parsed = parseLine(text, TelemetryLine);
      if (!parsed.ok) return;
      const { time, ...line } = parsed.row;
      if (line.type === 'trouble') this.trouble = line.message;
      else if (line.type === 'gpus') {
        // The columns before mean other devices.
        this.gpus = line.gpus;
        samples = [];
      } else if (this.gpus?.length === line.utilisation.length) {
        const { type: _, ...sample } = line;
        this.trouble = null;
        samples.push({ ...sample, time: Date.parse(time) });
        if (samples.length > 2 * MOST) samples = samples.slice(-MOST);
      }
    });
    return { gpus: this.gpus, samples: samples.slice(-MOST), trouble: this.trouble };
  }
}

/** Ends when the signal is aborted. Errors: the system's. */
export async function* watchTelemetry(folder: string, signal: AbortSignal): AsyncGenerator<RunTelemetry> {
  const reader = new TelemetryReader(folder);
  let trouble: string | null = null;
  for (let first = true; !signal.aborted; first = false) {
    const news = await reader.news();
    if (first || news.samples.length > 0 || news.trouble !== trouble) yield news;
    trouble = news.trouble;
    await sleep(EVERY_MS, undefined, { signal });
  }
}
