/** What the window asks about runs on machines, answered by the same services behind both shells. The machine is a folder of this one. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machinesInUse } from '../../main/rpc/machines-in-use.ts';
import type { Services } from '../../main/rpc/services.ts';
import { createHandlers } from '../../main/rpc/workbench-router.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { useMachines } from '../../main/workbench/remote/machines.ts';
import { type MachinePlace, placeHere, runsOf } from '../../main/workbench/remote/place.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { differences } from '../fixtures/remote-runs.ts';

const root = mkdtempSync(join(tmpdir(), 'mlt-window-'));
const config = {
  kind: 'train',
  name: 'far',
  data: { train_limit: 4, validation_limit: 2 },
  max_steps: 1,
  per_device_train_batch_size: 2,
  num_generations: 2,
  max_completion_length: 8,
};

/** Somebody waits for every answer. */
const waited = new AbortController().signal;

describe('the window', () => {
  const runner = new RunnerService();
  const services: Services = { version: '0', runsDir: join(root, 'runs'), files: new GivenFiles(), runner };
  let place: MachinePlace;
  beforeAll(() => {
    machinesInUse(services).mirrors.start();
    place = placeHere(join(root, 'there'));
    place = { ...place, env: { MEDLOGICTRACE_THREADS: '1', NODE_COMPILE_CACHE: join(root, 'compiled') } };
    useMachines(async () => place);
  });
  afterAll(async () => {
    await machinesInUse(services).mirrors.close();
    runner.close();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  });

  it('starts a run on a machine once, sees it to its end, and has its model by itself', async () => {
    const handlers = createHandlers(services);
    const request = crypto.randomUUID();
    const start = { config, request, place: { machine: 'node', gpus: 'all' as const, queue: false, auto_resume: 1 } };
    const [one, two] = await Promise.all([handlers['configure.start'](start, waited), handlers['configure.start'](start, waited)]);
    expect(one).toMatchObject({ again: false, waiting: null });
    expect(two).toMatchObject({ run: one.run, again: true });
    const { run } = one;
    const info = async () => handlers['runs.remote']({ run }, waited);
    await expect.poll(async () => (await info())?.complete, { timeout: 100_000 }).toBe(true);
    expect(differences(join(services.runsDir, run), join(runsOf(place), run))).toEqual([]);
    await expect.poll(async () => (await info())?.here, { timeout: 30_000 }).toEqual(['model']);
    expect(await info()).toMatchObject({
      machine: 'node',
      state: { state: 'exited', exit: { code: 0 } },
      connection: { state: 'connected' },
      gaps: 0,
      trouble: null,
      fetch: { part: 'model', ended: 'here' },
    });
    expect(readdirSync(join(runsOf(place))).filter((name) => !name.startsWith('.'))).toEqual([run]);
    // All that the window shows of a run is there without the machine.
    useMachines(async () => Promise.reject(new Error('out of reach')));
    expect((await handlers['runs.list']({}, waited)).runs).toMatchObject([{ id: run, machine: 'node' }]);
    expect((await handlers['runs.show']({ run }, waited)).events).toMatchObject({ malformed: 0, gaps: [] });
    useMachines(async () => place);

    await expect(handlers['runs.fetch']({ run, checkpoint: 7 }, waited)).rejects.toThrow(/no checkpoint of step 7/);
    await handlers['runs.fetch']({ run, checkpoint: 1 }, waited);
    await expect.poll(async () => (await info())?.here, { timeout: 30_000 }).toContain('checkpoints/step-000001');
    expect(await handlers['machine.runs']({ machine: 'node' }, waited)).toMatchObject({ runs: [{ run, mirror: run }] });
    expect(await handlers['machine.set_slots']({ machine: 'node', slots: 2 }, waited)).toMatchObject({
      slots: 2,
      kind: 'slot',
      entries: [],
    });
    await expect(handlers['runs.control']({ run, verb: 'pause' }, waited)).rejects.toThrow(/has ended on node/);
    expect(existsSync(join(services.runsDir, run, 'control.jsonl'))).toBe(true);
  }, 240_000);
});
