/** The Models view as its user works it. */
import type { Locator, Page } from 'playwright-core';
import { hrefOf } from '../../../renderer/app/address.ts';

export class ModelsPage {
  readonly page: Page;
  readonly list: Locator;
  readonly facts: Locator;
  readonly tokens: Locator;
  readonly answer: Locator;

  constructor(page: Page) {
    this.page = page;
    this.list = page.getByRole('navigation', { name: 'Models' });
    this.facts = page.getByRole('complementary', { name: 'Facts of the model' });
    this.answer = page.getByRole('region', { name: 'Answer' });
    this.tokens = page.getByRole('listbox', { name: 'Answer, token by token' });
  }

  async open(id?: string, parameters: Record<string, string> = {}): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}${hrefOf(id === undefined ? ['models'] : ['models', id], parameters)}`);
    await this.list.waitFor();
  }

  async choose(name: string | RegExp): Promise<void> {
    await this.list.getByRole('link', { name }).first().click();
  }

  async type(question: string): Promise<void> {
    await this.page.getByText('Type one').click();
    await this.page.getByRole('textbox', { name: 'Question', exact: true }).fill(question);
  }

  async set(setting: string, value: number): Promise<void> {
    const field = this.page.getByRole('textbox', { name: setting, exact: true });
    await field.fill(String(value));
    await field.blur();
  }

  async write(): Promise<void> {
    await this.page.getByRole('button', { name: 'Write an answer' }).click();
  }

  async stop(): Promise<void> {
    await this.page.getByRole('button', { name: 'Stop writing' }).click();
  }

  /** Verdict and counts above the answer. */
  summary(): Promise<string> {
    return this.answer.locator('.answer-summary').innerText();
  }
}
