/**
 * Runs on a machine over a real OpenSSH server, whose connection, clock, disk, processes and watchers give way: no event is lost or doubled,
 * every file of the mirror is in the end what is there, and the run's result is that of one that nothing happened to.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../main/machine/local.ts';
import { Attendant } from '../../main/workbench/remote/attendant.ts';
import { MachineWatch } from '../../main/workbench/remote/machine-watch.ts';
import { queueOf, runsOf } from '../../main/workbench/remote/place.ts';
import { readRemote } from '../../main/workbench/remote/remote-file.ts';
import { reconcileStarts, startRemote } from '../../main/workbench/remote/start-remote.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { tailRun } from '../../main/workbench/run-tail.ts';
import { RandomStream } from '../../shared/random.ts';
import { hasSshd, withoutSshd } from '../fixtures/openssh-server.ts';
import { differences, isComplete, RemoteRuns, runWriter } from '../fixtures/remote-runs.ts';

if (!hasSshd && process.env.CI) throw new Error(withoutSshd);

/** Makes steps until it is told that there are enough. */
const working = { WRITER_MODE: 'open', WRITER_PAUSE: '40' };
const enough = (folder: string): void => writeFileSync(join(folder, '.enough'), '');
const fast = { pollMs: 30, silentMs: 1500 };
const sizeOf = (folder: string): number => statSync(join(folder, 'events.jsonl')).size;

async function until(what: () => unknown, tries = 3000): Promise<void> {
  for (let i = 0; !(await what()); i++) {
    if (i > tries) throw new Error('waited in vain');
    await sleep(20);
  }
}

