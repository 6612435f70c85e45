/** Which programs processes are made of, under each shell, and what keeps a Mac awake. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { keepAwake } from '../../main/machine/keep-awake.ts';
import { nodeProgram, PROGRAMS, programPath, useProgramRoot } from '../../main/machine/programs.ts';

const root = join(import.meta.dirname, '..', '..');
const place = mkdtempSync(join(tmpdir(), 'programs-'));
afterEach(() => useProgramRoot(null));

function lay(...path: string[]): string {
  const file = join(place, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

describe('programs', () => {
  test('all lie below the checkout, and this Node runs them', () => {
    for (const name of PROGRAMS) expect(existsSync(programPath(name)), name).toBe(true);
    expect(nodeProgram()).toBe(process.execPath);
  });

  test('of a release lie beside its Node (bug: the app starts itself as Node, or looks beside its bundle)', () => {
    useProgramRoot(join(place, 'runner'));
    expect(() => programPath('main/machine/launcher')).toThrow('not whole');
    expect(() => nodeProgram()).toThrow('there is no Node');
    const launcher = lay('runner', 'main', 'machine', 'launcher.js');
    const node = lay('runner', 'node');
    expect(programPath('main/machine/launcher')).toBe(launcher);
    expect(nodeProgram('linux')).toBe(node);
    expect(() => nodeProgram('win32')).toThrow('node.exe');
  });

  test('of a checkout under Electron are its sources, run by its own Node', () => {
    useProgramRoot(root);
    expect(programPath('main/machine/launcher')).toBe(join(root, 'main', 'machine', 'launcher.ts'));
    expect(nodeProgram()).toBe(join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node'));
    rmSync(place, { recursive: true, force: true });
  });
});

describe('idle sleep', () => {
  test('is held off on a Mac for as long as the runner lives, and nowhere else', () => {
    expect(keepAwake('darwin', 4711)).toMatchObject({ command: '/usr/bin/caffeinate', args: ['-i', '-w', '4711'] });
    expect(keepAwake('darwin', 4711)?.says).toMatch(/will not fall asleep/);
    expect(keepAwake('linux', 4711)).toBeNull();
    expect(keepAwake('win32', 4711)).toBeNull();
  });
});
