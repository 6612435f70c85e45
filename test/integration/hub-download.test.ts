/** `models download` as a program, and a disk that fills while it fetches. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadModel } from '../../main/policy/hub/hub-download.ts';
import { DownloadEvent } from '../../shared/hub-model.ts';
import { InputError } from '../../shared/input-error.ts';
import { CheckedModelList } from '../../shared/model-list.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { type HubServer, sha256, startHubServer } from '../fixtures/hub-server.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

const TOKEN = 'hf_thisIsNoRealToken';
const NAME = 'org/small-model';
const folder = mkdtempSync(join(tmpdir(), 'mlt-hub-'));
const mounted: string[] = [];
let hub: HubServer;
let files: Record<string, Buffer>;

beforeAll(async () => {
  await writeSmallModel(join(folder, 'source'));
  files = Object.fromEntries(readdirSync(join(folder, 'source')).map((name) => [name, readFileSync(join(folder, 'source', name))]));
  hub = await startHubServer({ name: NAME, files, large: ['model.safetensors'], token: TOKEN });
});
afterAll(async () => {
  await hub.close();
  for (const place of mounted) execFileSync('umount', ['-l', place]);
  rmSync(folder, { recursive: true, force: true });
});

describe('models download', () => {
  const env = () => ({
    HF_HOME: join(folder, 'home'),
    HF_HUB_CACHE: '',
    HF_ENDPOINT: hub.endpoint,
    MEDLOGICTRACE_HOME: join(folder, 'own'),
  });

  // Catches: a model that is fetched and then not found by its name, and a token that is printed.
  it('fetches a model, which is then listed and used by its name', async () => {
    const refused = await medlogictrace(['models', 'download', NAME], { env: env() });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/asks for an account \(401\).*set HF_TOKEN/);

    const done = await medlogictrace(['models', 'download', NAME, '--json'], { env: { ...env(), HF_TOKEN: TOKEN } });
    expect(done.code, done.stderr).toBe(0);
    expect(DownloadEvent.parse(JSON.parse(done.stdout))).toMatchObject({ type: 'done', name: NAME, commit: hub.commit });
    expect(done.stdout + done.stderr).not.toContain(TOKEN);

    const inspected = await medlogictrace(['models', 'inspect', NAME, '--json'], { env: env() });
    expect(JSON.parse(inspected.stdout)).toMatchObject({ model: NAME, architecture: 'Qwen2ForCausalLM' });
    const runs = join(folder, 'runs');
    const listed = await medlogictrace(['models', 'list', '--runs', runs, '--json'], { env: env() });
    const { models } = CheckedModelList.parse(JSON.parse(listed.stdout));
    expect(models.find(({ origin }) => origin === 'hub')).toMatchObject({ id: `hub/${NAME}`, problem: null });
    const offline = await medlogictrace(['models', 'download', NAME], { env: { ...env(), HF_HUB_OFFLINE: '1' } });
    expect(offline.code).toBe(2);
    expect(offline.stderr).toMatch(/in the cache already/);
  });

  it('names what is no name of a model', async () => {
    const { code, stderr } = await medlogictrace(['models', 'download', 'https://huggingface.co/org/model'], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/is not the name of a model on the Hugging Face Hub; write organisation\/name/);
  });
});

/** A small disk of its own; null where this user may not mount one. */
function smallDisk(size: string): string | null {
  const place = join(folder, 'disk');
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', place], { stdio: 'pipe' });
    mounted.push(place);
    return place;
  } catch {
    return null;
  }
}
const disk = smallDisk('70m');
if (disk === null) console.log('skipped: a disk that fills while a model is fetched: this user may not mount here');

describe.skipIf(disk === null)('a disk that fills while a model is fetched', () => {
  // Catches: a crash without a word, a torn file taken for a whole one, and a download that must begin again.
  it('is told, and the download goes on once there is room', async () => {
    const cache = join(disk ?? '', 'hub');
    const filler = join(disk ?? '', 'filler');
    const wanted = { name: NAME, revision: 'main' };
    const options = { token: TOKEN, endpoint: hub.endpoint, cache, offline: false };
    const large = `${sha256(files['model.safetensors'] as Buffer)}.incomplete`;
    // What was written before the disk was full.
    hub.fail('store:/model.safetensors', { kind: 'cut', after: 4096 });
    const fill = (): void => {
      for (const size of [1 << 20, 4096])
        for (;;) {
          try {
            writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
          } catch {
            break;
          }
        }
    };
    const failed: unknown = await downloadModel(wanted, {
      ...options,
      patience: 0,
      onEvent: (event) => event.type === 'waiting' && fill(),
    }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InputError);
    expect(String(failed)).toMatch(/is full; make room there, or set HF_HOME .* it goes on where it stopped/);
    const blobs = join(cache, 'models--org--small-model', 'blobs');
    expect(readdirSync(blobs)).toContain(large);
    rmSync(filler);
    const { folder: at } = await downloadModel(wanted, options);
    expect(readFileSync(join(at, 'model.safetensors'))).toEqual(files['model.safetensors']);
    expect(hub.seen.at(-1)?.range).toMatch(/^bytes=\d{4,}-$/);
  });
});
