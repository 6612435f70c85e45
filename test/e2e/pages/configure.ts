/** The view "New run" as its user works it. */
import type { Locator, Page } from 'playwright-core';
import { hrefOf } from '../../../renderer/app/address.ts';

export class ConfigurePage {
  readonly page: Page;
  readonly start: Locator;
  readonly state: Locator;
  readonly facts: Locator;
  readonly starts: Locator;

  constructor(page: Page) {
    this.page = page;
    this.start = page.getByRole('button', { name: 'Start run' });
    this.state = page.locator('.configure-state');
    this.facts = page.getByRole('complementary', { name: 'What it comes to' });
    this.starts = page.getByRole('navigation', { name: 'Begin with' });
  }

  async open(from?: string): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}${hrefOf(['new'], { from })}`);
    await this.start.waitFor();
  }

  field(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  async set(label: string, value: string): Promise<void> {
    await this.field(label).fill(value);
  }

  /** What assistive technology reads with a field: its mistakes and its sentence. */
  async said(label: string): Promise<string> {
    const ids = (await this.field(label).getAttribute('aria-describedby')) ?? '';
    const texts = ids
      .split(' ')
      .filter(Boolean)
      .map((id) => this.page.locator(`[id="${id}"]`).innerText());
    return (await Promise.all(texts)).join('\n');
  }

  async unfold(group: string): Promise<void> {
    await this.page
      .getByRole('region', { name: group, exact: true })
      .getByRole('button', { name: /^Show \d+ more/ })
      .click();
  }

  async ready(): Promise<void> {
    await this.state.getByText('Ready to start').waitFor();
  }

  async import(name: string, text: string): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: 'Import' }).click();
    await (await chooser).setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  }

  async drop(name: string, text: string): Promise<void> {
    const transfer = await this.page.evaluateHandle(
      ([name, text]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([text], name, { type: 'application/json' }));
        return transfer;
      },
      [name, text] as const,
    );
    for (const event of ['dragover', 'drop']) await this.page.locator('.configure').dispatchEvent(event, { dataTransfer: transfer });
  }

  /** Setting, there and here of each line. */
  async differences(): Promise<string[]> {
    const rows = await this.facts.locator('.configure-differences tbody tr').all();
    return Promise.all(rows.map(async (row) => (await row.locator('th, td').allInnerTexts()).join(' | ')));
  }
}
