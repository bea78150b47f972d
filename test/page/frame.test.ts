// What all views share: the address, the notices, and what remains where something fails.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { fragmentOf, openPage, refusingStorage, reload, useBrowser, violations } from '../support/browser.js';

const browser = useBrowser();

const notices = (page: Page) => page.locator('.notices').textContent();

describe('the address', () => {
  it('that asks for what does not exist is said, until you go on', async () => {
    const { page, complaints } = await openPage(browser(), 'n=1000');
    expect(await notices(page)).toBe('The address has n=1000. Expected a whole number from 2 to 64; the page shows its default.');
    await page.keyboard.press(']');
    await page.locator('.notices:empty').waitFor({ state: 'attached' });
    await page.goBack();
    await page.getByText('The address has n=1000').waitFor();
    expect(complaints).toEqual([]);
  });

  it('with a long or unprintable value is quoted short, on a narrow screen, too', async () => {
    const long = `step=${'x'.repeat(3_000)}&view=${encodeURIComponent('\u202e🦊'.repeat(50))}`;
    const { page, complaints } = await openPage(browser(), long, { viewport: { width: 390, height: 844 } });
    const text = (await notices(page)) ?? '';
    expect(text).toContain(`step=${'x'.repeat(60)}…`);
    expect(text).toContain('view=\\u202e🦊');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(complaints).toEqual([]);
  });

  it('follows a held key seldom enough for every browser, and has the last entry at once when you leave or go on', async () => {
    const { page, complaints } = await openPage(browser(), 'n=8&step=h&entry=0,0');
    const start = Date.now();
    await page.evaluate(`{
      globalThis.writes = 0;
      const replace = history.replaceState;
      history.replaceState = function (...all) { writes++; return replace.apply(this, all); };
    }`);
    await page.locator('.heat-map').first().focus();
    for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight');
    await page.evaluate("dispatchEvent(new Event('pagehide'))");
    const address = await fragmentOf(page);
    expect(await page.evaluate('writes')).toBeLessThanOrEqual(2 + (Date.now() - start) / 250);
    await page.keyboard.press(']');
    await page.goBack();
    expect(await fragmentOf(page)).toBe(address);
    expect(complaints).toEqual([]);
  });

  it('that a browser refuses to change does not keep the page from working', async () => {
    const { page, complaints } = await openPage(browser(), 'n=8');
    await page.evaluate(
      "{ history.replaceState = history.pushState = () => { throw new DOMException('too many calls', 'SecurityError'); }; }",
    );
    await page.keyboard.press(']');
    await page.locator('h2', { hasText: 'embact' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

/** Opens the page with `workers`, a list of all workers that it starts. */
async function openWithWorkers(fragment: string) {
  const opened = await openPage(browser(), fragment);
  await opened.page.addInitScript(`{
    globalThis.workers = [];
    globalThis.Worker = class extends Worker {
      constructor(...all) { super(...all); workers.push(this); }
    };
  }`);
  await reload(opened.page);
  return opened;
}

const STOPPED = 'The engine of the page has stopped; reload the page';

describe('an engine that fails', () => {
  it('is said to have stopped, also to what is asked later, with the way out', async () => {
    const { page, complaints } = await openWithWorkers('n=8');
    await page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error'))");
    await page.getByRole('button', { name: 'Hunt' }).click();
    await page.getByText(STOPPED).waitFor();
    const answer = await page.evaluate("backpropNinja.ask('exercises').catch((error) => error.message)");
    expect(answer).toBe('The engine of the page has stopped');
    expect(await page.getByText(STOPPED).count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it('leaves what the other one computes', async () => {
    const { page, complaints } = await openWithWorkers('n=8');
    await page.evaluate("globalThis.row = backpropNinja.ask('verdicts', 'dX from X'); workers[0].dispatchEvent(new ErrorEvent('error'))");
    expect(await page.evaluate("row.then(() => 'a row', (error) => error.message)")).not.toBe('The engine of the page has stopped');
    expect(complaints).toEqual([]);
  });
});

describe('a refusal that no view explains', () => {
  it('is shown as a sentence until you go on', async () => {
    const { page, complaints } = await openPage(browser(), 'n=8');
    await page.evaluate("void backpropNinja.ask('readNames', new Uint8Array(), 1, {})");
    await page.getByText('your list').waitFor();
    await page.keyboard.press(']');
    await page.locator('.notices:empty').waitFor({ state: 'attached' });
    expect(complaints).toEqual([]);
  });
});

describe('a view that fails', () => {
  it('is replaced by a sentence and a way to the first view', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names&n=8');
    await page.evaluate('globalThis.context = HTMLCanvasElement.prototype.getContext');
    await page.evaluate("HTMLCanvasElement.prototype.getContext = () => { throw new Error('no canvas') }");
    await page.getByRole('button', { name: 'The pass' }).click();
    await page.getByText('The browser says: no canvas. The other views work.').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.evaluate('HTMLCanvasElement.prototype.getContext = context');
    await page.getByRole('button', { name: 'Show the first view' }).click();
    await page.locator('.heat-map').first().waitFor();
    expect(await fragmentOf(page)).not.toContain('n=8');
    // Each canvas reports it.
    expect([...new Set(complaints)]).toEqual(['no canvas']);
  });
});

describe('a browser that keeps nothing', () => {
  it('has every view; exercises and names say so', async () => {
    const { page, complaints } = await openPage(browser(), 'n=8');
    await refusingStorage(page);
    for (const view of ['pass', 'mistakes', 'hunt']) {
      await page.getByRole('button', { name: { pass: 'The pass', mistakes: 'Plant a mistake', hunt: 'Hunt' }[view] as string }).click();
      await page.locator('.heat-map, .hunt-lines').first().waitFor();
    }
    await page.getByRole('button', { name: 'Exercises', exact: true }).click();
    await page.locator('.exercises-notice').waitFor();
    await page.getByRole('button', { name: 'Your names' }).click();
    await page.getByLabel('Paste the list').fill('Ulm\nBonn\nHof\nJena\nKiel\nTrier\nWorms\nMainz\nEmden\nEssen');
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 10 names').waitFor();
    await page.getByText('Your browser cannot store this list. Load it again next time.').waitFor();
    await page.getByRole('button', { name: 'The pass' }).click();
    await page.getByRole('button', { name: 'Your names' }).click();
    expect(await page.getByLabel('Paste the list').inputValue()).toMatch(/^Ulm\nBonn/);
    await page.getByRole('button', { name: 'Back to the bundled names' }).click();
    await page.getByText('In use: the bundled names').waitFor();
    expect(await page.getByText('cannot store').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
