/**
 * What a machine's GPUs did while a run ran there: `telemetry.jsonl` of its folder, sampled by the launcher. Columns by place in the list
 * of GPUs that stands before them; null where the driver does not say.
 */
import { z } from 'zod';

const line = { seq: z.number().int().min(0), time: z.string() };
const column = z.array(z.number().nullable());

export const TelemetryGpu = z.object({
  /** The driver's number of the device. */
  index: z.number().int().min(0),
  name: z.string(),
  /** Bytes. */
  memory_total: z.number().nullable(),
  /** Watts. */
  power_limit: z.number().nullable(),
});
export type TelemetryGpu = z.infer<typeof TelemetryGpu>;

export const TelemetryLine = z.discriminatedUnion('type', [
  /** Which GPUs the columns after this line speak of. */
  z.object({ ...line, type: z.literal('gpus'), gpus: z.array(TelemetryGpu) }),
  z.object({
    ...line,
    type: z.literal('sample'),
    /** Percent of the time since the driver's last look in which a kernel ran. */
    utilisation: column,
    /** Bytes. */
    memory_used: column,
    /** Degrees Celsius. */
    temperature: column,
    /** Watts. */
    power: column,
  }),
  /** The driver stopped answering, and why. */
  z.object({ ...line, type: z.literal('trouble'), message: z.string() }),
]);
export type TelemetryLine = z.infer<typeof TelemetryLine>;
type WithoutLine<T> = T extends unknown ? Omit<T, 'seq' | 'time'> : never;
export type NewTelemetryLine = WithoutLine<TelemetryLine>;

/** One GPU at one moment, as `nvidia-smi` says it. */
export interface GpuReading extends TelemetryGpu {
  utilisation: number | null;
  memory_used: number | null;
  temperature: number | null;
  power: number | null;
}

/** The fields asked for, in this order; `parseGpuReadings` reads what comes back (nvidia-smi --help-query-gpu). */
export const GPU_FIELDS = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw,power.limit';

const MIB = 2 ** 20;
/** What stands for a value that a device, a driver or a mode (MIG, vGPU) does not have: `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `N/A`. */
const ABSENT = /^(\[.*\]|N\/A|ERR!|)$/i;

function figure(text: string, field: string, row: string): number | null {
  if (ABSENT.test(text)) return null;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`nvidia-smi: ${field} is ${JSON.stringify(text)} in ${JSON.stringify(row.slice(0, 200))}`);
  return value;
}

/**
 * `nvidia-smi --query-gpu=<GPU_FIELDS> --format=csv,noheader,nounits`: one line a GPU. Memory comes in MiB and is given in bytes.
 * Errors: a line of other than eight fields, or one that holds neither a number nor a sign of absence.
 */
export function parseGpuReadings(text: string): GpuReading[] {
  const rows = text.split(/\r?\n/).filter((row) => row.trim() !== '');
  return rows.map((row) => {
    const fields = row.split(',').map((field) => field.trim());
    if (fields.length !== 8) throw new Error(`nvidia-smi: ${JSON.stringify(row.slice(0, 200))} has ${fields.length} fields, not 8`);
    const [index, name, ...figures] = fields as [string, string, ...string[]];
    const names = GPU_FIELDS.split(',').slice(2);
    const [utilisation, used, total, temperature, power, limit] = figures.map((value, i) => figure(value, names[i] as string, row));
    const device = Number(index);
    if (!Number.isInteger(device) || device < 0) throw new Error(`nvidia-smi: the index is ${JSON.stringify(index)}`);
    const bytes = (mebibytes: number | null | undefined): number | null => (mebibytes == null ? null : mebibytes * MIB);
    return {
      index: device,
      name,
      utilisation: utilisation ?? null,
      memory_used: bytes(used),
      memory_total: bytes(total),
      temperature: temperature ?? null,
      power: power ?? null,
      power_limit: limit ?? null,
    };
  });
}

const sameGpus = (a: readonly TelemetryGpu[], b: readonly TelemetryGpu[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The lines that a look at the GPUs adds: the list where it is another than before, and the sample. */
export function telemetryLines(readings: readonly GpuReading[], before: readonly TelemetryGpu[] | null): NewTelemetryLine[] {
  const gpus = readings.map(({ index, name, memory_total, power_limit }) => ({ index, name, memory_total, power_limit }));
  const of = (value: (one: GpuReading) => number | null) => readings.map(value);
  const sample: NewTelemetryLine = {
    type: 'sample',
    utilisation: of((one) => one.utilisation),
    memory_used: of((one) => one.memory_used),
    temperature: of((one) => one.temperature),
    power: of((one) => one.power),
  };
  return before !== null && sameGpus(gpus, before) ? [sample] : [{ type: 'gpus', gpus }, sample];
}

/** What a look at the GPUs costs at least, and how large `telemetry.jsonl` may become. */
export const TELEMETRY_EVERY_MS = 5000;
const SLOWER_EACH = 4 * MIB;
export const TELEMETRY_MOST_BYTES = 32 * MIB;

/** Milliseconds between two looks: twice as long with each 4 MiB (a day of eight GPUs is about 5 MiB); null: the file is full. */
export function telemetryEvery(bytes: number, everyMs = TELEMETRY_EVERY_MS): number | null {
  return bytes >= TELEMETRY_MOST_BYTES ? null : everyMs * 2 ** Math.floor(bytes / SLOWER_EACH);
}
