/** A rented pod as a machine, over a real OpenSSH server: reached by its id, found again at another port, guarded from inside. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programPath } from '../../main/machine/programs.ts';
import { RunpodClient } from '../../main/machine/runpod/client.ts';
import { addMachine, findMachine } from '../../main/workbench/machines/list.ts';
import { openEntry } from '../../main/workbench/machines/open.ts';
import { installGuard } from '../../main/workbench/pods/guard.ts';
import { guardPlaceOn } from '../../main/workbench/pods/guard-place.ts';
import { seeGuard, setGuard } from '../../main/workbench/pods/guarded-pods.ts';
import { Pods } from '../../main/workbench/pods/pods.ts';
import { runsOnPod } from '../../main/workbench/pods/runs-on-pod.ts';
import { freePort, hasSshd, OpensshServer, withoutSshd } from '../fixtures/openssh-server.ts';
import { RunpodServer } from '../fixtures/runpod-server.ts';

const skip = !hasSshd && process.env.CI !== 'true';
if (skip) console.warn(`skipped: ${withoutSshd}`);

describe.skipIf(skip)('a pod over SSH', () => {
  const place = mkdtempSync(join(tmpdir(), 'mlt-pod-ssh-'));
  const environment = { ...process.env };
  const server = new RunpodServer();
  let sshd: OpensshServer;
  let client: RunpodClient;
  let base = '';
  beforeAll(async () => {
    if (skip) return;
    process.env.MEDLOGICTRACE_HOME = join(place, 'home');
    base = await server.listen();
    sshd = await OpensshServer.start();
    server.sshUser = sshd.user;
    server.ports = [sshd.port];
    server.provisioningLooks = 0;
    client = new RunpodClient({ key: async () => server.key, base });
  });
  afterAll(async () => {
    await sshd?.stop();
    await server.close();
    process.env = environment;
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  });

  test('is made, reached, reached again at another port, and stopped by its guard', async () => {
    const key = { file: sshd.key, publicLine: readFileSync(`${sshd.key}.pub`, 'utf8').trim() };
    const pods = new Pods({ client, key: async () => key, waiting: { everyMs: 50 } });
    // Knocked at for real: a phase of "ready" is a server that speaks SSH.
    const pod = await pods.create({ request: crypto.randomUUID(), machine: 'a40', volume: 'vol_a', budget_usd: 20 }, () => undefined);
    expect(pod.endpoint?.port).toBe(sshd.port);
    const root = join(place, 'root');
    await addMachine({ kind: 'runpod', name: 'a40', pod: pod.id, key: sshd.key, root }, { replace: true });
    const { machine } = openEntry(await findMachine('a40'), { runpod: client, acceptHostKey: sshd.hostFingerprint });
    try {
      expect((await machine.exec(['echo', 'in'])).stdout.trim()).toBe('in');
      const open = async () => guardPlaceOn(machine, root);
      // Nothing keeps to limits on a pod that was not set up: that is said.
      await expect(setGuard(pods, pod.id, { budget_usd: 5, idle_minutes: null }, open)).rejects.toMatchObject({ field: 'machine' });
      expect((await seeGuard(pods, pod.id, open)).unseen).toMatch(/machines setup a40/);

      // A run of another computer, whose heart beats: asked of the pod itself.
      const run = join(root, 'runs', 'grpo-1');
      mkdirSync(run, { recursive: true });
      const events = [
        { seq: 0, time: '2026-11-01T10:00:00Z', type: 'started', total_steps: 9, pid: 1 },
        { seq: 1, time: '2026-11-01T10:05:00Z', type: 'checkpoint', step: 1, folder: 'checkpoints/step-000001' },
        { seq: 2, time: '2026-11-01T12:15:00Z', type: 'step', step: 2, epoch: 1, metrics: { reward: 1 } },
      ];
      writeFileSync(join(run, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      let beat = 0;
      const heart = setInterval(() => writeFileSync(join(run, 'heartbeat'), `${++beat}\n`), 50);
      const knowing = new Pods({ client, runsOn: () => runsOnPod(machine, root) });
      const loss = await knowing.losses('a40', 'stop');
      clearInterval(heart);
      expect(loss.harmless).toBe(false);
      expect(loss.lines).toContain('Run grpo-1 is live there: 2 h 10 min of training since its last checkpoint would be lost.');
      rmSync(run, { recursive: true });

      // The pod is started again: its port is another, and nobody tells the connection.
      await pods.act('a40', 'stop');
      await sshd.halt();
      sshd.port = await freePort();
      server.ports = [sshd.port];
      await sshd.listen();
      await pods.act('a40', 'start');
      await expect.poll(async () => (await pods.find('a40')).status, { timeout: 20_000 }).toBe('STARTING');
      await client.pod(pod.id);
      await client.pod(pod.id);
      machine.connection.retry();
      expect((await machine.exec(['echo', 'again'])).stdout.trim()).toBe('again');

      // As `machines setup` lays it out.
      mkdirSync(join(root, 'bin'), { recursive: true });
      mkdirSync(join(root, 'runner', 'main', 'machine'), { recursive: true });
      symlinkSync(process.execPath, join(root, 'bin', 'node'));
      writeFileSync(
        join(root, 'runner', 'main', 'machine', 'pod-guard.js'),
        `import ${JSON.stringify(programPath('main/machine/pod-guard'))};\n`,
      );
      const environ = join(place, 'environ');
      writeFileSync(environ, `RUNPOD_POD_ID=${pod.id}\0RUNPOD_API_KEY=${server.key}\0`);
      process.env.MEDLOGICTRACE_RUNPOD_API = base;
      const limits = {
        pod: pod.id,
        price_per_hour: 3.52,
        spent_usd: 1,
        budget_usd: 15,
        idle_seconds: 1.5,
        wait_seconds: 1,
        poll_seconds: 0.2,
        environ,
      };
      const installed = await installGuard(await open(), limits);
      expect(installed.state).toMatchObject({ idle_limit_seconds: 1.5, budget_usd: 15 });
      await machine.close();
      // Nobody is connected any more.
      await expect.poll(() => server.pods[0]?.status, { timeout: 60_000 }).toBe('EXITED');
    } finally {
      rmSync(join(root, 'guards', pod.id, 'guard.json'), { force: true });
      await machine.close();
    }
    const seen = await seeGuard(pods, pod.id, async () => {
      throw new Error('out of reach');
    });
    expect(seen.unseen).toBe('the pod is exited');
  });
});
