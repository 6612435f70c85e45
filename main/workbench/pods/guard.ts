/** Putting a guard on a pod, and reading how it stands. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { parseInput } from '../../../shared/parse-input.ts';
import { GuardConfig, GuardEntry, GuardState } from '../../../shared/pod-guard.ts';
import { parseJsonl } from '../../../shared/run-lines.ts';
import { guardLoop } from '../../machine/guard/guard-loop.ts';
import type { Machine } from '../../machine/machine.ts';
import type { ProgramName } from '../../machine/programs.ts';
import { runpodApi } from './client.ts';

/** Where our things lie on a pod that was set up. */
export interface GuardPlace {
  machine: Machine;
  root: string;
  node: string;
  program(name: ProgramName): string;
}

export interface GuardLimits {
  pod: string;
  price_per_hour: number;
  spent_usd: number;
  budget_usd: number | null;
  idle_seconds: number | null;
  wait_seconds?: number;
  poll_seconds?: number;
  environ?: string;
}

export interface GuardSeen {
  state: GuardState | null;
  /** The last entries of its journal. */
  journal: GuardEntry[];
}

/** What each guard says is small; more is not read. */
const MOST_BYTES = 262_144;
const folderOf = ({ root }: GuardPlace, pod: string): string => `${root}/guards/${pod}`;

async function textOf(machine: Machine, path: string, signal?: AbortSignal): Promise<string | null> {
  const found = await machine.readFrom(path, 0, MOST_BYTES, signal);
  return found === null ? null : Buffer.from(found.bytes).toString('utf8');
}

function parsed<T>(schema: z.ZodType<T>, text: string | null): T | null {
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // Written by another version, or by somebody else: nothing is known then.
    return null;
  }
}

/** What a pod's guard says of itself; an empty journal and null where none was ever put there. Errors: MachineError. */
export async function readGuard(place: GuardPlace, pod: string, signal?: AbortSignal): Promise<GuardSeen> {
  const folder = folderOf(place, pod);
  const [state, journal] = await Promise.all([
    textOf(place.machine, `${folder}/guard-state.json`, signal),
    textOf(place.machine, `${folder}/guard-journal.jsonl`, signal),
  ]);
  return { state: parsed(GuardState, state), journal: parseJsonl(journal ?? '', GuardEntry).rows.slice(-50) };
}

/** Whether a guard lives there: its beat moves. Takes up to three of its looks. */
async function beats(place: GuardPlace, pod: string, pollSeconds: number, signal?: AbortSignal): Promise<boolean> {
  const before = (await readGuard(place, pod, signal)).state;
  if (before === null || before.phase === 'done') return false;
  for (let looks = 0; looks < 6; looks++) {
    await sleep(Math.max(500 * pollSeconds, 250), undefined, { signal });
    const now = (await readGuard(place, pod, signal)).state;
    if (now !== null && now.beat !== before.beat) return true;
  }
  return false;
}

/**
 * Gives a pod its limits and sees to it that a guard keeps to them: one that lives takes them up by itself, else one is started. Safe to call
 * again at any time. Errors: InputError for limits that are none; MachineError; an Error where the guard does not come up, with its last words.
 */
export async function installGuard(place: GuardPlace, limits: GuardLimits, signal?: AbortSignal): Promise<GuardSeen> {
  const folder = folderOf(place, limits.pod);
  const config = parseInput(
    GuardConfig,
    { version: 1, id: randomUUID(), api: runpodApi(), runs: [`${place.root}/runs`], ...limits },
    'guard',
  );
  await place.machine.makeFolder(folder);
  await place.machine.writeFile(`${folder}/guard.json`, `${JSON.stringify(config)}\n`);
  if (!(await beats(place, limits.pod, config.poll_seconds, signal))) {
    const [command, ...args] = guardLoop(place.node, place.program('main/machine/pod-guard'), folder) as [string, ...string[]];
    await place.machine.startDetached([command, ...args], { log: `${folder}/guard.log` });
  }
  for (let looks = 0; looks < 120; looks++) {
    const seen = await readGuard(place, limits.pod, signal);
    if (seen.state?.config === config.id) return seen;
    await sleep(250, undefined, { signal });
  }
  const log = (await textOf(place.machine, `${folder}/guard.log`, signal)) ?? '';
  throw new Error(`the guard of pod ${limits.pod} did not start: ${log.trimEnd().split('\n').slice(-3).join('; ') || 'it said nothing'}`);
}

/** Takes the limits away; the guard ends at its next look. Errors: MachineError. */
export async function removeGuard(place: GuardPlace, pod: string): Promise<void> {
  await place.machine.remove(`${folderOf(place, pod)}/guard.json`);
}
