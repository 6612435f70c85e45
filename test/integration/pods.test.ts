/** Pods through the services: ordering, money across restarts of the app, what ending one loses, and its guard as a real process. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalMachine } from '../../main/machine/local-machine.ts';
import { programPath } from '../../main/machine/programs.ts';
import { RunpodClient } from '../../main/machine/runpod/client.ts';
import { fuseCommand } from '../../main/machine/runpod/fuse.ts';
import { listMachines, readMachines } from '../../main/workbench/machines/list.ts';
import { installGuard, readGuard, removeGuard } from '../../main/workbench/pods/guard.ts';
import { PodLedger } from '../../main/workbench/pods/ledger.ts';
import { Pods, type PodsOptions, podName } from '../../main/workbench/pods/pods.ts';
import { podKey } from '../../main/workbench/pods/ssh-key.ts';
import { PodList, PodOrder, type PodProgress } from '../../shared/pods.ts';
import { RunpodServer } from '../fixtures/runpod-server.ts';

let server: RunpodServer;
let base = '';
let home = '';
const environment = { ...process.env };
beforeEach(async () => {
  server = new RunpodServer();
  base = await server.listen();
  home = mkdtempSync(join(tmpdir(), 'mlt-pods-'));
  process.env.MEDLOGICTRACE_HOME = home;
});
afterEach(async () => {
  process.env = { ...environment };
  await server.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 3 });
});

const OURS = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOURS me@laptop';
const wait = async (): Promise<void> => undefined;
/** The app, started anew. */
const app = (more: Partial<PodsOptions> = {}): Pods =>
  new Pods({
    client: new RunpodClient({ key: async () => server.key, base, wait }),
    now: () => server.now,
    key: async () => ({ file: null, publicLine: OURS }),
    waiting: { wait, answers: async () => true },
    ...more,
  });
const request = 'b2d7a9a0-13a5-4d6a-9a37-0c7a5d7f1e11';
const order = { request, volume: 'vol_a', budget_usd: 20, idle_minutes: 30, machine: 'a40' };

