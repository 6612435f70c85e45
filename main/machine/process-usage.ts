/** Memory and processor time of a process of this machine and its children, from Linux's /proc (proc(5)). */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessUsage {
  /** Resident memory, bytes. */
  memory: number;
  /** Processor time since the processes began, seconds. */
  seconds: number;
}

/** Clock ticks a second and bytes a page: fixed on every Linux that Node runs on. */
const TICKS = 100;
const PAGE = 4096;

interface Stat {
  parent: number;
  ticks: number;
  pages: number;
}

async function statOf(pid: number): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in field 2 may hold blanks and brackets; field 3 follows the last bracket.
  const fields = text === null ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, pages] = [fields[1], fields[11], fields[12], fields[21]].map(Number);
  if (parent === undefined || user === undefined || system === undefined || pages === undefined || Number.isNaN(pages)) return null;
  return { parent, ticks: user + system, pages };
}

/** Null where there is no such process, or this is no Linux. */
export async function processUsage(pid: number): Promise<ProcessUsage | null> {
  if (process.platform !== 'linux') return null;
  const own = await statOf(pid);
  if (own === null) return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const others = await Promise.all(pids.map(async (id) => [id, await statOf(id)] as const));
  const children = new Map<number, number[]>();
  const stats = new Map<number, Stat>([[pid, own]]);
  for (const [id, stat] of others) {
    if (stat === null) continue;
    stats.set(id, stat);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), id]);
  }
  const family = [pid];
  for (const member of family) family.push(...(children.get(member) ?? []));
  const members = family.flatMap((id) => stats.get(id) ?? []);
  return {
    memory: PAGE * members.reduce((sum, { pages }) => sum + pages, 0),
    seconds: members.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS,
  };
}
