/** Starting a run from the window: what it may name, and one run for one request. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { checkNamed, RunStarts } from '../../main/workbench/start-run.ts';
import { InputError } from '../../shared/input-error.ts';

const runs = mkdtempSync(join(tmpdir(), 'mlt-start-'));
const runner = new RunnerService();
afterAll(async () => {
  runner.close();
  rmSync(runs, { recursive: true, force: true });
});

describe('the window opens', () => {
  const field = (config: Record<string, unknown>): string | undefined => {
    try {
      checkNamed(config, runs);
    } catch (error) {
      if (error instanceof InputError) return error.field;
      throw error;
    }
    return undefined;
  };

  test.each([
    ['a model anywhere', { model: '/etc' }, 'model'],
    ['a model by a way out of the runs', { model: join(runs, '..', 'other') }, 'model'],
    ['the folder of runs itself as a model', { model: runs }, 'model'],
    ['a file as training data', { data: { train: '/etc/passwd' } }, 'data.train'],
    ['a file of Windows', { data: { validation: 'C:\\data.jsonl' } }, 'data.validation'],
    ['a file of examples', { few_shot: { k: 1, data: '../x.jsonl' } }, 'few_shot.data'],
    ['a preset by name', { extends: 'demo' }, 'extends'],
  ])('never %s', (_, config, expected) => expect(field(config)).toBe(expected));

  test.each([
    ['the embedded model', { model: 'tiny', data: { train: 'arithmetic:train' } }],
    ['a model of the hub by its name', { model: 'Qwen/Qwen2.5-0.5B-Instruct' }],
    ['the model of a run', { model: join(runs, 'run-a', 'model') }],
    // Told by the check that opens it, with the name that was meant.
    ['a name that is wrong', { data: { train: 'arithmetik:train' } }],
  ])('%s', (_, config) => expect(field(config)).toBeUndefined());
});

test('one request is one run: asked twice at once, and again by a workbench that has started since (bug: two trainings)', async () => {
  const config = {
    kind: 'train',
    name: 'once',
    data: { train_limit: 4, validation_limit: 2 },
    max_steps: 1,
    per_device_train_batch_size: 2,
    num_generations: 2,
    max_completion_length: 8,
  };
  const request = crypto.randomUUID();
  const starts = new RunStarts(runs, runner);
  const both = await Promise.all([starts.start(config, request), starts.start(config, request)]);
  const [{ run }] = both as [{ run: string }, unknown];
  expect(both).toEqual([
    { run, again: false, waiting: null },
    { run, again: true, waiting: null },
  ]);
  expect(await new RunStarts(runs, runner).start(config, request)).toEqual({ run, again: true, waiting: null });
  expect(readdirSync(runs).filter((name) => !name.startsWith('.'))).toEqual([run]);
  await expect.poll(() => readdirSync(join(runs, run)), { timeout: 60_000 }).toContain('exit.json');
  expect(JSON.parse(readFileSync(join(runs, run, 'exit.json'), 'utf8'))).toMatchObject({ code: 0 });
});

test('a start that is refused names the field, makes nothing (bug: an empty folder that stands as a run)', async () => {
  const own = join(runs, 'own');
  const starts = new RunStarts(own, runner);
  const request = crypto.randomUUID();
  await expect(starts.start({ kind: 'train', data: {}, learning_rate: -1 }, request)).rejects.toMatchObject({ field: 'learning_rate' });
  await expect(starts.start({ kind: 'train', data: {}, model: '/etc' }, request)).rejects.toMatchObject({ field: 'model' });
  expect(() => readdirSync(own)).toThrow(/ENOENT/);
});
