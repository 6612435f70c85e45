/** What the entry points decide to fetch before anything runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundledNode, missingPackages, npmCommand, plan } from '../../scripts/ensure.js';

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/node': { version: '24.21.0' },
    'node_modules/@biomejs/cli-darwin-arm64': { version: '2.6.8', optional: true },
    'node_modules/fsevents': { version: '2.3.3', devOptional: true },
  },
};

describe('missingPackages', () => {
  test('a fresh clone lacks everything but builds for other platforms (asking for those would reinstall on every start)', () => {
    expect(missingPackages(lock, null)).toEqual(['node_modules/zod', 'node_modules/node']);
  });

  test('an older version left from before a pull is missing (running with it would use the wrong library)', () => {
    const installed = { packages: { 'node_modules/zod': { version: '4.6.6' }, 'node_modules/node': { version: '24.21.0' } } };
    expect(missingPackages(lock, installed)).toEqual(['node_modules/zod']);
  });

  test('nothing is missing when all is there, more than asked included', () => {
    const installed = {
      packages: {
        'node_modules/zod': { version: '4.6.7' },
        'node_modules/node': { version: '24.21.0' },
        'node_modules/extra': { version: '1.0.0' },
      },
    };
    expect(missingPackages(lock, installed)).toEqual([]);
  });
});

describe('plan', () => {
  test('a fresh clone gets a clean install and Node 24', () => {
    expect(plan({ missing: ['node_modules/zod'], hasModules: false, hasNode: false })).toEqual({ install: 'ci', node: true });
  });

  test('an install that is there is added to, never removed (a clean install would take the modules from under a running process)', () => {
    expect(plan({ missing: ['node_modules/zod'], hasModules: true, hasNode: true })).toEqual({ install: 'install', node: false });
  });

  test('packages without scripts leave the Node binary out: it is fetched by itself', () => {
    expect(plan({ missing: [], hasModules: true, hasNode: false })).toEqual({ install: null, node: true });
  });

  test('a new version of the node package brings a new binary (the old file would stay and pass for it)', () => {
    expect(plan({ missing: ['node_modules/node'], hasModules: true, hasNode: true })).toEqual({ install: 'install', node: true });
  });

  test('a complete checkout fetches nothing', () => {
    expect(plan({ missing: [], hasModules: true, hasNode: true })).toEqual({ install: null, node: false });
  });
});

test('the binary has its ending on Windows', () => {
  expect(bundledNode('/x', 'win32')).toMatch(/node\.exe$/);
  expect(bundledNode('/x', 'linux')).toMatch(/bin[\\/]node$/);
});

describe('npmCommand', () => {
  test('started through npx it runs npm, not npx (npx ci would install a package named ci)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'npm-'));
    try {
      writeFileSync(join(folder, 'npm-cli.js'), '');
      const found = npmCommand({ npm_execpath: join(folder, 'npx-cli.js') }, 'linux');
      expect(found).toEqual({ command: process.execPath, args: [join(folder, 'npm-cli.js')], shell: false });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('another package manager is not taken for npm', () => {
    expect(npmCommand({ npm_execpath: '/usr/lib/yarn.js' }, 'linux').command).toBe('npm');
    expect(npmCommand({}, 'win32')).toEqual({ command: 'npm', args: [], shell: true });
  });
});
