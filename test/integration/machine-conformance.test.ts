/** What a machine must do, asked of this computer and of a real OpenSSH server on loopback alike. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LocalMachine } from '../../main/machine/local-machine.ts';
import type { Machine } from '../../main/machine/machine.ts';
import { hasSshd, OpensshServer } from '../fixtures/openssh-server.ts';
import { sshTo } from '../fixtures/ssh-machine.ts';

interface Place {
  machine: Machine;
  /** Of the user there. */
  home: string;
  end(): Promise<void>;
}

const kinds: { name: string; skip: boolean; open: () => Promise<Place> }[] = [
  {
    name: 'local',
    skip: process.platform === 'win32',
    async open() {
      const machine = new LocalMachine();
      return { machine, home: await machine.home(), end: () => machine.close() };
    },
  },
  {
    name: 'ssh',
    skip: !hasSshd && process.env.CI !== 'true',
    async open() {
      const server = await OpensshServer.start();
      const machine = sshTo(server);
      return {
        machine,
        home: server.home,
        async end() {
          await machine.close();
          await server.stop();
        },
      };
    },
  },
];

/** Waits until a look succeeds; what is waited for is an event of another process that tells nobody. */
async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    await new Promise((done) => setTimeout(done, 20));
  }
}

const running = (text: string): boolean =>
  execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .some((line) => line.includes(text) && !line.startsWith('Z'));

