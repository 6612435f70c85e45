/** The backend that a user has chosen: one place that the command line, the window and its form go by. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { BACKENDS, ownDefaults, preferencesPath } from '../../main/data/own-defaults.ts';
import { fastestOf } from '../../main/runner/fastest-backend.ts';
import { resolveConfig } from '../../main/runner/load-config.ts';
import { startPoints } from '../../main/runner/start-points.ts';
import { backendChoice, backendGone, chooseBackend } from '../../main/workbench/backend-choice.ts';
import { setTheme } from '../../main/workbench/preferences.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { TrainConfig } from '../../shared/config.ts';
import { sparse } from '../../shared/config-draft.ts';
import { InputError } from '../../shared/input-error.ts';

const home = mkdtempSync(join(tmpdir(), 'mlt-defaults-'));
vi.stubEnv('MEDLOGICTRACE_HOME', home);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => rmSync(preferencesPath(), { force: true }));
const keep = (settings: unknown): void => writeFileSync(preferencesPath(), JSON.stringify(settings));
const own = TrainConfig.shape.backend.parse(undefined);

/** A runner whose answer to `backends.list` is given; nothing is started. */
class Listing extends RunnerService {
  override async ask(): Promise<never> {
    const status = (name: string, available: boolean) => ({ name, what: 'x', available, reason: 'its addon is not built' });
    return [status('wasm', true), status('webgpu', false), status('later', true)] as never;
  }
}

describe('a backend that was chosen', () => {
  test('stands below preset, file and flag, and the sources say where it came from', async () => {
    keep({ backend: own });
    expect(await ownDefaults()).toEqual({ backend: own });
    const chosen = await resolveConfig('smoke');
    expect([chosen.config.backend, chosen.sources.backend]).toEqual([own, 'settings']);
    const flagged = await resolveConfig('smoke', [`backend=${own}`]);
    expect(flagged.sources.backend).toBe('flag');
    expect((await startPoints()).defaults).toEqual({ backend: own });
  });

  test('of another version, or in a file that cannot be read, keeps no run from starting', async () => {
    for (const settings of [{ backend: 'abacus' }, { backend: 3 }, 'torn']) {
      keep(settings);
      expect(await ownDefaults()).toEqual({});
      expect((await resolveConfig('smoke')).sources.backend).toBe('default');
    }
    writeFileSync(preferencesPath(), '{"backend": ');
    expect(await backendChoice()).toEqual({ chosen: own, takes: [...BACKENDS] });
  });

  test('is kept beside the theme; one that does not run here, or that runs cannot name, is refused with the reason', async () => {
    const runner = new Listing();
    await setTheme('dark');
    await chooseBackend(runner, 'wasm');
    expect(JSON.parse(readFileSync(preferencesPath(), 'utf8'))).toMatchObject({ theme: 'dark' });
    for (const [name, why] of [
      ['webgpu', 'its addon is not built'],
      ['later', 'cannot name it yet'],
      ['wsm', 'did you mean "wasm"'],
    ] as const) {
      const refused = chooseBackend(runner, name);
      await expect(refused).rejects.toBeInstanceOf(InputError);
      await expect(refused).rejects.toThrow(why);
    }
    expect((await backendChoice()).chosen).toBe(own);
  });

  test('may be auto, which takes what is there; one that is gone falls back to the default', async () => {
    await chooseBackend(new Listing(), 'auto');
    expect((await resolveConfig('smoke')).config.backend).toBe('auto');
    expect(await backendGone('tensorflow')).toBe('auto');
    keep({ backend: 'tensorflow' });
    expect(await backendGone('tensorflow')).toBe(own);
    expect(await ownDefaults()).toEqual({});
  });

  test('auto takes the fastest, and wasm where every trial failed', () => {
    const speed = (backend: 'wasm' | 'tensorflow', tokens_per_second: number) => ({ backend, tokens_per_second });
    expect(fastestOf([speed('wasm', 10), speed('tensorflow', 30)]).backend).toBe('tensorflow');
    expect(fastestOf([speed('wasm', 0), speed('tensorflow', 0)]).backend).toBe('wasm');
  });
});

test('what a config says of the backend is kept where it is the usual one (bug: a run that names wasm takes what Settings say)', () => {
  expect(sparse({ kind: 'train', data: {}, backend: own, seed: 42 })).toEqual({ kind: 'train', data: {}, backend: own });
});
