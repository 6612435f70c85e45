/**
 * The way of a checkpoint through the window on real pieces: fetched from a hub that behaves as the real one, looked at, measured against this
 * machine, trained with LoRA, its adapter merged; and the settings that decide on all that.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readCheckpoint } from '../../main/policy/checkpoint.ts';
import { EMBEDDED_MODELS } from '../../main/policy/model-location.ts';
import { TENSORFLOW_FOLDER } from '../../shared/tensorflow-install.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { type HubServer, startHubServer } from '../fixtures/hub-server.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { ConfigurePage } from './pages/configure.ts';
import { ModelsPage } from './pages/models.ts';
import { SettingsPage } from './pages/settings.ts';

const TOKEN = 'hf_thisIsNoRealToken';
const folder = mkdtempSync(join(tmpdir(), 'mlt-real-'));
const [runs, models, home, bin] = ['runs', 'models', 'home', 'bin'].map((name) => join(folder, name)) as [string, string, string, string];
const tiny = EMBEDDED_MODELS.tiny as string;

/** A Python whose pip announces a wheel and then hangs: an install that goes on until it is stopped. */
const PYTHON = `#!/bin/sh
if [ "$1" = -c ]; then echo "python 3.12"; echo "pip 24.0"; exit 0; fi
echo "Downloading x (273.8 MB)"; exec sleep 600
`;

let shell: Shell;
let hub: HubServer;
let browser: Browser;

/** Milliseconds until all backends have been asked: each is a process of its own, beside the browsers of the other tests. */
const BACKENDS_ASKED = 90_000;

