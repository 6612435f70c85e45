/**
 * Runs the checks at once and prints what each that failed said: types, lint and format, import rules, Python lint, and the unit tests
 * (left out with --static). Ends with exit code 1 if one failed.
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder, environmentPython } from './cache-folder.ts';
import { endChildren, runProcess } from './child-process.ts';
import { ensurePython } from './python-environment.ts';
import { findProgram } from './system-packages.ts';

const root = dirname(import.meta.dirname);
const script = (...path: string[]) => join(root, 'node_modules', ...path);
const node = process.execPath;

interface Check {
  name: string;
  command: string;
  args: string[];
}

const checks: Check[] = [
  { name: 'types', command: node, args: [script('typescript', 'bin', 'tsc'), '-p', root] },
  { name: 'lint', command: node, args: [script('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'import rules', command: node, args: [join(root, 'scripts', 'check-imports.ts')] },
];
// With CI=true the Python lint may not be left out, so its environment is made first.
if (process.env.CI === 'true') {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { missing } = await ensurePython(join(root, 'test', 'fixtures', 'requirements.txt'), cacheFolder(), say);
  if (missing !== undefined) say(`no Python environment: ${missing}`);
}
const ruff = findProgram(['ruff'], [dirname(environmentPython(cacheFolder())), process.env.PATH ?? ''].join(delimiter));
if (ruff !== null) {
  checks.push({ name: 'Python lint', command: ruff, args: ['check', '--no-cache', '.'] });
  checks.push({ name: 'Python format', command: ruff, args: ['format', '--check', '--no-cache', '.'] });
} else process.stdout.write('skipped: Python lint: there is no ruff here; "npm run test:engine" installs it\n');
if (!process.argv.includes('--static')) {
  const vitest = script('vitest', 'vitest.mjs');
  if (existsSync(vitest))
    checks.push({ name: 'unit tests', command: node, args: [vitest, 'run', '--project', 'unit', '--reporter=default'] });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endChildren('SIGKILL');
    process.exit(1);
  });
}

const results = await Promise.all(
  checks.map(async (check) => {
    const started = Date.now();
    const result = await runProcess(check.command, check.args, { cwd: root, quiet: true, limit: 300 });
    const good = result.code === 0;
    if (!good) process.stdout.write(`\n${result.output.trimEnd()}\n`);
    const reason = result.timedOut ? ': took more than 300 s' : '';
    process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${check.name} (${((Date.now() - started) / 1000).toFixed(1)} s)${reason}\n`);
    return good;
  }),
);
process.exit(results.every(Boolean) ? 0 : 1);
