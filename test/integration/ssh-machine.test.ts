/** SSH when something is wrong: keys, hosts, networks, and servers that mean harm. Real OpenSSH servers, a proxy that fails, one hostile server. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerChannel } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../main/machine/machine.ts';
import type { UnknownHost } from '../../main/machine/ssh/connect.ts';
import { HostKeys } from '../../main/machine/ssh/host-keys.ts';
import { SshMachine } from '../../main/machine/ssh/ssh-machine.ts';
import type { ConnectionState } from '../../shared/machine-connection.ts';
import { FlakyProxy } from '../fixtures/flaky-proxy.ts';
import { type Harm, HostileServer } from '../fixtures/hostile-ssh-server.ts';
import { fingerprintOf, hasSshd, makeKey, OpensshServer, withoutSshd } from '../fixtures/openssh-server.ts';
import { hostKeysOf, sshTo } from '../fixtures/ssh-machine.ts';

const skip = !hasSshd && process.env.CI !== 'true';
if (skip) console.warn(`skipped: ${withoutSshd}`);

const place = mkdtempSync(join(tmpdir(), 'mlt-ssh-'));
const open: { close(): unknown }[] = [];
const closing = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** The next state that is asked for, or the one now. */
const reach = (machine: Machine, state: ConnectionState['state']): Promise<ConnectionState> =>
  new Promise((done) => {
    if (machine.connection.state.state === state) return done(machine.connection.state);
    const end = machine.connection.subscribe((now) => {
      if (now.state !== state) return;
      end();
      done(now);
    });
  });

const says = (machine: Machine, word: string): Promise<string> => machine.exec(['echo', word]).then(({ stdout }) => stdout.trim());

