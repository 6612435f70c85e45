/**
 * The guard of a pod as a real process with nobody connected: it stops the pod at its budget or when it idles, lets runs save first, goes on
 * after being killed, and stops no other pod. RunPod is the test server; time is money at thousands of dollars an hour.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { guardLoop } from '../../main/machine/guard/guard-loop.ts';
import { startRun } from '../../main/machine/local.ts';
import { programPath } from '../../main/machine/programs.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { type GuardConfig, GuardEntry, GuardState } from '../../shared/pod-guard.ts';
import { parseJsonl } from '../../shared/run-lines.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { type FakePod, RunpodServer } from '../fixtures/runpod-server.ts';

const POD_KEY = 'rpa_POD_SCOPED_KEY_1234';
let server: RunpodServer;
let base = '';
let pod: FakePod;
let place = '';
let guard = '';
let runs = '';
const children: ChildProcess[] = [];
const hearts: NodeJS.Timeout[] = [];

beforeEach(async () => {
  server = new RunpodServer();
  base = await server.listen();
  pod = server.running({ port: 40_001, volume: 'vol_a', price: 3600 });
  server.podKeys.set(POD_KEY, pod.id);
  place = mkdtempSync(join(tmpdir(), 'mlt-guard-'));
  guard = join(place, 'guard');
  runs = join(place, 'runs');
  mkdirSync(guard);
  mkdirSync(runs);
});
afterEach(async () => {
  for (const heart of hearts.splice(0)) clearInterval(heart);
  rmSync(join(guard, 'guard.json'), { force: true });
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
    const ended = new Promise((done) => child.once('exit', done));
    // A loop and the guard in it are one group.
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
  await server.close();
  rmSync(place, { recursive: true, force: true, maxRetries: 3 });
});

const configure = (more: Partial<GuardConfig> = {}): void => {
  const config = {
    version: 1,
    id: 'one',
    pod: pod.id,
    api: base,
    // $1 a second.
    price_per_hour: 3600,
    spent_usd: 0,
    budget_usd: null,
    idle_seconds: null,
    wait_seconds: 20,
    poll_seconds: 0.05,
    price_seconds: 10_000,
    runs: [runs],
    ...more,
  };
  writeFileSync(join(guard, 'guard.json.tmp'), JSON.stringify(config));
  renameSync(join(guard, 'guard.json.tmp'), join(guard, 'guard.json'));
};
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  RUNPOD_API_KEY: POD_KEY,
  RUNPOD_POD_ID: pod.id,
  ...more,
});
function run(
  command: readonly string[],
  env: NodeJS.ProcessEnv = environment(),
): { child: ChildProcess; ended: Promise<number | null>; said: () => string } {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  const hear = (bytes: Buffer): void => {
    text += bytes.toString();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  return { child, ended, said: () => text };
}
const program = programPath('main/machine/pod-guard');
const start = (env?: NodeJS.ProcessEnv) => run([process.execPath, program, guard], env);
const state = (): GuardState | null => {
  const path = join(guard, 'guard-state.json');
  return existsSync(path) ? GuardState.parse(JSON.parse(readFileSync(path, 'utf8'))) : null;
};
const journal = () => {
  const path = join(guard, 'guard-journal.jsonl');
  return existsSync(path) ? parseJsonl(readFileSync(path, 'utf8'), GuardEntry).rows : [];
};
const happened = () => journal().map(({ what }) => what);
/** A run whose heart beats and that obeys nobody. */
function deafRun(id: string): () => void {
  mkdirSync(join(runs, id));
  let beat = 0;
  const timer = setInterval(() => writeFileSync(join(runs, id, 'heartbeat'), `${++beat}\n`), 20);
  hearts.push(timer);
  return () => clearInterval(timer);
}

test('stops an idle pod, with nobody connected, by the key of the pod itself', async () => {
  configure({ idle_seconds: 0.5 });
  const { ended, said } = start();
  expect(await ended).toBe(0);
  expect(pod.status).toBe('EXITED');
  expect(server.asked.every(({ authorization }) => authorization === `Bearer ${POD_KEY}`)).toBe(true);
  expect(happened()).toEqual(['started', 'asked', 'stopping', 'stopped']);
  expect(journal()[1]?.text).toMatch(/no run has been live for/);
  const written = readdirSync(guard).map((name) => readFileSync(join(guard, name), 'utf8'));
  expect([...written, said()].join('\n')).not.toContain(POD_KEY);
});

test('at its budget lets a live run save and end first, then stops the pod (bug: hours of training lost to save a dollar)', async () => {
  process.env.WRITER_MODE = 'hang';
  const folder = await createRunFolder(runs, testRecord({ id: 'training' }));
  const started = startRun(folder, { detached: false, runner: join(import.meta.dirname, '..', 'fixtures', 'run-writer.ts') });
  await started.begun();
  configure({ budget_usd: 15, wait_seconds: 12, idle_seconds: 0.2 });
  const { ended } = start();
  expect(await ended).toBe(0);
  expect(await started.ended).toBe(0);
  expect(JSON.parse(readFileSync(join(folder, 'exit.json'), 'utf8'))).toMatchObject({ code: 0, reason: 'stopped' });
  expect(pod.status).toBe('EXITED');
  expect(happened()).toEqual(['started', 'asked', 'asked', 'stopping', 'stopped']);
  // What stopping may cost was held back, so the budget was kept; and a live run is no idle pod.
  expect(state()?.reason).toBe('budget');
  expect(state()?.spent_usd).toBeLessThan(15);
});

