// A whole journey without a mouse.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { Hunt } from '../../src/dojo/hunt.js';
import { solutionOf } from '../../src/dojo/stub.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { fragmentOf, openPage, useBrowser } from '../support/browser.js';

const browser = useBrowser();

/** Presses Tab until the focus is on an element that matches, with this text. */
async function tabTo(page: Page, selector: string, text = ''): Promise<void> {
  const isThere = `document.activeElement.matches(${JSON.stringify(selector)}) && document.activeElement.textContent.trim().startsWith(${JSON.stringify(text)})`;
  for (let k = 0; k < 80; k++) {
    if (await page.evaluate(isThere)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never comes to ${selector} ${text}`);
}

const press = async (page: Page, ...keys: readonly string[]) => {
  for (const key of keys) await page.keyboard.press(key);
};

it('the pass has fewer than 40 tab stops: the map is one, and a tensor is one', async () => {
  const { page } = await openPage(browser(), 'step=dh');
  const stops: string[] = [];
  for (let k = 0; k < 60; k++) {
    await page.keyboard.press('Tab');
    const stop = (await page.evaluate(
      "document.activeElement.closest('.map') ? 'map' : document.activeElement.className || document.activeElement.localName",
    )) as string;
    if (stop === 'body') break;
    stops.push(stop);
  }
  expect(stops.length).toBeLessThan(40);
  expect(stops.filter((stop) => stop === 'map')).toHaveLength(1);
  expect(stops.filter((stop) => stop === 'heat-map')).toHaveLength(await page.locator('.heat-map[tabindex="0"]').count());
});

it('by keyboard alone: step, ask why up to the loss, nudge, find a planted mistake, hunt, solve two lines, use own names', async () => {
  const { page, complaints } = await openPage(browser(), 'step=dlogprobs');
  const heading = async () => ((await page.textContent('main h2')) ?? '').trim();

  // The pass: a step is announced, and so is an entry under the cursor.
  await press(page, ']', ']', '[');
  expect(await heading()).toContain('dprobs');
  expect(await page.textContent('.step-place')).toContain('Step 22 of 46');
  await tabTo(page, '.equation-map[data-result] .heat-map');
  await press(page, 'ArrowDown', 'ArrowRight', 'ArrowRight');
  expect(await page.textContent('.equation-map[data-result] .heat-map [role=status]')).toMatch(/^\[\d+,\d+\] \S*\d/);

  // Why? of dlogprobs at a target, where it is not 0: the loss is its reason.
  const target = (await page.evaluate(
    "backpropNinja.ask('pass', { seed: 1, batch: 0, n: 32, names: null, network: 'start' }).then((pass) => [...pass.tensors.dlogprobs.data].slice(0, 27).findIndex((value) => value !== 0))",
  )) as number;
  await press(page, 'Control+Home', ...new Array<string>(target).fill('ArrowRight'), 'Enter');
  const title = () => page.textContent('#inspector-title');
  await expect.poll(title).toBe(`dprobs[0,${target}]`);
  for (const next of [`dlogprobs[0,${target}]`, 'loss']) {
    await page.waitForSelector('.terms');
    await tabTo(page, '.terms .entry-link', next);
    await press(page, 'Enter');
    await expect.poll(title).toBe(next);
  }

  // Proof: back to dlogprobs, and another ε.
  await tabTo(page, '.trail button', `dlogprobs[0,${target}]`);
  await press(page, 'Enter');
  await expect.poll(title).toBe(`dlogprobs[0,${target}]`);
  await tabTo(page, 'input[type=range]');
  await press(page, 'ArrowRight');
  expect(await page.getAttribute('input[type=range]', 'aria-valuetext')).toBe('2e-5');
  await page.waitForSelector('.agreement u');

  // A planted mistake: which gradient is wrong first.
  await tabTo(page, 'nav button', 'Plant a mistake');
  await press(page, 'Enter');
  await page.waitForSelector('.mistakes-sentence');
  await tabTo(page, 'select[name=line]');
  // Not by typing dh: the letters must come within a second.
  const chosen = () => page.inputValue('select[name=line]');
  while ((await chosen()) !== '1 dh') await press(page, 'ArrowDown');
  await page.waitForSelector('.mistakes-sentence:has-text("dh is wrong first")');

  // A hunt, to its end.
  await tabTo(page, 'nav button', 'Hunt');
  await press(page, 'Enter');
  await page.waitForSelector('.hunt [data-item]');
  await expect.poll(() => fragmentOf(page)).toContain('hunt=');
  const { line, mistake } = new Hunt(Number(/hunt=(\d+)/.exec(await fragmentOf(page))?.[1])).reveal();
  await tabTo(page, '[role=option]');
  await press(page, 'Home', ...new Array<string>(GRADIENT_NAMES.indexOf(line)).fill('ArrowDown'), 'Enter');
  await page.waitForSelector(`[data-item=${line}] .wrong`);
  await tabTo(page, 'button', 'It is this line');
  await press(page, 'Enter');
  await page.waitForSelector('.hunt-choices');
  await tabTo(page, 'button', mistake);
  await press(page, 'Enter');
  await page.waitForSelector('text=Score: 95 of 100');

  // Two lines of Exercise 1.
  await tabTo(page, 'nav button', 'Exercises');
  await press(page, 'Enter');
  await page.waitForSelector('.cm-content');
  for (const name of ['dlogprobs', 'dprobs']) {
    expect(await heading()).toContain(name);
    await tabTo(page, '.editor');
    await press(page, 'Control+a');
    const solution = EXERCISES[1].lines.find((one) => one.name === name);
    await page.keyboard.insertText(solution ? solutionOf(solution).slice(`${name}: `.length) : '');
    await page.locator('.verdict', { hasText: 'right' }).waitFor();
    await press(page, 'Alt+ArrowDown');
  }
  expect(await page.textContent('.exercises-nav [aria-current]')).toContain('2 of 26');

  // Own names.
  await tabTo(page, 'nav button', 'Your names');
  await press(page, 'Enter');
  await tabTo(page, 'textarea');
  await page.keyboard.insertText('Ulm\nBonn\nHof\nJena\nKiel\nTrier\nWorms\nMainz');
  await tabTo(page, 'button', 'Use these names');
  await press(page, 'Enter');
  await page.getByText('In use: 8 names').waitFor();
  expect(complaints).toEqual([]);
});
