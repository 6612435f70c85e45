/** The last words of a run that did not finish: its exit code, what is said of it, and that nobody is shown a stack trace for what was expected. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DeviceFailure } from '../../main/policy/tfjs/padded/device-failure.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { sayHowItEnded } from '../../main/runner/run-end.ts';
import { openRunFolder } from '../../main/runner/run-folder.ts';
import { StopRequested } from '../../main/runner/training-run.ts';
import { logEnd } from '../../main/workbench/runs.ts';
import { InputError } from '../../shared/input-error.ts';
import { testRecord } from '../fixtures/run-record.ts';

let runs: string;
beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'run-end-'));
});
afterAll(() => rm(runs, { recursive: true, force: true }));

/** A run with a checkpoint of step 3, or without one, that ends by `error`. */
async function ended(id: string, error: unknown, checkpoint = true) {
  const folder = await createRunFolder(runs, { ...testRecord(), id });
  const run = await openRunFolder(folder);
  if (checkpoint) await run.checkpoint(3, (to) => writeFile(join(to, 'model.bin'), 'weights'));
  const { code, unsaid } = await sayHowItEnded(run, error, new AbortController().signal);
  run.close();
  const exit = JSON.parse(await readFile(join(folder, 'exit.json'), 'utf8')) as { code: number; reason: string };
  return { code, unsaid, exit, log: await readFile(join(folder, 'log.txt'), 'utf8'), shown: logEnd(folder) };
}

test('a device that was lost: what is safe, and how to go on with another backend', async () => {
  const { code, unsaid, exit, log } = await ended('lost', new DeviceFailure('lost', 'the GPU was lost (destroyed)'));
  expect({ code, unsaid }).toEqual({ code: 1, unsaid: null });
  expect(exit).toMatchObject({ code: 1 });
  expect(exit.reason).toBe(
    'the GPU was lost (destroyed). The checkpoint of step 3 is safe. Go on with "medlogictrace runs resume lost", on another backend with --backend wasm.',
  );
  expect(log).toContain(exit.reason);
  expect(log).not.toMatch(/^ +at /m);
});

test('a device without memory, before any checkpoint: what to make smaller', async () => {
  const { code, exit } = await ended('full', new DeviceFailure('memory', 'TensorFlow is out of memory'), false);
  expect(code).toBe(1);
  expect(exit.reason).toMatch(/out of memory\. There is no checkpoint yet; it would begin again at step 0\..*smaller micro_batch_size/);
});

test('wrong input: code 2 and its message alone', async () => {
  const { code, exit, log } = await ended('input', new InputError('tensor x holds NaN; fetch it again', 'model'));
  expect([code, exit.code, exit.reason]).toEqual([2, 2, 'tensor x holds NaN; fetch it again']);
  expect(log).toContain('tensor x holds NaN');
  expect(log).not.toMatch(/^ +at /m);
});

test('a stop that was asked for: code 130', async () => {
  expect((await ended('stopped', new StopRequested('stopped by SIGINT'))).code).toBe(130);
});

test('a mistake of the program: its place stands in the log, and is not shown', async () => {
  const { code, log, shown } = await ended('mistake', new TypeError('x is not a function'));
  expect(code).toBe(1);
  expect(log).toMatch(/^ +at .*run-end\.test/m);
  expect(shown).toContain('x is not a function');
  expect(shown).not.toMatch(/^ +at /m);
});