describe.skipIf(chromium === null)(`real checkpoints in the window${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  beforeAll(async () => {
    for (const path of [runs, models, home, bin]) mkdirSync(path);
    for (const [name, text] of [
      ['python3', PYTHON],
      ['c++', '#!/bin/sh\nexit 0\n'],
    ] as const) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
    cpSync(tiny, join(folder, 'elsewhere', 'my-model'), { recursive: true });
    mkdirSync(join(models, 'gemma'));
    writeFileSync(join(models, 'gemma', 'config.json'), '{"architectures":["Gemma2ForCausalLM"],"model_type":"gemma2"}');
    const files = Object.fromEntries(readdirSync(tiny).map((name) => [name, readFileSync(join(tiny, name))]));
    hub = await startHubServer({ name: 'org/tiny', files, large: ['model.safetensors'], token: TOKEN });
    const env = {
      MEDLOGICTRACE_HOME: home,
      // Or the PyTorch engine would be asked of the pip below that never ends; any program that is no Python says no at once.
      MEDLOGICTRACE_PYTHON: process.env.MEDLOGICTRACE_PYTHON ?? process.execPath,
      MEDLOGICTRACE_MODELS: models,
      HF_HUB_CACHE: join(folder, 'hub'),
      HF_ENDPOINT: '',
      HF_HUB_OFFLINE: '',
      HF_TOKEN: '',
      CXX: join(bin, 'c++'),
      PATH: `${bin}:${process.env.PATH}`,
    };
    [shell, browser] = await Promise.all([startShell(runs, env), openBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), shell?.close(), hub?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  // Catches: settings that only show, a token that does not reach the hub, a download that cannot be named in New run.
  test('a model is fetched from the hub of the settings with the token of the settings, and can be trained at once', async () => {
    const { page, errors } = await openPage(browser, shell);
    const settings = new SettingsPage(page);
    await settings.open('Hugging Face');
    await page.getByLabel('Endpoint of the hub').fill('nonsense');
    await page.locator('form', { hasText: 'Endpoint' }).getByRole('button', { name: 'Keep' }).click();
    await page.getByText('it must be an address such as').waitFor();
    await page.getByLabel('Endpoint of the hub').fill(hub.endpoint);
    await page.locator('form', { hasText: 'Endpoint' }).getByRole('button', { name: 'Keep' }).click();
    await page.getByText(`${hub.endpoint}, set here`).waitFor();
    const offline = page.getByRole('switch', { name: 'Fetch nothing' });
    await offline.click();
    await expect.poll(() => offline.isChecked()).toBe(true);

    const view = new ModelsPage(page);
    await view.open();
    await page.getByText('Offline mode is on').waitFor();
    const name = page.getByRole('textbox', { name: 'Model on the Hugging Face Hub' });
    await name.fill('org/tiny');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').getByText('offline mode is on').waitFor();
    expect(hub.seen).toEqual([]);

    await settings.open('Hugging Face');
    await offline.click();
    await expect.poll(() => offline.isChecked()).toBe(false);
    await view.open();
    await name.fill('org/tiny');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').getByText('asks for an account (401)').waitFor();
    await settings.open('Hugging Face');
    await settings.keepSecret('Hugging Face token', TOKEN);
    await page.getByText('readable by you alone').waitFor();
    await view.open();
    await name.fill('org/tiny');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.waitForURL(/hub%2Forg%2Ftiny/);
    await view.facts.getByText('tied to the embedding').waitFor();

    await page.getByRole('tab', { name: 'Training here' }).click();
    await page.getByRole('link', { name: 'train all weights' }).click();
    const configure = new ConfigurePage(page);
    await configure.ready();
    expect(await configure.field('Model').inputValue()).toBe('org/tiny');
    // Bug: the model belongs to the start point, and the command beside it leaves it out.
    expect(await configure.differences()).toEqual(['Model | tiny | org/tiny']);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('a folder elsewhere is taken into the list and off it; one of another architecture is named with those that are computed', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open('installed/gemma');
    await page.getByText('Supported: Qwen2ForCausalLM, Qwen3ForCausalLM, LlamaForCausalLM').waitFor();
    const path = page.getByRole('textbox', { name: 'Folder of a model on this machine' });
    await path.fill(folder);
    await path.press('Enter');
    await page.getByText('is no folder of a model').waitFor();
    await path.fill(join(folder, 'elsewhere', 'my-model'));
    await path.press('Enter');
    await page.waitForURL(/installed%2Fmy-model/);
    await view.facts.getByText('yes, shown under Prompt').waitFor();
    await page.getByRole('button', { name: 'Take off the list' }).click();
    await view.list.getByRole('link', { name: /my-model/ }).waitFor({ state: 'detached' });
    expect(existsSync(join(folder, 'elsewhere', 'my-model', 'config.json'))).toBe(true);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  // Catches: a run with LoRA that leaves no adapter, and a merge that is another model than the run's own.
  test('an adapter is trained, listed beside its model, and merged to what the run ended with', async () => {
    const { page, errors } = await openPage(browser, shell);
    const configure = new ConfigurePage(page);
    await configure.open('lora');
    await configure.import(
      'short.json',
      JSON.stringify({
        kind: 'train',
        name: 'short',
        use_peft: true,
        lora_r: 2,
        learning_rate: 0.01,
        data: { train_limit: 4, validation_limit: 2 },
        max_steps: 1,
        per_device_train_batch_size: 2,
        num_generations: 2,
        max_completion_length: 8,
        eval_steps: 0,
      }),
    );
    await configure.ready();
    await configure.start.click();
    await page.waitForURL(/#\/runs\//);
    const run = decodeURIComponent(page.url().split('#/runs/')[1]?.split('?')[0] ?? '');
    await vi.waitFor(() => expect(existsSync(join(runs, run, 'exit.json'))).toBe(true), { timeout: 150_000, interval: 500 });
    expect(readdirSync(join(runs, run, 'model', 'adapter')).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);

    const view = new ModelsPage(page);
    await view.open('tiny', { tab: 'adapters' });
    const adapter = page.getByRole('listitem').filter({ hasText: `${join(run, 'model', 'adapter')}` });
    await adapter.getByText('trained on this model').waitFor();
    await adapter.getByText(/rank 2, alpha 32/).waitFor();
    await adapter.getByLabel('Name of the merged model').fill('tiny-merged');
    await adapter.getByRole('button', { name: 'Merge into a new model' }).click();
    await page.waitForURL(/installed%2Ftiny-merged/);
    await view.facts.getByText('Qwen2ForCausalLM').waitFor();
    const [ours, own] = await Promise.all([readCheckpoint(join(models, 'tiny-merged')), readCheckpoint(join(runs, run, 'model'))]);
    for (const [name, { data }] of own.tensors) {
      const merged = ours.tensors.get(name)?.data ?? new Float32Array();
      expect(merged.length, name).toBe(data.length);
      expect(
        data.reduce((most, value, i) => Math.max(most, Math.abs(value - (merged[i] as number))), 0),
        name,
      ).toBeLessThan(1e-6);
    }
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('what a model takes is told by backend and use, with what would make it fit', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open('tiny', { tab: 'fit' });
    const table = page.getByRole('region', { name: 'Memory by backend' });
    const wasm = table.getByRole('row', { name: /wasm/ });
    await wasm
      .getByText(/fits: .* of 4(\.00)?\sGiB/)
      .first()
      .waitFor();
    await wasm.getByText('available here').waitFor({ timeout: BACKENDS_ASKED });
    await view.set('Tokens an answer', 400_000);
    await table.getByText(/and the model takes .*: answers end there/).waitFor();
    await wasm
      .getByText(/too large/)
      .first()
      .waitFor();
    await table
      .getByText(/on wasm: it would fit with|on wasm: no smaller batch/)
      .first()
      .waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 300_000);

  test('a run that cannot fit is refused before its start, with the figure and what would make it fit', async () => {
    const { page, errors } = await openPage(browser, shell);
    const configure = new ConfigurePage(page);
    await configure.open('smoke');
    await configure.set('Longest answer', '50000000');
    const refusal = configure.facts.getByText('It does not fit here');
    await refusal.waitFor();
    await configure.facts.getByText(/needs at least .* GiB of memory, and wasm has 4\.00 GiB in all/).waitFor();
    expect(await configure.facts.getByRole('listitem').count()).toBeGreaterThan(0);
    await configure.start.click();
    await expect.poll(() => page.evaluate('document.activeElement.id')).toMatch(/backend/);
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('the backends: auto is measured and chosen, New run takes it; TensorFlow’s install is stopped, and it is taken away', async () => {
    const { page, errors } = await openPage(browser, shell);
    const settings = new SettingsPage(page);
    await settings.open('Backends');
    await page.getByRole('button', { name: 'Measure now' }).click({ timeout: BACKENDS_ASKED });
    await page.getByText('auto takes wasm now').waitFor({ timeout: 120_000 });
    await page.getByRole('radio', { name: 'auto' }).click();
    await expect.poll(() => readFileSync(join(home, 'settings.json'), 'utf8')).toContain('"backend": "auto"');

    await page.getByRole('button', { name: 'Install TensorFlow' }).click();
    await page.getByText(/fetching tensorflow/).waitFor();
    // It goes on when the view is left, and is joined again.
    await settings.open('Keys');
    await settings.open('Backends');
    await page.getByText(/fetching tensorflow/).waitFor();
    await page.getByRole('button', { name: 'Stop the install' }).click();
    await page.getByText('Stopped. What was fetched stays').waitFor();
    expect(existsSync(join(home, TENSORFLOW_FOLDER))).toBe(false);

    mkdirSync(join(home, TENSORFLOW_FOLDER), { recursive: true });
    const record = { tensorflow: '2.21.0', kind: 'cpu', platform: 'linux', arch: 'x64', addon: '4.22.0', bytes: 5, time: 'now' };
    writeFileSync(join(home, TENSORFLOW_FOLDER, 'install.json'), JSON.stringify(record));
    await page.reload();
    await page.getByText('Installed: TensorFlow 2.21.0 for the processor').waitFor();
    await page.getByRole('button', { name: 'Uninstall …' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Delete/ })
      .click();
    await page.getByText(/TensorFlow is gone, .* freed\. New runs take auto\./).waitFor();
    expect(existsSync(join(home, TENSORFLOW_FOLDER))).toBe(false);
    expect(await seriousViolations(page)).toEqual([]);

    const configure = new ConfigurePage(page);
    await configure.open('train');
    await configure.unfold('Model and data');
    await expect.poll(() => configure.said('Backend')).toMatch(/Default: auto · chosen in Settings/);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 300_000);
});
