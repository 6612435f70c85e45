/**
 * `runs list` of 1,000 runs: `node test/bench/runs.bench.ts [--json]`. Runs of 300 steps that have ended (events.jsonl of some 150 kB each),
 * ten that are under way (this process), ten that were killed. Times are of one run on one machine; the aim is 300 ms.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { listRuns } from '../../main/workbench/runs.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { testRecord } from '../fixtures/run-record.ts';

const [RUNS, STEPS, AIM] = [1000, 300, 300];
const METRICS = 24;

function writeRuns(folder: string): void {
  const time = new Date().toISOString();
  const metrics = Object.fromEntries(Array.from({ length: METRICS }, (_, i) => [`metric/${i}`, i / 7]));
  const lines = [{ seq: 0, time, type: 'started', total_steps: STEPS, pid: 1 }] as object[];
  for (let step = 1; step <= STEPS; step++) lines.push({ seq: step, time, type: 'step', step, epoch: step / STEPS, metrics });
  lines.push({ seq: STEPS + 1, time, type: 'finished', step: STEPS, model: 'model' });
  const events = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
  const alive = formatIdentity(identify(process.pid, thisSystem));
  const dead = formatIdentity({ ...identify(process.pid, thisSystem), start: '1' });
  const exit = JSON.stringify({ code: 0, signal: null, reason: 'finished', time });
  for (let i = 0; i < RUNS; i++) {
    const id = `run-${String(i).padStart(4, '0')}`;
    const run = join(folder, id);
    mkdirSync(join(run, 'checkpoints'), { recursive: true });
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...testRecord(), id, created: time }, null, 2));
    writeFileSync(join(run, 'events.jsonl'), events);
    writeFileSync(join(run, 'pid'), i < 10 ? alive : dead);
    if (i >= 20) writeFileSync(join(run, 'exit.json'), exit);
  }
}

/** The least milliseconds of `repeats`, since whatever else the machine does only slows it down. */
async function least(repeats: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const row = (what: string, ours: number): BenchmarkRow => ({ what, unit: 'ms', ours, theirs: null, ratio: null, aim: AIM });

const folder = mkdtempSync(join(tmpdir(), 'mlt-bench-'));
try {
  writeRuns(folder);
  const check = await listRuns(folder);
  const states = check.runs.map((run) => run.state.state);
  if (check.runs.length !== RUNS || states.filter((state) => state === 'live').length !== 10) throw new Error('the list is not right');
  const cli = join(import.meta.dirname, '..', '..', 'main', 'cli.ts');
  const rows = [
    row('runs list in this process, warm', await least(7, () => listRuns(folder))),
    row(
      'medlogictrace runs list --json, a process of its own',
      await least(5, () => execFileSync(process.execPath, [cli, 'runs', 'list', '--json', '--runs', folder], { maxBuffer: 1 << 28 })),
    ),
    row('medlogictrace --version, the start of a process alone', await least(5, () => execFileSync(process.execPath, [cli, '--version']))),
  ];
  const result: Benchmark = { name: 'runs', what: `listing ${RUNS} runs`, conditions: { runs: RUNS, steps: STEPS }, rows, notes: [] };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, ours } of rows) console.log(`${what}: ${Math.round(ours)} ms (aim ${AIM})`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
