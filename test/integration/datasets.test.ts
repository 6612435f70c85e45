/** `medlogictrace datasets` as a user meets it: a file with errors, the import, a subset of it and the contamination check. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DatasetSubset, ImportReport } from '../../shared/dataset-import.ts';
import { ContaminationReport, DatasetListing, DatasetView } from '../../shared/dataset-listing.ts';
import { type CommandResult, medlogictrace } from '../fixtures/command-line.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-datasets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const datasets = (...args: string[]): Promise<CommandResult> =>
  medlogictrace(['datasets', ...args, '--json'], {
    env: { MEDLOGICTRACE_DATASETS: join(folder, 'sets'), MEDLOGICTRACE_CACHE: join(folder, 'cache'), MEDLOGICTRACE_DATA: folder },
  });

// Catches: an import with errors that ends with exit code 0, a document on standard output that is no JSON, a set that cannot be found again.
test('errors are listed with exit code 2, the good rows imported on request, and used by name', async () => {
  const file = join(folder, 'clinic.csv');
  const rows = Array.from(
    { length: 40 },
    (_, i) => `c${i},"What is drug ${i}, given ""daily""?",yes it is,no,${i === 20 ? 'E' : 'A'},${i % 2 ? 'Heart' : 'Lung'}`,
  );
  writeFileSync(file, `id,stem,first,second,right,subject\n${rows.join('\n')}\n`);
  const map = [
    '--map',
    'id=id',
    '--map',
    'question=stem',
    '--map',
    'options=first,second',
    '--map',
    'gold=right',
    '--map',
    'meta.subject=subject',
  ];

  const refused = await datasets('import', file, '--name', 'clinic', ...map);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/1 of 40 rows have errors and nothing was written.*--skip-bad-rows/);
  const report = ImportReport.parse(JSON.parse(refused.stdout));
  expect(report.problems.first).toMatchObject([{ row: 21, line: 22, id: 'c20', field: 'right', value: '"E"' }]);

  const imported = await datasets('import', file, '--name', 'clinic', ...map, '--skip-bad-rows', '--split', 'test', '--licence', 'CC0');
  expect([imported.code, ImportReport.parse(JSON.parse(imported.stdout)).dataset?.n]).toEqual([0, 39]);
  const listed = DatasetListing.array().parse(JSON.parse((await datasets('list')).stdout));
  expect(listed.find(({ name }) => name === 'clinic')).toMatchObject({
    licence: 'CC0',
    splits: [{ split: 'test', count: 39 }, { split: 'all' }],
  });

  const subset = DatasetSubset.parse(
    JSON.parse((await datasets('subset', 'heart', '--from', 'clinic', '--where', 'subject=Heart', '--sample', '5', '--seed', '2')).stdout),
  );
  const view = DatasetView.parse(JSON.parse((await datasets('show', 'heart')).stdout));
  expect([view.n, view.hash, view.golds]).toEqual([5, subset.hash, { A: 5 }]);
  const contamination = ContaminationReport.parse(JSON.parse((await datasets('contamination', 'clinic', 'heart')).stdout));
  expect(contamination.finding.exact.count).toBe(5);
});
