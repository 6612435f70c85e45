/** Pods through the command line and through the window's routes, against a RunPod and an SSH server on loopback. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommandLine } from '../../main/commands/command-line.ts';
import { createIo } from '../../main/commands/io.ts';
import type { Outcome } from '../../main/commands/outcome.ts';
import { createWorkbenchRouter } from '../../main/rpc/workbench-router.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { GpuOffers, PodActed, PodList, PodOrdered, PodProgress } from '../../shared/pods.ts';
import { RunpodServer } from '../fixtures/runpod-server.ts';

let server: RunpodServer;
let ssh: Server;
let home = '';
const sockets = new Set<Socket>();
const runner = new RunnerService();
const environment = { ...process.env };
beforeEach(async () => {
  server = new RunpodServer();
  server.provisioningLooks = 0;
  home = mkdtempSync(join(tmpdir(), 'mlt-pod-shells-'));
  // Says that it speaks SSH, and lets nobody in.
  ssh = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.end('SSH-2.0-OpenSSH_9.6\r\n');
  });
  await new Promise<void>((done) => ssh.listen(0, '127.0.0.1', done));
  const address = ssh.address();
  server.ports = [typeof address === 'object' && address !== null ? address.port : 0];
  Object.assign(process.env, {
    MEDLOGICTRACE_HOME: home,
    HOME: home,
    MEDLOGICTRACE_RUNPOD_API: await server.listen(),
    RUNPOD_API_KEY: server.key,
  });
});
afterEach(async () => {
  process.env = { ...environment };
  runner.close();
  await server.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((done) => ssh.close(done));
  rmSync(home, { recursive: true, force: true });
});

async function command(...args: string[]): Promise<Outcome & { out: string; err: string }> {
  const said = { out: '', err: '' };
  const sink = (to: 'out' | 'err') => ({
    isTTY: false,
    write: (text: string) => {
      said[to] += text;
    },
  });
  const io = createIo(args.includes('--json'), new AbortController().signal, { stdout: sink('out'), stderr: sink('err') });
  return { ...(await runCommandLine(['machines', 'pods', ...args], io)), ...said };
}
const document = async (...args: string[]): Promise<unknown> => JSON.parse((await command(...args, '--json')).out);

test('the command line: an estimate, a pod, what it costs, and its end', async () => {
  expect(GpuOffers.parse(await document('gpus', '--count', '8')).offers[0]).toMatchObject({ id: 'NVIDIA A40', price_per_hour: 3.52 });
  const only = PodOrdered.parse(await document('create', '--volume', 'vol_a', '--budget', '20'));
  expect(only.pod).toBeNull();
  expect(server.pods).toEqual([]);
  expect((await command('create', '--volume', 'vol_a', '--budget', '20')).out).toMatch(
    /the budget of \$20\.00 lasts 5 h 40 min[\s\S]*add --yes/,
  );

  const made = await command('create', '--volume', 'vol_a', '--budget', '20', '--name', 'a40', '--yes', '--json');
  const { pod } = PodOrdered.parse(JSON.parse(made.out));
  expect(pod).toMatchObject({ status: 'RUNNING', machine: 'a40', price_per_hour: 3.52 });
  expect(made.err).toMatch(/ready: The pod answers over SSH/);
  expect(server.sshKeys).toHaveLength(1);
  // The key that the user has not is made for pods, and the private half stays here.
  expect(server.sshKeys[0]).toMatch(/^ssh-ed25519 /);

  server.pass(1);
  expect(PodList.parse(await document('list')).pods[0]?.spent).toMatchObject({ budget_usd: 20 });
  expect((await command('list')).out).toMatch(/a40 .*running .*8 × A40 .*\$3\.52\/h .*\$3\.52 .*\$20\.00, idle 30 min/);
  const again = await command('create', '--name', 'a40', '--yes');
  expect(again).toMatchObject({ exit: 2, field: 'machine' });
  expect(server.pods).toHaveLength(1);

  const asked = PodActed.parse(await document('terminate', 'a40'));
  expect(asked.done).toBe(false);
  expect(server.pods).toHaveLength(1);
  expect((await command('terminate', 'a40')).out).toMatch(/The network volume vol_a at \/workspace stays[\s\S]*add --yes/);
  // This SSH server lets nobody in: what runs there cannot be seen, and nothing is stopped unasked.
  expect(PodActed.parse(await document('stop', 'a40'))).toMatchObject({ done: false, loss: { harmless: false } });
  expect(PodActed.parse(await document('stop', 'a40', '--yes'))).toMatchObject({ done: true, pod: { status: 'EXITED' } });
  expect(PodActed.parse(await document('terminate', 'a40', '--yes'))).toMatchObject({ done: true, pod: null });
  expect(server.pods).toEqual([]);
  const everything = [made, asked, again].map((one) => JSON.stringify(one)).join('\n');
  expect(everything).not.toContain(server.key);
});

test('the command line says what is wrong: no key, no such pod, a GPU that is not there', async () => {
  expect(await command('stop', 'nope')).toMatchObject({ exit: 2, field: 'pod' });
  expect((await command('create', '--gpu', 'NVIDIA Z1')).message).toMatch(/it has NVIDIA A40, NVIDIA H100/);
  delete process.env.RUNPOD_API_KEY;
  const none = await command('list');
  expect(none.exit).toBe(1);
  expect(none.message).toMatch(/no RunPod API key is set; set a RunPod API key in Settings, as RUNPOD_API_KEY/);
});

test('the window: an order goes on when its watcher leaves, and is followed again from its first line', async () => {
  const router = createWorkbenchRouter({ version: '0', runsDir: home, files: new GivenFiles(), runner });
  const order = { request: crypto.randomUUID(), volume: 'vol_a', budget_usd: 20, machine: 'a40' };
  const leave = new AbortController();
  const first: PodProgress[] = [];
  const left = await router.follow(
    'pods.create',
    order,
    (item) => {
      first.push(PodProgress.parse(item));
      if (first.length === 2) leave.abort();
    },
    leave.signal,
  );
  expect(left).toBeNull();
  const second: PodProgress[] = [];
  const ended = await router.follow(
    'pods.create',
    order,
    (item) => void second.push(PodProgress.parse(item)),
    new AbortController().signal,
  );
  expect(ended).toBeNull();
  expect(second.slice(0, 2)).toEqual(first);
  expect(second.at(-1)).toMatchObject({ phase: 'ready', pod: { status: 'RUNNING' } });
  expect(server.pods).toHaveLength(1);
  const id = server.pods[0]?.id ?? '';
  expect(await router.call('pods.act', { pod: id, verb: 'terminate' })).toEqual({ ok: true, data: { pod: null } });
  expect(JSON.stringify([first, second])).not.toContain(server.key);
});

test('the window: an order that is abandoned says that its pod is still there, and a refused one can be tried again', async () => {
  const router = createWorkbenchRouter({ version: '0', runsDir: home, files: new GivenFiles(), runner });
  server.provisioningLooks = 1000;
  const order = { request: crypto.randomUUID(), volume: 'vol_a' };
  const waiting = router.follow(
    'pods.create',
    order,
    (item) => {
      if (PodProgress.parse(item).phase === 'provisioning') void router.call('pods.abandon', { request: order.request });
    },
    new AbortController().signal,
  );
  expect((await waiting)?.message).toMatch(/still there and costs money/);
  expect(server.pods).toHaveLength(1);
  server.balance = 0;
  const poor = { request: crypto.randomUUID(), gpu: 'NVIDIA A40', count: 2 };
  const follow = () => router.follow('pods.create', poor, () => undefined, new AbortController().signal);
  expect((await follow())?.message).toMatch(/credit for at least one hour/);
  expect((await follow())?.message).toMatch(/credit for at least one hour/);
});
