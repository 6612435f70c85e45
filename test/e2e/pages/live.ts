/** What a test does with the list of runs and with one run's view. Against the page alone, whichever shell it stands in. */
import type { Locator, Page } from 'playwright-core';

export type LiveTab = 'Charts' | 'Completions' | 'Log' | 'Config' | 'System' | 'Notes';

export class LivePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async openList(): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}#/runs`);
    await this.page.getByRole('grid', { name: 'Runs' }).waitFor();
  }

  async openRun(run: string, parameters = ''): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}#/runs/${encodeURIComponent(run)}${parameters}`);
    await this.page.getByRole('tablist', { name: 'Parts of this run' }).waitFor();
  }

  async tab(name: LiveTab): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
  }

  /** Name, state and progress. */
  get state(): Locator {
    return this.page.locator('.live-state');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** The card of one metric. */
  chart(metric: string): Locator {
    return this.page.getByRole('region', { name: metric, exact: true });
  }

  /** Points that the figure of a metric draws: the path of its first line. */
  async drawn(metric: string): Promise<string | null> {
    return this.chart(metric).locator('.scatterlayer path.js-line').first().getAttribute('d');
  }

  get answers(): Locator {
    return this.page.getByRole('article', { name: /^Answer/ });
  }
}
