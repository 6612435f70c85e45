/** The Models view on the real embedded model: facts and lineage, an answer that streams and stops, and models that are broken. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDED_MODELS } from '../../main/policy/model-location.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { TrainConfig } from '../../shared/config.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { type HubServer, startHubServer } from '../fixtures/hub-server.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { ModelsPage } from './pages/models.ts';

const SCRIPT = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>';
const folder = mkdtempSync(join(tmpdir(), 'mlt-models-'));
const [runs, models] = [join(folder, 'runs'), join(folder, 'models')];
const tiny = EMBEDDED_MODELS.tiny as string;

/** The embedded model without any token that ends an answer: it writes to the limit, on every machine. */
function writeEndless(to: string): void {
  cpSync(tiny, to, { recursive: true });
  const rewrite = (name: string, change: (text: string) => string): void =>
    writeFileSync(join(to, name), change(readFileSync(join(to, name), 'utf8')));
  for (const name of ['tokenizer.json', 'chat_template.jinja']) {
    rewrite(name, (text) => text.replaceAll('<|end|>', '<|fin|>').replaceAll('<|endoftext|>', '<|fill|>'));
  }
  writeFileSync(join(to, 'tokenizer_config.json'), '{}');
  for (const name of ['config.json', 'generation_config.json']) {
    rewrite(name, (text) => JSON.stringify({ ...JSON.parse(text), eos_token_id: null }));
  }
}

let shell: Shell;
let hub: HubServer;
let browser: Browser;

