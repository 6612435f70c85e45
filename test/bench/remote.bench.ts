/**
 * Watching a run on another machine over a real OpenSSH server on loopback: `node test/bench/remote.bench.ts [--json]`. How long from an event
 * being written there to a reader of the mirror here having it, and what watching costs while nothing happens, on both sides. Times are of one
 * run on one machine.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processUsage } from '../../main/machine/process-usage.ts';
import { MachineWatch } from '../../main/workbench/remote/machine-watch.ts';
import { readRemote } from '../../main/workbench/remote/remote-file.ts';
import { tailRun } from '../../main/workbench/run-tail.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { RemoteRuns } from '../fixtures/remote-runs.ts';

const EVENTS = 40;
const IDLE_SECONDS = 20;

const row = (what: string, unit: string, ours: number, aim: number): BenchmarkRow => ({ what, unit, ours, theirs: null, ratio: null, aim });

/** Processor time of this process and of sshd with all that it started, in seconds. */
async function spent(server: number): Promise<{ here: number; there: number }> {
  const { user, system } = process.cpuUsage();
  return { here: (user + system) / 1e6, there: (await processUsage(server))?.seconds ?? 0 };
}

const remote = await RemoteRuns.start();
try {
  const folder = await remote.make('watched');
  const local = remote.mirror(folder);
  const watch = new MachineWatch('node', remote.open);
  await watch.add(local);
  while (readRemote(local)?.last_contact === null) await sleep(20);

  const stop = new AbortController();
  const seen = new Map<number, number>();
  const reading = (async () => {
    // As the window reads it.
    for await (const item of tailRun(local, { signal: stop.signal })) {
      if (item.kind === 'event') seen.set(item.event.seq, performance.now());
    }
  })();
  const delays: number[] = [];
  for (let seq = 0; seq < EVENTS; seq++) {
    const event = { seq, time: new Date().toISOString(), type: 'step', step: seq, epoch: 0, metrics: { reward: 0.5, loss: 0.1 } };
    const written = performance.now();
    appendFileSync(join(folder, 'events.jsonl'), `${JSON.stringify(event)}\n`);
    while (!seen.has(seq)) await sleep(5);
    delays.push((seen.get(seq) ?? 0) - written);
    // At no fixed place between two looks.
    await sleep(50 + ((seq * 137) % 400));
  }
  stop.abort();
  await reading;
  delays.sort((a, b) => a - b);

  // A run in a long step: its heart beats, and nothing else happens.
  let beats = 0;
  const heart = setInterval(() => writeFileSync(join(folder, 'heartbeat'), `${++beats}\n`), 1000);
  const pid = Number(readFileSync(join(remote.server.folder, 'pid'), 'utf8'));
  await sleep(3000);
  const before = await spent(pid);
  const start = performance.now();
  await sleep(IDLE_SECONDS * 1000);
  const after = await spent(pid);
  const seconds = (performance.now() - start) / 1000;
  clearInterval(heart);
  await watch.close();
  const share = (side: 'here' | 'there'): number => (100 * (after[side] - before[side])) / seconds;
  const result: Benchmark = {
    name: 'remote',
    what: 'watching a run on another machine, over sshd on loopback',
    conditions: { events: EVENTS, idle_seconds: IDLE_SECONDS },
    rows: [
      row('from an event being written there to its reader here, median', 'ms', delays[Math.floor(EVENTS / 2)] ?? 0, 1000),
      row('the slowest of them', 'ms', delays.at(-1) ?? 0, 1000),
      row('watching while only the heart beats, this process', '% of a core', share('here'), 1),
      row('the same on the machine, sshd included', '% of a core', share('there'), 1),
    ],
    notes: ['The reader looks at the mirror four times a second, as the window does.'],
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, unit, ours, aim } of result.rows) console.log(`${what}: ${ours.toFixed(2)} ${unit} (aim ${aim})`);
} finally {
  await remote.stop();
}
process.exit(0);