describe.each(kinds)('a machine: $name', ({ skip, open }) => {
  let place: Place;
  let machine: Machine;
  /** On the machine. */
  let there: string;
  /** On this computer. */
  let here: string;
  beforeAll(async () => {
    if (skip) return;
    place = await open();
    machine = place.machine;
    there = mkdtempSync(join(tmpdir(), 'mlt-there-'));
    here = mkdtempSync(join(tmpdir(), 'mlt-here-'));
  });
  afterAll(async () => {
    await place?.end();
    for (const folder of [there, here]) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  const it = test.skipIf(skip);

  it('passes arguments, input and environment as they are (bug: a blank or a quote taken apart by a shell)', async () => {
    const words = ['', ' ', "it's", '"$HOME" `id` \\n', 'a\nb\n', '*', '~', '-n', 'ä→🙂', "'; exit 9 #"];
    const shown = await machine.exec(['/bin/sh', '-c', 'for w; do printf "%s\\0" "$w"; done; printf %s "$SOME"; cat', 'sh', ...words], {
      input: 'line one\nno end',
      env: { SOME: 'v\'al "ue" $X' },
      cwd: there,
    });
    expect(shown).toEqual({ code: 0, stdout: `${words.join('\0')}\0v'al "ue" $Xline one\nno end`, stderr: '' });
    expect((await machine.exec(['pwd'], { cwd: there })).stdout.trim()).toBe(there);
  });

  it('gives both streams apart, exit codes, signals as 128 + n, and 127 for no such program', async () => {
    expect(await machine.exec(['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
    expect((await machine.exec(['/bin/sh', '-c', 'kill -TERM $$'])).code).toBe(143);
    expect(await machine.exec(['no-such-program-here'])).toMatchObject({ code: 127, stderr: expect.stringContaining('not found') });
  });

  it('hands output on as it comes, whole characters only (bug: a torn character becomes two wrong ones)', async () => {
    const pieces: string[] = [];
    const { stdout } = await machine.exec(['/bin/sh', '-c', "printf '\\303'; sleep 0.1; printf '\\244x'; echo e >&2"], {
      onOutput: ({ stream, text }) => void pieces.push(`${stream}:${text}`),
    });
    expect(stdout).toBe('äx');
    expect(pieces.filter((piece) => piece.startsWith('stdout'))).toEqual(['stdout:äx']);
    expect(pieces).toContain('stderr:e\n');
  });

  it('ends a command whose output has no end (bug: it fills our memory)', async () => {
    const mark = `endless-${machine.name}-${process.pid}`;
    await expect(machine.exec(['/bin/sh', '-c', 'yes "$0"', mark], { maxOutput: 100_000 })).rejects.toMatchObject({ kind: 'output' });
    await until(async () => (running(mark) ? null : true));
  });

  it('ends a command at its time, or when the caller has had enough, with all that it started', async () => {
    const [late, stopped] = ['late', 'stopped'].map((word) => `${word}-${machine.name}-${process.pid}`);
    const sleeper = 'sleep 600 & wait # $0';
    await expect(machine.exec(['/bin/sh', '-c', sleeper, late ?? ''], { timeoutMs: 300 })).rejects.toMatchObject({ kind: 'timeout' });
    const stop = new AbortController();
    const asked = machine.exec(['/bin/sh', '-c', `echo on; ${sleeper}`, stopped ?? ''], {
      signal: stop.signal,
      onOutput: () => stop.abort(new Error('enough')),
    });
    await expect(asked).rejects.toThrow('enough');
    await until(async () => (running(late ?? '') || running(stopped ?? '') ? null : true));
  });

  it('does many things at once', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => machine.exec(['/bin/sh', '-c', `echo ${i}`])));
    expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 30 }, (_, i) => `${i}\n`));
  });

  it('starts what goes on by itself, its output in a file', async () => {
    const log = `${there}/deep/er/log.txt`;
    const { pid } = await machine.startDetached(['/bin/sh', '-c', 'echo "$SOME"; pwd; echo err >&2; echo $$'], {
      cwd: there,
      env: { SOME: 'thing' },
      log,
    });
    const text = await until(async () => {
      const read = await machine.readFrom(log, 0, 1000);
      const said = read === null ? '' : Buffer.from(read.bytes).toString();
      return said.split('\n').length === 5 ? said : null;
    });
    expect(text).toBe(`thing\n${there}\nerr\n${pid}\n`);
    await expect(machine.startDetached(['no-such-program-here'], { log })).rejects.toThrow(/no-such-program-here/);
  });

  it('reads from any place of a growing file', async () => {
    const path = `${there}/grows`;
    expect(await machine.readFrom(path, 0, 10)).toBeNull();
    const content = randomBytes(300_000);
    await machine.writeFile(path, content);
    const read = async (offset: number, most: number) => {
      const found = await machine.readFrom(path, offset, most);
      return found && [Buffer.from(found.bytes).toString('base64'), found.size];
    };
    const part = (from: number, to?: number): string => content.subarray(from, to).toString('base64');
    expect(await read(0, 1_000_000)).toEqual([part(0), 300_000]);
    expect(await read(70_001, 100_000)).toEqual([part(70_001, 170_001), 300_000]);
    expect(await read(299_999, 10)).toEqual([part(299_999), 300_000]);
    expect(await read(300_000, 10)).toEqual(['', 300_000]);
    await machine.append(path, 'more\n');
    await machine.append(path, 'ä\n');
    expect(await read(300_000, 100)).toEqual([Buffer.from('more\nä\n').toString('base64'), 300_008]);
  });

  it('writes a file whole, with its mode, over another, and leaves nothing beside it', async () => {
    const folder = `${there}/written/here`;
    await machine.writeFile(`${folder}/a`, 'one');
    await machine.writeFile(`${folder}/a`, 'two', { mode: 0o755 });
    await machine.writeFile(`${folder}/b`, '');
    expect(readFileSync(`${folder}/a`, 'utf8')).toBe('two');
    expect(statSync(`${folder}/a`).mode & 0o777).toBe(0o755);
    expect(statSync(`${folder}/b`).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  it('lists and looks without following links, renames, makes and removes', async () => {
    const folder = `${there}/listed`;
    await machine.makeFolder(`${folder}/sub/sub`);
    await machine.writeFile(`${folder}/file`, '12345');
    symlinkSync('/etc', `${folder}/link`);
    expect((await machine.list(folder))?.map(({ name, type }) => [name, type])).toEqual([
      ['file', 'file'],
      ['link', 'link'],
      ['sub', 'folder'],
    ]);
    expect(await machine.list(`${folder}/nowhere`)).toBeNull();
    expect(await machine.stat(`${folder}/file`)).toMatchObject({ type: 'file', size: 5 });
    expect(await machine.stat(`${folder}/link`)).toMatchObject({ type: 'link' });
    expect(await machine.stat(`${folder}/nowhere`)).toBeNull();
    expect(Math.abs(((await machine.stat(`${folder}/file`))?.mtimeMs ?? 0) - Date.now())).toBeLessThan(600_000);
    await machine.writeFile(`${folder}/other`, 'other');
    await machine.rename(`${folder}/other`, `${folder}/file`);
    expect(readFileSync(`${folder}/file`, 'utf8')).toBe('other');
    await machine.remove(folder);
    await machine.remove(folder);
    expect(existsSync(folder)).toBe(false);
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  it('removes neither the home folder nor what holds it, and takes no path that depends on where one stands', async () => {
    expect(await machine.home()).toBe(place.home);
    for (const path of ['~', '~/.', '/', '/tmp', `${place.home}/..`, place.home])
      await expect(machine.remove(path), path).rejects.toThrow(/not removed/);
    await expect(machine.stat('relative/path')).rejects.toThrow(/begin it with/);
    await expect(machine.stat('/a\0b')).rejects.toThrow(/NUL/);
  });

  it('uploads a folder, and what is there already not again (bug: a second upload costs as much as the first)', async () => {
    const source = join(here, 'source');
    mkdirSync(join(source, 'sub'), { recursive: true });
    writeFileSync(join(source, 'big'), randomBytes(500_000));
    writeFileSync(join(source, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(source, 'sub', "od d'name"), 'x');
    const to = `${there}/target`;
    expect(await machine.upload(source, to)).toEqual({ files: 3, bytes: 500_011, sent: 500_011 });
    const progress: [number, number][] = [];
    expect(await machine.upload(source, to, { onProgress: (...at) => void progress.push(at) })).toMatchObject({ sent: 0 });
    expect(progress.at(-1)).toEqual([500_011, 500_011]);
    writeFileSync(join(source, 'sub', "od d'name"), 'y');
    writeFileSync(join(to, 'theirs'), 'stays');
    expect(await machine.upload(source, to)).toMatchObject({ files: 3, sent: 1 });
    expect(readFileSync(join(to, 'big')).equals(readFileSync(join(source, 'big')))).toBe(true);
    expect(readFileSync(join(to, 'sub', "od d'name"), 'utf8')).toBe('y');
    expect(statSync(join(to, 'sub', 'run.sh')).mode & 0o777).toBe(0o755);
    expect(readdirSync(to)).toEqual(['big', 'sub', 'theirs']);
    expect(await machine.upload(join(source, 'big'), `${there}/single`)).toMatchObject({ files: 1, bytes: 500_000 });
  });

  it('refuses to upload a link or nothing', async () => {
    const source = join(here, 'with-link');
    mkdirSync(source);
    symlinkSync('/etc/passwd', join(source, 'link'));
    await expect(machine.upload(source, `${there}/with-link`)).rejects.toThrow(/link/);
    await expect(machine.upload(join(here, 'nowhere'), `${there}/nowhere`)).rejects.toThrow(/no file or folder/);
  });

  it('downloads a folder, verified, going on where it was broken off', async () => {
    const from = `${there}/model`;
    const content = randomBytes(400_000);
    await machine.writeFile(`${from}/sub/weights`, content);
    await machine.writeFile(`${from}/empty`, '');
    const to = join(here, 'model');
    // A part of the right file, and a part of another.
    mkdirSync(join(to, 'sub'), { recursive: true });
    writeFileSync(join(to, 'sub', 'weights.part'), content.subarray(0, 123_456));
    const begun: number[] = [];
    await machine.download(from, to, { onProgress: (done) => void begun.push(done) });
    expect(readFileSync(join(to, 'sub', 'weights')).equals(content)).toBe(true);
    expect(readdirSync(to, { recursive: true }).sort()).toEqual(['empty', 'sub', 'sub/weights']);
    expect(begun.at(-1)).toBe(400_000);
    expect(begun.find((done) => done > 0)).toBeGreaterThanOrEqual(123_456);
    rmSync(join(to, 'sub', 'weights'));
    writeFileSync(join(to, 'sub', 'weights.part'), randomBytes(50_000));
    await machine.download(from, to);
    expect(readFileSync(join(to, 'sub', 'weights')).equals(content)).toBe(true);
  });

  it('refuses content that is not what was asked for, and keeps what was here', async () => {
    await machine.writeFile(`${there}/file`, 'content');
    const to = join(here, 'kept');
    writeFileSync(to, 'before');
    await expect(machine.download(`${there}/file`, to, { sha256: '0'.repeat(64) })).rejects.toThrow(/SHA-256/);
    expect(readFileSync(to, 'utf8')).toBe('before');
    expect(existsSync(`${to}.part`)).toBe(false);
    await expect(machine.download(`${there}/nowhere`, to)).rejects.toThrow(/no file or folder/);
  });

  it('follows no link out of a folder that it fetches', async () => {
    const from = `${there}/linked`;
    await machine.makeFolder(from);
    symlinkSync('/etc/passwd', join(from, 'config.json'));
    await expect(machine.download(from, join(here, 'linked'))).rejects.toMatchObject({ kind: 'unsafe' });
    expect(existsSync(join(here, 'linked', 'config.json'))).toBe(false);
  });

  it('says that it is connected, and answers a probe', async () => {
    await machine.connection.connect();
    expect(machine.connection.state).toMatchObject({ state: 'connected' });
    expect(await machine.connection.probe()).toBe(true);
  });
});