test('waits for a run that does not obey, but not for ever', async () => {
  const end = deafRun('deaf');
  configure({ budget_usd: 1, wait_seconds: 0.6 });
  const { ended } = start();
  expect(await ended).toBe(0);
  end();
  expect(happened()).toEqual(expect.arrayContaining(['asked', 'late', 'stopping', 'stopped']));
  expect(readFileSync(join(runs, 'deaf', 'control.jsonl'), 'utf8').match(/"stop"/g)).toHaveLength(1);
  expect(pod.status).toBe('EXITED');
});

test('a pod whose runs are all paused is idle', async () => {
  const end = deafRun('resting');
  writeFileSync(join(runs, 'resting', 'control.jsonl'), `${JSON.stringify({ verb: 'pause', time: '' })}\n`);
  configure({ idle_seconds: 0.4, wait_seconds: 0.3 });
  expect(await start().ended).toBe(0);
  end();
  expect(pod.status).toBe('EXITED');
});

test('goes on asking until RunPod agrees, and believes a stop whose answer was lost', async () => {
  server.fail('POST', /action/, { status: 500, times: 3 });
  server.fail('POST', /action/, { cut: true, done: true });
  configure({ idle_seconds: 0.2 });
  expect(await start().ended).toBe(0);
  expect(pod.status).toBe('EXITED');
  expect(server.countOf('POST', /action/)).toBeGreaterThanOrEqual(5);
  // Said once, not at each try.
  expect(happened().filter((what) => what === 'refused')).toHaveLength(2);
});

test('falls back on runpodctl where the API does not take the pod’s key', async () => {
  const bin = join(place, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'runpodctl'), `#!/bin/sh\necho "$*" >> '${bin}/called'\n`);
  chmodSync(join(bin, 'runpodctl'), 0o755);
  server.fail('POST', /action/, { status: 403, times: 99 });
  configure({ idle_seconds: 0.2 });
  expect(await start(environment({ PATH: `${bin}:${process.env.PATH}` })).ended).toBe(0);
  expect(readFileSync(join(bin, 'called'), 'utf8')).toBe(`pod stop ${pod.id}\n`);
});

test('killed at any point it is started again by its loop, and goes on counting where it stood', async () => {
  const end = deafRun('deaf');
  configure({ budget_usd: 6, wait_seconds: 1.5, price_per_hour: 3600 });
  const loop = run(guardLoop(process.execPath, program, guard, 0.05));
  const pidOf = (): number => Number(readFileSync(join(guard, 'guard.pid'), 'utf8').split('\n')[0]);
  const kill = async (when: () => boolean): Promise<number> => {
    await expect.poll(when, { timeout: 20_000, interval: 10 }).toBe(true);
    const pid = pidOf();
    const spent = state()?.spent_usd ?? 0;
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => (existsSync(join(guard, 'guard.pid')) ? pidOf() : pid), { timeout: 20_000, interval: 10 }).not.toBe(pid);
    return spent;
  };
  const first = await kill(() => (state()?.spent_usd ?? 0) > 0.2);
  await expect.poll(() => (state()?.spent_usd ?? 0) > first, { timeout: 20_000 }).toBe(true);
  await kill(() => state()?.phase === 'asking');
  expect(await loop.ended).toBe(0);
  end();
  expect(pod.status).toBe('EXITED');
  expect(happened().filter((what) => what === 'started').length).toBeGreaterThanOrEqual(3);
  expect(state()).toMatchObject({ phase: 'done', reason: 'budget' });
});

test('a second guard leaves the folder to the first; a budget raised in time lets the pod stay', async () => {
  const end = deafRun('deaf');
  configure({ budget_usd: 2, wait_seconds: 60 });
  const first = start();
  await expect.poll(() => state()?.phase, { timeout: 20_000 }).toBe('asking');
  expect(await start().ended).toBe(75);
  configure({ id: 'two', budget_usd: 100_000, wait_seconds: 60 });
  await expect.poll(() => state()?.phase, { timeout: 20_000 }).toBe('watching');
  expect(happened()).toContain('reprieve');
  rmSync(join(guard, 'guard.json'));
  expect(await first.ended).toBe(0);
  end();
  expect(happened().at(-1)).toBe('ended');
  expect(pod.status).toBe('RUNNING');
  expect(server.countOf('POST', /action/)).toBe(0);
});

test('stops no other pod than the one it runs on, and names what is wrong with its config', async () => {
  configure({ idle_seconds: 0.1 });
  const other = start(environment({ RUNPOD_POD_ID: 'pod99' }));
  expect(await other.ended).toBe(2);
  expect(other.said()).toMatch(/a guard stops no other pod/);
  configure({ idle_seconds: null });
  const none = start();
  expect(await none.ended).toBe(2);
  expect(none.said()).toMatch(/budget or an idle limit/);
  expect(pod.status).toBe('RUNNING');
});
