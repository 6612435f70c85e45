/** What a spec does on Home. */
import type { Locator, Page } from 'playwright-core';

export class HomePage {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get example(): Locator {
    return this.page.getByRole('region', { name: 'Recorded experiments' });
  }

  async open(): Promise<void> {
    await this.page.keyboard.press('Control+1');
    await this.page.waitForURL(/#\/home|\/$/);
  }

  /** Waits until the example's figures are drawn. */
  async exampleIsDrawn(): Promise<void> {
    await this.page.locator('.home-figures .main-svg').first().waitFor();
  }
}