/** The run comes to its end, and is what it would be had nothing happened to it meanwhile. */
async function sound(local: string, remote: string): Promise<void> {
  enough(remote);
  await until(() => isComplete(local));
  expect(differences(local, remote)).toEqual([]);
  const { events, gaps } = await readEvents(local);
  // Bug: events that are lost, or come twice.
  expect(gaps).toEqual([]);
  expect(readRemote(local)?.gaps).toEqual([]);
  const steps = events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
  expect(steps).toEqual(Array.from({ length: steps.length }, (_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: 'finished', step: steps.length });
}

describe.skipIf(!hasSshd)('a run on a machine', () => {
  let remote: RemoteRuns;
  beforeAll(async () => {
    remote = await RemoteRuns.start();
  }, 60_000);
  afterAll(() => remote.stop());

  it('is mirrored whole though the connection is cut again and again at seeded places', async () => {
    const { folder, outcome } = await remote.write({ env: working, id: 'cut' });
    // Asked twice where a busy machine let the first answer go.
    expect(['begun', 'was_started']).toContain(outcome);
    const local = remote.mirror(folder);
    const watch = new MachineWatch('node', remote.open, fast);
    await watch.add(local);
    const random = new RandomStream(6, 'cuts');
    for (let cut = 0; cut < 8; cut++) {
      const before = remote.proxy.connections;
      // From the first greeting to the middle of what is being told; the last ones at the run's end.
      remote.proxy.cutAfter(random.integer(1, cut % 2 === 0 ? 12_000 : 4_000), cut % 2 === 0 ? 'down' : 'up');
      if (cut === 6) enough(folder);
      await Promise.race([remote.proxy.until(({ connections }) => connections > before), until(() => isComplete(local))]);
    }
    expect(remote.proxy.connections).toBeGreaterThan(5);
    remote.proxy.cutAfter(1 << 30);
    await sound(local, folder);
    await watch.close();
  }, 120_000);

  it.each([
    ['drops', (proxy: RemoteRuns['proxy']) => proxy.drop()],
    [
      'is half-open for a while, so that nobody is told',
      async (proxy: RemoteRuns['proxy']) => {
        proxy.stall();
        await sleep(3000);
        proxy.resume();
      },
    ],
    [
      'delays everything by two seconds',
      async (proxy: RemoteRuns['proxy']) => {
        proxy.delay(2000);
        await sleep(2500);
        proxy.delay(0);
      },
    ],
    ['is at another port, which is looked up anew', (proxy: RemoteRuns['proxy']) => proxy.move()],
  ])(
    'goes on while its connection %s',
    async (what, happens) => {
      const { folder } = await remote.write({ env: working });
      const local = remote.mirror(folder, remote.runsDir(`when ${what.slice(0, 8)}`));
      const watch = new MachineWatch('node', remote.open, { ...fast, silentMs: 1500 });
      await watch.add(local);
      await until(() => sizeOf(local) > 0);
      await happens(remote.proxy);
      // Bug: an end concluded from silence.
      if (!existsSync(join(folder, 'exit.json'))) expect((await observeRun(local)).state).not.toBe('exited');
      await sound(local, folder);
      await watch.close();
    },
    120_000,
  );

  it('is started once though the connection breaks anywhere in its start, and the app with it', async () => {
    const request = crypto.randomUUID();
    const runsDir = remote.runsDir('starts');
    const settings = {
      kind: 'train',
      name: 'started once',
      data: { train_limit: 4, validation_limit: 2 },
      max_steps: 2,
      per_device_train_batch_size: 2,
      num_generations: 2,
      max_completion_length: 8,
    };
    const ask = (place = remote.place) =>
      startRemote({ machine: 'node', settings, request, runsDir, runner: runWriter, wait: true }, async () => place);
    const places = [1500, 4200, 7000, 9500];
    for (const [i, bytes] of places.entries()) {
      // Another connection each time, as of an app that was started anew: what the last one knew is gone with it.
      const place = remote.another({ WRITER_STEPS: '6', WRITER_PAUSE: '1' });
      remote.proxy.cutAfter(bytes, i % 2 === 0 ? 'up' : 'down');
      remote.proxy.refuse(false);
      const asked = ask(place).catch((error: unknown) => error);
      await Promise.race([asked, sleep(1500)]);
      await place.machine.close();
      await asked;
    }
    remote.proxy.cutAfter(1 << 30);
    const started = await ask(remote.another({ WRITER_STEPS: '6', WRITER_PAUSE: '1' }));
    await until(() => existsSync(join(runsOf(remote.place), started.run, 'exit.json')));
    const again = await ask();
    expect(again).toMatchObject({ run: started.run, outcome: 'was_started' });
    const made = readdirSync(runsOf(remote.place)).filter((name) => name.includes('started-once'));
    expect(made).toEqual([started.run]);
    expect(readdirSync(runsDir).filter((name) => !name.startsWith('.'))).toEqual([started.run]);
    // Bug: two runners, one after the other or at once.
    const journal = readFileSync(join(queueOf(remote.place), 'journal.jsonl'), 'utf8');
    expect(journal.split('\n').filter((line) => line.includes(started.run) && line.includes('"started"'))).toHaveLength(1);
    expect(readFileSync(join(runsOf(remote.place), started.run, 'log.txt'), 'utf8').match(/working on/g)).toHaveLength(1);
    const { events } = await readEvents(join(runsOf(remote.place), started.run));
    expect(events.filter((event) => event.type === 'started')).toHaveLength(1);
  }, 180_000);

  it('is found again by an app that died before it heard of the start (bug: a run that nobody knows of)', async () => {
    const runsDir = remote.runsDir('died');
    const start = {
      machine: 'node',
      settings: { kind: 'evaluate', name: 'unheard', data: { test: 'arithmetic:test', limit: 2 } },
      request: crypto.randomUUID(),
      runsDir,
      runner: runWriter,
      wait: true,
    };
    const { run } = await startRemote(start, async () => remote.another({ WRITER_STEPS: '2' }));
    // As it died: its question is written down, and nothing else.
    const { noteStart } = await import('../../main/workbench/remote/pending-starts.ts');
    const other = remote.runsDir('died-2');
    noteStart(other, { request: start.request, machine: 'node', since: new Date().toISOString() });
    expect(await reconcileStarts(other, 'node', remote.open, 0)).toEqual([join(other, run)]);
    expect(await reconcileStarts(other, 'node', remote.open, 0)).toEqual([]);
  }, 60_000);

  it('is watched by a process that is killed and started again (bug: a mirror that doubles what it had)', async () => {
    const { folder } = await remote.write({ env: working });
    const local = remote.mirror(folder, remote.runsDir('killed'));
    const program = fileURLToPath(new URL('../fixtures/mirror-process.ts', import.meta.url));
    const args = [program, local, remote.server.folder, String(remote.proxy.port), remote.place.root];
    for (let times = 0; times < 3; times++) {
      const before = sizeOf(local);
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      await until(() => sizeOf(local) > before + times * 500);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(isComplete(local)).toBe(false);
    enough(folder);
    const last = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await once(last, 'exit')).toEqual([0, null]);
    await sound(local, folder);
  }, 120_000);

  it('has watchers in two apps, and two windows of one app with one writer', async () => {
    const { folder } = await remote.write({ env: working });
    const [one, two] = [remote.mirror(folder, remote.runsDir('app-1')), remote.mirror(folder, remote.runsDir('app-2'))];
    const first = new MachineWatch('node', remote.open, fast);
    const second = new MachineWatch('node', async () => remote.another(), fast);
    await Promise.all([first.add(one), second.add(two)]);
    const third = new MachineWatch('node', remote.open, fast);
    await expect(third.add(one)).rejects.toThrow(/mirror .* is in use by process/);
    await until(() => sizeOf(one) > 0);
    // The first window is closed: the next one takes its place.
    await first.close();
    await third.add(one);
    await Promise.all([sound(one, folder), sound(two, folder)]);
    await Promise.all([second.close(), third.close()]);
  }, 120_000);

  it('is told live and ended whatever the clock there says (bug: ages reckoned from two clocks)', async () => {
    const clock = new URL('../fixtures/hour-off.ts', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import ${clock}` };
    const place = remote.another(env);
    const { folder } = await remote.write({ env: { ...working, ...env } });
    const local = remote.mirror(folder, remote.runsDir('clock'));
    const watch = new MachineWatch('node', async () => place, fast);
    await watch.add(local);
    await until(async () => (await observeRun(local)).state === 'live');
    const times = (await readEvents(local)).all.map((event) => Date.parse(event.time));
    expect(times.some((time) => Math.abs(time - Date.now()) > 3_000_000)).toBe(true);
    for (let looks = 0; looks < 20; looks++) {
      expect((await observeRun(local)).state).toBe('live');
      await sleep(20);
    }
    await sound(local, folder);
    await watch.close();
  }, 120_000);
});

describe.skipIf(!hasSshd)('a process that is lost there', () => {
  let remote: RemoteRuns;
  beforeAll(async () => {
    remote = await RemoteRuns.start();
  }, 60_000);
  afterAll(() => remote.stop());

  const atStep = (folder: string, step: number) =>
    until(() => readFileSync(join(folder, 'events.jsonl'), 'utf8').includes(`"type":"step","step":${step},`));

  it('is started again by itself, once, from its last checkpoint, and says so', async () => {
    const { folder } = await remote.write({ env: working });
    const local = remote.mirror(folder);
    const watch = new MachineWatch('node', remote.open, fast);
    await watch.add(local);
    const states: string[] = [];
    const tail = (async () => {
      for await (const item of tailRun(local, { pollMs: 20 })) if (item.kind === 'state') states.push(item.state.state);
    })();
    await atStep(folder, 10);
    process.kill(runProcess(folder)?.pid ?? 0, 'SIGKILL');
    await until(() => readFileSync(join(folder, 'events.jsonl'), 'utf8').includes('"type":"resumed"'));
    enough(folder);
    await tail;
    await sound(local, folder);
    // Bug: the moment between two runners taken for the end.
    expect(states.filter((state) => state === 'exited')).toHaveLength(1);
    const { all } = await readEvents(local);
    const resumed = all.filter((event) => event.type === 'resumed');
    expect(resumed).toMatchObject([{ reason: 'the runner was ended by SIGKILL' }]);
    expect(resumed[0]?.step).toBeGreaterThanOrEqual(8);
    expect(readFileSync(join(local, 'log.txt'), 'utf8')).toMatch(/ended by SIGKILL; it is started again by itself/);
    await watch.close();
  }, 120_000);

  it('ends for good at the second loss, and after a stop was asked for', async () => {
    const twice = await remote.write({ env: working });
    await atStep(twice.folder, 5);
    const first = runProcess(twice.folder)?.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await until(() => ![undefined, first].includes(runProcess(twice.folder)?.pid));
    process.kill(runProcess(twice.folder)?.pid ?? 0, 'SIGKILL');
    await until(() => existsSync(join(twice.folder, 'exit.json')));
    expect(JSON.parse(readFileSync(join(twice.folder, 'exit.json'), 'utf8'))).toMatchObject({ code: null, signal: 'SIGKILL' });
    const asked = await remote.write({ env: { WRITER_MODE: 'hang' }, wait: true });
    const pid = runProcess(asked.folder)?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const question = { folder: asked.folder, queue: queueOf(remote.place), verb: 'stop' as const, time: new Date().toISOString() };
    await new Attendant(remote.place).ask('control', question);
    // Asked twice, as after a lost answer: one line.
    await new Attendant(remote.place).ask('control', question);
    expect(readFileSync(join(asked.folder, 'control.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
    process.kill(pid, 'SIGKILL');
    await until(() => existsSync(join(asked.folder, 'exit.json')));
    // Bug: a run that nobody can end.
    expect((await readEvents(asked.folder)).all.some((event) => event.type === 'resumed')).toBe(false);
  }, 120_000);

  it('goes on where its engine was lost, and never after a crash of its own', async () => {
    const lost = await remote.write({ env: { WRITER_STEPS: '10', WRITER_MODE: 'lost' }, wait: true });
    await until(() => existsSync(join(lost.folder, 'exit.json')));
    expect(JSON.parse(readFileSync(join(lost.folder, 'exit.json'), 'utf8'))).toMatchObject({ code: 0, reason: 'finished' });
    const resumed = (await readEvents(lost.folder)).all.find((event) => event.type === 'resumed');
    expect(resumed).toMatchObject({ step: 4, reason: 'EngineLost: rank 1 ended by SIGKILL' });
    const crashed = await remote.write({ env: { WRITER_MODE: 'crash' }, wait: true });
    await until(() => existsSync(join(crashed.folder, 'exit.json')));
    expect(JSON.parse(readFileSync(join(crashed.folder, 'exit.json'), 'utf8'))).toMatchObject({ code: 1 });
    await until(() => !existsSync(join(crashed.folder, 'launcher')));
  }, 120_000);
});

/** Why a disk cannot be made small here; null where it can. */
function mountRefusal(place: string): string | null {
  mkdirSync(place, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'pipe' });
    execFileSync('umount', [place]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe.skipIf(!hasSshd)('a disk that is full there', () => {
  let remote: RemoteRuns;
  beforeAll(async () => {
    remote = await RemoteRuns.start();
  }, 60_000);
  afterAll(() => remote.stop());

  it('ends the run, is told here, is not tried again by itself, and goes on to the same end', async (context) => {
    const runs = runsOf(remote.place);
    const refusal = mountRefusal(runs);
    if (refusal !== null) return context.skip(`this user may not mount here: ${refusal}`);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=800k', 'tmpfs', runs]);
    try {
      const { folder } = await remote.write({ env: { ...working, WRITER_PAUSE: '5' } });
      // Room for three checkpoints and not for a fourth: it does not come to its end before.
      const local = remote.mirror(folder);
      const watch = new MachineWatch('node', remote.open, fast);
      await watch.add(local);
      await until(() => existsSync(join(local, 'exit.json')));
      const ended = await observeRun(local);
      expect(ended).toMatchObject({ state: 'exited', exit: { code: 1, reason: expect.stringContaining('ENOSPC') } });
      expect((await readEvents(folder)).all.some((event) => event.type === 'resumed')).toBe(false);
      await until(() => isComplete(local));
      expect(differences(local, folder)).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=64m', runs]);
      const { startThere } = await import('../../main/workbench/remote/remote-control.ts');
      const again = await startThere(local, remote.open, { resume: true, runner: runWriter });
      expect(again.outcome).toBe('begun');
      await watch.add(local);
      await sound(local, folder);
      await watch.close();
    } finally {
      execFileSync('umount', ['-l', runs]);
    }
  }, 120_000);
});