describe.skipIf(skip)('SSH', () => {
  let server: OpensshServer;
  beforeAll(async () => {
    if (!skip) server = await OpensshServer.start();
  });
  afterAll(() => server?.stop());
  afterEach(() => rmSync(join(server.folder, 'known-hosts.json'), { force: true }));

  describe('host keys', () => {
    test('a new one is asked for, once, and remembered in a file of our own', async () => {
      const asked: UnknownHost[] = [];
      const ask = async (host: UnknownHost): Promise<boolean> => asked.push(host) > 0;
      const machine = closing(sshTo(server, { known: false, hostKeys: { keys: hostKeysOf(server), ask } }));
      expect(await says(machine, 'in')).toBe('in');
      const again = closing(sshTo(server, { known: false, hostKeys: { keys: hostKeysOf(server), ask } }));
      expect(await says(again, 'in')).toBe('in');
      expect(asked).toEqual([{ type: 'ssh-ed25519', fingerprint: server.hostFingerprint, host: server.host, port: server.port }]);
      expect(JSON.parse(readFileSync(join(server.folder, 'known-hosts.json'), 'utf8'))).toMatchObject({
        keys: { node: { type: 'ssh-ed25519', fingerprint: server.hostFingerprint } },
      });
    });

    test('one that nobody accepts is refused before a key of ours is shown (bug: trust on first use)', async () => {
      const before = server.log.length;
      const machine = closing(sshTo(server, { known: false }));
      await expect(says(machine, 'in')).rejects.toMatchObject({ kind: 'refused', reason: 'host_key', offered: server.hostFingerprint });
      await expect(says(machine, 'in')).rejects.toThrow(`--accept-host-key ${server.hostFingerprint}`);
      expect(server.log.slice(before)).not.toMatch(/publickey|userauth/i);
      expect(existsSync(join(server.folder, 'known-hosts.json'))).toBe(false);
    });

    test('one that has changed is blocked, says what changed, and is accepted only by its own fingerprint', async () => {
      const proxy = closing(await FlakyProxy.to(server.port));
      const keys = hostKeysOf(server);
      await keys.pin('node', { type: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(43)}` });
      const before = server.log.length;
      const never = async (): Promise<boolean> => {
        throw new Error('a changed key is no new key');
      };
      const machine = closing(sshTo(server, { port: () => proxy.port, hostKeys: { keys, ask: never } }));
      await expect(says(machine, 'in')).rejects.toThrow(
        new RegExp(`has changed.*SHA256:A{43}.*${server.hostFingerprint.replaceAll('+', '\\+')}`),
      );
      expect(machine.connection.state).toMatchObject({ state: 'refused', reason: 'host_key', offered: server.hostFingerprint });
      expect(server.log.slice(before)).not.toMatch(/publickey/i);
      expect(proxy.connections).toBe(1);
      const wrong = closing(sshTo(server, { hostKeys: { keys, accept: `SHA256:${'B'.repeat(43)}` } }));
      await expect(says(wrong, 'in')).rejects.toMatchObject({ reason: 'host_key' });
      const right = closing(sshTo(server, { hostKeys: { keys, accept: server.hostFingerprint } }));
      expect(await says(right, 'in')).toBe('in');
      expect((await keys.pinned('node'))?.fingerprint).toBe(server.hostFingerprint);
    });

    test('a damaged file of accepted keys accepts nothing (bug: an empty list asks anew)', async () => {
      writeFileSync(join(server.folder, 'known-hosts.json'), '{"keys": {}');
      const machine = closing(sshTo(server));
      await expect(says(machine, 'in')).rejects.toThrow(/Mend the file/);
    });

    test('a server with several keys shows the one that is known', async () => {
      const two = await OpensshServer.start();
      try {
        const rsa = makeKey(join(two.folder, 'rsa'), '', 'rsa');
        await two.halt();
        const both = await OpensshServer.start({ config: [`HostKey ${rsa}`] });
        both.authorize(two.key);
        const keys = hostKeysOf(both);
        const machine = closing(sshTo(both, { keyFiles: [two.key], hostKeys: { keys, ask: async () => true } }));
        await says(machine, 'in');
        expect((await keys.pinned('node'))?.type).toBe('ssh-ed25519');
        await keys.pin('node', { type: 'ssh-rsa', fingerprint: fingerprintOf(rsa) });
        expect(await says(closing(sshTo(both, { keyFiles: [two.key], hostKeys: { keys } })), 'rsa')).toBe('rsa');
        await machine.close();
        await both.stop();
      } finally {
        await two.stop();
      }
    });
  });

  describe('who is let in', () => {
    test('a wrong key is refused once, not tried again and again, and what was tried is said', async () => {
      const proxy = closing(await FlakyProxy.to(server.port));
      const stranger = makeKey(join(place, 'stranger'));
      const machine = closing(sshTo(server, { keyFiles: [stranger], port: () => proxy.port }));
      await expect(says(machine, 'in')).rejects.toMatchObject({
        kind: 'refused',
        reason: 'authentication',
        message: expect.stringContaining(stranger),
      });
      await expect(says(machine, 'in')).rejects.toMatchObject({ kind: 'refused' });
      // Ten times the longest wait between attempts.
      await new Promise((done) => setTimeout(done, 500));
      expect(proxy.connections).toBe(1);
      expect(machine.connection.state).toMatchObject({ state: 'refused', reason: 'authentication' });
      server.authorize(stranger);
      machine.connection.retry();
      await reach(machine, 'connected');
    });

    test('a key with a passphrase is opened with it, which is asked for once, also for a second connection', async () => {
      const key = makeKey(join(place, 'locked'), 'geheim 123');
      server.authorize(key);
      const proxy = closing(await FlakyProxy.to(server.port));
      const asked: [string, number][] = [];
      const machine = closing(
        sshTo(server, {
          keyFiles: [key],
          port: () => proxy.port,
          passphrase: async (file, attempt) => {
            asked.push([file, attempt]);
            return attempt === 1 ? 'wrong' : 'geheim 123';
          },
        }),
      );
      expect(await says(machine, 'in')).toBe('in');
      proxy.drop();
      await reach(machine, 'waiting');
      expect(await says(machine, 'again')).toBe('again');
      expect(asked).toEqual([
        [key, 1],
        [key, 2],
      ]);
    });

    test('a passphrase that is wrong or not given ends it, without a word of it in the message', async () => {
      const key = makeKey(join(place, 'locked-too'), 'right');
      server.authorize(key);
      const wrong = closing(sshTo(server, { keyFiles: [key], passphrase: async () => 'falsches-wort' }));
      const told = await says(wrong, 'in').catch((error: Error) => error);
      expect(told).toMatchObject({ kind: 'refused', reason: 'authentication', message: expect.stringContaining('passphrase') });
      expect(String(told)).not.toContain('falsches-wort');
      const none = closing(sshTo(server, { keyFiles: [key], passphrase: async () => null }));
      await expect(says(none, 'in')).rejects.toThrow(/has a passphrase, which was not given/);
    });

    test('a file that is no key is named', async () => {
      const path = join(place, 'no-key');
      writeFileSync(path, 'hello');
      await expect(says(closing(sshTo(server, { keyFiles: [path] })), 'in')).rejects.toMatchObject({
        reason: 'configuration',
        message: expect.stringContaining(path),
      });
    });

    describe('the agent', () => {
      let agent: ChildProcess;
      const socket = join(place, 'agent.sock');
      beforeAll(async () => {
        if (skip) return;
        agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
        await new Promise((done) => agent.stdout?.once('data', done));
        for (const name of ['first', 'second']) {
          makeKey(join(place, name));
          execFileSync('ssh-add', ['-q', join(place, name)], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
        }
        server.authorize(join(place, 'second'));
      });
      afterAll(() => void agent?.kill());

      test('lets us in without a key file', async () => {
        expect(await says(closing(sshTo(server, { agent: socket, keyFiles: [] })), 'in')).toBe('in');
      });

      test('shows only the keys that are meant (IdentitiesOnly)', async () => {
        const only = (name: string): SshMachine =>
          closing(sshTo(server, { agent: socket, keyFiles: [join(place, `${name}.pub`)], identitiesOnly: true }));
        expect(await says(only('second'), 'in')).toBe('in');
        await expect(says(only('first'), 'in')).rejects.toMatchObject({ reason: 'authentication' });
      });

      test('that is not there is passed over', async () => {
        expect(await says(closing(sshTo(server, { agent: join(place, 'nowhere.sock') })), 'in')).toBe('in');
      });
    });
  });

  describe('through other hosts', () => {
    test('each has its own key and is checked by itself', async () => {
      const second = await OpensshServer.start();
      const third = await OpensshServer.start();
      const proxy = closing(await FlakyProxy.to(second.port));
      try {
        const hop = (one: OpensshServer, id: string, port = one.port) => {
          const { host, user, key } = one;
          return { host, port, user, id, agent: null, keyFiles: [key], identitiesOnly: true };
        };
        const asked: number[] = [];
        const make = (accept: (port: number) => boolean): SshMachine =>
          closing(
            new SshMachine({
              name: 'far',
              route: async () => [hop(server, 'jump:1'), hop(second, 'jump:2', proxy.port), hop(third, 'far')],
              hostKeys: {
                keys: new HostKeys(join(third.folder, 'known.json')),
                ask: async ({ port }) => asked.push(port) > 0 && accept(port),
              },
              backoff: [0.02],
            }),
          );
        await expect(
          says(
            make((port) => port !== third.port),
            'in',
          ),
        ).rejects.toMatchObject({ offered: third.hostFingerprint });
        const machine = make(() => true);
        expect((await machine.exec(['/bin/sh', '-c', 'echo "$HOME"'])).stdout.trim()).toBe(third.home);
        expect(asked).toEqual([server.port, proxy.port, third.port, third.port]);
        const content = randomBytes(100_000);
        await machine.writeFile('~/through', content);
        expect(readFileSync(join(third.home, 'through')).equals(content)).toBe(true);
        // The way breaks in the middle, and is found again.
        const lost = reach(machine, 'waiting');
        proxy.drop();
        await lost;
        expect(await says(machine, 'again')).toBe('again');
      } finally {
        await second.stop();
        await third.stop();
      }
    });
  });

  describe('networks that fail', () => {
    const short = { keepalive: 700, keepaliveCount: 1, answer: 3000, ready: 10_000 };
    let proxy: FlakyProxy;
    const through = (options: Parameters<typeof sshTo>[1] = {}): SshMachine =>
      closing(sshTo(server, { port: () => proxy.port, ...options }));
    // Opened after the machines are closed, so that nothing hangs on it.
    const withProxy = async (): Promise<FlakyProxy> => {
      proxy = closing(await FlakyProxy.to(server.port));
      return proxy;
    };

    test('a command under way is lost with its connection, and the next one finds another', async () => {
      await withProxy();
      const machine = through();
      const cut = machine.exec(['/bin/sh', '-c', 'echo on; sleep 30'], { onOutput: () => proxy.drop() });
      await expect(cut).rejects.toMatchObject({ kind: 'lost' });
      expect(await says(machine, 'again')).toBe('again');
      expect(proxy.connections).toBeGreaterThanOrEqual(2);
    });

    test('a half-open connection is noticed, whatever waits on it (bug: it hangs for ever)', async () => {
      await withProxy();
      const machine = through({ timing: short });
      await machine.writeFile('~/file', 'content');
      const lost = reach(machine, 'waiting');
      proxy.stall();
      const asked = await Promise.allSettled([
        says(machine, 'x'),
        machine.readFrom('~/file', 0, 10),
        machine.list('~/'),
        machine.append('~/file', 'x'),
        machine.upload(server.key, '~/uploaded', { signal: AbortSignal.timeout(6000) }),
      ]);
      expect(asked.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
      await lost;
      proxy.resume();
      expect(await says(machine, 'again')).toBe('again');
    });

    test('an answer that does not come while nothing else is wrong ends that call alone', async () => {
      const stuck = closing(sshTo(server, { timing: { answer: 30_000 } }));
      await expect(stuck.exec(['sleep', '30'], { timeoutMs: 100 })).rejects.toMatchObject({ kind: 'timeout' });
      expect(await says(stuck, 'fine')).toBe('fine');
      expect(stuck.connection.state.state).toBe('connected');
    });

    test('an address that has changed is asked for again before each attempt', async () => {
      await withProxy();
      const machine = through();
      await says(machine, 'in');
      const before = proxy.port;
      const lost = reach(machine, 'waiting');
      expect(await proxy.move()).not.toBe(before);
      await lost;
      expect(await says(machine, 'again')).toBe('again');
    });

    test('a port that nobody listens on is tried again until somebody does', async () => {
      await withProxy();
      proxy.refuse();
      const machine = through();
      const asked = says(machine, 'at last');
      await proxy.until(({ connections }) => connections >= 3);
      proxy.refuse(false);
      expect(await asked).toBe('at last');
      await expect(closing(sshTo(server, { port: () => 1 })).connection.connect()).rejects.toMatchObject({ kind: 'lost' });
    });

    test('transfers go on where they were cut, in both directions, and arrive whole', async () => {
      await withProxy();
      const machine = through();
      const folder = mkdtempSync(join(place, 'cut-'));
      for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, name), randomBytes(150_000));
      let cuts = 0;
      const cut = (direction: 'up' | 'down') => () => {
        if (cuts >= 4) return;
        cuts++;
        proxy.cutAfter(60_000 * cuts, direction);
      };
      machine.connection.subscribe(({ state }) => state === 'connected' && cut('up')());
      const { files, bytes, sent } = await machine.upload(folder, '~/cut');
      expect(cuts).toBeGreaterThan(2);
      expect([files, bytes]).toEqual([4, 600_000]);
      expect(sent).toBeGreaterThanOrEqual(600_000);
      expect(readdirSync(join(server.home, 'cut')).filter((name) => !name.startsWith('.'))).toEqual(['a', 'b', 'c', 'd']);
      for (const name of ['a', 'b', 'c', 'd'])
        expect(readFileSync(join(server.home, 'cut', name)).equals(readFileSync(join(folder, name))), name).toBe(true);
      proxy.cutAfter(200_000, 'down');
      await machine.download('~/cut', join(folder, 'back'));
      for (const name of ['a', 'b', 'c', 'd'])
        expect(readFileSync(join(folder, 'back', name)).equals(readFileSync(join(folder, name)))).toBe(true);
    });

    test('a probe finds out, and gives a dead connection up', async () => {
      await withProxy();
      const machine = through({ timing: { ...short, keepalive: 60_000, answer: 60_000 } });
      await says(machine, 'in');
      expect(await machine.connection.probe(10_000)).toBe(true);
      proxy.stall();
      expect(await machine.connection.probe(500)).toBe(false);
      expect(machine.connection.state.state).not.toBe('connected');
      proxy.resume();
      expect(await says(machine, 'again')).toBe('again');
    });
  });

  describe('what a machine may say', () => {
    test('start files of the login shell that talk do no harm', async () => {
      writeFileSync(join(server.home, '.bashrc'), 'echo noise; echo more noise >&2\n');
      try {
        expect(await closing(sshTo(server)).exec(['/bin/sh', '-c', 'echo out; echo err >&2'])).toEqual({
          code: 0,
          stdout: 'out\n',
          stderr: 'err\n',
        });
      } finally {
        rmSync(join(server.home, '.bashrc'));
      }
    });

    test('a machine that allows few channels gets its work one after the other', async () => {
      const few = await OpensshServer.start({ config: ['MaxSessions 2'] });
      try {
        const machine = closing(sshTo(few));
        await machine.writeFile('~/x', 'opens the session for files');
        const all = await Promise.all(Array.from({ length: 12 }, (_, i) => says(machine, String(i))));
        expect(all).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
        await machine.close();
      } finally {
        await few.stop();
      }
    });

    test('a forced command that prints without end is ended', async () => {
      const forced = await OpensshServer.start({ config: ['ForceCommand yes'] });
      try {
        const machine = closing(sshTo(forced));
        await expect(says(machine, 'in')).rejects.toMatchObject({ kind: 'output' });
        await machine.close();
      } finally {
        await forced.stop();
      }
    });

    test('no secret stands in a list of processes, in the log of the server, or in what a child inherits', async () => {
      const secret = `geheim-${process.pid}`;
      const machine = closing(sshTo(server, { passphrase: async () => secret }));
      const seen: string[] = [];
      const { stdout } = await machine.exec(['/bin/sh', '-c', 'echo "$HF_TOKEN"; cat; sleep 0.3'], {
        env: { HF_TOKEN: secret },
        input: secret,
        onOutput: () => void seen.push(execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })),
      });
      expect(stdout).toContain(secret);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.join('')).not.toContain(secret);
      await machine.startDetached(['sleep', '0.1'], { env: { HF_TOKEN: secret }, log: '~/log' });
      expect(server.log).not.toContain(secret);
      expect(readFileSync(join(server.home, 'log'), 'utf8')).not.toContain(secret);
    });
  });

  describe('a hostile server', () => {
    const hostKey = (): { key: Buffer; fingerprint: string } => {
      const path = join(place, 'hostile');
      if (!existsSync(path)) makeKey(path);
      return {
        key: readFileSync(path),
        fingerprint: fingerprintOf(path),
      };
    };
    const against = async (harm: Harm): Promise<Machine> => {
      const { key, fingerprint } = hostKey();
      const hostile = await HostileServer.start(harm, key, fingerprint);
      const machine = sshTo(server, {
        port: () => hostile.port,
        hostKeys: { keys: hostKeysOf(server), accept: fingerprint },
        timing: { answer: 3000 },
      });
      closing({
        async close() {
          await machine.close();
          await hostile.close();
        },
      });
      return machine;
    };
    const hashes = (text: string) => (channel: ServerChannel, mark: string) => {
      channel.write(`${mark} 999999\n${text}`);
      channel.exit(0);
      channel.end();
    };

    test.each(['../evil', 'a/b', '..', '', 'a\0b', 'new\nline', 'x'.repeat(300)].filter((name) => name !== '..'))(
      'that names a file %j has nothing of it fetched',
      async (name) => {
        const machine = await against({ names: ['good.txt', name], exec: hashes(`${'0'.repeat(64)}\n`.repeat(2)) });
        const to = mkdtempSync(join(place, 'hostile-'));
        await expect(machine.list('/folder')).rejects.toMatchObject({ kind: 'unsafe' });
        await expect(machine.download('/folder', join(to, 'in'))).rejects.toMatchObject({ kind: 'unsafe' });
        expect(readdirSync(to)).toEqual([]);
      },
    );

    test('with a folder without end, or folders in folders without end, is left', async () => {
      let count = 0;
      const endless = await against({ names: () => String(count++) });
      await expect(endless.list('/folder')).rejects.toMatchObject({ kind: 'output' });
      const deep = await against({ names: ['down'] });
      await expect(deep.download('/folder', join(place, 'deep'))).rejects.toMatchObject({ kind: 'unsafe' });
      expect(existsSync(join(place, 'deep'))).toBe(false);
    });

    test('that prints without end, with or without our own first line, is cut off', async () => {
      const flood = (first: boolean) => (channel: ServerChannel, mark: string) => {
        if (first) channel.write(`${mark} 999999\n`);
        const more = (): void => {
          if (channel.destroyed || channel.writableEnded) return;
          if (channel.write('x'.repeat(32_768))) setImmediate(more);
          else channel.once('drain', more);
        };
        more();
      };
      for (const first of [true, false])
        await expect((await against({ exec: flood(first) })).exec(['true'], { maxOutput: 1_000_000 })).rejects.toMatchObject({
          kind: 'output',
        });
    });

    test('that answers with other content than it names has none of it kept', async () => {
      const machine = await against({ names: ['a.bin'], content: Buffer.from('evil'), exec: hashes(`${'0'.repeat(64)}\n`) });
      const to = join(place, 'wrong');
      await expect(machine.download('/folder', to)).rejects.toThrow(/SHA-256/);
      expect(readdirSync(to)).toEqual([]);
      const few = await against({ names: ['a.bin', 'b.bin'], exec: hashes('nonsense\n') });
      await expect(few.download('/folder', to)).rejects.toMatchObject({ kind: 'failed' });
    });

    test('that claims a size and gives less is not waited for', async () => {
      const machine = await against({
        names: ['a.bin'],
        content: Buffer.from('short'),
        size: 1_000_000,
        exec: hashes(`${'0'.repeat(64)}\n`),
      });
      await expect(machine.download('/folder', join(place, 'shorter'))).rejects.toThrow(/shorter/);
      expect(Buffer.from((await machine.readFrom('/a.bin', 0, 1000))?.bytes ?? []).toString()).toBe('short');
    });

    test('that never answers about files is given up', async () => {
      const machine = await against({ silent: true, exec: hashes('') });
      await expect(machine.stat('/folder')).rejects.toMatchObject({ kind: 'timeout' });
      await expect(machine.readFrom('/x', 0, 1)).rejects.toMatchObject({ kind: expect.stringMatching(/timeout|lost/) });
    });

    test('whose home folder is no path is refused', async () => {
      for (const home of ['relative', '/a\n/b', ''])
        await expect((await against({ exec: hashes(home) })).home()).rejects.toThrow(/no home folder/);
    });
  });
});
