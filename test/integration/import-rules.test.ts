/** The check of the import table must find what it forbids: a check that reads nothing passes everything. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkImports, type ImportReport } from '../../scripts/import-rules.ts';

/** A small tree with every violation the table forbids, and one lawful import of each room. */
const files: Record<string, string> = {
  'shared/lawful.ts': "import { z } from 'zod';\nexport const lawful = z.string();\n",
  'shared/reads-disk.ts': "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('a');\n",
  'shared/reaches-up.ts': "import { advantage } from '../main/runner/lawful.ts';\nexport const up = advantage;\n",
  'main/policy/lawful.ts': "import { lawful } from '../../shared/lawful.ts';\nexport const policy = lawful;\n",
  'main/policy/knows-rewards.ts': "import type { Advantage } from '../runner/lawful.ts';\nexport const weight: Advantage = 1;\n",
  'main/data/lawful.ts': "import { lawful } from '../../shared/lawful.ts';\nexport const data = lawful;\n",
  'main/data/knows-models.ts': "import { policy } from '../policy/lawful.ts';\nexport const model = policy;\n",
  'main/machine/knows-data.ts': "import { data } from '../data/lawful.ts';\nexport const machine = data;\n",
  'main/runner/lawful.ts':
    "import { data } from '../data/lawful.ts';\nimport { policy } from '../policy/lawful.ts';\nexport type Advantage = number;\nexport const advantage = [data, policy];\n",
  'main/runner/knows-services.ts': "export const service = await import('../workbench/lawful.ts');\n",
  'main/workbench/lawful.ts': "import { data } from '../data/lawful.ts';\nexport const runs = data;\n",
  'main/workbench/trains.ts': "import { advantage } from '../runner/lawful.ts';\nexport const train = advantage;\n",
  'main/rpc/skips-services.ts': "import { data } from '../data/lawful.ts';\nexport const route = data;\n",
  'main/stray.ts': "import { lawful } from '../shared/lawful.ts';\nexport const stray = lawful;\n",
  'main/cli.ts': "export const command = () => import('./runner/lawful.ts');\n",
  'main/desktop.ts': "import { app } from 'electron';\nexport const shell = app;\n",
  'main/workbench/opens-window.ts': "import { BrowserWindow } from 'electron';\nexport const window = BrowserWindow;\n",
  'preload/index.ts':
    "import { contextBridge } from 'electron';\nimport { runs } from '../main/workbench/lawful.ts';\nexport default [contextBridge, runs];\n",
  'renderer/main.tsx': "import { Home } from './features/home/home.tsx';\nexport const app = <Home />;\n",
  'renderer/features/home/home.tsx': "import { Runs } from '../runs/runs.tsx';\nexport const Home = () => <Runs />;\n",
  'renderer/features/runs/runs.tsx': "import { readFile } from 'node:fs/promises';\nexport const Runs = () => <p>{String(readFile)}</p>;\n",
  'shared/one.ts': "import { two } from './two.ts';\nexport const one = () => two;\n",
  'shared/two.ts': "import { one } from './one.ts';\nexport const two = () => one;\n",
  'shared/lost.ts': "export { nothing } from './not-there.ts';\n",
};

const expected: [rule: string, from: string][] = [
  ['shared-is-pure', 'shared/reads-disk.ts'],
  ['room-shared', 'shared/reaches-up.ts'],
  // A type-only import ties two rooms together as well.
  ['room-policy', 'main/policy/knows-rewards.ts'],
  ['room-data', 'main/data/knows-models.ts'],
  ['room-machine', 'main/machine/knows-data.ts'],
  // A dynamic import is an import.
  ['room-runner', 'main/runner/knows-services.ts'],
  ['room-workbench', 'main/workbench/trains.ts'],
  ['room-rpc', 'main/rpc/skips-services.ts'],
  ['every-file-has-a-room', 'main/stray.ts'],
  ['electron-stays-in-its-shell', 'main/workbench/opens-window.ts'],
  ['room-preload', 'preload/index.ts'],
  ['features-stand-alone', 'renderer/features/home/home.tsx'],
  ['window-has-no-node', 'renderer/features/runs/runs.tsx'],
  ['no-cycles', 'shared/one.ts'],
  ['imports-lead-somewhere', 'shared/lost.ts'],
];

describe('the import table', () => {
  let folder: string;
  let report: ImportReport;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'import-rules-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    report = await checkImports(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('every source file is read (a parser that cannot read TypeScript sees none and passes)', () => {
    expect(report.present).toBe(Object.keys(files).length);
    expect(report.read).toBe(report.present);
  });

  test.each(expected)('%s is broken by %s', (rule, from) => {
    expect(report.violations).toContainEqual(expect.objectContaining({ rule, from }));
  });

  test('lawful imports are left alone (a rule that forbids everything would also find the violations)', () => {
    const guilty = new Set(report.violations.filter((found) => found.rule !== 'imports-lead-somewhere').map((found) => found.from));
    for (const path of Object.keys(files)) {
      if (/lawful|cli\.ts|desktop\.ts|renderer\/main/.test(path)) expect(guilty).not.toContain(path);
    }
  });

  test('the checkout itself is read whole', async () => {
    const { read, present } = await checkImports();
    expect(present).toBeGreaterThan(20);
    expect(read).toBe(present);
  });
});
