/** Machines from the command line and the window's side: added, checked, set up, broken off and gone on with, cleaned. Real OpenSSH on loopback. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineLayout } from '../../main/machine/layout.ts';
import { LocalMachine } from '../../main/machine/local-machine.ts';
import type { Machine } from '../../main/machine/machine.ts';
import { describeBundle } from '../../main/machine/runner-bundle.ts';
import { createWorkbenchRouter } from '../../main/rpc/workbench-router.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { carryOut } from '../../main/workbench/machines/detached-step.ts';
import { sendRunner } from '../../main/workbench/machines/send-runner.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { fileSecrets } from '../../main/workbench/secrets.ts';
import { DownloadEvent } from '../../shared/hub-model.ts';
import { MachineCheck } from '../../shared/machine-check.ts';
import { MachineList } from '../../shared/machine-list.ts';
import { MachineCleaned, type SetupEvent, SetupReport } from '../../shared/machine-setup.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { FlakyProxy } from '../fixtures/flaky-proxy.ts';
import { startHubServer } from '../fixtures/hub-server.ts';
import { hasSshd, OpensshServer, withoutSshd } from '../fixtures/openssh-server.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';
import { sshTo } from '../fixtures/ssh-machine.ts';

const skip = !hasSshd && process.env.CI !== 'true';
if (skip) console.warn(`skipped: ${withoutSshd}`);

const place = mkdtempSync(join(tmpdir(), 'mlt-setup-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Each command of the command line is a process that loads its sources. */
const SLOW_MS = 300_000;

/**
 * A Python that has what the setup proves, without its gigabytes: packages of three lines each. What is really installed is tried by hand
 * (docs/verified.md).
 */
function lightPython(): string {
  const packages = join(place, 'packages');
  for (const [name, text] of Object.entries({
    torch: '__version__ = "2.13.0"\nclass cuda:\n    @staticmethod\n    def device_count(): return 0\n',
    transformers: '__version__ = "5.23.0"\n',
    peft: '__version__ = "0.21.2"\n',
  })) {
    mkdirSync(join(packages, name), { recursive: true });
    writeFileSync(join(packages, name, '__init__.py'), text);
  }
  const path = join(place, 'python');
  writeFileSync(path, `#!/bin/sh\nPYTHONPATH=${packages} exec python3 "$@"\n`, { mode: 0o755 });
  return path;
}