describe('an order', () => {
  test('adds our key to the account’s, makes one pod, waits, and lists it as a machine', async () => {
    server.sshKeys = ['ssh-rsa AAAATHEIRS colleague'];
    const told: PodProgress[] = [];
    const pod = await app().create(order, (progress) => void told.push(progress));
    expect(server.sshKeys).toEqual(['ssh-rsa AAAATHEIRS colleague', OURS]);
    expect(told.map(({ phase }) => phase)).toEqual(['key', 'creating', 'provisioning', 'starting', 'ready']);
    expect(pod).toMatchObject({
      status: 'RUNNING',
      gpu: { id: 'NVIDIA A40', count: 8 },
      price_per_hour: 3.52,
      volume: { kind: 'network', id: 'vol_a', path: '/workspace' },
      machine: 'a40',
      ours: true,
      guard: { budget_usd: 20, idle_minutes: 30 },
    });
    expect(await readMachines()).toEqual([{ kind: 'runpod', name: 'a40', pod: pod.id, key: null, root: '/workspace/medlogictrace' }]);
    expect((await listMachines())[1]).toMatchObject({ kind: 'runpod', address: `pod ${pod.id} of RunPod` });
    const created = server.asked.find(({ method, path }) => method === 'POST' && path === '/v2/pods')?.body;
    expect(created).toMatchObject({ dataCenterIds: ['EU-SE-1'], ports: ['22/tcp'], startSsh: true, env: {} });
    expect(JSON.stringify(created)).not.toContain(server.key);
  });

  test('given again after the app was closed in the middle is the same pod (bug: sixteen GPUs)', async () => {
    const stop = new AbortController();
    server.provisioningLooks = 50;
    const first = app({ waiting: { wait: async () => stop.abort(new Error('closed')), answers: async () => true } });
    await expect(first.create(order, () => undefined, stop.signal)).rejects.toThrow('closed');
    server.provisioningLooks = 0;
    for (const pod of server.pods) pod.looks = 0;
    const pod = await app().create(order, () => undefined);
    expect(server.pods).toHaveLength(1);
    expect(pod.name).toBe(podName({ request, machine: 'a40' }));
  });

  test('is refused before anything is rented, with the field', async () => {
    const refused = async (more: object) => app().create({ ...order, ...more }, () => undefined);
    await expect(refused({ gpu: 'NVIDIA Z1' })).rejects.toMatchObject({ field: 'gpu' });
    await expect(refused({ count: 9 })).rejects.toMatchObject({ field: 'count' });
    await expect(refused({ volume: 'nope' })).rejects.toThrow(/there are vol_a \(medical\)/);
    await expect(refused({ cloud: 'COMMUNITY', count: 4 })).rejects.toMatchObject({ field: 'cloud' });
    await expect(refused({ budget_usd: 0.01 })).rejects.toMatchObject({ field: 'budget_usd' });
    await expect(refused({ image: 'x; rm -rf /' })).rejects.toMatchObject({ field: 'image' });
    server.balance = 1;
    await expect(refused({})).rejects.toThrow(/credit for at least one hour/);
    expect(server.pods).toEqual([]);
  });

  test('is estimated from live prices: hours that the budget lasts, and what is missing', async () => {
    expect(await app().estimate(order)).toMatchObject({ price_per_hour: 3.52, availability: 'HIGH', volume_per_month: 14 });
    const bare = await app().estimate({ request, count: 8, volume: null, idle_minutes: null });
    expect(bare.hours).toBeNull();
    expect(bare.warnings.join(' ')).toMatch(/is lost when it is terminated.*nothing would stop this pod/);
    for (const gpu of server.gpus) gpu.stock = { 'US-KS-2': 8 };
    expect((await app().estimate(order)).warnings[0]).toBe('8 × A40 are not free in EU-SE-1, where the volume is now');
    expect((await app().gpus(8, 'SECURE')).map(({ name, availability }) => [name, availability])).toEqual([
      ['A40', 'LOW'],
      ['H100 SXM', 'LOW'],
    ]);
  });
});

describe('money', () => {
  test('is counted over stops and starts and restarts of the app, and never less than what RunPod billed', async () => {
    const pod = await app().create(order, () => undefined);
    server.pass(2);
    expect((await app().list()).pods[0]?.spent.usd).toBeCloseTo(7.04, 5);
    await app().act(pod.id, 'stop');
    server.pass(100);
    const stopped = (await app().list()).pods[0];
    expect(stopped?.spent).toMatchObject({ hours_left: null });
    expect(stopped?.spent.usd).toBeCloseTo(7.04, 5);
    await app().act(pod.id, 'start');
    await app().find(pod.id);
    await app().find(pod.id);
    server.pass(1);
    const list = PodList.parse(await app().list());
    expect(list.spent_usd).toBeCloseTo(10.56, 5);
    expect(list.price_per_hour).toBe(3.52);
    expect(list.pods[0]?.spent.hours_left).toBeCloseTo((20 - 10.56) / 3.52, 5);
    // What was billed when it was asked last stands, should it not be told again.
    server.fail('GET', /billing/, { status: 500, times: 9 });
    expect((await app().list()).pods[0]?.spent.billed_usd).toBeCloseTo(10.56, 5);
    // What ran while nobody looked is in the bill.
    server.pass(5);
    await app({ client: new RunpodClient({ key: async () => server.key, base, wait }) }).act(pod.id, 'stop');
    expect((await app().list()).pods[0]?.spent.usd).toBeCloseTo(28.16, 5);
  });

  test('a pod that idles, or has no limits, says so', async () => {
    await app().create({ ...order, budget_usd: null, idle_minutes: null }, () => undefined);
    expect((await app().list()).pods[0]?.warnings).toEqual(['nothing stops it by itself: it has neither budget nor idle limit']);
    server.pass(0.5);
    expect((await app().list()).pods[0]?.warnings[0]).toBe('idles: its GPUs have done nothing for 30 min, at $3.52/h');
  });

  test('a ledger that cannot be read is not thrown away', async () => {
    writeFileSync(join(home, 'pods.json'), '{"version":1,"pods":{"p":{"name":3}}}');
    server.running();
    await expect(app().list()).rejects.toThrow(/pods\.json.*pods\.p/s);
    expect(readFileSync(join(home, 'pods.json'), 'utf8')).toContain('"name":3');
    expect(await new PodLedger(join(home, 'none.json')).read()).toEqual({});
  });
});

