// The exercises in the page with the keyboard alone, by an address, on a telephone, and for a screen reader.
import { describe, expect, it } from 'vitest';
import { fragmentOf, useBrowser, violations } from '../support/browser.js';
import { openLine, pasteLine, typeLine, waitForVerdict } from '../support/exercisePage.js';

const browser = useBrowser();

describe('with the keyboard alone', () => {
  it('a line is completed, checked, and left', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await page.focus('.cm-content');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('({ }) => dlo');
    await page.locator('.cm-tooltip-autocomplete').waitFor();
    // A completion is not taken in the moment in which it appears.
    await page.waitForTimeout(100);
    await page.keyboard.press('Enter');
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits');
    await page.keyboard.type('.sum');
    await page.locator('.cm-completionLabel', { hasText: 'sum' }).waitFor();
    await page.waitForTimeout(100);
    await page.keyboard.press('Enter');
    await page.keyboard.type('0');
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    await page.keyboard.press('Control+Enter');
    await waitForVerdict(page, 'right');
    await page.keyboard.press('Alt+ArrowDown');
    expect(await page.textContent('h2')).toContain('dhpreact');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Give me a hint');
    expect(complaints).toEqual([]);
  });

  it('the address names exercise and line', async () => {
    const { page, complaints } = await openLine(browser(), 4, 'dW1');
    expect(await page.textContent('h2')).toContain('dW1');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await fragmentOf(page)).toContain('exercise=4&line=db1');
    await page.goBack();
    await page.locator('h2', { hasText: 'dW1' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('at 390 x 844', () => {
  it('nothing is wider than the screen', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'dcounts_sum_inv', { viewport: { width: 390, height: 844 } });
    await typeLine(page, '({ counts, dprobs }) => counts.mul(dprobs).sum(0, { keepdim: true })');
    await waitForVerdict(page, 'wrong');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(complaints).toEqual([]);
  });
});

describe('a barrier', () => {
  it.each(['light', 'dark'] as const)(
    'is not found by axe-core, with a wrong line, its hints and the methods, in %s',
    async (colorScheme) => {
      const { page, complaints } = await openLine(browser(), 1, 'db2', { colorScheme });
      await pasteLine(page, '({ dlogits }) => dlogits.sum(1)');
      await waitForVerdict(page, 'wrong');
      await page.getByRole('button', { name: 'Give me a hint' }).click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Methods' }).click();
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    },
  );
});
