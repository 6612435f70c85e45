/**
 * Runs on a machine from the command line, as a user has it: a real sshd, a machine of the list, and the assembled runner in its one folder
 * there (what `machines setup` lays out, without PyTorch). The result must be that of the same run here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostKeys } from '../../main/machine/ssh/host-keys.ts';
import { assembleRunner } from '../../scripts/assemble-runner.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { hasSshd, OpensshServer, withoutSshd } from '../fixtures/openssh-server.ts';
import { differences } from '../fixtures/remote-runs.ts';
import { shortSettings } from '../fixtures/short-training.ts';

if (!hasSshd && process.env.CI) throw new Error(withoutSshd);

const weights = (folder: string) =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'model', 'model.safetensors')))
    .digest('hex');
const sets = shortSettings.flatMap((setting) => ['--set', setting]);

describe.skipIf(!hasSshd)('a machine of the list', () => {
  let server: OpensshServer;
  let env: NodeJS.ProcessEnv = {};
  let here = '';
  const root = () => join(server.home, '.medlogictrace');
  const command = async (...args: string[]) => {
    const ended = await medlogictrace([...args, '--json'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout);
  };

  beforeAll(async () => {
    server = await OpensshServer.start();
    const home = join(server.folder, 'app');
    here = join(server.folder, 'runs');
    mkdirSync(here);
    env = { MEDLOGICTRACE_HOME: home, MEDLOGICTRACE_THREADS: '1', NODE_COMPILE_CACHE: join(server.folder, 'compiled') };
    await assembleRunner(join(root(), 'runner'));
    mkdirSync(join(root(), 'bin'));
    symlinkSync(process.execPath, join(root(), 'bin', 'node'));
    mkdirSync(join(home, 'machines'), { recursive: true });
    const keys = new HostKeys(join(home, 'machines', 'known-hosts.json'));
    await keys.pin('node', { type: 'ssh-ed25519', fingerprint: server.hostFingerprint });
    await command('machines', 'add', 'node', `${server.user}@${server.host}:${server.port}`, '--key', server.key);
  }, 240_000);
  afterAll(async () => {
    await server.stop();
    rmSync(server.folder, { recursive: true, force: true });
  });

  it('carries a training out with the same result as here, and brings its model home', async () => {
    const there = await command('run', 'smoke', ...sets, '--machine', 'node', '--runs', here);
    const local = await command('run', 'smoke', ...sets, '--runs', join(server.folder, 'local'));
    // Bug: another result on another machine; a model that is not brought here.
    expect(weights(there.folder)).toBe(weights(local.folder));
    const far = join(root(), 'runs', there.run);
    expect(differences(there.folder, far)).toEqual([]);
    expect(readdirSync(join(there.folder, 'checkpoints'))).toEqual([]);

    const listed = await command('runs', 'list', '--machine', 'node', '--runs', here);
    expect(listed).toMatchObject({ machine: 'node', runs: [{ run: there.run, mirror: there.run, state: { state: 'exited' } }] });
    const fetched = await command('runs', 'fetch', there.run, '--checkpoint', '6', '--runs', here);
    expect(fetched).toMatchObject({ part: 'checkpoints/step-000006', known: false });
    const missing = await medlogictrace(['runs', 'fetch', there.run, '--checkpoint', '5', '--runs', here], { env });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('has no checkpoint of step 5') });

    // Another app, which has never seen it.
    const other = join(server.folder, 'other');
    const adopted = await command('runs', 'adopt', there.run.slice(-4), '--machine', 'node', '--runs', other);
    expect(adopted).toMatchObject({ run: there.run, state: { state: 'exited', exit: { code: 0 } } });
    expect(differences(join(other, there.run), far)).toEqual([]);

    // A bit that flipped there is not taken for a checkpoint.
    const path = join(far, 'checkpoints', 'step-000004', 'model.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1000] = (bytes[bytes.length - 1000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const damaged = await medlogictrace(['runs', 'fetch', there.run, '--checkpoint', '4', '--runs', here], { env });
    expect(damaged).toMatchObject({ code: 1, stderr: expect.stringMatching(/step-000004 is damaged on the machine: model\.safetensors/) });
    expect(existsSync(join(there.folder, 'checkpoints', 'step-000004'))).toBe(false);

    // Its model is on that machine: it is measured there without being carried.
    const measured = [
      'evaluate',
      '--model',
      join(there.folder, 'model'),
      '--data',
      'arithmetic:test',
      '--limit',
      '4',
      '--max-tokens',
      '16',
    ];
    const far4 = await command(...measured, '--machine', 'node', '--runs', here);
    const near4 = await command(...measured, '--runs', join(server.folder, 'local'));
    expect(far4).toMatchObject({ accuracy: near4.accuracy, model_hash: near4.model_hash, lineage: { run: there.run } });
    expect(existsSync(join(root(), 'inputs', 'models'))).toBe(false);
  }, 600_000);

  it('is told what cannot be started before anything is made', async () => {
    const before = readdirSync(here).filter((name) => !name.startsWith('.'));
    const refuse = (...args: string[]) => medlogictrace(['run', 'smoke', ...args, '--runs', here], { env });
    expect(await refuse('--machine', 'nowhere')).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown machine "nowhere"') });
    expect(await refuse('--machine', 'node', '--set', 'data.train=pubmedqua')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/pubmedqua.*pubmedqa/),
    });
    expect(await refuse('--machine', 'node', '--gpus', '3', ...sets)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('wants 3 slots and this machine has 1'),
    });
    expect(before.length).toBeGreaterThan(0);
  }, 240_000);
});
