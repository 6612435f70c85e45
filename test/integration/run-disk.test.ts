/** What a run does when its disk, its folder, its clock or its machine gives way: it says so, loses nothing, and goes on to the same end. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../main/machine/local.ts';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { damageOf } from '../../main/runner/checksums.ts';
import { resumeRun } from '../../main/workbench/run-control.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { tailRun } from '../../main/workbench/run-tail.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { shortTraining } from '../fixtures/short-training.ts';

const runner = fileURLToPath(new URL('../../main/runner/main.ts', import.meta.url));
const preload = (name: string) => new URL(`../fixtures/${name}.ts`, import.meta.url).href;
const runs = mkdtempSync(join(tmpdir(), 'mlt-disk-'));
const mounted: string[] = [];
afterAll(() => {
  for (const place of mounted.reverse()) execFileSync('umount', ['-l', place]);
  rmSync(runs, { recursive: true, force: true });
});
process.env.MEDLOGICTRACE_THREADS = '1';
// The same programs start again and again.
process.env.NODE_COMPILE_CACHE = join(runs, 'compiled');

/** Whether this user may mount here; why not, otherwise. */
function mountRefusal(): string | null {
  const place = join(runs, 'probe');
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'pipe' });
    execFileSync('umount', [place]);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n').at(-1) ?? '') : String(error);
  }
}
const refusal = mountRefusal();
if (refusal !== null) console.log(`skipped: tests on a small or read-only disk: this user may not mount here (${refusal})`);

const exitOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'exit.json'), 'utf8'));
const weights = (folder: string) =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'model', 'model.safetensors')))
    .digest('hex');
const stepsOf = async (folder: string) => (await readEvents(folder)).events.flatMap((event) => (event.type === 'step' ? [event.step] : []));

/** The runner by itself, with something loaded before it. */
async function work(folder: string, before: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', preload(before), runner, folder], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

let expected = '';
beforeAll(async () => {
  const unbroken = await shortTraining(runs, 'unbroken');
  expect(await startRun(unbroken, { detached: false }).ended).toBe(0);
  expected = weights(unbroken);
}, 240_000);

/** Starts the run again as a user would, waits for its end, and checks that it is that of a run that nothing happened to. */
async function goesOnToTheSameEnd(folder: string, from: number): Promise<void> {
  const resumed = await resumeRun(folder, { detached: false });
  expect(resumed.from_step).toBe(from);
  expect(await resumed.ended, readFileSync(join(folder, 'log.txt'), 'utf8')).toBe(0);
  expect(weights(folder)).toBe(expected);
  expect(await stepsOf(folder)).toEqual([1, 2, 3, 4, 5, 6]);
}

describe('a full disk', () => {
  it.skipIf(refusal !== null)(
    'ends the run with code 1, naming the disk and what is safe, and takes nothing from it',
    async () => {
      const small = join(runs, 'small');
      mkdirSync(small);
      // Room for two checkpoints of the tiny model and not for a third.
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=28m', 'tmpfs', small]);
      mounted.push(small);
      const folder = await shortTraining(small, 'filled');
      expect(await startRun(folder, { detached: false }).ended).toBe(1);
      // Bug: a stack trace of the write that failed, or an exit.json that the full disk did not take.
      expect(exitOf(folder)).toMatchObject({ code: 1, reason: expect.stringContaining('the disk is full (ENOSPC') });
      expect(exitOf(folder).reason).toMatch(/checkpoint of step 2 is complete and safe; free some space.*medlogictrace runs resume filled/);
      // Bug: half a checkpoint left behind, which fills the disk for good.
      expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(['step-000000', 'step-000002']);
      expect(await damageOf(join(folder, 'checkpoints', 'step-000002'))).toBeNull();
      const seen = await medlogictrace(['runs', 'list', '--runs', small]);
      expect(seen.stdout).toMatch(/filled .*failed \(1\).*step [234]\/6/);
      execFileSync('mount', ['-o', 'remount,size=200m', small]);
      await goesOnToTheSameEnd(folder, 2);
    },
    120_000,
  );

  it('is told from the process and the log where not even exit.json can be written (bug: a run that seems to live, or to hang)', async () => {
    const folder = await shortTraining(runs, 'nothing-written');
    const { code, said } = await work(folder, 'kill-at', { KILL_AT: 'write nothing-written/events.jsonl#7', FULL_DISK: '1' });
    expect(code).toBe(1);
    expect(said).toContain('the disk is full (ENOSPC');
    expect(said).toContain('exit.json could not be written');
    expect(existsSync(join(folder, 'exit.json'))).toBe(false);
    expect(await observeRun(folder)).toMatchObject({ state: 'exited', exit: null, evidence: expect.stringContaining('unable to write') });
    await goesOnToTheSameEnd(folder, 2);
  }, 240_000);
});

describe('a folder that becomes read-only', () => {
  const readOnly = async (folder: string) => {
    execFileSync('mount', ['--bind', folder, folder]);
    for (let tries = 0; ; tries++) {
      try {
        execFileSync('mount', ['-o', 'remount,ro,bind', folder], { stdio: 'pipe' });
        return;
      } catch (error) {
        // The runner was writing through it just then.
        if (tries > 200) throw error;
      }
    }
  };

  it.skipIf(refusal !== null)(
    'ends the run under way with a message, and is refused at the next start',
    async () => {
      const folder = await shortTraining(runs, 'read-only');
      const started = startRun(folder, { detached: false });
      for await (const item of tailRun(folder, { pollMs: 10 })) if (item.kind === 'event' && item.event.type === 'checkpoint') break;
      await readOnly(folder);
      try {
        expect(await started.ended).toBe(1);
        const seen = await observeRun(folder);
        // Bug: it seems to live, or nobody can find out why it ended.
        expect(seen).toMatchObject({ state: 'exited', exit: null, evidence: expect.stringContaining('EROFS') });
        expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toMatch(/the disk is read-only.*checkpoint of step \d is complete and safe/);
        const refused = await medlogictrace(['runs', 'resume', 'read-only', '--runs', runs]);
        expect(refused).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/cannot be written.*read-only file system.*make it writable/),
        });
      } finally {
        execFileSync('umount', [folder]);
      }
      const found = (await readEvents(folder)).events.findLast((event) => event.type === 'checkpoint');
      await goesOnToTheSameEnd(folder, found?.type === 'checkpoint' ? found.step : -1);
    },
    120_000,
  );
});

