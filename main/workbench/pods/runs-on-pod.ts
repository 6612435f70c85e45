/** Which runs are live on a pod and how long ago each saved: asked of the pod itself, so that runs of other computers count too. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOnPod } from '../../../shared/pods.ts';
import { dropSuperseded, parseLine } from '../../../shared/run-lines.ts';
import { RunEvent } from '../../../shared/run-record.ts';
import type { Machine } from '../../machine/machine.ts';
import { layoutOn } from '../machines/check.ts';

/** A heart beats each second. */
const BEAT_MS = 1500;
const END_BYTES = 262_144;

async function textOf(machine: Machine, path: string): Promise<string | null> {
  const found = await machine.readFrom(path, 0, 64);
  return found === null ? null : Buffer.from(found.bytes).toString('utf8');
}

/** The last events that count, from the end of the file. */
async function lastEvents(machine: Machine, path: string): Promise<RunEvent[]> {
  const { size } = (await machine.stat(path)) ?? { size: 0 };
  const from = Math.max(0, size - END_BYTES);
  const end = await machine.readFrom(path, from, END_BYTES);
  const lines = Buffer.from(end?.bytes ?? new Uint8Array())
    .toString('utf8')
    .split('\n');
  // The first may be cut.
  return dropSuperseded(
    lines.slice(from === 0 ? 0 : 1).flatMap((line) => {
      const parsed = parseLine(line, RunEvent);
      return parsed.ok ? [parsed.row] : [];
    }),
  );
}

/** Training between the last checkpoint (or where the run began) and the last step, by the run's own clock; null where it cannot be told. */
function secondsSince(events: readonly RunEvent[]): number | null {
  const step = events.findLast((event) => event.type === 'step');
  if (step === undefined) return null;
  const saved = events.findLast((event) => event.type === 'checkpoint' || event.type === 'started' || event.type === 'resumed');
  return saved === undefined ? null : Math.max(0, (Date.parse(step.time) - Date.parse(saved.time)) / 1000);
}

/** Errors: MachineError where the pod cannot be asked. */
export async function runsOnPod(machine: Machine, root: string): Promise<RunOnPod[]> {
  const { runs } = await layoutOn(machine, root);
  const names = ((await machine.list(runs)) ?? [])
    .filter(({ type, name }) => type === 'folder' && !name.startsWith('.'))
    .map(({ name }) => name);
  const before = new Map<string, string>();
  for (const name of names) {
    if ((await machine.stat(`${runs}/${name}/exit.json`)) !== null) continue;
    const beat = await textOf(machine, `${runs}/${name}/heartbeat`);
    if (beat !== null) before.set(name, beat);
  }
  if (before.size === 0) return [];
  await sleep(BEAT_MS);
  const live: RunOnPod[] = [];
  for (const [run, beat] of before) {
    if ((await textOf(machine, `${runs}/${run}/heartbeat`)) === beat) continue;
    live.push({ run, live: true, seconds_since: secondsSince(await lastEvents(machine, `${runs}/${run}/events.jsonl`)) });
  }
  return live;
}

/** Who wants to end a pod must not wait for one that does not answer. */
const MOST_MS = 20_000;

/** Errors: those of `asked`; none came in time. */
export function inTime<T>(asked: Promise<T>, mostMs: number = MOST_MS): Promise<T> {
  const late = sleep(mostMs, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${mostMs / 1000} s`);
  });
  return Promise.race([asked, late]);
}
