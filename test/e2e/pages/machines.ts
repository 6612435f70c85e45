/** What a spec does with machines. */
import type { Locator, Page } from 'playwright-core';

export class MachinesPage {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await this.page.keyboard.press('Control+7');
    await this.list.waitFor();
  }

  get list(): Locator {
    return this.page.getByRole('navigation', { name: 'Machines' });
  }

  async choose(name: string): Promise<void> {
    await this.list.getByRole('link', { name }).click();
  }

  async add(fields: Readonly<Record<string, string>>): Promise<void> {
    await this.page.getByRole('link', { name: 'Add a machine' }).click();
    const form = this.page.getByRole('form', { name: 'Add a machine' });
    for (const [label, value] of Object.entries(fields)) await form.getByLabel(label, { exact: true }).fill(value);
    await form.getByRole('button', { name: 'Add machine' }).click();
  }

  async tab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
  }
}
