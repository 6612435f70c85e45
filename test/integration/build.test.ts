/** The window's three parts are built, each in the form that Electron's sandbox demands. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

describe('npm run build', () => {
  // Below out/, which git ignores: a folder outside the project is built with a warning.
  mkdirSync(join(root, 'out'), { recursive: true });
  const out = mkdtempSync(join(root, 'out', 'test-build-'));
  const text = (...path: string[]) => readFileSync(join(out, ...path), 'utf8');

  beforeAll(() => {
    const vite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
    // The test runner's NODE_ENV would make a development build.
    const env = { ...process.env, NODE_ENV: 'production' };
    const built = spawnSync(process.execPath, [vite, 'build', '--outDir', out, '--logLevel', 'warn'], { cwd: root, encoding: 'utf8', env });
    expect(`${built.stdout}${built.stderr}`.trim(), 'a build without warnings').toBe('');
    expect(built.status).toBe(0);
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  test('the main process is one module that leaves packages and Electron to be resolved at run time', () => {
    const main = text('main', 'desktop.js');
    // In a chunk of its own a file would look for resources one folder too deep.
    expect(readdirSync(join(out, 'main'))).toEqual(['desktop.js']);
    const imported = [...main.matchAll(/^import .* from "([^"]+)"/gm)].map((match) => match[1] ?? '');
    expect(imported).toContain('electron');
    // Packages that the release carries beside it (electron-builder.json5).
    const known = new Set([...builtinModules.flatMap((name) => [name, `node:${name}`]), 'electron', 'zod', 'ssh2']);
    expect(imported.filter((name) => !known.has(name))).toEqual([]);
  });

  test('the preload script is one CommonJS file (a sandboxed preload that is a module, or requires another file, does not start)', () => {
    expect(readdirSync(join(out, 'preload'))).toEqual(['index.cjs']);
    const preload = text('preload', 'index.cjs');
    expect([...preload.matchAll(/require\("([^"]+)"\)/g)].map((match) => match[1])).toEqual(['electron']);
    expect(preload).not.toMatch(/^\s*(import|export)\b/m);
    expect(preload).toContain('exposeInMainWorld');
  });

  test('the page loads its own files by relative address and nothing inline (the content security policy would stop it)', () => {
    const page = text('renderer', 'index.html');
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(addresses.length).toBeGreaterThanOrEqual(2);
    for (const address of addresses) {
      expect(address).toMatch(/^\.\/assets\//);
      expect(text('renderer', address)).not.toBe('');
    }
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/);
  });
});
