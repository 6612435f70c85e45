/**
 * Samples the GPUs of this machine into a run's `telemetry.jsonl`. Done by the launcher: it sits still while the runner computes, and the
 * engine may die without it. Nothing of a run depends on this file.
 */
import { execFile } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseLine } from '../../shared/run-lines.ts';
import {
  GPU_FIELDS,
  type GpuReading,
  type NewTelemetryLine,
  parseGpuReadings,
  TELEMETRY_EVERY_MS,
  type TelemetryGpu,
  TelemetryLine,
  telemetryEvery,
  telemetryLines,
} from '../../shared/telemetry.ts';

const run = promisify(execFile);
/** A driver that hangs must not leave a process behind with each look. */
const TIMEOUT_MS = 15_000;

/** What each GPU says now; null on a machine without `nvidia-smi`. Errors: it is there and fails, hangs or says what cannot be read. */
export async function queryGpus(environment: NodeJS.ProcessEnv = process.env): Promise<GpuReading[] | null> {
  try {
    const { stdout } = await run('nvidia-smi', [`--query-gpu=${GPU_FIELDS}`, '--format=csv,noheader,nounits'], {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 20,
      env: environment,
    });
    return parseGpuReadings(stdout);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    if (error instanceof Error && 'killed' in error && error.killed === true)
      throw new Error(`nvidia-smi gave no answer within ${TIMEOUT_MS / 1000} s`);
    // It says what is wrong on standard output; execFile's own message only repeats the command.
    const said = error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout.trim() : '';
    if (said !== '') throw new Error(`nvidia-smi: ${said.slice(0, 500)}`);
    throw error;
  }
}

const Numbered = z.object({ seq: z.number().int().min(0) });
const END = 65_536;

/** The lines of `telemetry.jsonl`, numbered on from those of an earlier process. */
class TelemetryFile {
  private readonly fd: number;
  private seq: number;
  private torn: boolean;

  constructor(path: string) {
    this.fd = openSync(path, 'a+');
    const { size } = fstatSync(this.fd);
    const end = Buffer.alloc(Math.min(size, END));
    readSync(this.fd, end, 0, end.length, size - end.length);
    const text = end.toString('utf8');
    this.torn = text !== '' && !text.endsWith('\n');
    const numbers = text.split('\n').flatMap((line) => {
      const parsed = parseLine(line, Numbered);
      return parsed.ok ? [parsed.row.seq] : [];
    });
    this.seq = (numbers.at(-1) ?? -1) + 1;
  }

  get bytes(): number {
    return fstatSync(this.fd).size;
  }

  append(line: NewTelemetryLine): void {
    const whole: TelemetryLine = TelemetryLine.parse({ seq: this.seq, time: new Date().toISOString(), ...line });
    const bytes = Buffer.from(`${this.torn ? '\n' : ''}${JSON.stringify(whole)}\n`);
    const written = writeSync(this.fd, bytes);
    this.torn = written < bytes.length;
    if (!this.torn) this.seq++;
  }

  close(): void {
    closeSync(this.fd);
  }
}

export interface TelemetryOptions {
  /** Whether this process's run has the folder now: a runner that the lock refused must leave the file to the one that holds it. */
  ours: () => boolean;
  query?: () => Promise<GpuReading[] | null>;
  /** @default TELEMETRY_EVERY_MS, longer as the file grows */
  everyMs?: number;
}

/** How often is looked whether the runner has opened the folder. */
const UNTIL_OURS_MS = 100;

/** Begins to sample into `path`; ends by itself on a machine without NVIDIA GPUs. Call what it returns to stop. */
export function sampleTelemetry(path: string, { ours, query = queryGpus, everyMs }: TelemetryOptions): () => void {
  let file: TelemetryFile | null = null;
  let gpus: TelemetryGpu[] | null = null;
  let trouble: string | null = null;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const take = (lines: readonly NewTelemetryLine[]): void => {
    file ??= new TelemetryFile(path);
    for (const line of lines) {
      file.append(line);
      if (line.type === 'gpus') gpus = line.gpus;
    }
  };

  async function look(): Promise<number | null> {
    if (!ours()) return UNTIL_OURS_MS;
    const readings = await query().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (stopped || readings === null) return null;
    const message = readings instanceof Error ? readings.message.slice(0, 1000) : null;
    try {
      if (!(readings instanceof Error)) take(telemetryLines(readings, gpus));
      // Once, not with each look.
      else if (message !== trouble) take([{ type: 'trouble', message: message as string }]);
      trouble = message;
    } catch {
      // A disk that takes no more: the run itself says so, and may find room again.
    }
    return telemetryEvery(file?.bytes ?? 0, everyMs);
  }

  const next = (inMs: number): void => {
    timer = setTimeout(() => {
      const again = (wait: number | null): void => {
        if (wait !== null && !stopped) next(wait);
      };
      // What cannot be read now (the pid file on a disk that fails) may be later; the launcher must not end over it.
      look().then(again, () => again(everyMs ?? TELEMETRY_EVERY_MS));
    }, inMs);
    timer.unref();
  };
  next(0);
  return () => {
    stopped = true;
    clearTimeout(timer);
    file?.close();
  };
}
