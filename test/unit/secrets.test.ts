/** Secrets: where they come from, who may read them, and that their values go nowhere. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createWorkbenchRouter } from '../../main/rpc/workbench-router.ts';
import { type Keychain, keychainSecrets } from '../../main/shell/secrets.ts';
import { GivenFiles } from '../../main/workbench/given-files.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { fileSecrets, Secrets } from '../../main/workbench/secrets.ts';
import { withoutSecrets } from '../../shared/secret-names.ts';

const place = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(place, { recursive: true }));
const VALUE = 'hf_abcdefghijklmnop';
let count = 0;
const freshFolder = (): string => join(place, String(++count));

describe('secrets in files', () => {
  test('are written for their owner alone, and read back', async () => {
    const folder = freshFolder();
    const secrets = new Secrets(fileSecrets(folder), {});
    await secrets.set('hf_token', `  ${VALUE}\n`);
    expect(statSync(join(folder, 'hf_token')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await secrets.value('hf_token')).toBe(VALUE);
    expect((await secrets.states()).map(({ name, source }) => [name, source])).toEqual([
      ['runpod_api_key', null],
      ['hf_token', 'file'],
      ['ssh_passphrase', null],
    ]);
    await secrets.set('hf_token', null);
    expect(await secrets.value('hf_token')).toBeNull();
  });

  test.each([0o644, 0o640, 0o604])('that others may read are refused, with the command that mends it (mode %o)', async (mode) => {
    const folder = freshFolder();
    mkdirSync(folder);
    const path = join(folder, 'hf_token');
    writeFileSync(path, VALUE);
    chmodSync(path, mode);
    const secrets = new Secrets(fileSecrets(folder), {});
    await expect(secrets.value('hf_token')).rejects.toThrow(`chmod 600 '${path}'`);
    const state = (await secrets.states()).find(({ name }) => name === 'hf_token');
    expect(state).toMatchObject({ source: null, problem: expect.stringContaining('chmod 600') });
    expect(JSON.stringify(state)).not.toContain(VALUE);
    chmodSync(path, 0o600);
    expect(await secrets.value('hf_token')).toBe(VALUE);
  });

  test('are not read through a link (bug: a link to a file that another user can change)', async () => {
    const folder = freshFolder();
    mkdirSync(folder);
    writeFileSync(join(place, 'elsewhere'), VALUE, { mode: 0o600 });
    symlinkSync(join(place, 'elsewhere'), join(folder, 'hf_token'));
    await expect(new Secrets(fileSecrets(folder), {}).value('hf_token')).rejects.toThrow('no plain file');
  });

  test('stand behind the environment variable, and that is said', async () => {
    const folder = freshFolder();
    await new Secrets(fileSecrets(folder), {}).set('hf_token', 'kept');
    const secrets = new Secrets(fileSecrets(folder), { HF_TOKEN: VALUE });
    expect(await secrets.value('hf_token')).toBe(VALUE);
    expect((await secrets.states()).find(({ name }) => name === 'hf_token')).toMatchObject({ source: 'environment', stored: true });
  });
});

/** Turns letters round; `plain`: as Electron does where it finds no keyring. */
const keychain = ({ plain = false, locked = false } = {}): Keychain & { locked: boolean } => ({
  locked,
  async isAsyncEncryptionAvailable() {
    return !this.locked;
  },
  encryptStringAsync: async (text) => Buffer.from([...text].reverse().join('')),
  async decryptStringAsync(encrypted) {
    if (this.locked) throw new Error('locked');
    return { result: [...encrypted.toString()].reverse().join(''), shouldReEncrypt: false };
  },
  getSelectedStorageBackend: () => (plain ? 'basic_text' : 'gnome_libsecret'),
});

describe('secrets in the keychain', () => {
  test('lie in the file encrypted, for their owner alone', async () => {
    const path = join(freshFolder(), 'secrets.json');
    const secrets = new Secrets(keychainSecrets(path, keychain(), 'linux'), {});
    await secrets.set('runpod_api_key', VALUE);
    expect(readFileSync(path, 'utf8')).not.toContain(VALUE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await secrets.value('runpod_api_key')).toBe(VALUE);
    expect(await secrets.states()).toMatchObject([{ source: 'keychain', warning: null }, { source: null }, { source: null }]);
  });

  test('of a desktop without a keyring are no secret, and that is said', async () => {
    const store = keychainSecrets(join(freshFolder(), 'secrets.json'), keychain({ plain: true }), 'linux');
    expect(await store.warning()).toMatch(/No keyring was found/);
    expect(await keychainSecrets('/x', keychain({ plain: true }), 'darwin').warning()).toBeNull();
  });

  test('that is locked are told, not lost: unlocked, they are there', async () => {
    const chain = keychain();
    const secrets = new Secrets(keychainSecrets(join(freshFolder(), 'secrets.json'), chain, 'linux'), {});
    await secrets.set('hf_token', VALUE);
    chain.locked = true;
    await expect(secrets.set('runpod_api_key', VALUE)).rejects.toThrow('nothing was kept');
    expect((await secrets.states())[1]).toMatchObject({ source: null, problem: expect.stringContaining('unlock it') });
    chain.locked = false;
    expect(await secrets.value('hf_token')).toBe(VALUE);
  });
});

describe('a value goes nowhere', () => {
  test.each([
    { name: 'hf_token', value: `${VALUE} and more` },
    { name: 'hf_token', value: VALUE.repeat(40) },
    { name: 'hf_token', value: VALUE },
    { name: 'other', value: VALUE },
  ])('back to the window, whether it is taken or refused: %j', async (input) => {
    const services = {
      version: '1',
      runsDir: '/nowhere',
      files: new GivenFiles(),
      runner: new RunnerService(),
      secretStore: fileSecrets(freshFolder()),
    };
    const router = createWorkbenchRouter(services);
    expect(JSON.stringify(await router.call('settings.set_secret', input))).not.toContain(VALUE);
    expect(JSON.stringify(await router.call('settings.secrets', {}))).not.toContain(VALUE);
  });

  test('into processes that need none (bug: a run that prints its environment into its log)', () => {
    expect(withoutSecrets({ HF_TOKEN: VALUE, RUNPOD_API_KEY: VALUE, MEDLOGICTRACE_SSH_PASSPHRASE: VALUE, PATH: '/bin' })).toEqual({
      PATH: '/bin',
    });
  });
});