describe('ending a pod', () => {
  test('says in figures what is lost', async () => {
    const runsOn = async () => [
      { run: 'grpo-1', live: true, seconds_since: 7800 },
      { run: 'old', live: false, seconds_since: 99 },
    ];
    const pod = await app().create(order, () => undefined);
    server.pass(1);
    const stop = await app({ runsOn }).losses('a40', 'stop');
    expect(stop.harmless).toBe(false);
    expect(stop.lines).toEqual([
      'Stops the pod, which has cost $3.52 so far and costs $3.52/h.',
      'Run grpo-1 is live there: 2 h 10 min of training since its last checkpoint would be lost.',
      'Its container disk (50 GB) is erased: everything outside /workspace.',
      'The network volume vol_a at /workspace stays, and goes on costing.',
    ]);
    // Nobody can say what runs there: not harmless (bug: a stop that asks nothing ends a training that another computer started).
    expect(await app().losses(pod.id, 'stop')).toMatchObject({ harmless: false });
    expect((await app({ runsOn: async () => [] }).losses(pod.id, 'stop')).harmless).toBe(true);
    server.running({ name: 'bare' });
    const end = await app().losses('bare', 'terminate');
    expect(end.harmless).toBe(false);
    expect(end.lines.at(-1)).toMatch(/no volume: everything on it is lost/);
  });

  test('whose answer was lost, or that is over already, is no failure', async () => {
    const pod = await app().create(order, () => undefined);
    server.fail('POST', /action/, { cut: true, done: true });
    expect(await app().act(pod.id, 'stop')).toMatchObject({ status: 'EXITED', price_per_hour: 0 });
    expect(await app().act(pod.id, 'stop')).toMatchObject({ status: 'EXITED' });
    server.fail('POST', /action/, { status: 500, done: true });
    expect(await app().act(pod.id, 'terminate')).toBeNull();
    await expect(app().act(pod.id, 'terminate')).rejects.toThrow(/unknown pod/);
    server.running({ name: 'kept' });
    server.fail('POST', /action/, { status: 500, times: 9 });
    await expect(app().act('kept', 'stop')).rejects.toThrow(/RunPod itself fails/);
  });
});

describe('a guard', () => {
  test('is put on a pod once, takes up new limits, and is read from outside', async () => {
    const pod = server.running({ price: 3.6 });
    const root = join(home, 'root');
    mkdirSync(root);
    process.env.MEDLOGICTRACE_RUNPOD_API = base;
    // As the first process of the pod's container has it; who comes over SSH does not.
    const environ = join(home, 'environ');
    writeFileSync(environ, `PATH=/bin\0RUNPOD_POD_ID=${pod.id}\0RUNPOD_API_KEY=${server.key}\0`);
    const place = { machine: new LocalMachine(), root, node: process.execPath, program: programPath };
    const limits = { pod: pod.id, price_per_hour: 3.6, spent_usd: 1, budget_usd: 50, idle_seconds: null, poll_seconds: 0.1, environ };
    const first = await installGuard(place, limits);
    expect(first.state).toMatchObject({ phase: 'watching', budget_usd: 50 });
    const again = await installGuard(place, { ...limits, budget_usd: 80 });
    expect(again.state?.budget_usd).toBe(80);
    // One process: it said "started" once.
    expect(again.journal.map(({ what }) => what)).toEqual(['started', 'config']);
    const idle = await installGuard(place, { ...limits, budget_usd: null, idle_seconds: 0.2, wait_seconds: 0.2 });
    expect(idle.state?.idle_limit_seconds).toBe(0.2);
    await expect.poll(() => pod.status, { timeout: 30_000 }).toBe('EXITED');
    await expect.poll(async () => (await readGuard(place, pod.id)).state?.phase, { timeout: 30_000 }).toBe('done');
    await removeGuard(place, pod.id);
    expect(existsSync(join(root, 'guards', pod.id, 'guard.json'))).toBe(false);
    await expect(installGuard(place, { ...limits, budget_usd: null })).rejects.toThrow(/budget or an idle limit/);
  });
});

