/** A fresh clone is installed with `npm ci`, which refuses a lock file that leaves a dependency out. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { completeLock, missingOptional, platformEntry } from '../../scripts/lock-file.js';

test('the lock file names every platform’s builds (one left out, and nobody can install; fix: node scripts/lock-file.js)', () => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
  expect(missingOptional(lock)).toEqual([]);
});

test('the lock file names no registry (a private mirror’s address works nowhere else)', () => {
  expect(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).not.toContain('"resolved"');
});

describe('completing', () => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        optionalDependencies: { '@tool/linux-x64-musl': '1.2.3', '@tool/win32-ia32-msvc': '1.2.3' },
      },
      'node_modules/@tool/linux-x64-musl': { version: '1.2.3', integrity: 'sha512-x', optional: true },
    },
  };

  test('adds what is missing for its platform and leaves what is there alone', () => {
    const { packages } = completeLock(lock);
    expect(packages['node_modules/@tool/win32-ia32-msvc']).toEqual({
      version: '1.2.3',
      cpu: ['ia32'],
      dev: true,
      optional: true,
      os: ['win32'],
    });
    expect(packages['node_modules/@tool/linux-x64-musl']).toBe(lock.packages['node_modules/@tool/linux-x64-musl']);
    expect(missingOptional({ packages })).toEqual([]);
  });

  test('musl and glibc builds are told apart (both installed, the wrong one may be loaded)', () => {
    expect(platformEntry({ name: '@a/linux-arm64-musl', version: '1.0.0', dev: false }).libc).toEqual(['musl']);
    expect(platformEntry({ name: '@a/linux-arm64-gnu', version: '1.0.0', dev: false }).libc).toEqual(['glibc']);
  });

  test('a range or an unknown platform is not guessed', () => {
    expect(() => platformEntry({ name: 'fsevents', version: '2.3.3', dev: true })).toThrow('fsevents');
    expect(() => platformEntry({ name: '@a/linux-x64', version: '^1.0.0', dev: true })).toThrow('exact version');
  });
});
