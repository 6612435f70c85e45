/** Which hub models come from: variables stand before the settings, and what would show the token is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { preferencesPath } from '../../main/data/own-defaults.ts';
import { chooseHub, hubState } from '../../main/workbench/hub-settings.ts';
import { setTheme } from '../../main/workbench/preferences.ts';
import { fileSecrets, Secrets } from '../../main/workbench/secrets.ts';
import { DEFAULT_ENDPOINT } from '../../shared/hub-model.ts';

const home = mkdtempSync(join(tmpdir(), 'mlt-hub-'));
vi.stubEnv('MEDLOGICTRACE_HOME', home);
for (const name of ['HF_ENDPOINT', 'HF_HUB_OFFLINE', 'HF_TOKEN']) vi.stubEnv(name, '');
const secrets = new Secrets(fileSecrets(join(home, 'secrets')), {});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => rmSync(preferencesPath(), { force: true }));

describe('the hub', () => {
  test('is Hugging Face’s own until another is chosen; a variable stands before both', async () => {
    expect(await hubState()).toMatchObject({ endpoint: { value: DEFAULT_ENDPOINT, decided_by: 'default' }, offline: { value: false } });
    await setTheme('dark');
    const chosen = await chooseHub({ endpoint: ' https://hub.example/mirror/ ', offline: true }, secrets);
    expect(chosen.endpoint).toEqual({ value: 'https://hub.example/mirror', decided_by: 'settings' });
    expect(chosen.offline).toEqual({ value: true, decided_by: 'settings' });
    const env = { HF_ENDPOINT: 'https://other.example', HF_HUB_OFFLINE: '0' };
    expect(await hubState(env)).toMatchObject({
      endpoint: { value: 'https://other.example', decided_by: 'variable' },
      offline: { value: false, decided_by: 'variable' },
      kept: { endpoint: 'https://hub.example/mirror', offline: true },
    });
    expect((await chooseHub({ endpoint: '', offline: false }, secrets)).endpoint.decided_by).toBe('default');
  });

  // Catches: a typing error that sends the token over an open line.
  test('is refused where it is no address, or would show the token', async () => {
    await expect(chooseHub({ endpoint: 'hub', offline: false }, secrets)).rejects.toMatchObject({ field: 'endpoint' });
    await secrets.set('hf_token', 'hf_thisIsNoRealToken');
    const open = chooseHub({ endpoint: 'http://hub.example', offline: false }, secrets);
    await expect(open).rejects.toThrow(/not encrypted/);
    await expect(open).rejects.not.toThrow(/hf_this/);
  });

  test('of settings that cannot be read is the default: models must not be lost to a torn file', async () => {
    for (const text of ['{"hub": ', '{"hub": 3}', 'null']) {
      writeFileSync(preferencesPath(), text);
      expect((await hubState()).endpoint.decided_by).toBe('default');
    }
  });
});
