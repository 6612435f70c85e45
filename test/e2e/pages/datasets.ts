/** What a spec does with the data sets view, against the renderer alone. */
import type { Locator, Page } from 'playwright-core';

export class DatasetsPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async openView(): Promise<void> {
    await this.page.getByRole('link', { name: 'Data', exact: true }).click();
    await this.catalogue.waitFor();
  }

  get catalogue(): Locator {
    return this.page.getByRole('navigation', { name: 'Data sets' });
  }

  get table(): Locator {
    return this.page.getByRole('grid', { name: /^Questions of/ });
  }

  get detail(): Locator {
    return this.page.getByRole('complementary', { name: 'Detail' });
  }

  /** A row of the table by its place, from 1. */
  row(place: number): Locator {
    return this.table.locator(`[role="row"][aria-rowindex="${place + 1}"]`);
  }

  set(name: string): Locator {
    return this.catalogue.getByRole('region', { name, exact: true });
  }

  async openSplit(name: string, split: string): Promise<void> {
    await this.set(name)
      .getByRole('link', { name: new RegExp(`^${split}\\b`) })
      .click();
    await this.table.waitFor();
  }

  async search(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Search questions' }).fill(text);
  }

  async addFilter(field: string, value: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Filter', exact: true }).click();
    await this.page.getByRole('combobox', { name: 'Field' }).click();
    await this.page.getByRole('option', { name: field, exact: true }).click();
    await this.page.getByRole('combobox', { name: 'Value' }).fill(value);
    await this.page.getByRole('button', { name: 'Add filter' }).click();
  }

  /** The count below the table, such as `12 of 2,150 questions`. */
  count(text: string | RegExp): Locator {
    return this.page.locator('.data-table-foot').getByRole('status').filter({ hasText: text });
  }

  async sortBy(header: string): Promise<void> {
    await this.table.getByRole('columnheader', { name: header }).getByRole('button').click();
  }

  async chooseFile(path: string): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.page.getByRole('button', { name: 'Choose a file' }).click();
    await (await chooser).setFiles(path);
  }
}
