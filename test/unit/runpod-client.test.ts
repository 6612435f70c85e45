/** RunPod's API: what is asked of it, what becomes of each of its refusals, and that the key goes nowhere but into its header. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CreatePodRequest } from '../../main/machine/runpod/api-schema.ts';
import { RunpodClient } from '../../main/machine/runpod/client.ts';
import { createPod } from '../../main/machine/runpod/create-pod.ts';
import { RunpodError } from '../../main/machine/runpod/runpod-error.ts';
import { registerSshKey } from '../../main/machine/runpod/ssh-keys.ts';
import { type PodPhase, podEndpoint, waitForSsh } from '../../main/machine/runpod/wait-for-ssh.ts';
import { documented, RunpodServer } from '../fixtures/runpod-server.ts';

let server: RunpodServer;
let client: RunpodClient;
let waited: number[] = [];
let base = '';
const wait = async (ms: number): Promise<void> => void waited.push(ms);
beforeEach(async () => {
  server = new RunpodServer();
  base = await server.listen();
  waited = [];
  client = new RunpodClient({ key: async () => server.key, base, wait });
});
afterEach(() => server.close());

const request: CreatePodRequest = {
  name: 'medlogictrace-1a2b3c',
  image: 'runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404',
  gpu: { id: 'NVIDIA A40', count: 8 },
  cloud: 'SECURE',
  disk: 50,
  mounts: { network: [{ volumeId: 'vol_a', path: '/workspace' }] },
  ports: ['22/tcp'],
  env: {},
  startSsh: true,
};
const refusal = async (promise: Promise<unknown>): Promise<RunpodError> => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RunpodError);
  return error as RunpodError;
};

describe('the test server', () => {
  test('refuses what the documentation refuses', async () => {
    const post = (body: unknown) =>
      fetch(`${base}/v2/pods`, { method: 'POST', headers: { authorization: `Bearer ${server.key}` }, body: JSON.stringify(body) });
    const status = async (body: unknown) => (await post(body)).status;
    expect(await status({ ...request, bogus: 1 })).toBe(422);
    expect(await status({ ...request, name: '' })).toBe(422);
    expect(await status({ ...request, gpu: undefined })).toBe(400);
    expect(await status({ ...request, mounts: { network: [1, 2] } })).toBe(422);
    expect((await (await post({ name: 'x' })).json()) as unknown).toMatchObject({ title: 'Unprocessable Entity', status: 422 });
    expect((await fetch(`${base}/v2/pods`)).status).toBe(401);
    expect(documented('CreatePodRequest').safeParse(request).success).toBe(true);
  });
});

describe('a request', () => {
  test('carries the key in its header alone', async () => {
    server.running();
    await client.pods();
    await client.gpus(8, 'SECURE');
    await client.billed('pod1x10', '2026-11-01T00:00:00Z');
    for (const { path, authorization } of server.asked) {
      expect(authorization).toBe(`Bearer ${server.key}`);
      expect(path).not.toContain(server.key);
    }
  });

  test.each([
    [401, 'key', /set a RunPod API key/],
    [402, 'balance', /credit for at least one hour/],
    [403, 'forbidden', /read and write access/],
    [422, 'invalid', /does not fit/],
    [500, 'server', /RunPod itself fails/],
  ])('refused with %i says what to do, and never repeats the key', async (status, kind, cure) => {
    server.fail('GET', /pods/, { status, detail: `does not fit; token ${server.key}`, times: 9 });
    const error = await refusal(client.pods());
    expect(error).toMatchObject({ kind, status });
    expect(error.message).toMatch(cure);
    expect(error.message).not.toContain(server.key);
  });

  test('waits as long as 429 says, and gives up on a limit of hours', async () => {
    server.fail('GET', /pods/, { status: 429, retryAfter: 12, times: 2 });
    expect(await client.pods()).toEqual([]);
    expect(waited).toEqual([12_000, 12_000]);
    server.fail('GET', /pods/, { status: 429, retryAfter: 3600 });
    expect(await refusal(client.pods())).toMatchObject({ kind: 'rate' });
    expect(waited).toHaveLength(2);
  });

  test('that only reads is tried again after a 5xx or a broken connection; one that changes something is not', async () => {
    server.fail('GET', /pods/, { status: 502 });
    server.fail('GET', /pods/, { cut: true });
    expect(await client.pods()).toEqual([]);
    server.fail('POST', /pods/, { status: 502 });
    expect(await refusal(client.create(request))).toMatchObject({ kind: 'server', uncertain: true });
    expect(server.countOf('POST', /pods/)).toBe(1);
  });

  test('is not sent without a key, nor to anything but https or loopback', async () => {
    const none = new RunpodClient({ key: async () => null, base });
    expect(await refusal(none.pods())).toMatchObject({ kind: 'key' });
    expect(server.asked).toEqual([]);
    expect(() => new RunpodClient({ key: async () => 'x', base: 'http://api.runpod.io' })).toThrow(/https/);
  });

  test('does not follow another server, and gives up in time (bug: the key is shown to where a redirect leads)', async () => {
    const moved = new RunpodClient({
      key: async () => 'x',
      base,
      wait,
      fetch: async (_, init) => {
        expect(init?.redirect).toBe('error');
        throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
      },
    });
    expect((await refusal(moved.pods())).message).toMatch(/unexpected redirect/);
    const silent = createServer();
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const waiting = new RunpodClient({ key: async () => 'x', base: `http://127.0.0.1:${port}`, timeoutMs: 20, wait });
    expect((await refusal(waiting.pods())).message).toMatch(/no answer in time/);
    silent.close();
  });

  test('answered with something else names what is wrong', async () => {
    server.fail('GET', /pods/, { text: '{"pods":[{"id":7}]}' });
    const error = await refusal(client.pods());
    expect(error).toMatchObject({ kind: 'answer' });
    expect(error.message).toMatch(/pods\.0\.id/);
    server.fail('GET', /pods/, { text: '<html>', status: 200 });
    expect(await refusal(client.pods())).toMatchObject({ kind: 'answer' });
  });

  test('a state that we do not know yet hides no pod (bug: one new state, and nothing can be stopped any more)', async () => {
    const pod = server.running();
    const shown = (await client.pods())[0];
    server.fail('GET', /pods/, { text: JSON.stringify({ pods: [{ ...shown, status: 'HIBERNATED' }] }) });
    expect((await client.pods())[0]).toMatchObject({ id: pod.id, status: 'UNKNOWN' });
  });
});

describe('creating a pod', () => {
  test('that was made though its create answered with a 5xx is found, not made again', async () => {
    server.fail('POST', /pods$/, { status: 500, done: true });
    const said: string[] = [];
    const { pod } = await createPod(client, request, { wait, say: (text) => void said.push(text) });
    expect(server.pods.map(({ id }) => id)).toEqual([pod.id]);
    expect(server.countOf('POST', /pods$/)).toBe(1);
    expect(said[0]).toMatch(/did not say whether/);
  });

  test('nor one whose answer was lost on the way', async () => {
    server.fail('POST', /pods$/, { cut: true, done: true });
    const { pod } = await createPod(client, request, { wait });
    expect(server.pods.map(({ id }) => id)).toEqual([pod.id]);
  });

  test('is tried again where nothing was made, and gives up after four tries, saying where to look', async () => {
    server.fail('POST', /pods$/, { status: 503, times: 2 });
    await createPod(client, request, { wait });
    expect(server.pods).toHaveLength(1);
    server.pods.length = 0;
    server.fail('POST', /pods$/, { status: 503, times: 9 });
    expect((await refusal(createPod(client, request, { wait }))).message).toMatch(/machines pods list/);
    expect(server.pods).toEqual([]);
  });

  test('asked for twice is one pod (bug: a second click, or a window that was opened again, rents eight more GPUs)', async () => {
    const first = await createPod(client, request, { wait });
    const second = await createPod(client, request, { wait });
    expect([first.again, second.again]).toEqual([false, true]);
    expect(second.pod.id).toBe(first.pod.id);
    expect(server.pods).toHaveLength(1);
  });

  test('a pod that shows only after it was made anew is terminated, the older stays', async () => {
    server.fail('POST', /pods$/, { status: 500, done: true });
    // The list does not know it yet.
    server.fail('GET', /pods$/, { text: '{"pods":[]}', times: 4 });
    const { pod } = await createPod(client, request, { wait });
    expect(server.pods.map(({ id }) => id)).toEqual([pod.id]);
    expect(server.countOf('POST', /pods$/)).toBe(2);
    expect(server.countOf('POST', /action/)).toBe(1);
  });

  test('without a free machine says what is free, at what price', async () => {
    const many = { ...request, gpu: { id: 'NVIDIA A40', count: 8 }, mounts: undefined, dataCenterIds: ['US-KS-2'] };
    const error = await refusal(createPod(client, many, { wait }));
    expect(error).toMatchObject({ kind: 'rejected' });
    expect(error.message).toMatch(/no machine with 8 × A40 is free in US-KS-2/);
    expect(error.message).toMatch(/it is free in EU-SE-1/);
    expect(error.message).toMatch(/8 × H100 SXM at \$21\.52\/h/);
  });

  test('without credit stops at once', async () => {
    server.balance = 1;
    expect(await refusal(createPod(client, request, { wait }))).toMatchObject({ kind: 'balance', status: 402 });
    expect(server.countOf('POST', /pods$/)).toBe(1);
  });
});

describe('waiting for SSH', () => {
  test('tells each phase while a slow machine comes up, and asks for the port anew after a restart', async () => {
    server.provisioningLooks = 3;
    const { pod } = await createPod(client, request, { wait });
    const phases: PodPhase[] = [];
    let knocks = 0;
    const { endpoint } = await waitForSsh(client, pod.id, {
      wait,
      onPhase: (phase) => void phases.push(phase),
      answers: async () => ++knocks > 1,
    });
    expect(phases).toEqual(['provisioning', 'provisioning', 'provisioning', 'starting', 'starting', 'waiting for ssh', 'ready']);
    expect(endpoint).toMatchObject({ host: '127.0.0.1', user: 'root' });
    await client.act(pod.id, 'stop');
    expect((await refusal(podEndpoint(client, pod.id))).message).toMatch(/is stopped; start it first: .* pods start/);
    await client.act(pod.id, 'start');
    expect((await refusal(podEndpoint(client, pod.id))).message).toMatch(/still starting/);
    await waitForSsh(client, pod.id, { wait, answers: async () => true });
    const after = await podEndpoint(client, pod.id);
    expect(after.port).not.toBe(endpoint.port);
  });

  test('knocks at the port: a server that does not speak SSH is not yet there', async () => {
    const sockets = createServer((socket) => socket.end('HTTP/1.1 400\r\n\r\n'));
    const ssh = createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    const portOf = async (one: typeof ssh): Promise<number> => {
      await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
      const address = one.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    };
    const [wrong, right] = [await portOf(sockets), await portOf(ssh)];
    const pod = server.running({ port: wrong });
    const ready = waitForSsh(client, pod.id, {
      wait: async () => {
        pod.port = right;
      },
    });
    expect((await ready).endpoint.port).toBe(right);
    sockets.close();
    ssh.close();
  });

  test('of a pod that failed, or never comes up, says how to end it', async () => {
    const pod = server.running();
    pod.status = 'ERROR';
    expect((await refusal(waitForSsh(client, pod.id, { wait }))).message).toMatch(/in error; end it with: .* pods terminate/);
    pod.status = 'RUNNING';
    expect((await refusal(waitForSsh(client, pod.id, { wait, most: 3 }))).message).toMatch(/still there and costs money/);
    server.pods.length = 0;
    expect(await refusal(waitForSsh(client, pod.id, { wait }))).toMatchObject({ kind: 'not_found' });
  });
});

describe('the account’s SSH keys', () => {
  const ours = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOURS me@laptop';
  const theirs = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABTHEIRS colleague@work with a comment';

  test('are added to, never replaced (bug: a colleague is locked out of the account’s pods)', async () => {
    server.sshKeys = [theirs];
    expect(await registerSshKey(client, `${ours}\n`)).toBe(true);
    expect(server.sshKeys).toEqual([theirs, ours]);
  });

  test('that hold ours under another comment stay as they are, and nothing is written', async () => {
    server.sshKeys = [theirs, `${ours} elsewhere`];
    expect(await registerSshKey(client, ours)).toBe(false);
    expect(server.countOf('PUT', /ssh-keys/)).toBe(0);
  });

  test('written by another program at the same time: ours is put back, theirs stays', async () => {
    server.sshKeys = [theirs];
    const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOTHER them@work';
    const racing = new RunpodClient({
      key: async () => server.key,
      base,
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        if (init?.method === 'PUT' && server.countOf('PUT', /ssh-keys/) === 1) server.sshKeys = [theirs, other];
        return answer;
      },
    });
    expect(await registerSshKey(racing, ours)).toBe(true);
    expect(server.sshKeys).toEqual([theirs, other, ours]);
  });

  test.each([
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn', /private key, which must never/],
    ['SHA256:abcdef', /no SSH public key/],
  ])('take no other text: %s', async (text, message) => {
    await expect(registerSshKey(client, text)).rejects.toThrow(message);
    expect(server.asked).toEqual([]);
  });
});
