import { describe, expect, it } from 'vitest';
import { openPage, reload, useBrowser } from '../support/browser.js';

const browser = useBrowser();

const CITIES = ['Ulm', 'Köln', 'Bonn', 'Hof', 'Aachen', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz', 'Emden', 'Essen'];

describe('your names in the page', () => {
  it('are used for the pass, kept after a reload, and given back for the bundled ones', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names&n=4');
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
    await page.evaluate("location.hash = 'n=4&step=logits'");
    await reload(page);
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
    const { page, complaints } = await openPage(browser(), 'view=names');
    await page.getByLabel('Paste the list').fill(text);
    await page.getByRole('button', { name: 'Use these names' }).click();
    expect(await page.locator('.names-problem').textContent()).toMatch(reason);
    expect(complaints).toEqual([]);
  });

  it('reads a dropped or chosen file, a column of it, and says what is odd', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names');
    await page.getByText('How to read it').click();
    await page.getByLabel('Column of a table').fill('city');
    const table = ['id;city', ...CITIES.map((city, i) => `${i};${city}`)].join('\r\n');
    await page.getByLabel('Choose a file').setInputFiles({ name: 'cities.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
    await page.getByText('In use: 12 names').waitFor();
    expect(await page.getByText(/column 2 of 2/).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('are read the same way after a reload: its column, and its letters', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names');
    const table = ['id;city', ...CITIES.map((city, i) => `${i};${city.normalize('NFD')}`)].join('\n');
    await page.getByLabel('Paste the list').fill(table);
    await page.getByText('How to read it').click();
    await page.getByLabel('Column of a table').fill('city');
    await page.getByLabel('A letter with its marks').check();
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 12 names').waitFor();
    await reload(page);
    await page.getByText('In use: 12 names').waitFor();
    expect(await page.getByLabel('Column of a table').inputValue()).toBe('city');
    expect(await page.getByLabel('A letter with its marks').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 12 names').waitFor();
    expect(complaints).toEqual([]);
  });

  it('of 500 characters, of emoji and of 2,000 different characters fit a narrow screen, here and in the pass', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names&n=4', { viewport: { width: 390, height: 844 } });
    const long = Array.from({ length: 8 }, (_, i) => 'abcde'.repeat(100).slice(i));
    const emoji = ['🦊🐻', '👩‍👩‍👧‍👦', '🏳️‍🌈x'.repeat(40)];
    const many = Array.from({ length: 500 }, (_, i) => String.fromCodePoint(...[0, 1, 2, 3].map((k) => 0x4e00 + 4 * i + k)));
    await page.getByLabel('Paste the list').fill([...long, ...emoji, ...many].join('\n'));
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 511 names').waitFor();
    expect(await page.locator('.names-used').textContent()).toMatch(/Characters: .* and [12],\d{3} more/);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.getByRole('button', { name: 'The pass' }).click();
    await page.locator('.heat-map').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(complaints).toEqual([]);
  });

  it('that cannot be read any more are said at the next visit, and stay to be mended', async () => {
    const { page, complaints } = await openPage(browser(), 'n=8');
    await page.evaluate(`localStorage.setItem('backprop-ninja names', '{"text":"anna\\\\nben","column":7}')`);
    await reload(page);
    await page.getByText('Your stored list of names is not used: 2 names are too few').waitFor();
    await page.getByRole('button', { name: 'Your names' }).click();
    expect(await page.getByLabel('Paste the list').inputValue()).toBe('anna\nben');
    await page.getByRole('button', { name: 'Back to the bundled names' }).click();
    await reload(page);
    expect(await page.locator('.notices').textContent()).toBe('');
    expect(complaints).toEqual([]);
  });

  it('come from a file that is dropped anywhere or chosen twice; a text that is dragged into the box stays a text', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names');
    const drop = (target: string, fill: string) =>
      page.evaluate(`(() => {
        const dataTransfer = new DataTransfer();
        ${fill};
        return document.querySelector(${JSON.stringify(target)}).dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      })()`);
    const file = `dataTransfer.items.add(new File([${JSON.stringify(CITIES.join('\n'))}], 'cities.txt'))`;
    expect(await drop('header', file)).toBe(false);
    await page.getByText('In use: 12 names').waitFor();
    expect(await drop('textarea', "dataTransfer.setData('text/plain', 'Ulm')")).toBe(true);
    const chosen = { name: 'cities.txt', mimeType: 'text/plain', buffer: Buffer.from(CITIES.join('\n')) };
    for (const name of ['Ulm', 'Köln']) {
      await page.getByLabel('Choose a file').setInputFiles(chosen);
      await expect.poll(() => page.locator('textarea').inputValue()).toMatch(/^Ulm/);
      expect(await page.getByLabel('Choose a file').inputValue()).toBe('');
      await page.getByLabel('Paste the list').fill(name);
    }
    expect(complaints).toEqual([]);
  });

  it.each([
    ['a table', 'anna\t1\nben\t2', /control character .*; if the lines are columns, read one of them\.$/],
    ['numbers before the names', '1. anna', /remove the numbers\.$/],
    ['an archive', 'PK\u0003\u0004', /a zip archive/],
    ['a column that is not there', 'id;city\n1;Ulm', /the first line of 'your list' has/],
  ])('%s is refused without an option or a command of the terminal', async (kind, text, reason) => {
    const { page, complaints } = await openPage(browser(), 'view=names');
    await page.getByLabel('Paste the list').fill(text);
    await page.getByText('How to read it').click();
    if (kind.startsWith('a column')) await page.getByLabel('Column of a table').fill('town');
    await page.getByRole('button', { name: 'Use these names' }).click();
    const said = await page.locator('.names-problem').textContent();
    expect(said).toMatch(reason);
    expect(said).not.toMatch(/--|FILE|terminal|\bsed\b/);
    expect(complaints).toEqual([]);
  });
});
