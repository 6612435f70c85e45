/**
 * Runs the tests: node scripts/test.js [GROUP …]. Prepares what a group needs (Python packages, Chromium), says what it could not
 * get, runs each group within its time and ends with one line that counts all of them. With CI=true something installable that
 * could not be had is a failure.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { endChildren, runProcess } from './child-process.ts';
import { ensurePython } from './python-environment.ts';
import type { Requirement } from './requirement.ts';
import { ensureChromium, ensureSshd } from './system-packages.ts';
import { ensureTensorflow } from './tensorflow-backend.ts';
import {
  addCounts,
  countLine,
  countPytest,
  countVitest,
  type FailedTest,
  failedLines,
  failedPytest,
  failedVitest,
  type TestCount,
} from './test-count.ts';

const root = dirname(import.meta.dirname);

interface Group {
  name: string;
  what: string;
  /** Seconds it may take. */
  limit: number;
  needs?: 'python' | 'chromium' | 'sshd';
  /** Folder of a Python package whose tests belong to the group. */
  pytest?: string;
}

const groups: readonly Group[] = [
  { name: 'unit', what: 'pure parts', limit: 240 },
  { name: 'integration', what: 'processes, folders, machines, the command line', limit: 900, needs: 'sshd' },
  { name: 'engine', what: 'against PyTorch and Transformers', limit: 780, needs: 'python', pytest: 'resources/torch-engine' },
  { name: 'models', what: 'the tiny model and real data files', limit: 360 },
  { name: 'e2e', what: 'the window in Chromium', limit: 480, needs: 'chromium' },
];

const usage = `usage: npm test [-- GROUP …]
${groups.map((group) => `  ${group.name.padEnd(12)} ${group.what}`).join('\n')}
Without a group: all of them. Environment: CI=true (a missing requirement fails), MEDLOGICTRACE_CACHE, MEDLOGICTRACE_PYTHON,
MEDLOGICTRACE_TENSORFLOW_HOME, MEDLOGICTRACE_CHROMIUM, MEDLOGICTRACE_DATA (default ../shared/data).`;

/** Everything that failed so far, in the order of the groups. */
const failures: FailedTest[] = [];

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Remembers what failed; a run that ended badly without a failed test is named itself. */
function note(what: string, { failed }: TestCount, tests: readonly FailedTest[], timedOut: boolean): void {
  if (failed === 0) return;
  const whole = { name: what, message: timedOut ? 'its time was over before its tests were' : 'it ended badly; its output tells why' };
  failures.push(...(tests.length > 0 ? tests : [whole]));
}

/** The tests of a Python package, which lie beside it. */
async function runPytest(where: string, python: string, folder: string, limit: number): Promise<TestCount> {
  const reportFile = join(folder, 'pytest.xml');
  const result = await runProcess(python, ['-m', 'pytest', `--junit-xml=${reportFile}`], {
    cwd: join(root, where),
    env: { PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
    limit: Math.max(1, limit),
  });
  if (result.timedOut) say(`${where}: stopped, its time was over`);
  const report = existsSync(reportFile) ? await readFile(reportFile, 'utf8') : null;
  const count = countPytest(report, result.code);
  note(where, count, failedPytest(report), result.timedOut);
  return count;
}

async function runGroup(group: Group, env: NodeJS.ProcessEnv): Promise<TestCount> {
  const folder = await mkdtemp(join(tmpdir(), 'medlogictrace-tests-'));
  const reportFile = join(folder, 'report.json');
  try {
    say(`\n== ${group.name}: ${group.what}`);
    const args = ['run', '--project', group.name, '--passWithNoTests', '--reporter=default', '--reporter=json'];
    const started = performance.now();
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const result = await runProcess(process.execPath, [vitest, ...args, `--outputFile.json=${reportFile}`], {
      cwd: root,
      env,
      limit: group.limit,
    });
    if (result.timedOut) say(`${group.name}: stopped after ${group.limit} s, its whole time`);
    const report: unknown = existsSync(reportFile) ? JSON.parse(await readFile(reportFile, 'utf8')) : null;
    const count = countVitest(report, result.code);
    note(group.name, count, failedVitest(report, root), result.timedOut);
    const python = env.MEDLOGICTRACE_PYTHON;
    if (group.pytest === undefined || python === undefined) return count;
    const left = group.limit - (performance.now() - started) / 1000;
    return addCounts(count, await runPytest(group.pytest, python, folder, left));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    say(usage);
    return 0;
  }
  const unknown = args.find((arg) => !groups.some((group) => group.name === arg));
  if (unknown !== undefined) {
    say(`unknown test group "${unknown}"\n${usage}`);
    return 2;
  }
  const chosen = args.length === 0 ? groups : groups.filter((group) => args.includes(group.name));
  const strict = process.env.CI === 'true';
  const env: NodeJS.ProcessEnv = {};
  let total: TestCount = { passed: 0, failed: 0, skipped: 0 };

  const prepare = async (requirement: Promise<Requirement>, variable: string) => {
    const { name, path, missing } = await requirement;
    if (path !== undefined) env[variable] = path;
    else {
      say(`${strict ? 'FAILED' : 'skipped'}: tests that need ${name}: ${missing}`);
      if (strict) {
        total = addCounts(total, { passed: 0, failed: 1, skipped: 0 });
        failures.push({ name: `tests that need ${name}`, message: missing ?? 'it could not be had' });
      }
    }
  };
  if (chosen.some((group) => group.needs === 'python')) {
    await prepare(ensurePython(join(root, 'test', 'fixtures', 'requirements.txt'), cacheFolder(), say), 'MEDLOGICTRACE_PYTHON');
    await prepare(ensureTensorflow(cacheFolder(), say), 'MEDLOGICTRACE_TENSORFLOW_HOME');
  }
  if (chosen.some((group) => group.needs === 'chromium')) await prepare(ensureChromium(say), 'MEDLOGICTRACE_CHROMIUM');
  if (chosen.some((group) => group.needs === 'sshd')) await prepare(ensureSshd(say), 'MEDLOGICTRACE_SSHD');
  const data = process.env.MEDLOGICTRACE_DATA || join(root, '..', 'shared', 'data');
  if (!existsSync(data)) say(`skipped: tests on real data files: ${data} is not there; set MEDLOGICTRACE_DATA to their folder`);

  for (const group of chosen) total = addCounts(total, await runGroup(group, env));
  for (const line of failedLines(failures)) say(line);
  say(`\n${countLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endChildren('SIGKILL');
    process.exit(1);
  });
}
process.exit(await main(process.argv.slice(2)));
