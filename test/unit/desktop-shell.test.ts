/** The parts of the Electron shell that are plain functions. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { describe, expect, test } from 'vitest';
import { menuTemplate } from '../../main/shell/menu.ts';
import { runNotices } from '../../main/shell/run-notices.ts';
import { fitToScreens, readWindowState, SMALLEST, writeWindowState } from '../../main/shell/window-state.ts';
import type { RunList, RunState } from '../../shared/run-view.ts';

const screenArea = { x: 0, y: 25, width: 1440, height: 875 };
const state = { x: 100, y: 100, width: 1280, height: 800, maximized: false };

describe('where the window stands', () => {
  test('is kept, and brought back as it was', () => {
    const folder = mkdtempSync(join(tmpdir(), 'window-'));
    const path = join(folder, 'deep', 'window.json');
    try {
      writeWindowState(path, state);
      expect(readWindowState(path)).toEqual(state);
      // Bug: a damaged file that keeps the app from opening for ever.
      writeFileSync(path, '{"x": 1');
      expect(readWindowState(path)).toBeNull();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is a screen that is there (bug: a window on a monitor that was unplugged)', () => {
    expect(fitToScreens(state, [screenArea])).toEqual(state);
    expect(fitToScreens({ ...state, x: 3000 }, [screenArea])).toBeNull();
    expect(fitToScreens({ ...state, y: -400 }, [screenArea])).toBeNull();
    expect(fitToScreens({ ...state, x: 3000 }, [screenArea, { x: 1440, y: 0, width: 1920, height: 1080 }])).not.toBeNull();
    expect(fitToScreens({ ...state, width: 9000, height: 5 }, [screenArea])).toMatchObject({ width: 1440, height: SMALLEST.height });
  });
});

const list = (states: Record<string, RunState>): RunList => ({
  runs_dir: '/runs',
  unreadable: [],
  runs: Object.entries(states).map(([id, one]) => ({
    id,
    folder: `/runs/${id}`,
    kind: 'train' as const,
    name: null,
    created: '2026-01-02T03:04:05.000Z',
    model: 'tiny',
    data: [],
    tags: [],
    state: one,
    progress: { step: 1, total_steps: 2, what: null, done: null, total: null, seconds_left: null },
  })),
});
const live: RunState = { state: 'live', evidence: 'heartbeat moves' };
const exited = (code: number): RunState => ({
  state: 'exited',
  evidence: '',
  exit: { code, signal: null, reason: 'out of memory', time: '' },
});

describe('notices of runs', () => {
  test('tell of one that ended, failed or went out of sight, once', () => {
    const lost: RunState = { state: 'unverifiable', evidence: 'silent', age_seconds: 90 };
    const before = list({ a: live, b: live, c: live, d: live });
    const after = list({ a: exited(0), b: exited(1), c: lost, d: live });
    expect(runNotices(before, after).map(({ run, title }) => [run, title])).toEqual([
      ['a', 'Run finished'],
      ['b', 'Run failed'],
      ['c', 'Run not seen'],
    ]);
    expect(runNotices(after, after)).toEqual([]);
  });

  test('are silent for a run that was stopped on request, and for old ones (bug: a shower of notices at every start)', () => {
    expect(runNotices(list({ a: live }), list({ a: exited(130) }))).toEqual([]);
    expect(runNotices(list({}), list({ a: exited(0), b: exited(1) }))).toEqual([]);
  });
});

describe('the menu', () => {
  const items = (platform: NodeJS.Platform, shown: string[] = []): MenuItemConstructorOptions[] => {
    const template = menuTemplate(platform, { show: (address) => shown.push(address), openRunsFolder: () => undefined });
    return template.flatMap((top) => (Array.isArray(top.submenu) ? top.submenu : []));
  };

  test.each(['darwin', 'linux', 'win32'] as const)('has no key twice, and Settings where the platform looks for it: %s', (platform) => {
    const keys = items(platform).flatMap(({ accelerator }) => accelerator ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain('CmdOrCtrl+,');
  });

  test('opens addresses of the window', () => {
    const shown: string[] = [];
    for (const item of items('linux', shown)) (item.click as (() => void) | undefined)?.();
    expect(shown).toContain('#/new');
    expect(shown.every((address) => address.startsWith('#/'))).toBe(true);
  });
});
