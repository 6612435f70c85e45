/** What a test does with the Compare view. Against the page alone, whichever shell it stands in. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

export type CompareTab = 'Choose' | 'Result' | 'Every question' | 'Training curves' | 'Settings';

export class ComparePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** `parameters`: `?with=…`. */
  async open(parameters = ''): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}#/compare${parameters}`);
    await this.page.getByRole('tablist', { name: 'Parts of the comparison' }).waitFor();
  }

  async tab(name: CompareTab): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
  }

  get list(): Locator {
    return this.page.getByRole('grid', { name: 'Evaluations and training runs' });
  }

  /** The aggregate table of a data set. */
  result(data: RegExp): Locator {
    return this.page.getByRole('grid', { name: data });
  }

  get questions(): Locator {
    return this.page.getByRole('grid', { name: 'Every question' });
  }

  answer(name: string): Locator {
    return this.page.getByRole('article', { name: `Answer of ${name}` });
  }

  async outcome(name: RegExp): Promise<void> {
    await this.page.getByRole('radiogroup', { name: 'Outcome' }).getByText(name).click();
  }

  async legacy(): Promise<void> {
    await this.page.getByRole('switch', { name: 'Original grader' }).click();
  }

  /** The first figure once it is drawn. */
  get drawn(): Locator {
    return this.page.locator('.compare-figure .main-svg').first();
  }

  /** Clicks and reads the file that is then downloaded. */
  async saved(click: () => Promise<void>): Promise<{ name: string; text: string }> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  }
}
