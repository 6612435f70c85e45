/** Archives of runs: what was packed comes back, and nothing else gets in. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { openRunFolder } from '../../main/runner/run-folder.ts';
import { adoptRun } from '../../main/workbench/adopt-run.ts';
import { exportRun } from '../../main/workbench/export-run.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { listRuns } from '../../main/workbench/runs.ts';
import { readTar, tarHeader, writeTar } from '../../main/workbench/tar.ts';
import { ArchiveManifest, RunAdopted, RunExported } from '../../shared/run-archive.ts';
import { testRecord } from '../fixtures/run-record.ts';

const place = mkdtempSync(join(tmpdir(), 'mlt-tar-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
const archiveOf = (files: readonly { name: string; bytes: Uint8Array }[]) =>
  whole(writeTar(files.map(({ name, bytes }) => ({ name, size: bytes.length, content: [bytes] }))));

describe('tar', () => {
  it('gives back what was written, however the bytes come (bug: a header that spans two pieces, a padding that is a whole block)', async () => {
    const path = fc.array(fc.stringMatching(/^[a-zé0-9_-]{1,30}$/), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    const file = fc.record({ name: path, bytes: fc.uint8Array({ maxLength: 1500 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 4 }), fc.integer({ min: 1, max: 1000 }), async (files, length) => {
        const archive = await archiveOf(files);
        const cut = Array.from({ length: Math.ceil(archive.length / length) }, (_, i) => archive.subarray(i * length, (i + 1) * length));
        const read: { name: string; bytes: Uint8Array }[] = [];
        for await (const { name, content } of readTar(Readable.from(cut))) read.push({ name, bytes: new Uint8Array(await whole(content)) });
        expect(read).toEqual(files);
      }),
      { seed: 3, numRuns: 60 },
    );
  });
  it('states sizes beyond eight GiB as others read them (bug: a large checkpoint makes the whole archive unreadable)', () => {
    const header = Buffer.from(tarHeader({ name: 'big', size: 2 ** 34 + 5 }));
    expect(header[124]).toBe(0x80);
    expect(header.readBigUInt64BE(128)).toBe(2n ** 34n + 5n);
    expect(() => tarHeader({ name: 'x'.repeat(101), size: 0 })).toThrow(/too long for an archive/);
  });
});

describe('a run that travels', () => {
  let folder = '';
  let archive = '';
  beforeAll(async () => {
    folder = await createRunFolder(place, testRecord({ id: 'traveller' }));
    const run = await openRunFolder(folder);
    for (const step of [2, 4]) {
      run.event({ type: 'step', step, epoch: 0, metrics: { reward: step } });
      await run.checkpoint(step, async (to) => writeFileSync(join(to, 'model.bin'), Buffer.alloc(100_000, step)));
    }
    run.close();
    archive = join(place, 'run.tar.gz');
  });

  it('comes back whole on another machine, resumable from its newest checkpoint, and says that it was adopted', async () => {
    const exported = RunExported.parse(await exportRun(folder, { out: archive }));
    expect(exported.checkpoints).toEqual(['step-000004']);
    // Bug: an archive that only this program opens.
    const listed = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).trim().split('\n');
    expect(listed[0]).toBe('traveller/archive.json');
    expect(listed).not.toContain('traveller/pid');
    const other = join(place, 'other');
    const adopted = RunAdopted.parse(await adoptRun(archive, { runsDir: other }));
    expect(adopted).toMatchObject({ run: 'traveller', finished: false, checkpoint: 4, bytes: exported.content_bytes });
    for (const name of ['run.json', 'events.jsonl', 'checkpoints/step-000004/model.bin']) {
      expect(readFileSync(join(adopted.folder, name)).equals(readFileSync(join(folder, name))), name).toBe(true);
    }
    // Bug: it seems to be lost or alive on the machine that it came to.
    expect(await observeRun(adopted.folder)).toMatchObject({
      state: 'exited',
      exit: { code: null, reason: expect.stringContaining('adopted') },
    });
    expect((await listRuns(other)).runs.map((run) => run.id)).toEqual(['traveller']);
    const again = await openRunFolder(adopted.folder);
    expect((await again.latestCheckpoint()).latest?.step).toBe(4);
    again.close();
    await expect(adoptRun(archive, { runsDir: other })).rejects.toThrow(/run traveller is in .* already/);
    await expect(exportRun(folder, { out: archive })).rejects.toThrow(/there is a file already/);
  });

  it.each([
    ['all', ['step-000002', 'step-000004']],
    ['none', []],
  ] as const)('takes the checkpoints asked for: %s', async (checkpoints, expected) => {
    const out = join(place, `${checkpoints}.tar.gz`);
    expect((await exportRun(folder, { out, checkpoints })).checkpoints).toEqual(expected);
    const runsDir = join(place, checkpoints);
    expect((await adoptRun(out, { runsDir })).checkpoint).toBe(checkpoints === 'all' ? 4 : null);
    expect(readdirSync(join(runsDir, 'traveller', 'checkpoints'))).toEqual(expected);
  });

  describe('is refused, leaving nothing behind, when the archive', () => {
    const record = () => readFileSync(join(folder, 'run.json'));
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const stated = (name: string, bytes: Uint8Array) => ({ name, bytes: bytes.length, sha256: sha256(bytes) });
    const manifest = (files: ReturnType<typeof stated>[], more: object = {}): Buffer => {
      const whole = { format: 'medlogictrace-run', version: 1, run: 'traveller', exported: 't', checkpoints: 'none', files, ...more };
      return Buffer.from(JSON.stringify(whole));
    };
    const refused = async (tar: Uint8Array): Promise<string> => {
      const [file, runsDir] = [join(place, 'bad.tar.gz'), join(place, 'refusing')];
      writeFileSync(file, gzipSync(tar));
      const error = await adoptRun(file, { runsDir }).then(
        () => new Error('it was taken'),
        (thrown: Error) => thrown,
      );
      expect(error.name).toBe('InputError');
      expect(readdirSync(runsDir)).toEqual([]);
      return error.message;
    };
    const with_ = (files: { name: string; bytes: Uint8Array }[], listed = files.map(({ name, bytes }) => stated(name, bytes))) =>
      archiveOf([
        { name: 'traveller/archive.json', bytes: manifest([stated('run.json', record()), ...listed]) },
        { name: 'traveller/run.json', bytes: record() },
        ...files.map(({ name, bytes }) => ({ name: `traveller/${name}`, bytes })),
      ]);
    const evil = Buffer.from('evil');

    it.each(['../../evil', '/etc/evil', 'a/../../evil', 'a\\..\\evil', 'C:evil', './evil', 'a//evil'])(
      'names a file outside: %s',
      async (name) => {
        expect(await refused(await with_([{ name, bytes: evil }]))).toMatch(/does not name a file inside the run/);
        expect(existsSync(join(place, 'evil'))).toBe(false);
      },
    );
    it('has an entry that its list does not name (bug: `../` in an entry that nobody checks)', async () => {
      const tar = await with_([{ name: '../evil', bytes: evil }], []);
      expect(await refused(tar)).toMatch(/not named in archive\.json/);
    });
    it.each([['1'], ['2'], ['3'], ['5'], ['x']])(
      'has an entry of type %s: a link, a device, a folder, an extended header',
      async (type) => {
        const tar = await with_([{ name: 'link', bytes: evil }]);
        const at = tar.indexOf('traveller/link');
        const header = tar.subarray(at, at + 512);
        header.write(type, 156);
        header.write('        ', 148);
        header.write(
          `${header
            .reduce((sum, byte) => sum + byte, 0)
            .toString(8)
            .padStart(6, '0')}\0 `,
          148,
        );
        expect(await refused(tar)).toMatch(/is no plain file/);
      },
    );
    it('has more or other bytes than it states', async () => {
      expect(await refused(await with_([{ name: 'a', bytes: evil }], [stated('a', Buffer.from('evi'))]))).toMatch(
        /has 4 bytes, archive\.json says 3/,
      );
      expect(await refused(await with_([{ name: 'a', bytes: evil }], [stated('a', Buffer.from('good'))]))).toMatch(/SHA-256 differs/);
      expect(await refused(await with_([], [stated('a', evil)]))).toMatch(/lacks "traveller\/a"/);
    });
    it('states more than the disk holds (bug: a few bytes that unpack until nothing is free)', async () => {
      const listed = [{ name: 'bomb', bytes: 2 ** 50, sha256: '0'.repeat(64) }];
      expect(await refused(await with_([], listed))).toMatch(/needs \d+ bytes and .* free/);
    });
    it('is damaged, cut off, or something else', async () => {
      const tar = gunzipSync(readFileSync(archive));
      expect(await refused(tar.subarray(0, tar.length - 60_000))).toMatch(/ends in the middle/);
      const flipped = Buffer.from(tar);
      flipped[tar.indexOf('traveller/run.json')] = 0x58;
      expect(await refused(flipped)).toMatch(/does not fit its checksum/);
      expect(await refused(Buffer.from('not a tar archive'.repeat(100)))).toMatch(/no tar archive/);
      const file = join(place, 'text');
      appendFileSync(file, 'plain text');
      await expect(adoptRun(file, { runsDir: join(place, 'refusing') })).rejects.toThrow(/no gzip file/);
      await expect(adoptRun(join(place, 'missing'), { runsDir: join(place, 'refusing') })).rejects.toThrow(/no such file/);
    });
    it('comes from a later version, or does not say what it is', async () => {
      const later = await archiveOf([{ name: 'traveller/archive.json', bytes: manifest([], { version: 2 }) }]);
      expect(await refused(later)).toMatch(/version/);
      expect(await refused(await archiveOf([{ name: 'traveller/run.json', bytes: record() }]))).toMatch(
        /does not start with archive\.json/,
      );
      expect(ArchiveManifest.safeParse(JSON.parse(manifest([], { run: '../x' }).toString())).success).toBe(false);
    });
  });

  it('leaves nothing of an export that fails', async () => {
    const aside = join(place, 'nowhere');
    await expect(exportRun(folder, { out: join(aside, 'a.tar.gz') })).rejects.toThrow(/no folder/);
    await expect(exportRun(folder, { out: join(folder, 'a.tar.gz') })).rejects.toThrow(/lies in the run itself/);
    mkdirSync(aside);
    await expect(exportRun(folder, { out: join(aside, 'a.tar.gz'), signal: AbortSignal.abort() })).rejects.toThrow();
    expect(readdirSync(aside)).toEqual([]);
  });
});
