/** What `~/.ssh/config` says, compared with what OpenSSH itself makes of it where there is one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRoute } from '../../main/machine/ssh/route.ts';
import { parseDestination, resolveSshHost } from '../../main/machine/ssh/ssh-config.ts';

const source = (text: string | null, files: Record<string, string> = {}) => ({
  text,
  include: (pattern: string) => (files[pattern] === undefined ? [] : [files[pattern]]),
  home: '/home/me',
  user: 'me',
});

const CONFIG = `
# my machines
User   common
Host gpu* !gpu-old
  HostName %h.example.org
  Port=2222
  IdentityFile ~/.ssh/id_gpu
  IdentityFile "/keys/with blank/%r"
Host gpu1
  User someone
  ProxyJump bastion,second:2200   # two
  IdentitiesOnly yes
host bastion
  hostname 10.0.0.1
  Port 22022
  ProxyJump none
  IdentityAgent $MY_AGENT
Match originalhost matched user common
  Port 4444
Match exec "touch /tmp/never" originalhost matched
  Port 5555
Host *
  Port 99
`;

describe("the user's ssh config", () => {
  test('takes the first value that fits, adds up key files, and fills in names', () => {
    expect(resolveSshHost('gpu1', source(CONFIG))).toEqual({
      host: 'gpu1.example.org',
      port: 2222,
      user: 'common',
      identityFiles: ['/home/me/.ssh/id_gpu', '/keys/with blank/common'],
      identityAgent: null,
      identitiesOnly: true,
      proxyJump: ['bastion', 'second:2200'],
    });
    expect(resolveSshHost('gpu-old', source(CONFIG))).toMatchObject({ host: 'gpu-old', port: 99, identityFiles: [] });
    expect(resolveSshHost('bastion', source(CONFIG))).toMatchObject({
      host: '10.0.0.1',
      port: 22022,
      proxyJump: [],
      identityAgent: 'MY_AGENT',
    });
    expect(resolveSshHost('else', source(null))).toEqual({
      host: 'else',
      port: 22,
      user: 'me',
      identityFiles: [],
      identityAgent: null,
      identitiesOnly: false,
      proxyJump: [],
    });
  });

  test('Match counts where it can be seen without running anything', () => {
    expect(resolveSshHost('matched', source(CONFIG)).port).toBe(4444);
  });

  test('what is included belongs to the block it stands in', () => {
    const files = { 'conf.d/*': 'Port 7\nHost b\n  User inner\n', loop: 'Include loop' };
    expect(resolveSshHost('a', source('Host a\n  Include conf.d/*\nHost *\n  Port 8\n', files)).port).toBe(7);
    expect(resolveSshHost('b', source('Host a\n  Include conf.d/*\nHost *\n  Port 8\n', files))).toMatchObject({ port: 8, user: 'me' });
    expect(resolveSshHost('b', source('Include conf.d/*\n', files))).toMatchObject({ port: 7, user: 'inner' });
    expect(() => resolveSshHost('a', source('Include loop', files))).toThrow(/without end/);
  });

  test('a ProxyCommand is not run, and a wrong port is named', () => {
    expect(() => resolveSshHost('a', source('ProxyCommand nc %h %p'))).toThrow(/ProxyJump instead/);
    expect(() => resolveSshHost('a', source('Port 70000'))).toThrow(/70000/);
  });

  test.skipIf(!existsSync('/usr/bin/ssh'))('agrees with OpenSSH', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlt-config-'));
    try {
      // It would run the command of the Match block.
      const config = CONFIG.replace(/Match exec.*\n.*\n/, '').replaceAll('$MY_AGENT', '/agent');
      const path = join(folder, 'config');
      writeFileSync(path, config, { mode: 0o600 });
      for (const alias of ['gpu1', 'gpu2', 'gpu-old', 'bastion', 'matched', 'else']) {
        const said = execFileSync('ssh', ['-G', '-F', path, alias], { encoding: 'utf8', stdio: 'pipe' }).split('\n');
        const of = (key: string): string | undefined => said.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1);
        const ours = resolveSshHost(alias, source(config));
        expect([ours.host, String(ours.port), ours.user, ours.proxyJump.join(',') || undefined], alias).toEqual([
          of('hostname'),
          of('port'),
          of('user'),
          of('proxyjump'),
        ]);
        expect(ours.identitiesOnly ? 'yes' : 'no').toBe(of('identitiesonly'));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('destinations', () => {
  test.each([
    ['host', { user: null, host: 'host', port: null }],
    ['me@host.org:2200', { user: 'me', host: 'host.org', port: 2200 }],
    ['[fe80::1%eth0]:22', { user: null, host: 'fe80::1%eth0', port: 22 }],
  ])('%s', (text, parts) => expect(parseDestination(text)).toEqual(parts));
  test.each(['', 'a b', 'host:', 'host:0', 'host:99999', '-oProxyCommand=id', 'me@-x', 'a@b@c'])('%j is none', (text) => {
    expect(() => parseDestination(text)).toThrow(/no destination/);
  });
});

describe('the way to a machine', () => {
  const folder = (config: string): string => {
    const path = mkdtempSync(join(tmpdir(), 'mlt-route-'));
    writeFileSync(join(path, 'config'), config);
    return path;
  };
  const ask = { id: 'm', user: null, port: null, key: null, jump: null };

  test('goes through hosts, the first by its own config', () => {
    const sshFolder = folder(
      'Host a\n ProxyJump b,c\nHost b\n ProxyJump d\n Port 2\nHost c\n ProxyJump ignored\nHost *\n IdentityAgent none',
    );
    const way = findRoute({ ...ask, host: 'a' }, { sshFolder, environment: { SSH_AUTH_SOCK: '/agent' } });
    expect(way.map(({ id, host, port, agent }) => [id, host, port, agent])).toEqual([
      ['jump:d:22', 'd', 22, null],
      ['jump:b:2', 'b', 2, null],
      ['jump:c:22', 'c', 22, null],
      ['m', 'a', 22, null],
    ]);
    rmSync(sshFolder, { recursive: true });
  });

  test('that leads back to itself is told (bug: it never ends)', () => {
    const sshFolder = folder('Host a\n ProxyJump b\nHost b\n ProxyJump a');
    expect(() => findRoute({ ...ask, host: 'a' }, { sshFolder })).toThrow(/without end/);
    rmSync(sshFolder, { recursive: true });
  });

  test('with a key of its own offers no other', () => {
    const sshFolder = folder('');
    const key = join(sshFolder, 'config');
    expect(findRoute({ ...ask, host: 'a', key }, { sshFolder })).toMatchObject([{ keyFiles: [key], identitiesOnly: true }]);
    expect(() => findRoute({ ...ask, host: 'a', key: '/nowhere/key' }, { sshFolder })).toThrow(/no key file/);
    rmSync(sshFolder, { recursive: true });
  });
});