describe.skipIf(skip)('machines', () => {
  let server: OpensshServer;
  let python: string;
  const node = realpathSync(process.execPath);
  const home = join(place, 'home');
  const env = { MEDLOGICTRACE_HOME: home, HOME: join(place, 'user') };
  const light = (): string[] => ['--python', python, '--node', node];
  const root = (): string => join(server.home, '.medlogictrace');
  const run = (...args: string[]) => medlogictrace(['machines', ...args], { env });
  beforeAll(async () => {
    if (skip) return;
    server = await OpensshServer.start();
    python = lightPython();
  });
  afterAll(() => server?.stop());

  test('are added, listed, refused until the host key is accepted, checked, and set up; the second setup does nothing', {
    timeout: SLOW_MS,
  }, async () => {
    expect(await run('add', 'node', `${server.host}:${server.port}`, '--key', server.key)).toMatchObject({ code: 0 });
    expect(await run('add', 'node', 'elsewhere')).toMatchObject({ code: 2, stderr: expect.stringContaining('--replace') });
    expect(await run('add', 'local', 'host')).toMatchObject({ code: 2, stderr: expect.stringContaining('this computer') });
    expect(await run('add', 'x', 'host', '--root', '/')).toMatchObject({ code: 2, stderr: expect.stringContaining('folder') });
    expect(await run('check', 'nod')).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "node"') });

    const unknown = await run('check', 'node', '--json');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain(server.hostFingerprint);
    const list = MachineList.parse(JSON.parse((await run('list', '--json')).stdout));
    expect(list.map(({ name, host_key }) => [name, host_key])).toEqual([
      ['local', null],
      ['node', null],
    ]);

    const checked = await run('check', 'node', '--json', '--accept-host-key', server.hostFingerprint, ...light());
    const check = MachineCheck.parse(JSON.parse(checked.stdout));
    expect(check).toMatchObject({ machine: 'node', root: root(), ready: false, facts: { system: 'Linux' } });
    expect(Math.abs(check.facts.clock_offset)).toBeLessThan(60);
    expect(check.plan.map(({ state }) => state)).toEqual(Array(5).fill('todo'));
    expect(existsSync(root())).toBe(false);

    const first = await run('setup', 'node', '--json', ...light());
    expect(first.code, first.stderr).toBe(0);
    const report = SetupReport.parse(JSON.parse(first.stdout));
    expect(report.done).toEqual(['folders', 'python', 'node', 'runner', 'proof']);
    expect(report.sent).toBeGreaterThan(1_000_000);
    expect(report.proof).toMatchObject({ torch: '2.13.0', transformers: '5.23.0', peft: '0.21.2', cuda_devices: 0, node: process.version });
    // What was laid there starts: the runner says that it wants a folder.
    const layout = machineLayout(root());
    const started = await new LocalMachine().exec([layout.node, `${layout.runner}/main/machine/launcher.js`]);
    expect(started).toMatchObject({ code: 2, stderr: expect.stringContaining('no run folder given') });

    const second = SetupReport.parse(JSON.parse((await run('setup', 'node', '--json', ...light())).stdout));
    expect(second).toEqual({ ...report, done: [], sent: 0 });
    const ready = MachineCheck.parse(JSON.parse((await run('check', 'node', '--json', ...light())).stdout));
    expect(ready.ready).toBe(true);
  });

  test('a setup that lost what it made makes that again, and no more', { timeout: SLOW_MS }, async () => {
    rmSync(join(root(), 'bin', 'node'));
    const { stdout, stderr, code } = await run('setup', 'node', '--json', ...light());
    expect(code, stderr).toBe(0);
    expect(SetupReport.parse(JSON.parse(stdout))).toMatchObject({ done: ['node', 'proof'], sent: 0 });
  });

  test('fetch models of the hub by their own line, with a token that stands nowhere', { timeout: SLOW_MS }, async () => {
    const source = join(place, 'model');
    await writeSmallModel(source);
    const files = Object.fromEntries(readdirSync(source).map((file) => [file, readFileSync(join(source, file))]));
    const token = 'hf_thisIsNoRealToken';
    const hub = await startHubServer({ name: 'org/model', files, large: ['model.safetensors'], token });
    try {
      const fetched = (given: NodeJS.ProcessEnv, model = 'org/model') =>
        medlogictrace(['machines', 'fetch', 'node', model, '--json'], { env: { ...env, HF_ENDPOINT: hub.endpoint, ...given } });
      const refused = await fetched({ HF_TOKEN: '' });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('401') });
      const done = await fetched({ HF_TOKEN: token }, `org/model@${hub.commit}`);
      expect(done.code, done.stderr).toBe(0);
      const event = DownloadEvent.parse(JSON.parse(done.stdout));
      expect(event).toMatchObject({ type: 'done', commit: hub.commit, fetched: expect.any(Number) });
      const folder = event.type === 'done' ? event.folder : '';
      expect(folder.startsWith(join(root(), 'models'))).toBe(true);
      expect(readFileSync(join(folder, 'model.safetensors')).equals(files['model.safetensors'] ?? Buffer.alloc(0))).toBe(true);
      expect(DownloadEvent.parse(JSON.parse((await fetched({ HF_TOKEN: token })).stdout))).toMatchObject({ type: 'done', fetched: 0 });
      const holding = spawnSync('grep', ['-rlF', token, server.home, home], { encoding: 'utf8' });
      // 1: nothing found.
      expect([holding.status, holding.stdout]).toEqual([1, '']);
    } finally {
      await hub.close();
    }
  });

  test('are seen by the window: connection states, a check, a setup that is joined, and no secret in any answer', {
    timeout: SLOW_MS,
  }, async () => {
    process.env.MEDLOGICTRACE_HOME = home;
    const runner = new RunnerService();
    const router = createWorkbenchRouter({
      version: '1',
      runsDir: place,
      files: new GivenFiles(),
      runner,
      secretStore: fileSecrets(join(place, 'secrets')),
    });
    const stop = new AbortController();
    try {
      const call = (route: string, input: unknown) => router.call(route, input);
      const states: string[] = [];
      const connected = Promise.withResolvers<void>();
      void router.follow(
        'machines.connections',
        {},
        (item) => {
          const all = item as { machine: string; connection: { state: string } }[];
          states.push(...all.map(({ connection }) => connection.state));
          if (states.at(-1) === 'connected') connected.resolve();
        },
        stop.signal,
      );
      const machine = { kind: 'ssh', name: 'second', host: server.host, port: server.port, key: server.key, root: `${server.home}/other` };
      expect(await call('machines.add', { machine })).toMatchObject({ ok: true });
      expect(await call('machines.connect', { machine: 'second' })).toMatchObject({
        ok: true,
        data: { state: 'refused', reason: 'host_key', offered: server.hostFingerprint },
      });
      expect(
        await call('machines.connect', { machine: 'second', accept_host_key: server.hostFingerprint, passphrase: 'geheim' }),
      ).toMatchObject({
        ok: true,
        data: { state: 'connected' },
      });
      await connected.promise;
      expect(states).toContain('refused');
      const options = { python, node };
      expect(await call('machines.check', { machine: 'second', options })).toMatchObject({ ok: true, data: { ready: false } });
      const events: SetupEvent[][] = [[], []];
      const leaving = new AbortController();
      const follow = (index: number, signal: AbortSignal) =>
        router.follow(
          'machines.setup',
          { machine: 'second', options },
          (item) => {
            events[index]?.push(item as SetupEvent);
            if (index === 0) leaving.abort();
          },
          signal,
        );
      // The first to follow leaves at once: the setup goes on, and the next one joins it.
      await follow(0, leaving.signal);
      expect(await follow(1, stop.signal)).toBeNull();
      expect(events[1]?.map(({ type }) => type)).toEqual(expect.arrayContaining(['plan', 'step', 'progress', 'output', 'report']));
      expect(events[1]?.at(-1)).toMatchObject({ type: 'report', report: { machine: 'second', root: `${server.home}/other` } });
      const said = JSON.stringify([await call('machines.list', {}), events]);
      expect(said).not.toContain('geheim');
      expect(await call('machines.clean', { machine: 'second', yes: true })).toMatchObject({ ok: true, data: { removed: true } });
      expect(existsSync(`${server.home}/other`)).toBe(false);
      expect(await call('machines.remove', { machine: 'second' })).toMatchObject({ ok: true });
      expect(await call('machines.check', { machine: '../x' })).toMatchObject({ ok: false, error: { code: 'input' } });
    } finally {
      stop.abort();
      runner.close();
      delete process.env.MEDLOGICTRACE_HOME;
    }
  });

  test('clean says what would be lost, keeps what goes on, and takes nothing that is not ours', { timeout: SLOW_MS }, async () => {
    const folder = join(root(), 'runs', 'run-1');
    mkdirSync(folder);
    writeFileSync(join(folder, 'run.json'), '{}');
    writeFileSync(join(folder, 'heartbeat'), '1');
    const asked = MachineCleaned.parse(JSON.parse((await run('clean', 'node', '--json')).stdout));
    expect(asked).toMatchObject({ there: true, runs: ['run-1'], live: ['run-1'], removed: false });
    expect(asked.bytes).toBeGreaterThan(1_000_000);
    expect(await run('clean', 'node', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('run-1') });
    writeFileSync(join(folder, 'exit.json'), '{}');
    expect(MachineCleaned.parse(JSON.parse((await run('clean', 'node', '--yes', '--json')).stdout)).removed).toBe(true);
    expect(existsSync(root())).toBe(false);
    expect(MachineCleaned.parse(JSON.parse((await run('clean', 'node', '--yes', '--json')).stdout)).there).toBe(false);
    mkdirSync(root());
    writeFileSync(join(root(), 'thesis.tex'), 'years of work');
    expect(await run('clean', 'node', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('not made by a setup') });
    expect(readdirSync(root())).toEqual(['thesis.tex']);
    rmSync(root(), { recursive: true });
    expect(await run('remove', 'node')).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(home, 'machines', 'known-hosts.json'), 'utf8'))).toMatchObject({ keys: {} });
  });

  describe('a step', () => {
    const layout = () => machineLayout(join(server.home, 'steps'));
    const script = 'echo begun; while [ ! -f "$HOME/go" ]; do sleep 0.05; done; echo over';
    const go = () => join(server.home, 'go');
    const collect = async (
      machine: Machine,
      key: string,
      onText: (text: string) => void,
      signal?: AbortSignal,
      what = script,
    ): Promise<string> => {
      for (const step = carryOut(machine, layout(), { name: 'wait', key, script: what }, signal); ; ) {
        const { value, done } = await step.next();
        if (done) return value;
        if (value.type === 'output') onText(value.text);
      }
    };
    beforeAll(() => (skip ? undefined : void mkdirSync(layout().setup, { recursive: true })));

    test('goes on while the connection is cut, and is told whole (bug: a broken line breaks the setup)', async () => {
      const proxy = await FlakyProxy.to(server.port);
      const machine = sshTo(server, { port: () => proxy.port });
      try {
        let text = '';
        const said = collect(machine, 'cut', (piece) => {
          text += piece;
          if (text !== 'begun\n') return;
          proxy.refuse();
          proxy.drop();
          void proxy
            .until(({ connections }) => connections >= 4)
            .then(() => {
              writeFileSync(go(), '');
              proxy.refuse(false);
            });
        });
        expect(await said).toBe('begun\nover\n');
        expect(text).toBe('begun\nover\n');
      } finally {
        rmSync(go(), { force: true });
        await machine.close();
        await proxy.close();
      }
    });

    test('outlives the app that began it, and the next one takes it up instead of beginning it twice', async () => {
      const first = sshTo(server);
      const second = sshTo(server);
      try {
        const begun = Promise.withResolvers<void>();
        const lost = collect(first, 'taken-up', () => begun.resolve());
        lost.catch(() => undefined);
        await begun.promise;
        await first.close();
        const again = Promise.withResolvers<void>();
        const said = collect(second, 'taken-up', () => again.resolve());
        await again.promise;
        writeFileSync(go(), '');
        expect(await said).toBe('begun\nover\n');
      } finally {
        rmSync(go(), { force: true });
        await second.close();
      }
    });

    test('is ended when the user stops it, with what it started', async () => {
      const machine = sshTo(server);
      try {
        const stop = new AbortController();
        const mark = `setup-child-${process.pid}`;
        const stopped = collect(
          machine,
          'stopped',
          () => stop.abort(new Error('enough')),
          stop.signal,
          `sh -c 'sleep 300' ${mark} & echo on; wait`,
        );
        await expect(stopped).rejects.toThrow('enough');
        for (;;) {
          const all = execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' }).split('\n');
          if (!all.some((line) => line.includes(mark) && !line.startsWith('Z'))) break;
          await new Promise((done) => setTimeout(done, 20));
        }
        expect(existsSync(join(layout().setup, 'running'))).toBe(false);
      } finally {
        await machine.close();
      }
    });

    test('that fails is told with its last words', async () => {
      const machine = sshTo(server);
      try {
        await expect(collect(machine, 'fails', () => undefined, undefined, 'echo first; echo "no space left" >&2; exit 3')).rejects.toThrow(
          /code 3.*no space left/,
        );
      } finally {
        await machine.close();
      }
    });
  });

  test('another version of the runner costs only what differs, and the one before stays for the runs under it', async () => {
    const machine = sshTo(server);
    const layout = machineLayout(join(server.home, 'versions'));
    const source = join(place, 'bundle');
    const write = (path: string, text: string): void => {
      mkdirSync(join(source, path, '..'), { recursive: true });
      writeFileSync(join(source, path), text);
    };
    try {
      write('main/runner/main.js', 'one');
      write('big.bin', 'x'.repeat(100_000));
      write('gone.js', 'old');
      write('node', 'of this computer alone');
      const before = await describeBundle(source);
      expect(before.files.map(({ path }) => path)).toEqual(['big.bin', 'gone.js', 'main/runner/main.js']);
      expect(await sendRunner(machine, layout, before)).toBe(100_006);
      const old = realpathSync(layout.runner);
      write('main/runner/main.js', 'two');
      rmSync(join(source, 'gone.js'));
      expect(await sendRunner(machine, layout, await describeBundle(source))).toBe(3);
      expect(readFileSync(join(layout.runner, 'main/runner/main.js'), 'utf8')).toBe('two');
      expect(readdirSync(layout.runner).sort()).toEqual(['big.bin', 'main']);
      // Files of both may be one on the disk: the old one must not have changed with the new.
      expect(readFileSync(join(old, 'main/runner/main.js'), 'utf8')).toBe('one');
      expect(readFileSync(join(old, 'gone.js'), 'utf8')).toBe('old');
      expect(await sendRunner(machine, layout, await describeBundle(source))).toBe(0);
    } finally {
      await machine.close();
    }
  });
});
