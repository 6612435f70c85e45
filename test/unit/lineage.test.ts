/** Where a checkpoint comes from, and which results must carry a mark. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../main/data/catalogue.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { lineageOf, marksOf, runsBehind } from '../../main/runner/lineage.ts';
import { limited } from '../../main/runner/prepare-run.ts';
import { TrainConfig } from '../../shared/config.ts';
import { testRecord } from '../fixtures/run-record.ts';

let folder: string;
let sets: { name: string; split: string; hash: string; n: number }[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineage-'));
  const [train, validation] = [await openDataset('arithmetic:train'), limited(await openDataset('arithmetic:validation'), 64)];
  sets = [train, validation].map(({ name, split, hash, questions }) => ({ name, split, hash, n: questions.length }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A checkpoint of a run that trained on arithmetic:train and stopped early by arithmetic:validation. */
async function checkpoint(id: string, from = 'tiny'): Promise<string> {
  const config = TrainConfig.parse({ kind: 'train', data: {}, early_stopping: {} });
  const run = await createRunFolder(folder, {
    ...testRecord(),
    id,
    config,
    model: { path: from, hash: 'h', parameters: 1 },
    data: sets,
    splits: { trained_on: 'arithmetic:train', selected_on: 'arithmetic:validation', reported_on: null },
  });
  const path = join(run, 'checkpoints', 'step-000010');
  await mkdir(path);
  return path;
}
const silent = () => undefined;

describe('lineage', () => {
  it('is read from the run that the checkpoint lies in, and null for any other model', async () => {
    const model = await checkpoint('first');
    expect(lineageOf(await runsBehind(model))).toMatchObject({
      run: 'first',
      trained_on: 'arithmetic:train',
      selected_on: 'arithmetic:validation',
      data: [{ name: 'arithmetic', split: 'train' }, { split: 'validation' }],
    });
    expect(lineageOf(await runsBehind(folder))).toBeNull();
  });
  it('reaches behind a run to the run that made its model (bug: a second training washes the first one away)', async () => {
    const model = await checkpoint('third', await checkpoint('second'));
    expect((await runsBehind(model)).map(({ id }) => id)).toEqual(['third', 'second']);
  });
  it('is that of the run for the model that it ended with, too (bug: evaluating <run>/model carried no mark)', async () => {
    await checkpoint('ended');
    await mkdir(join(folder, 'ended', 'model'));
    expect((await runsBehind(join(folder, 'ended', 'model'))).map(({ id }) => id)).toEqual(['ended']);
  });
  it('says so when run.json is broken', async () => {
    await mkdir(join(folder, 'broken', 'checkpoints', 'step-000001'), { recursive: true });
    await writeFile(join(folder, 'broken', 'run.json'), '{');
    await expect(runsBehind(join(folder, 'broken', 'checkpoints', 'step-000001'))).rejects.toThrow('run.json');
  });
});

describe('marks', () => {
  it.each([
    ['arithmetic:train', ['trained_on_reporting_split']],
    ['arithmetic:validation', ['selected_on_reporting_split']],
    ['arithmetic:test', []],
    ['dosage:test', []],
  ])('%s', async (spec, marks) => {
    const runs = await runsBehind(await checkpoint(`marks-${spec.replace(':', '-')}`));
    const data = await openDataset(spec);
    expect(await marksOf(runs, data, silent)).toEqual(marks);
    // Bug: a limit changes the hash, and the mark is lost with it.
    expect(await marksOf(runs, limited(data, 20), silent)).toEqual(marks);
    // Bug: the same questions under another name are not recognised.
    expect(await marksOf(runs, { ...limited(data, 20), name: 'copy.jsonl', split: 'all' }, silent)).toEqual(marks);
  });
  it('notes a training set that is gone instead of passing over it in silence', async () => {
    const [run] = await runsBehind(await checkpoint('gone'));
    if (run?.config.kind !== 'train') throw new Error('no training run');
    const config = { ...run.config, data: { ...run.config.data, train: './gone.jsonl' } };
    const gone = {
      ...run,
      config,
      data: [{ name: './gone.jsonl', split: 'all', hash: 'g', n: 3 }],
      splits: { ...run.splits, trained_on: './gone.jsonl:all' },
    };
    const notes: string[] = [];
    expect(await marksOf([gone], await openDataset('dosage:test'), (text) => notes.push(text))).toEqual([]);
    expect(notes.join()).toContain('gone.jsonl');
  });
});
