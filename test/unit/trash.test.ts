/** Deleting runs: to the trash and back, never one that may live. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { listRuns } from '../../main/workbench/runs.ts';
import { readStorage } from '../../main/workbench/storage.ts';
import { emptyTrash, listTrash, restoreRun, trashRun } from '../../main/workbench/trash.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { testRecord } from '../fixtures/run-record.ts';

let runs: string;
beforeEach(() => {
  // A folder of its own around it: what lies beside the runs is read for their names, too.
  runs = join(mkdtempSync(join(tmpdir(), 'trash-')), 'runs');
  mkdirSync(runs);
});
afterEach(() => rmSync(dirname(runs), { recursive: true }));

async function endedRun(id: string): Promise<string> {
  const folder = await createRunFolder(runs, { ...testRecord(), id });
  writeFileSync(join(folder, 'exit.json'), JSON.stringify({ code: 0, signal: null, reason: 'done', time: '2026-01-01T00:00:00.000Z' }));
  writeFileSync(join(folder, 'events.jsonl'), 'x'.repeat(1234));
  return folder;
}
const ids = async (): Promise<string[]> => (await listRuns(runs)).runs.map(({ id }) => id);

describe('the trash', () => {
  test('takes a run out of the list and gives it back as it was', async () => {
    const folder = await endedRun('one');
    await endedRun('two');
    const before = readFileSync(join(folder, 'run.json'), 'utf8');
    await trashRun(runs, 'one');
    expect(await ids()).toEqual(['two']);
    expect(await listTrash(runs)).toMatchObject([{ run: 'one' }]);
    await restoreRun(runs, 'one');
    expect((await ids()).sort()).toEqual(['one', 'two']);
    expect(readFileSync(join(folder, 'run.json'), 'utf8')).toBe(before);
    expect(await listTrash(runs)).toEqual([]);
  });

  test('is emptied of what the reader saw, and of nothing that came since (bug: a run deleted for good that nobody was asked about)', async () => {
    await endedRun('seen');
    await endedRun('later');
    await trashRun(runs, 'seen');
    const shown = (await listTrash(runs)).map(({ run }) => run);
    await trashRun(runs, 'later');
    expect(await emptyTrash(runs, shown)).toBeGreaterThan(1234);
    expect((await listTrash(runs)).map(({ run }) => run)).toEqual(['later']);
  });

  test('never takes a run that lives, nor one of which that cannot be said', async () => {
    const live = await createRunFolder(runs, { ...testRecord(), id: 'live' });
    writeFileSync(join(live, 'pid'), formatIdentity(identify(process.pid, thisSystem)));
    await createRunFolder(runs, { ...testRecord(), id: 'unseen' });
    await expect(trashRun(runs, 'live')).rejects.toThrow('it is running; stop it first');
    await expect(trashRun(runs, 'unseen', { sampleMs: 1 })).rejects.toThrow('it cannot be said whether it is running');
    expect(existsSync(live)).toBe(true);
    const { runs: stored } = await readStorage(runs, { sampleMs: 1 });
    expect(stored.map(({ run, locked }) => [run, locked !== null])).toEqual(
      expect.arrayContaining([
        ['live', true],
        ['unseen', true],
      ]),
    );
  });

  test('does not cover one run with another of the same name', async () => {
    await endedRun('one');
    await trashRun(runs, 'one');
    await endedRun('one');
    await expect(restoreRun(runs, 'one')).rejects.toThrow('is there again');
    await expect(trashRun(runs, 'one')).rejects.toThrow('in the trash already');
    expect(await ids()).toEqual(['one']);
  });

  test('says what rests on a run', async () => {
    const folder = await endedRun('base');
    const other = await endedRun('child');
    writeFileSync(join(other, 'evaluation.json'), JSON.stringify({ model: join(folder, 'model') }));
    const { runs: stored } = await readStorage(runs);
    expect(stored.find(({ run }) => run === 'base')?.needed).toMatch(/evaluation\.json names/);
    expect(stored.find(({ run }) => run === 'child')?.needed).toBeNull();
  });
});
