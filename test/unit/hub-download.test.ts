/** Models fetched from a server that behaves like the Hugging Face Hub, and everything that may go wrong on the way. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedSnapshot } from '../../main/policy/hub/hub-cache.ts';
import { type DownloadOptions, downloadModel } from '../../main/policy/hub/hub-download.ts';
import { retryAfter } from '../../main/policy/hub/hub-request.ts';
import { locateModel } from '../../main/policy/model-location.ts';
import { inspectModel } from '../../main/runner/open-model.ts';
import { listModels } from '../../main/workbench/models.ts';
import { type DownloadEvent, hubCacheFolder, hubEndpoint, nameOfHubFolder, readHubName } from '../../shared/hub-model.ts';
import { InputError } from '../../shared/input-error.ts';
import { gitHash, type HubServer, sha256, startHubServer } from '../fixtures/hub-server.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

const TOKEN = 'hf_thisIsNoRealToken';
const NAME = 'org/small-model';
const wanted = { name: NAME, revision: 'main' };

let folder: string;
let cache: string;
let files: Record<string, Buffer>;
let hub: HubServer;
const started: HubServer[] = [];

async function serve(change: Partial<Parameters<typeof startHubServer>[0]> = {}): Promise<HubServer> {
  const server = await startHubServer({ name: NAME, files, large: ['model.safetensors', 'tokenizer.json'], ...change });
  started.push(server);
  return server;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-'));
  cache = join(folder, 'hub');
  await writeSmallModel(join(folder, 'source'));
  files = {
    'README.md': Buffer.from('# small'),
    'pytorch_model.bin': Buffer.from('not wanted'),
    'onnx/model.onnx': Buffer.from('nor this'),
  };
  for (const name of await readdir(join(folder, 'source'))) files[name] = await readFile(join(folder, 'source', name));
  hub = await serve();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true });
});

const events: DownloadEvent[] = [];
const download = (more: Partial<DownloadOptions> = {}, name = wanted) => {
  events.length = 0;
  const options = { token: null, endpoint: hub.endpoint, cache, offline: false, patience: 0.001, ...more };
  return downloadModel(name, { ...options, onEvent: (event) => void events.push(event) });
};
const weights = (): Buffer => files['model.safetensors'] as Buffer;
const blobs = (): Promise<string[]> => readdir(join(cache, 'models--org--small-model', 'blobs'));
const asked = (part: string) => hub.seen.filter(({ path }) => path.includes(part));

describe('a download', () => {
  // Catches: a cache that Hugging Face's own tools would not find, or files that are fetched for nothing.
  it("lies in the cache as Hugging Face's tools put it, and is found by its name", async () => {
    const done = await download();
    const storage = join(cache, 'models--org--small-model');
    expect(await readFile(join(storage, 'refs', 'main'), 'utf8')).toBe(hub.commit);
    expect(done.folder).toBe(join(storage, 'snapshots', hub.commit));
    const place = join(done.folder, 'model.safetensors');
    expect((await lstat(place)).isSymbolicLink()).toBe(true);
    expect(await readlink(place)).toBe(join('..', '..', 'blobs', sha256(weights())));
    expect(await readlink(join(done.folder, 'config.json'))).toContain(gitHash(files['config.json'] as Buffer));
    expect(await readdir(done.folder)).not.toContain('pytorch_model.bin');
    for (const name of await readdir(done.folder)) expect(await readFile(join(done.folder, name))).toEqual(files[name]);
    expect((await blobs()).filter((name) => name.includes('incomplete'))).toEqual([]);

    expect(cachedSnapshot(wanted, cache)).toBe(done.folder);
    expect(cachedSnapshot({ name: NAME, revision: hub.commit }, cache)).toBe(done.folder);
    expect(cachedSnapshot({ name: NAME, revision: 'v2' }, cache)).toBeNull();
    expect((await inspectModel(done.folder)).config.architecture).toBe('Qwen2ForCausalLM');
    const { models } = await listModels(join(folder, 'runs'), join(folder, 'none'), cache);
    expect(models.find(({ origin }) => origin === 'hub')).toMatchObject({ id: 'hub/org/small-model', location: done.folder });
  });

  it('tells how far it is, and fetches nothing twice', async () => {
    const { bytes } = await download();
    const told = events.filter((event) => event.type === 'progress');
    expect(told.at(-1)).toMatchObject({ bytes_done: bytes, bytes, bytes_kept: 0, files_done: told.at(-1)?.files });
    for (const [i, event] of told.entries()) if (i > 0) expect(event.bytes_done).toBeGreaterThanOrEqual(told[i - 1]?.bytes_done ?? 0);
    const before = asked('/resolve/').length;
    expect(await download()).toMatchObject({ fetched: 0, bytes });
    expect(asked('/resolve/')).toHaveLength(before);
  });

  // Catches: a token that goes to whoever the hub redirects to, or that stands in an error or an event.
  it('shows its token to the hub alone', async () => {
    hub = await serve({ token: TOKEN });
    await download({ token: TOKEN });
    expect(hub.seen.filter(({ host }) => host === 'store').length).toBeGreaterThan(0);
    for (const { host, authorization } of hub.seen) expect(authorization).toBe(host === 'hub' ? `Bearer ${TOKEN}` : undefined);
    hub.fail('store:', ...Array.from({ length: 9 }, () => ({ kind: 'status' as const, status: 500 })));
    await rm(cache, { recursive: true });
    const error: Error = await download({ token: TOKEN }).then(
      () => new Error('nothing went wrong'),
      (thrown) => thrown,
    );
    expect(error.message).toMatch(/answered 500/);
    expect(`${error.stack} ${JSON.stringify(events)}`).not.toMatch(/hf_this|s3cr3t/);
  });
});

describe('a download that is broken off', () => {
  it.each([
    ['cut', { kind: 'cut', after: 1000 }],
    ['ended early', { kind: 'end', after: 1000 }],
  ] as const)('goes on in the middle of a file: connection %s', async (_, fault) => {
    hub.fail('store:/model.safetensors', fault, fault);
    await download();
    const ranges = asked('/model.safetensors').filter(({ host }) => host === 'store');
    expect(ranges.map(({ range }) => range)).toEqual([undefined, 'bytes=1000-', 'bytes=2000-']);
    expect(await readFile(join(cachedSnapshot(wanted, cache) ?? '', 'model.safetensors'))).toEqual(weights());
    expect(events.filter(({ type }) => type === 'waiting')).toHaveLength(2);
  });

  it('goes on in another call after it was stopped', async () => {
    const controller = new AbortController();
    hub.fail('store:/model.safetensors', { kind: 'cut', after: 3000 });
    const stopped = downloadModel(wanted, {
      token: null,
      endpoint: hub.endpoint,
      cache,
      offline: false,
      signal: controller.signal,
      onEvent: (event) => event.type === 'waiting' && controller.abort(new Error('stopped by the user')),
    });
    await expect(stopped).rejects.toThrow('stopped by the user');
    expect(cachedSnapshot(wanted, cache)).toBeNull();
    expect(await blobs()).toContain(`${sha256(weights())}.incomplete`);
    const { fetched, bytes } = await download();
    expect(asked('/model.safetensors').at(-1)?.range).toBe('bytes=3000-');
    expect(fetched).toBeLessThan(bytes - 2999);
  });

  it('a connection without a byte counts as broken', async () => {
    hub.fail('store:/model.safetensors', { kind: 'silence' });
    await download({ silence: 50 });
    expect(events.find((event) => event.type === 'waiting')).toMatchObject({ why: expect.stringContaining('nothing came') });
  });

  // Catches: bytes put behind others that they do not follow.
  it('begins again where the server sends the whole file instead of the rest', async () => {
    hub.fail('store:/model.safetensors', { kind: 'cut', after: 500 }, { kind: 'whole' });
    await download();
    expect(await readFile(join(cachedSnapshot(wanted, cache) ?? '', 'model.safetensors'))).toEqual(weights());
  });

  it('gives up with a word on what to do when it does not pass', async () => {
    hub.fail('/tree/', ...Array.from({ length: 7 }, () => ({ kind: 'status' as const, status: 503 })));
    await expect(download()).rejects.toThrow(/127\.0\.0\.1:\d+ answered 503, 7 times in a row; try again later/);
    await hub.close();
    await expect(download()).rejects.toThrow(/cannot be reached .*ECONNREFUSED/);
  });
});

describe('what is not the file that the hub lists', () => {
  it('is fetched once more, and then used', async () => {
    hub.fail('store:/model.safetensors', { kind: 'body', bytes: Buffer.alloc(weights().length, 7) });
    await download();
    expect(await readFile(join(cachedSnapshot(wanted, cache) ?? '', 'model.safetensors'))).toEqual(weights());
  });

  it.each(['store:/model.safetensors', 'hub:/org/small-model/resolve/c0ffee0000000000000000000000000000000000/config.json'])(
    'twice: nothing of it is kept (%s)',
    async (part) => {
      const bytes = Buffer.alloc((files[part.split('/').at(-1) as string] as Buffer).length, 7);
      hub.fail(part, { kind: 'body', bytes }, { kind: 'body', bytes });
      await expect(download()).rejects.toThrow(/has the hash .* the hub lists .*, twice; nothing of it was kept/);
      expect((await blobs()).filter((name) => name.includes('incomplete'))).toEqual([]);
      expect(cachedSnapshot(wanted, cache)).toBeNull();
    },
  );

  it('a part left by a broken disk is noticed', async () => {
    const blobFolder = join(cache, 'models--org--small-model', 'blobs');
    await mkdir(blobFolder, { recursive: true });
    await writeFile(join(blobFolder, `${sha256(weights())}.incomplete`), Buffer.alloc(700, 9));
    await download();
    expect(await readFile(join(cachedSnapshot(wanted, cache) ?? '', 'model.safetensors'))).toEqual(weights());
  });
});

describe('a refusal is told in one sentence', () => {
  it('401: no token', async () => {
    hub = await serve({ token: TOKEN });
    await expect(download()).rejects.toThrow(/asks for an account \(401\).*set HF_TOKEN/);
    await expect(download({ token: 'hf_another' })).rejects.toThrow(/the token in force may not read it/);
    await expect(download()).rejects.toThrow(InputError);
  });

  it('403: gated', async () => {
    hub = await serve({ token: TOKEN, gated: true });
    await expect(download()).rejects.toThrow(/accepted its terms \(403\); open its page/);
  });

  it('404: no such model, revision or file', async () => {
    await expect(download({}, { name: 'org/other', revision: 'main' })).rejects.toThrow(/model org\/other: not found .*\(404\)/);
    await expect(download({}, { name: NAME, revision: 'v9' })).rejects.toThrow(/model org\/small-model@v9: not found/);
  });

  it('429: waits as long as it is asked to', async () => {
    hub.fail('/tree/', { kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    await download();
    expect(events[0]).toMatchObject({ type: 'waiting', seconds: 7, why: expect.stringContaining('429') });
    hub.fail('/tree/', { kind: 'status', status: 429, headers: { 'retry-after': '86400' } });
    await expect(download()).rejects.toThrow(/asks for a pause of 86400 s/);
    expect(retryAfter('Fri, 01 Jan 2027 00:00:10 GMT', Date.parse('2027-01-01T00:00:00Z'))).toBe(10);
  });

  // Catches: gigabytes fetched for a model that cannot be used.
  it('another architecture, before its weights are fetched', async () => {
    const config = { ...JSON.parse(String(files['config.json'])), architectures: ['MambaForCausalLM'], model_type: 'mamba' };
    files = { ...files, 'config.json': Buffer.from(JSON.stringify(config)) };
    hub = await serve();
    await expect(download()).rejects.toThrow(/org\/small-model: config.json: architecture MambaForCausalLM.* Supported: Qwen2ForCausalLM/);
    expect(asked('model.safetensors')).toEqual([]);
  });

  it('no safetensors weights', async () => {
    const { 'model.safetensors': _, ...rest } = files;
    hub = await serve({ files: rest });
    await expect(download()).rejects.toThrow(/has no model.safetensors \(only pytorch_model.bin, onnx\/model.onnx\)/);
  });

  it('more than the disk holds, before anything is fetched', async () => {
    hub = await serve({ claimed: { 'model.safetensors': 2 ** 52 } });
    await expect(download()).rejects.toThrow(/MiB are still to be fetched and .* MiB free; make room there, or set HF_HOME/);
    expect(asked('/resolve/')).toEqual([]);
  });

  it('something that is no hub', async () => {
    hub.fail('/revision/', { kind: 'body', bytes: Buffer.from('<html>') });
    await expect(download()).rejects.toThrow(/not JSON; is it a Hugging Face Hub/);
  });
});

describe('offline', () => {
  it('nothing is asked; what is in the cache can be used', async () => {
    await expect(download({ offline: true })).rejects.toThrow(/offline mode is on \(HF_HUB_OFFLINE, .* and the model is not in the cache/);
    expect(hub.seen).toEqual([]);
    await download();
    const before = hub.seen.length;
    await expect(download({ offline: true })).rejects.toThrow(/is in the cache already/);
    expect(hub.seen).toHaveLength(before);
  });
});

describe('names', () => {
  it('of the hub are told from paths', () => {
    expect(readHubName('Qwen/Qwen2.5-0.5B-Instruct')).toEqual({ name: 'Qwen/Qwen2.5-0.5B-Instruct', revision: 'main' });
    expect(readHubName('a/b@refs/pr/1')).toEqual({ name: 'a/b', revision: 'refs/pr/1' });
    for (const text of ['tiny', './a/b', '/a/b', 'a/b/c', 'a/../b', 'a/b@../../x', 'a--b/c', 'a/b@', 'a/b@.x', 'a/b@x/.y', '-a/b', 'a/b.'])
      expect(readHubName(text), text).toBeNull();
    expect(nameOfHubFolder('models--Qwen--Qwen2.5-0.5B')).toBe('Qwen/Qwen2.5-0.5B');
    expect(nameOfHubFolder('datasets--a--b')).toBeNull();
  });

  it('that were not fetched say how to', () => {
    expect(() => locateModel('org/never-fetched@v1')).toThrow(/medlogictrace models download org\/never-fetched@v1/);
    expect(existsSync(join(process.env.HF_HUB_CACHE ?? '', 'models--org--never-fetched'))).toBe(false);
  });

  it("the cache is where Hugging Face's tools look", () => {
    expect(hubCacheFolder({}, '/home/u')).toBe('/home/u/.cache/huggingface/hub');
    expect(hubCacheFolder({ XDG_CACHE_HOME: '/x' }, '/home/u')).toBe('/x/huggingface/hub');
    expect(hubCacheFolder({ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, '/home/u')).toBe('/h/hub');
    expect(hubCacheFolder({ HF_HUB_CACHE: '/c', HF_HOME: '/h' }, '/home/u')).toBe('/c');
  });

  it('a token goes over the network encrypted only', () => {
    expect(hubEndpoint(undefined, TOKEN)).toBe('https://huggingface.co');
    expect(hubEndpoint('https://hub.example/mirror/', TOKEN)).toBe('https://hub.example/mirror');
    expect(hubEndpoint('http://hub.example', null)).toBe('http://hub.example');
    expect(() => hubEndpoint('http://hub.example', TOKEN)).toThrow(/not encrypted/);
    expect(() => hubEndpoint('hub.example', null)).toThrow(/HF_ENDPOINT is "hub.example"/);
  });
});
