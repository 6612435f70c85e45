/** Evaluations compared as their reader does it: chosen by keys, read question by question, saved, reopened by address. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDataset } from '../../main/data/catalogue.ts';
import { hashQuestions } from '../../main/data/dataset.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { TrainConfig } from '../../shared/config.ts';
import type { Evaluation } from '../../shared/evaluation.ts';
import type { Question } from '../../shared/question.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { answerTo, evaluationOf } from '../fixtures/comparison.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { ComparePage } from './pages/compare.ts';

const SCRIPT = '<img src=x onerror="window.broken=1">';
const folder = mkdtempSync(join(tmpdir(), 'mlt-compare-'));
const runs = join(folder, 'runs');
const file = join(folder, 'letters.jsonl');
let questions: Question[] = [];

/** As `evaluate` leaves it; `right` says which questions. */
function evaluated(ref: string, right: (i: number) => boolean, tokens: number, about: Partial<Evaluation> = {}): void {
  const items = questions.map((question, i) =>
    answerTo(question, right(i), tokens + (i % 5), {
      text: `${SCRIPT} I weigh ${ref} ${i}.\nAnswer: ${right(i) ? question.gold : 'none'}<|im_end|>`,
    }),
  );
  const document = evaluationOf(items, questions, {
    model: `models/${ref}`,
    model_hash: ref,
    data: file,
    data_hash: hashQuestions(questions),
    ...about,
  });
  mkdirSync(join(runs, ref), { recursive: true });
  writeFileSync(join(runs, ref, 'evaluation.json'), JSON.stringify(document));
  writeFileSync(join(runs, ref, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
}

/** A GRPO run of which only its curve is there. */
async function trained(id: string, seed: number): Promise<void> {
  const at = await createRunFolder(runs, {
    ...testRecord(),
    id,
    seed,
    config: TrainConfig.parse({ kind: 'train', name: 'short', seed, data: {} }),
  });
  const steps = Array.from({ length: 30 }, (_, i) => ({
    ...{ seq: i, time: '2026-01-01T00:00:00Z', type: 'step', step: i + 1, epoch: 0 },
    metrics: { reward: 0.3 + 0.01 * i + 0.02 * seed },
  }));
  writeFileSync(join(at, 'events.jsonl'), `${steps.map((step) => JSON.stringify(step)).join('\n')}\n`);
}

describe.skipIf(chromium === null)(`the Compare view${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  let shell: Shell;
  let browser: Browser;

  beforeAll(async () => {
    const line = (i: number) =>
      JSON.stringify({
        id: `q${i}`,
        question: `Vitamin ${i}? ${SCRIPT}`,
        opa: 'Retinol',
        opb: 'Biotin',
        opc: 'Zinc',
        opd: 'Iron',
        cop: (i % 4) + 1,
        choice_type: 'single',
      });
    writeFileSync(file, Array.from({ length: 120 }, (_, i) => line(i)).join('\n'));
    const opened = await openDataset(file);
    questions = [...opened.questions];
    const split = questions[0]?.split ?? 'test';
    evaluated('before', (i) => i % 3 === 0, 80, { split });
    evaluated('after', (i) => i % 3 === 0 || i % 4 === 1, 40, { split });
    evaluated('reworded', (i) => i % 2 === 0, 60, { split, prompt_hash: 'other' });
    mkdirSync(join(runs, 'torn'));
    writeFileSync(join(runs, 'torn', 'evaluation.json'), '{"model": ');
    await trained('run-seed-1', 1);
    await trained('run-seed-2', 2);
    [shell, browser] = await Promise.all([startShell(runs), openBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), shell?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('from the list by keys to every question, with another reference and the original grader; the address opens the same again', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ComparePage(page);
    await view.open();
    await page.getByText('torn cannot be read').waitFor();
    await view.list.waitFor();
    // Bug: what can only be chosen by pointer. Sorted by folder: after, before.
    await page.getByRole('textbox', { name: 'Find in the list' }).fill('models/');
    await view.list.getByText('reworded').first().waitFor();
    await page.getByRole('button', { name: /^Folder/ }).click();
    await view.list.focus();
    for (const key of ['Home', ' ', 'ArrowDown', ' ', 'r', 'c']) await page.keyboard.press(key);

    const result = view.result(/^Comparison on/);
    await result.getByText('▲', { exact: false }).first().waitFor();
    expect(await result.getByRole('row').nth(1).textContent()).toMatch(/before[\s\S]*33\.3/);
    expect(await result.getByRole('row').nth(2).textContent()).toMatch(/after[\s\S]*better[\s\S]*50\.0[\s\S]*\+16\.7/);
    await result.getByText('constant answer').first().waitFor();
    await view.drawn.waitFor();

    // Bug: the letter stands somewhere in most texts; the switch shows what the original grader made of that.
    expect(await result.getByText('Original 50').count()).toBe(0);
    await view.legacy();
    await result.getByText('Original 50').waitFor();

    // Another reference turns the change round.
    await result.focus();
    await page.keyboard.press('r');
    await result.getByText('−16.7').waitFor();
    await view.legacy();

    await view.tab('Every question');
    await view.outcome(/Lost 20/);
    await page.getByText('1 of 20').waitFor();
    await view.answer('before').getByText('wrong').or(view.answer('before').getByText('invalid')).first().waitFor();
    expect(await view.answer('after').locator('u.compare-extracted').textContent()).toMatch(/^[A-D]$/);
    await page.keyboard.press('Escape');
    await view.questions.focus();
    for (const key of [']', ']', '[', 'j']) await page.keyboard.press(key);
    await page.getByText('3 of 20').waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    await view.answer('after').getByText('<img src=x').waitFor();

    const address = page.url();
    const shown = await view.answer('after').textContent();
    await page.context().close();
    const again = await openPage(browser, shell);
    await again.page.goto(`${again.page.url().split('#')[0]}#${address.split('#')[1]}`);
    const second = new ComparePage(again.page);
    await again.page.getByText('3 of 20').waitFor();
    expect(await second.answer('after').textContent()).toBe(shown);
    expect([...errors, ...again.errors]).toEqual([]);
    await again.page.context().close();
  });

  test('what may not be compared is explained and allowed by name; tables, figures and the report land as files', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ComparePage(page);
    await view.open('?with=before,after,reworded,torn,nowhere');
    // Bug: one evaluation that does not fit, or cannot be read, hides all others.
    await page.getByText('reworded is not compared').waitFor();
    await page.getByText('torn cannot be read and is left out').waitFor();
    await page.getByText('nowhere cannot be read and is left out').waitFor();
    const result = view.result(/^Comparison on/);
    await result.getByText('better').waitFor();
    await page.getByRole('button', { name: 'Allow prompt' }).click();
    await result.getByText('reworded').waitFor();
    expect(page.url()).toContain('allow=prompt');

    const table = await view.saved(() => page.getByRole('button', { name: 'Save CSV' }).first().click());
    expect(table.name).toMatch(/\.csv$/);
    expect(table.text).toMatch(/^Model,Verdict,Accuracy \(%\)/);
    expect(table.text).toContain('+16.7');
    const report = await view.saved(() => page.getByRole('button', { name: 'Save report' }).click());
    expect(report.name).toBe('comparison.html');
    for (const text of ['not for clinical use', 'medlogictrace compare', '--allow prompt'])
      expect(report.text.includes(text), text).toBe(true);
    expect(report.text.includes(SCRIPT)).toBe(false);
    await view.drawn.waitFor();
    const figure = await view.saved(async () => {
      await page
        .getByRole('button', { name: /save or read as numbers/ })
        .first()
        .click();
      await page.getByRole('menuitem', { name: 'Save as SVG' }).click();
    });
    expect(figure.name).toMatch(/\.svg$/);
    expect(figure.text).toContain('<svg');
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('curves with a band over seeds, settings that differ, and no serious fault of accessibility, in both themes', async () => {
    for (const dark of [false, true]) {
      const { page, errors } = await openPage(browser, shell, { dark });
      const view = new ComparePage(page);
      await view.open();
      await view.list.getByText('reworded').first().waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await view.open('?with=before,after,reworded,run-seed-1,run-seed-2&legacy=1');
      await view.drawn.waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await view.tab('Every question');
      await view.answer('after').waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await view.tab('Training curves');
      await view.drawn.waitFor();
      await page.getByRole('img', { name: /Training curves, reward/ }).waitFor();
      await view.open('?with=run-seed-1,run-seed-2&tab=curves&bands=1&group=(configuration)');
      await view.drawn.waitFor();
      await page.getByText('mean of 2').first().waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await view.tab('Settings');
      const training = page.getByRole('region', { name: 'Training runs', exact: true });
      await training.getByText('seed', { exact: true }).waitFor();
      expect(await training.getByText('learning_rate').count()).toBe(0);
      await page.getByRole('switch', { name: 'Also those that are the same' }).click();
      await training.getByText('learning_rate').first().waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    }
  });
});
