/** What a spec does in the settings. */
import type { Page } from 'playwright-core';

export class SettingsPage {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(section: 'Folders' | 'Backends' | 'Hugging Face' | 'Theme' | 'Keys' | 'Storage' | 'Secrets' | 'About'): Promise<void> {
    await this.page.keyboard.press('Control+8');
    await this.page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: section }).click();
    await this.page.getByRole('heading', { name: section, level: 2 }).waitFor();
  }

  deleteButton(run: string) {
    return this.page.getByRole('button', { name: `Delete ${run}`, exact: true });
  }

  secretField(title: string) {
    return this.page.getByLabel(`New ${title}`);
  }

  async keepSecret(title: string, value: string): Promise<void> {
    await this.secretField(title).fill(value);
    await this.page.locator('form', { hasText: title }).getByRole('button', { name: 'Keep' }).click();
  }
}