describe('the fuse in a pod’s start command', () => {
  const bin = (): string => {
    const folder = join(home, 'bin');
    mkdirSync(folder, { recursive: true });
    const program = (name: string, text: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    program('curl', `echo "curl $*" >> '${home}/called'; [ -e '${home}/curl-fails' ] && exit 22; exit 0`);
    program('runpodctl', `echo "runpodctl $*" >> '${home}/called'`);
    // Outlives the look at it, which ends the whole group, the fuse too.
    program('start.sh', 'echo started; sleep 60');
    return folder;
  };
  const blow = (): { said: string; called: string } => {
    const folder = bin();
    const command = fuseCommand({ seconds: 1, guards: `${home}/guards`, api: base, everySeconds: 5, start: `${folder}/start.sh` });
    const done = spawnSync('timeout', ['-s', 'KILL', '4', 'sh', '-c', command], {
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin`, RUNPOD_API_KEY: 'rpa_POD', RUNPOD_POD_ID: 'pod7' },
    });
    return { said: done.stdout, called: existsSync(join(home, 'called')) ? readFileSync(join(home, 'called'), 'utf8') : '' };
  };

  test('starts what the image starts, and stops the pod when nobody guards it', () => {
    const { said, called } = blow();
    expect(said).toContain('started');
    expect(called).toBe(
      `curl -fsS -m 60 -X POST -H Authorization: Bearer rpa_POD -H Content-Type: application/json -d {"action":"stop"} ${base}/v2/pods/pod7/action\n`,
    );
  });

  test('asks by runpodctl where the API refuses', () => {
    writeFileSync(join(home, 'curl-fails'), '');
    expect(blow().called).toMatch(/curl .*\nrunpodctl pod stop pod7\n/);
  });

  test('leaves a pod to a guard that lives, and not to one that died', () => {
    mkdirSync(join(home, 'guards', 'pod7'), { recursive: true });
    const state = join(home, 'guards', 'pod7', 'guard-state.json');
    writeFileSync(state, '{}');
    expect(blow().called).toBe('');
    const ago = Date.now() / 1000 - 3600;
    utimesSync(state, ago, ago);
    expect(blow().called).toMatch(/curl/);
  });
});

test('the key for pods is the user’s own, else one made for them that nobody else may read', async () => {
  const ssh = join(home, 'ssh');
  mkdirSync(ssh);
  const made = await podKey(ssh, join(home, 'pods'));
  expect(made.file).toBe(join(home, 'pods', 'id_ed25519'));
  expect(made.publicLine).toMatch(/^ssh-ed25519 \S+ medlogictrace@/);
  expect((await podKey(ssh, join(home, 'pods'))).publicLine).toBe(made.publicLine);
  writeFileSync(join(ssh, 'id_rsa.pub'), 'ssh-rsa AAAAMINE me\n');
  writeFileSync(join(ssh, 'id_rsa'), 'private');
  expect(await podKey(ssh, join(home, 'pods'))).toEqual({ file: null, publicLine: 'ssh-rsa AAAAMINE me' });
});

test('defaults of an order are eight A40', () => {
  expect(PodOrder.parse({ request })).toMatchObject({ gpu: 'NVIDIA A40', count: 8, cloud: 'SECURE', idle_minutes: 30 });
});
