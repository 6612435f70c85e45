/** Which models are listed, under which names, and which names are none. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkedModels } from '../../main/commands/models.ts';
import { EMBEDDED_MODELS } from '../../main/policy/model-location.ts';
import { modelsHandlers } from '../../main/rpc/handlers/models.ts';
import { createRouter } from '../../main/rpc/router.ts';
import { createHandlers, createSources } from '../../main/rpc/workbench-router.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { addFolder, removeLink } from '../../main/workbench/added-folder.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { EMBEDDED, findModel, listModels } from '../../main/workbench/models.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { CheckedModelList, ModelId } from '../../shared/model-list.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

let folder: string;
let runs: string;
let models: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-list-'));
  [runs, models] = [join(folder, 'runs'), join(folder, 'models')];
  const run = await createRunFolder(runs, { ...testRecord(), id: 'run-a' });
  for (const name of [
    'checkpoints/step-000010',
    'checkpoints/step-000002',
    'checkpoints/damaged-step-000004',
    'checkpoints/.writing-x',
    'model',
  ]) {
    await mkdir(join(run, name));
  }
  await writeSmallModel(join(models, 'plain'));
  await writeSmallModel(join(models, 'organisation', 'name'));
  await symlink(join(models, 'plain'), join(models, 'linked'));
  await mkdir(join(models, 'notes'));
  await mkdir(join(models, 'half'));
  await writeFile(join(models, 'half', 'model.safetensors'), 'torn');
  await writeFile(join(models, 'file.txt'), '');
  await mkdir(join(runs, 'run-torn'));
  await writeFile(join(runs, 'run-torn', 'run.json'), '{');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the list of models', () => {
  test('has the embedded, the installed one and two folders deep, and those of runs with the newest step first', async () => {
    const list = await listModels(runs, models);
    expect(list.models.map(({ id }) => id)).toEqual([
      'tiny',
      'installed/half',
      'installed/linked',
      'installed/organisation/name',
      'installed/plain',
      'run/run-a/model',
      'run/run-a/step-000010',
      'run/run-a/step-000002',
    ]);
    expect(list.models.at(-1)?.run).toMatchObject({ id: 'run-a', step: 2, trained_on: 'arithmetic:train', prompt: { style: 'instruct' } });
    // Bug: one torn run.json empties the list.
    expect(list.unreadable).toMatchObject([{ folder: join(runs, 'run-torn') }]);
  });

  test('is there where neither folder exists', async () => {
    expect((await listModels(join(folder, 'none'), join(folder, 'none'))).models.map(({ id }) => id)).toEqual(['tiny']);
  });

  test('names the embedded models as the policy does (they may not import each other)', () => {
    expect(EMBEDDED).toEqual(Object.keys(EMBEDDED_MODELS));
  });

  test('on the command line says what is wrong with each, and hides none', async () => {
    const list = CheckedModelList.parse(await checkedModels(runs, models));
    const problems = Object.fromEntries(list.models.map(({ id, problem }) => [id, problem]));
    expect(problems.tiny).toBeNull();
    expect(problems['installed/plain']).toBeNull();
    expect(problems['installed/half']).toContain('config.json');
    expect(problems['run/run-a/model']).toContain('config.json');
  });
});

describe('a folder that lies elsewhere', () => {
  test('is in the list through a link, once, and off it again with its files untouched', async () => {
    const elsewhere = join(folder, 'elsewhere', 'my model');
    await writeSmallModel(elsewhere);
    vi.stubEnv('MEDLOGICTRACE_MODELS', join(folder, 'linked-models'));
    try {
      expect(await addFolder(runs, `${elsewhere}/`)).toEqual({ model: 'installed/my-model' });
      expect(await addFolder(runs, elsewhere)).toEqual({ model: 'installed/my-model' });
      expect(await findModel(runs, 'installed/my-model')).toMatchObject({ link: true, origin: 'installed' });
      await removeLink(runs, 'installed/my-model');
      await expect(findModel(runs, 'installed/my-model')).rejects.toThrow('my-model');
      expect((await checkedModels(runs, join(folder, 'elsewhere'))).models.at(1)?.problem).toBeNull();
      // Bug: any folder's name is told to the window, or one that is a model's own is deleted.
      for (const path of ['/', join(folder, 'none'), 'models/plain'])
        await expect(addFolder(runs, path)).rejects.toMatchObject({ field: 'path' });
      await expect(removeLink(runs, 'tiny')).rejects.toThrow('tiny');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('of an adapter is listed as one, not as a broken model', async () => {
    const adapter = join(models, 'adapter-only');
    await mkdir(adapter);
    await writeFile(join(adapter, 'adapter_config.json'), '{}');
    await writeFile(join(adapter, 'adapter_model.safetensors'), '');
    const list = await listModels(runs, models);
    expect(list.adapters.map(({ id }) => id)).toEqual(['installed/adapter-only']);
    expect(list.models.map(({ id }) => id)).not.toContain('installed/adapter-only');
    await rm(adapter, { recursive: true });
  });
});

describe('a model in the window', () => {
  test.each(['/etc', '../run-a', 'installed/../../etc', 'run/..', 'a\\b', '', './tiny'])('is never a path: %j', async (id) => {
    expect(ModelId.safeParse(id).success).toBe(false);
    const services = { version: '0', runsDir: runs, files: new GivenFiles(), runner: new RunnerService({ node: 'not-started' }) };
    const router = createRouter({ ...createHandlers(services), ...modelsHandlers(services) }, createSources(services));
    expect(await router.call('models.inspect', { model: id })).toMatchObject({ ok: false, error: { code: 'input' } });
  });

  test('that is not in the list is named with some that are', async () => {
    await expect(findModel(runs, 'run/run-a/step-000003')).rejects.toThrow(/run\/run-a\/step-000003.*tiny/s);
    await expect(findModel(runs, models)).rejects.toThrow('model');
  });

  test('is not tried on a file that the window names', async () => {
    const services = { version: '0', runsDir: runs, files: new GivenFiles(), runner: new RunnerService({ node: 'not-started' }) };
    const router = createRouter(createHandlers(services), createSources(services));
    expect(await router.call('models.questions', { data: '/etc/passwd' })).toMatchObject({
      ok: false,
      error: { code: 'input', field: 'data' },
    });
    const reply = await router.call('models.questions', { data: 'arithmetic:test', n: 2, search: 'HOW many' });
    expect(reply).toMatchObject({ ok: true, data: [{ dataset: 'arithmetic' }, { dataset: 'arithmetic' }] });
  });
});
