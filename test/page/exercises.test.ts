// The exercises in the page, as a person solves them.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXERCISES, type ExerciseNumber } from '../../src/dojo/exercises.js';
import { solutionOf } from '../../src/dojo/stub.js';
import { launchChromium, type OpenPage, openPage } from '../support/browser.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

const solutionText = (number: ExerciseNumber, name: string) => {
  const line = EXERCISES[number].lines.find((one) => one.name === name);
  if (!line) throw new Error(name);
  return solutionOf(line)
    .slice(`${name}: `.length)
    .replace(/\s*\n\s*/g, '');
};

/** Opens a line of an exercise, ready to type. */
async function open(number: ExerciseNumber, line = '', more = {}): Promise<OpenPage> {
  const opened = await openPage(browser, `view=exercises&exercise=${number}${line && `&line=${line}`}`, more);
  await opened.page.waitForSelector('.cm-content');
  return opened;
}

/** Replaces the line by what a person types. */
async function type(page: Page, text: string): Promise<void> {
  await page.click('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

const verdict = (page: Page) => page.locator('.verdict').first();

/** Waits until the check of the line says so. */
const waitFor = (page: Page, word: string) => page.locator('.verdict', { hasText: word }).waitFor({ timeout: 60_000 });

describe('a line in the page', () => {
  it('is right while you type, and the next one follows', async () => {
    const { page, complaints } = await open(1);
    for (const name of ['dlogprobs', 'dprobs', 'dcounts_sum_inv']) {
      expect(await page.textContent('h2')).toContain(name);
      await type(page, solutionText(1, name));
      await waitFor(page, 'right');
      await page.getByRole('button', { name: 'Next' }).click();
    }
    expect(await page.textContent('.exercises-nav [aria-current]')).toContain('3 of 26');
    expect(await verdict(page).textContent()).toContain('not written yet');
    expect(complaints).toEqual([]);
  });

  it('gets the name of its mistake, and is shown beside the right one', async () => {
    const { page, complaints } = await open(1, 'dprobs');
    await type(page, '({ probs, dlogprobs }) => probs.mul(dlogprobs)');
    await waitFor(page, 'wrong');
    expect(await page.textContent('.problem')).toContain('probs');
    expect(await page.locator('.comparison .heat-map').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  it('that never ends is stopped, and the page goes on', async () => {
    const { page, complaints } = await open(1, 'db2');
    await type(page, '({ dlogits }) => { for (;;); }');
    await waitFor(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain('it did not finish within 2 s');
    await type(page, '({ dlogits }) => dlogits.sum(0)');
    await waitFor(page, 'right');
    expect(complaints).toEqual([]);
  });
});
