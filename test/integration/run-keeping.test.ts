/** Steering a real training run through the command line, taking it to another machine, and cleaning up behind runs. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runProcess, startRun } from '../../main/machine/local.ts';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { openRunFolder } from '../../main/runner/run-folder.ts';
import { cleanRuns } from '../../main/workbench/clean-runs.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { RunAdopted, RunExported } from '../../shared/run-archive.ts';
import { RunsCleaned } from '../../shared/run-cleaning.ts';
import { RunAsked, RunList, RunResumed } from '../../shared/run-view.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { shortTraining } from '../fixtures/short-training.ts';

process.env.MEDLOGICTRACE_THREADS = '1';
const place = mkdtempSync(join(tmpdir(), 'mlt-keeping-'));
const started: string[] = [];
afterAll(() => {
  for (const folder of started) {
    const pid = runProcess(folder)?.pid;
    // A test that failed must not leave a training behind.
    if (pid !== undefined && !existsSync(join(folder, 'exit.json'))) process.kill(pid, 'SIGKILL');
  }
  rmSync(place, { recursive: true, force: true, maxRetries: 3 });
});

async function until(what: string, seen: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await seen()); tries++) {
    if (tries > 3000) throw new Error(`waited in vain: ${what}`);
    await sleep(20);
  }
}
const eventsOf = async (folder: string) => (await readEvents(folder)).events;
const lastStep = async (folder: string) =>
  (await eventsOf(folder)).flatMap((event) => (event.type === 'step' ? [event.step] : [])).at(-1) ?? 0;

describe('a run steered from the command line', () => {
  it('pauses, goes on, writes a checkpoint, stops, travels to another machine and goes on there', async () => {
    const runs = join(place, 'steered');
    // Longer than any test: it ends because it is asked to.
    const folder = await shortTraining(runs, 'steered', ['max_steps=100000', 'eval_steps=0', 'save_steps=0']);
    started.push(folder);
    await startRun(folder, { detached: true }).begun();
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await medlogictrace(['--json', 'runs', ...args, '--runs', runs]);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    await until('a first step', async () => (await lastStep(folder)) > 0);

    expect(RunAsked.parse(await ask('pause', 'steered')).state.state).toBe('live');
    await until('the pause', () => readFileSync(join(folder, 'log.txt'), 'utf8').includes('paused at step'));
    const paused = await lastStep(folder);
    const events = readFileSync(join(folder, 'events.jsonl'), 'utf8');
    // A paused run has a checkpoint, so that a kill costs nothing, and its heart beats on.
    expect((await eventsOf(folder)).findLast((event) => event.type === 'checkpoint')).toMatchObject({ step: paused });
    const beat = readFileSync(join(folder, 'heartbeat'), 'utf8');
    await until('the heart beating on', () => readFileSync(join(folder, 'heartbeat'), 'utf8') !== beat);
    // Bug: a pause that lets one more step through, or a paused run taken for a dead one.
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toBe(events);
    expect(RunList.parse(await ask('list')).runs[0]?.state.state).toBe('live');

    expect(RunResumed.parse(await ask('resume', 'steered')).from_step).toBeNull();
    await until('a step after the pause', async () => (await lastStep(folder)) > paused);
    await ask('checkpoint', 'steered');
    await until('the checkpoint asked for', async () =>
      (await eventsOf(folder)).some((event) => event.type === 'checkpoint' && event.step > paused),
    );
    expect(RunAsked.parse(await ask('stop', 'steered', '--wait', '60')).state).toMatchObject({ state: 'exited', exit: { code: 130 } });
    const stoppedAt = await lastStep(folder);

    const archive = join(place, 'steered.tar.gz');
    expect(RunExported.parse(await ask('export', 'steered', '--out', archive)).checkpoints).toHaveLength(1);
    const elsewhere = join(place, 'elsewhere');
    const adopted = await medlogictrace(['--json', 'runs', 'adopt', archive, '--runs', elsewhere]);
    expect(RunAdopted.parse(JSON.parse(adopted.stdout))).toMatchObject({ run: 'steered', checkpoint: stoppedAt });
    // The first machine is gone, with everything on it.
    renameSync(folder, join(place, 'gone'));
    const there = join(elsewhere, 'steered');
    started.push(there);
    const resumed = await medlogictrace(['--json', 'runs', 'resume', 'steered', '--runs', elsewhere]);
    expect(RunResumed.parse(JSON.parse(resumed.stdout)).from_step).toBe(stoppedAt);
    await until('a step on the other machine', async () => (await lastStep(there)) > stoppedAt);
    expect((await medlogictrace(['runs', 'stop', 'steered', '--wait', '60', '--runs', elsewhere])).code).toBe(0);
  }, 300_000);
});

describe('runs gc', () => {
  let runs = '';
  let count = 0;
  beforeEach(() => {
    runs = join(place, `gc-${count++}`, 'runs');
    mkdirSync(runs, { recursive: true });
  });
  const ended = async (id: string, code: number, checkpoints: number[]): Promise<string> => {
    const folder = await createRunFolder(runs, testRecord({ id }));
    const run = await openRunFolder(folder);
    for (const step of checkpoints) await run.checkpoint(step, async (to) => writeFileSync(join(to, 'model.bin'), Buffer.alloc(1000)));
    if (code === 0) run.event({ type: 'finished', step: checkpoints.at(-1) ?? 0, model: 'model' });
    await run.exit({ code, signal: null, reason: code === 0 ? 'finished' : 'no memory' });
    run.close();
    return folder;
  };
  const paths = ({ items }: RunsCleaned) => items.map(({ path }) => path).sort();

  it('shows what it would free and touches nothing; with --yes it does just that', async () => {
    const finished = await ended('finished', 0, [1, 2, 3]);
    const failed = await ended('failed', 1, []);
    await ended('resumable', 1, [1, 2]);
    mkdirSync(join(finished, 'checkpoints', 'damaged-step-000002'));
    const shown = await medlogictrace(['runs', 'gc', '--runs', runs]);
    expect(shown.stdout).toMatch(/would be freed; nothing was deleted/);
    const plan = await cleanRuns(runs);
    const checkpoint = (name: string) => join('finished', 'checkpoints', name);
    expect(paths(plan)).toEqual(['failed', checkpoint('damaged-step-000002'), checkpoint('step-000001'), checkpoint('step-000002')]);
    expect(plan.bytes).toBeGreaterThan(2000);
    expect(existsSync(failed)).toBe(true);
    expect(paths(await cleanRuns(runs, { keepLast: 3 }))).toEqual(['failed', checkpoint('damaged-step-000002')]);
    // Bug: `--older-than` that takes what has only just ended.
    expect(paths(await cleanRuns(runs, { olderThanMs: 3_600_000 }))).toEqual([]);
    expect(await medlogictrace(['runs', 'gc', '--older-than', 'yesterday', '--runs', runs])).toMatchObject({ code: 2 });

    const done = await medlogictrace(['--json', 'runs', 'gc', '--yes', '--runs', runs]);
    expect(paths(RunsCleaned.parse(JSON.parse(done.stdout)))).toEqual(paths(plan));
    expect(readdirSync(runs).sort()).toEqual(['finished', 'resumable']);
    expect(readdirSync(join(finished, 'checkpoints'))).toEqual(['step-000003']);
    expect(readdirSync(join(runs, 'resumable', 'checkpoints'))).toEqual(['step-000001', 'step-000002']);
    expect(paths(await cleanRuns(runs))).toEqual([]);
  }, 120_000);

  it('keeps what an evaluation, another run, a comparison or a report names (bug: a figure whose model is gone)', async () => {
    const named = await ended('named', 0, [1, 2, 3, 4, 5]);
    const step = (at: number) => join(named, 'checkpoints', `step-00000${at}`);
    const evaluation = await ended('evaluation', 0, []);
    writeFileSync(join(evaluation, 'evaluation.json'), JSON.stringify({ model: step(1) }));
    const follower = await createRunFolder(runs, testRecord({ id: 'follower' }));
    const record = JSON.parse(readFileSync(join(follower, 'run.json'), 'utf8'));
    writeFileSync(join(follower, 'run.json'), JSON.stringify({ ...record, config: { ...record.config, model: step(2) } }));
    writeFileSync(join(runs, '..', 'comparison.json'), JSON.stringify({ before: { model: 'runs/named/checkpoints/step-000003' } }));
    writeFileSync(join(runs, 'report.html'), '<code>medlogictrace compare runs/empty runs/named</code>');
    await ended('empty', 1, []);
    const { items, kept } = await cleanRuns(runs, { yes: true });
    expect(items.map(({ path }) => path)).toEqual([join('named', 'checkpoints', 'step-000004')]);
    expect(kept.map(({ run }) => run).sort()).toEqual(['empty', 'follower', 'named', 'named', 'named']);
    expect(readdirSync(join(named, 'checkpoints'))).toEqual(['step-000001', 'step-000002', 'step-000003', 'step-000005']);
  });

  it('never touches a run that lives or cannot be seen, nor the runs of a study or a demo (bug: a night of training deleted)', async () => {
    const live = await createRunFolder(runs, testRecord({ id: 'live' }));
    const run = await openRunFolder(live);
    const unseen = await createRunFolder(runs, testRecord({ id: 'unseen' }));
    writeFileSync(join(unseen, 'pid'), formatIdentity({ ...identify(process.pid, thisSystem), boot: 'x', machine: 'elsewhere' }));
    const waiting = await createRunFolder(runs, testRecord({ id: 'waiting' }));
    const cleaned = await cleanRuns(runs, { yes: true, sampleMs: 1 });
    expect(cleaned.items).toEqual([]);
    expect(cleaned.kept.map((one) => one.run).sort()).toEqual(['live', 'unseen', 'waiting']);
    expect([live, unseen, waiting].every((folder) => existsSync(join(folder, 'run.json')))).toBe(true);
    run.close();

    await ended('of-the-study', 1, []);
    writeFileSync(join(runs, '..', 'study.json'), '{}');
    expect((await cleanRuns(runs, { yes: true, sampleMs: 1 })).items).toEqual([]);
  });
});