describe.skipIf(chromium === null)(`the Models view${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  beforeAll(async () => {
    const run = await createRunFolder(runs, {
      ...testRecord(),
      id: 'run-shorter',
      config: TrainConfig.parse({ kind: 'train', name: 'shorter', data: {} }),
      model: { path: tiny, hash: 'h', parameters: 1_068_672 },
      splits: { trained_on: 'arithmetic:train', selected_on: 'arithmetic:validation', reported_on: null },
    });
    cpSync(tiny, join(run, 'checkpoints', 'step-000010'), { recursive: true });
    cpSync(tiny, join(run, 'model'), { recursive: true });
    const torn = join(models, 'torn');
    cpSync(tiny, torn, { recursive: true });
    truncateSync(join(torn, 'model.safetensors'), 100_000);
    const card = join(models, 'org', 'carded');
    cpSync(tiny, card, { recursive: true });
    writeFileSync(join(card, 'README.md'), `# A card\n${SCRIPT}\n[link](javascript:alert(1))`);
    writeEndless(join(models, 'endless'));
    mkdirSync(join(runs, 'run-bad'));
    writeFileSync(join(runs, 'run-bad', 'run.json'), '{');
    const files = Object.fromEntries(readdirSync(tiny).map((name) => [name, readFileSync(join(tiny, name))]));
    hub = await startHubServer({ name: 'org/tiny', files, large: ['model.safetensors'] });
    const env = { MEDLOGICTRACE_MODELS: models, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: join(folder, 'hub') };
    [shell, browser] = await Promise.all([startShell(runs, env), openBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), shell?.close(), hub?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('lists all models, says where one comes from, and a broken one breaks nothing else', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open();
    await view.list.getByRole('link', { name: /torn.*broken/s }).waitFor();
    expect(await view.list.innerText()).toMatch(/run-bad/);
    await view.choose(/torn/);
    await page.getByText('not a whole safetensors file').waitFor();
    await view.choose(/shorter, step 10/);
    await view.facts.getByText('arithmetic:train').waitFor();
    const facts = await view.facts.innerText();
    expect(facts).toMatch(/selected on arithmetic:validation/);
    expect(facts).toMatch(/1\s068\s672/);
    expect(await view.facts.getByRole('link', { name: 'tiny' }).getAttribute('href')).toBe('#/models/tiny');
    expect(await view.facts.getByRole('link', { name: 'shorter' }).getAttribute('href')).toBe('#/runs/run-shorter');
    // Keys: the next model, in the list's order.
    await page.keyboard.press('k');
    await page.waitForURL(/run%2Frun-shorter%2Fmodel/);
    await page.goBack();
    await page.waitForURL(/step-000010/);
    await view.open('no/such');
    await page.getByText('There is no model no/such').waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('writes an answer token by token with exact figures, underlines what was extracted, and stops when told', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open('tiny', { data: 'arithmetic:test' });
    await page.getByRole('list', { name: 'Questions of arithmetic:test' }).getByRole('button').first().click();
    await view.write();
    await view.answer.getByText(/by the rule/).waitFor();
    expect(await view.summary()).toMatch(/answer \d+ tokens[\s\S]*tokens\/s/);
    expect((await view.tokens.locator('u').allInnerTexts()).join('')).toMatch(/\d/);
    // The page has moved under the pointer: it must not point at a token, from which the keys would go on.
    await page.mouse.move(1, 1);
    await view.tokens.focus();
    await page.keyboard.press('ArrowRight');
    await view.answer.getByText(/^token 1, id \d+$/).waitFor();
    expect(await view.answer.getByText(/^p (0|1)\.\d+$/).count()).toBe(1);
    // The choice is in the address: a copied link opens the same question.
    expect(page.url()).toMatch(/data=arithmetic%3Atest&question=/);

    await page.reload();
    await page.getByRole('region', { name: 'The question' }).waitFor();
    await view.open('installed/endless', { from: 'typed' });
    await view.type('How many?');
    await view.set('Token limit', 8000);
    await view.write();
    await view.tokens.getByRole('option').nth(5).waitFor();
    await view.stop();
    await view.answer.getByText('stopped by you').waitFor();
    const count = await view.tokens.getByRole('option').count();
    expect(count).toBeLessThan(8000);
    // Another answer is written at once: the stopped one does not hold the model.
    await view.set('Token limit', 3);
    await view.write();
    await view.answer.getByText('cut at the limit').waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
  });

  // Catches: a download that the window cannot stop, that begins again, or whose model is not in the list afterwards.
  test('downloads a model, stops when told and goes on', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open();
    const name = page.getByRole('textbox', { name: 'Model on the Hugging Face Hub' });
    await name.fill('not a name');
    await page.getByText('organisation/name, or').waitFor();
    await name.fill('org/nothing');
    await page.getByRole('button', { name: 'Download' }).click();
    await page
      .getByRole('alert')
      .getByText(/not found/)
      .waitFor();

    const busy = { kind: 'status', status: 503, headers: { 'retry-after': '300' } } as const;
    hub.fail('store:/model.safetensors', { kind: 'cut', after: 2000 }, busy);
    await name.fill('org/tiny');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByText(/answered 503; trying again in 300 s/).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText(/Stopped\. Another download of it goes on/).waitFor();
    await page.getByRole('button', { name: 'Download' }).click();
    await page.waitForURL(/hub%2Forg%2Ftiny/);
    await view.facts.getByText('Qwen2ForCausalLM').waitFor();
    expect(hub.seen.at(-1)).toMatchObject({ host: 'store', range: 'bytes=2000-' });
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('shows HTML in a question and in a card as text', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ModelsPage(page);
    await view.open('installed/org/carded', { tab: 'card' });
    await page.getByText('javascript:alert(1)').waitFor();
    expect(await page.locator('img, .models-text a').count()).toBe(0);
    await page.getByRole('tab', { name: 'Try it' }).click();
    await view.type(`${SCRIPT} What is 2 + 3?`);
    await view.set('Token limit', 60);
    await view.write();
    await view.answer.getByText(/by the rule|no answer found/).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test.each([false, true])('has no serious violation of accessibility rules (dark: %s)', async (dark) => {
    const { page } = await openPage(browser, shell, { dark });
    const view = new ModelsPage(page);
    await view.open('tiny', { data: 'arithmetic:test' });
    await page.getByRole('list', { name: 'Questions of arithmetic:test' }).getByRole('button').first().click();
    // Hot enough that every shade is on the page.
    await view.set('Temperature', 3);
    await view.set('Token limit', 60);
    await view.write();
    await view.answer.getByText(/by the rule|no answer found/).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await view.open('tiny', { tab: 'prompt', boundaries: 'on' });
    await page.getByText('Chat template').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });
});
