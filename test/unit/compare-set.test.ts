/** Evaluations found with their training runs: which are one configuration with several seeds, and what a report says of questions that are gone. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSet } from '../../main/workbench/compare-set.ts';
import { checkContamination } from '../../main/workbench/contamination-check.ts';
import { reportOf } from '../../main/workbench/report-of-set.ts';
import { compareMany } from '../../shared/compare-many.ts';
import { RunConfig } from '../../shared/config.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const questions = Array.from({ length: 24 }, (_, i) => numberQuestion(`test:${i}`, String(i), { dataset: 'gone' }));
let root = '';

async function evaluation(name: string, model: string, right: number): Promise<string> {
  const items = questions.map((question, i) => answerTo(question, i < right, 50));
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const document = evaluationOf(items, questions, { model, model_hash: name, data: './gone.jsonl' });
  await writeFile(join(folder, 'evaluation.json'), JSON.stringify(document));
  await writeFile(join(folder, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
  return folder;
}

/** A training run of which only what a comparison reads is there. */
async function training(name: string, seed: number, settings: Record<string, unknown> = {}): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  const record: RunRecord = {
    id: name,
    created: '2026-01-01T00:00:00Z',
    config: RunConfig.parse({ kind: 'train', name: 'grpo', data: {}, seed, ...settings }),
    seed,
    versions: {},
    git_revision: null,
    model: { path: 'tiny', hash: 'aa', parameters: 1 },
    data: [{ name: './gone-train.jsonl', split: 'train', hash: 'tt', n: 5 }],
    splits: { trained_on: './gone-train.jsonl:train', selected_on: null, reported_on: null },
  };
  await writeFile(join(folder, 'run.json'), JSON.stringify(record));
  const step = { seq: 0, time: '2026-01-01T00:00:00Z', type: 'step', step: 1, epoch: 0, metrics: { reward: 0.5 } };
  await writeFile(join(folder, 'events.jsonl'), `${JSON.stringify(step)}\n`);
  return join(folder, 'model');
}

let refs: string[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'compare-set-'));
  const models = [await training('seed-1', 1), await training('seed-2', 2), await training('other-lr', 3, { learning_rate: 1e-4 })];
  refs = [
    await evaluation('before', 'tiny', 8),
    await evaluation('one', models[0] ?? '', 12),
    await evaluation('two', models[1] ?? '', 14),
    await evaluation('three', models[2] ?? '', 9),
  ];
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('openSet', () => {
  it('groups runs that differ in nothing but the seed, and no others (another learning rate taken for another seed)', async () => {
    const { evaluations, groups } = await openSet(refs, { runs: root });
    expect(evaluations.map(({ name, run }) => [name, run?.record.seed ?? null])).toEqual([
      ['before', null],
      ['one', 1],
      ['two', 2],
      ['three', 3],
    ]);
    expect(groups).toEqual([
      {
        name: 'grpo',
        members: [
          { name: 'one', seed: 1 },
          { name: 'two', seed: 2 },
        ],
      },
    ]);
  });

  it('a group of the user’s takes its members out of those found; what is no group is refused by name', async () => {
    const { groups } = await openSet(refs, { runs: root, groups: [`mine=${refs[1]},three`] });
    expect(groups.map(({ name, members }) => [name, members.map((member) => member.name)])).toEqual([['mine', ['one', 'three']]]);
    await expect(openSet(refs, { runs: root, groups: ['mine=one'] })).rejects.toThrow(/--group mine=one: .*NAME=a,b,c/);
    await expect(openSet(refs, { runs: root, groups: ['mine=one,four'] })).rejects.toThrow(/four is not among/);
    await expect(openSet([...refs, refs[0] ?? ''], { runs: root })).rejects.toThrow(/given twice/);
  });

  it('adds a reference that is not among those given', async () => {
    const { evaluations, reference } = await openSet(refs.slice(1), { runs: root, reference: refs[0] });
    expect(evaluations.map((entry) => entry.name)).toEqual(['before', 'one', 'two', 'three']);
    expect(reference).toBe('before');
  });

  it('overlap with a set that is gone is "not checked", with the reason, never "none"', async () => {
    const { evaluations } = await openSet(refs, { runs: root });
    const checks = await checkContamination(evaluations);
    expect(checks).toHaveLength(3);
    for (const check of checks)
      expect(check).toMatchObject({ role: 'trained_on', found: null, note: expect.stringMatching(/cannot be opened|no file/) });
  });

  it('a report without the questions’ texts says so, and has the runs’ curves, settings and the commands', async () => {
    const set = await openSet(refs, { runs: root });
    expect(set.notes.join()).toMatch(/counts as independent.*gone\.jsonl/);
    const all = compareMany(set.evaluations, { groups: set.groups, draws: 100 });
    const report = await reportOf({
      set,
      comparisons: all.comparisons,
      all,
      runs: root,
      trainingRuns: [],
      command: 'medlogictrace compare …',
    });
    expect(report.runs.map((run) => [run.name, run.training.length])).toEqual([
      ['seed-1', 1],
      ['seed-2', 1],
      ['other-lr', 1],
    ]);
    expect(report.notes).toEqual(set.notes);
    expect(report.commands[0]).toBe('medlogictrace evaluate --model tiny --data ./gone.jsonl:test --limit 24 --max-tokens 256');
    expect(report.comparisons[0]?.questions[3]?.question).toMatch(/test:3 .*cannot be opened/);
    expect(report.series?.get('one')).toBe('grpo');
    await expect(reportOf({ set, comparisons: all.comparisons, all, runs: root, trainingRuns: ['seed-9'], command: '' })).rejects.toThrow(
      /seed-9/,
    );
  });
});
