/** The release: the runner as it is shipped works by itself, far from the checkout, and the packager's file list has what the app needs. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { loadConfig } from '../../main/runner/load-config.ts';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { CompareProcess } from '../../main/workbench/compare-process.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { assembleRunner } from '../../scripts/assemble-runner.ts';
import { parseJsonc } from '../../shared/jsonc.ts';
import { parseIdentity } from '../../shared/process-identity.ts';
import { CompareChoice } from '../../shared/rpc/compare.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const root = join(import.meta.dirname, '..', '..');
const place = mkdtempSync(join(tmpdir(), 'mlt-release-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('the runner as an extra resource', () => {
  const runner = join(place, 'Resources', 'runner');
  beforeAll(() => assembleRunner(runner));

  test('holds no path of the checkout (bug: it works only where it was built)', () => {
    const holding = globSync('main/**/*.js', { cwd: runner }).filter((path) => readFileSync(join(runner, path), 'utf8').includes(root));
    expect(holding).toEqual([]);
  });

  test('trains the model that comes with it, under its own launcher, with nothing of the checkout in reach', async () => {
    const config = await loadConfig('smoke', ['max_steps=2', 'save_steps=1', 'eval_steps=0', 'max_completion_length=48']);
    const folder = await createRunFolder(place, await prepareRun(config));
    const launcher = join(runner, 'main', 'machine', 'launcher.js');
    const ended = spawnSync(process.execPath, [launcher, folder], {
      cwd: place,
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', HOME: place },
    });
    const log = readFileSync(join(folder, 'log.txt'), 'utf8');
    expect(log, ended.stderr).not.toContain('Error');
    expect(ended.status, `${ended.stderr}\n${log}`).toBe(0);
    expect(globSync('checkpoints/step-*/model.safetensors', { cwd: folder }).length).toBeGreaterThan(0);
    expect(parseIdentity(readFileSync(join(folder, 'pid'), 'utf8'))).not.toBeNull();
  });

  test('answers the window: the helper process tells of models, configs and backends', async () => {
    const service = new RunnerService({ program: join(runner, 'main', 'runner', 'service.js') });
    try {
      expect(await service.ask('model.check', { models: ['tiny'] })).toMatchObject([{ problem: null }]);
      // Bug: a package whose parts the bundler does not see, and a release that can start nothing.
      const config = { kind: 'evaluate', data: { test: 'arithmetic:test', limit: 2 } };
      expect(await service.ask('config.resolve', { config })).toMatchObject({ data: [{ n: 2 }] });
      expect(await service.ask('backends.list', {})).toContainEqual(expect.objectContaining({ name: 'wasm', available: true }));
    } finally {
      service.close();
    }
  });

  test('compares and writes the report, with nothing of the checkout in reach', async () => {
    const runs = join(place, 'evaluations');
    const questions = Array.from({ length: 12 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
    for (const [ref, right] of [
      ['before', 4],
      ['after', 9],
    ] as const) {
      const items = questions.map((question, i) => answerTo(question, i < right, 40));
      mkdirSync(join(runs, ref), { recursive: true });
      const about = { model: ref, model_hash: ref, data: './gone.jsonl' };
      writeFileSync(join(runs, ref, 'evaluation.json'), JSON.stringify(evaluationOf(items, questions, about)));
      writeFileSync(join(runs, ref, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
    }
    const compared = new CompareProcess(runs, { program: join(runner, 'main', 'workbench', 'compare-worker.js') });
    try {
      const { html } = await compared.ask('compare.report', CompareChoice.parse({ with: ['before', 'after'] }));
      expect(html).toContain('Content-Security-Policy');
      // The plotting library is in it.
      expect(html.length).toBeGreaterThan(1_000_000);
    } finally {
      compared.close();
    }
  });
});

const Config = z.object({
  files: z.array(z.string()),
  asarUnpack: z.array(z.string()),
  extraResources: z.array(z.object({ from: z.string(), to: z.string() })),
  electronFuses: z.record(z.string(), z.boolean()),
  mac: z.object({ entitlements: z.string(), hardenedRuntime: z.literal(true), binaries: z.array(z.string()) }),
});

describe("the packager's configuration", () => {
  const config = Config.parse(parseJsonc(readFileSync(join(root, 'electron-builder.json5'), 'utf8'), 'electron-builder.json5'));
  const takes = (path: string): boolean => {
    let taken = path.startsWith('node_modules/');
    for (const pattern of config.files) {
      if (pattern.startsWith('!') ? matchesGlob(path, pattern.slice(1)) : matchesGlob(path, pattern)) taken = !pattern.startsWith('!');
    }
    return taken;
  };

  test("takes the files that the app's own process opens, and every package that it imports (bug: a release that starts nowhere but here)", async () => {
    const bundle = await rolldown({
      input: join(root, 'main', 'desktop.ts'),
      cwd: root,
      platform: 'node',
      external: /^[^./]/,
      logLevel: 'silent',
    });
    const { output } = await bundle.generate({ format: 'esm' });
    await bundle.close();
    const chunks = output.flatMap((part) => (part.type === 'chunk' ? [part] : []));
    const opened = chunks.flatMap(({ code }) => [...code.matchAll(/new URL\(["`]\.\.\/\.\.\/([^"`$]+)/g)].map((match) => match[1] ?? ''));
    expect(opened.length).toBeGreaterThan(0);
    // A folder to which a name is added is taken if a file in it is.
    expect(opened.filter((path) => !takes(path.endsWith('/') ? `${path}any` : path))).toEqual([]);
    for (const path of ['out/main/desktop.js', 'out/preload/index.cjs', 'out/renderer/assets/index.js', 'package.json'])
      expect(takes(path), path).toBe(true);
    const builtin = new Set(builtinModules);
    const imported = [...new Set(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]))].filter(
      (name) => /^[^./]/.test(name) && !name.startsWith('node:') && !builtin.has(name) && name !== 'electron' && !name.endsWith('.js'),
    );
    expect(imported).toContain('zod');
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const shipped = (name: string): boolean => Object.hasOwn(dependencies, name) && takes(`node_modules/${name}/package.json`);
    expect(imported.filter((name) => !shipped(name))).toEqual([]);
  });

  test('lays the runner where the app looks for it, with its Node, and unpacks what the system must load', () => {
    expect(config.extraResources).toEqual([{ from: 'out/runner', to: 'runner' }]);
    expect(readFileSync(join(root, 'main', 'desktop.ts'), 'utf8')).toContain("join(process.resourcesPath, 'runner')");
    expect(config.mac.binaries).toEqual(['Contents/Resources/runner/node']);
    expect(
      config.asarUnpack.some((pattern) => matchesGlob('node_modules/@duckdb/node-bindings-darwin-arm64/libduckdb.dylib', pattern)),
    ).toBe(true);
    expect(existsSync(join(root, config.mac.entitlements))).toBe(true);
  });

  test('sets every fuse: the app runs no scripts, takes no debugger, and loads nothing but its own archive', () => {
    expect(config.electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
      resetAdHocDarwinSignature: true,
    });
  });
});
