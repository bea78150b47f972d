import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../support/browser.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

const CITIES = ['Ulm', 'Köln', 'Bonn', 'Hof', 'Aachen', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz', 'Emden', 'Essen'];

describe('your names in the page', () => {
  it('are used for the pass, kept after a reload, and given back for the bundled ones', async () => {
    const { page, complaints } = await openPage(browser, 'view=names&n=4');
    await page.getByLabel('Paste the list').fill(CITIES.join('\n'));
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 12 names').waitFor();
    const characters = new Set(CITIES.join('')).size + 1;
    await page.getByRole('button', { name: 'The pass' }).click();
    await page
      .getByText(`[4,${characters}]`)
      .or(page.locator('h2', { hasText: '[4,3,10]' }))
      .first()
      .waitFor();
    await page.goto(page.url().replace(/#.*/, '#n=4&step=logits'));
    await page.reload();
    await page.locator('h2', { hasText: `[4,${characters}]` }).waitFor();
    await page.getByRole('button', { name: 'Your names' }).click();
    expect(await page.getByLabel('Paste the list').inputValue()).toBe(CITIES.join('\n'));
    await page.getByRole('button', { name: 'Back to the bundled names' }).click();
    await page.getByText('In use: the bundled names').waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    ['a line that is no name', 'anna\nbe\u0000n\nclara\ndora\nemil\nfritz', /your list.*line 2/],
    ['too few', 'anna\nben', /2 names are too few to split 80\/10\/10; give at least 6, one per line\.$/],
    ['another kind of file', '<!doctype html><html><body>names</body></html>', /HTML/],
  ])('%s is refused with the reason, and the list in use stays', async (_, text, reason) => {
    const { page, complaints } = await openPage(browser, 'view=names');
    await page.getByLabel('Paste the list').fill(text);
    await page.getByRole('button', { name: 'Use these names' }).click();
    expect(await page.locator('.names-problem').textContent()).toMatch(reason);
    expect(complaints).toEqual([]);
  });

  it('reads a dropped or chosen file, a column of it, and says what is odd', async () => {
    const { page, complaints } = await openPage(browser, 'view=names');
    await page.getByText('How to read it').click();
    await page.getByLabel('Column of a table').fill('city');
    const table = ['id;city', ...CITIES.map((city, i) => `${i};${city}`)].join('\r\n');
    await page.getByLabel('Choose a file').setInputFiles({ name: 'cities.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
    await page.getByText('In use: 12 names').waitFor();
    expect(await page.getByText(/column 2 of 2/).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });
});