describe('a clock that jumps', () => {
  it('changes neither order nor heartbeat nor state (bug: events sorted by time, a heartbeat that waits for tomorrow)', async () => {
    const folder = await shortTraining(runs, 'clock');
    const ended = work(folder, 'jumping-clock');
    let beats = 0;
    for await (const item of tailRun(folder, { pollMs: 20 })) {
      if (item.kind === 'state' && item.state.state === 'live') beats = Number(readFileSync(join(folder, 'heartbeat'), 'utf8'));
      // Bug: a heart that is behind the reader's clock taken for a dead one.
      if (item.kind === 'event' && item.event.type === 'step') expect((await observeRun(folder)).state).not.toBe('unverifiable');
    }
    expect((await ended).code).toBe(0);
    expect(Number(readFileSync(join(folder, 'heartbeat'), 'utf8'))).toBeGreaterThanOrEqual(beats);
    const { events, gaps } = await readEvents(folder);
    const times = events.map((event) => event.time);
    expect(times.toSorted()).not.toEqual(times);
    expect(gaps).toEqual([]);
    expect(await stepsOf(folder)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(weights(folder)).toBe(expected);
  }, 240_000);
});

describe('a machine that was started again', () => {
  it('proves the run dead though its pid is in use, and lets it go on (bug: another program of that pid taken for the run)', async () => {
    const folder = await shortTraining(runs, 'restarted');
    await work(folder, 'kill-at', { KILL_AT: 'kernel adamW#3' });
    const pid = join(folder, 'pid');
    const lock = readdirSync(folder).find((name) => name.startsWith('.lock-')) ?? '';
    // This process has the number now, before and after the boot.
    const here = identify(process.pid, thisSystem);
    for (const other of [{ start: '1' }, { boot: '00000000-0000-0000-0000-000000000000' }]) {
      const identity = formatIdentity({ ...here, ...other });
      for (const path of [pid, join(folder, lock)]) writeFileSync(path, identity);
      expect(await observeRun(folder)).toMatchObject({ state: 'exited', exit: null, evidence: expect.stringContaining('is gone') });
    }
    // Another computer is no proof.
    writeFileSync(pid, formatIdentity({ ...here, boot: 'x', machine: 'elsewhere' }));
    expect((await observeRun(folder, { sampleMs: 1 })).state).toBe('unverifiable');
    writeFileSync(pid, formatIdentity({ ...here, start: '1' }));
    await goesOnToTheSameEnd(folder, 2);
  }, 240_000);
});

describe('a checkpoint with a flipped bit', () => {
  const flip = (path: string) => {
    const bytes = readFileSync(path);
    const place = bytes.length - 1000;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  const killedBeforeItsEnd = async (id: string, more: readonly string[] = []) => {
    const folder = await shortTraining(runs, id, more);
    await work(folder, 'kill-at', { KILL_AT: 'kernel adamW#5' });
    return folder;
  };

  it('is passed over for the one before, in so many words (bug: training goes on from weights that nobody computed)', async () => {
    const folder = await killedBeforeItsEnd('flipped');
    flip(join(folder, 'checkpoints', 'step-000004', 'model.safetensors'));
    await goesOnToTheSameEnd(folder, 2);
    const resumed = (await readEvents(folder)).all.find((event) => event.type === 'resumed');
    expect(resumed).toMatchObject({ step: 2, note: expect.stringMatching(/step-000004 is damaged: model\.safetensors.*from step 2/) });
    expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toContain('checkpoint step-000004 is damaged');
    expect(readdirSync(join(folder, 'checkpoints'))).toContain('damaged-step-000004');
  }, 240_000);

  it('starts the run again where no other is left (bug: a run that can never be resumed)', async () => {
    const folder = await killedBeforeItsEnd('all-flipped', ['save_total_limit=1']);
    for (const name of readdirSync(join(folder, 'checkpoints'))) flip(join(folder, 'checkpoints', name, 'trainer.safetensors'));
    writeFileSync(join(folder, 'checkpoints', 'step-000000', 'trainer.safetensors'), 'short');
    await goesOnToTheSameEnd(folder, 0);
    const resumed = (await readEvents(folder)).all.find((event) => event.type === 'resumed');
    expect(resumed).toMatchObject({ note: expect.stringMatching(/step-000004.*step-000000.*starts again from step 0/) });
  }, 240_000);
});
