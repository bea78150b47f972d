import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Hunt } from '../../src/dojo/hunt.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { fragmentOf, openPage, useBrowser, violations } from '../support/browser.js';

const browser = useBrowser();

const score = (page: Page) => page.textContent('.hunt-score');

/** Presses Tab until the focus is on an element with this text. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let k = 0; k < 60; k++) {
    if (((await page.evaluate('document.activeElement.textContent')) as string).trim().startsWith(text)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never comes to ${text}`);
}

describe('a hunt in the page', () => {
  it('is played to its end with the keyboard alone, line by line, and scores as in the terminal', async () => {
    const { page, complaints } = await openPage(browser(), 'view=hunt&hunt=7');
    const { line, mistake } = new Hunt(7).reveal();
    await page.waitForSelector('[data-item]');
    await tabTo(page, 'dlogprobs');
    let probes = 0;
    for (const name of GRADIENT_NAMES) {
      await page.keyboard.press('Enter');
      await page.waitForSelector(`[data-item=${name}] :is(.right, .wrong)`);
      probes++;
      if ((await page.textContent(`[data-item=${name}]`))?.includes('differs')) break;
      await page.keyboard.press('ArrowDown');
    }
    expect(await page.textContent('[role=listbox] [aria-selected=true] code')).toBe(line);
    expect(await page.textContent('.hunt-said[role=status]')).toContain(`✗ ${line}: `);
    await tabTo(page, 'It is this line');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`text=Yes, it is ${line}.`);
    await tabTo(page, mistake);
    await page.keyboard.press('Enter');
    await page.waitForSelector(`text=Score: ${100 - 5 * probes} of 100`);
    expect(await page.textContent('.hunt-end')).toContain(`It was ${line}: ${mistake}.`);
    expect(await page.textContent('.hunt-end')).toContain('backprop-ninja hunt --seed 7');
    await tabTo(page, 'Play again');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=100 points, 0 probes');
    const title = await page.textContent('main h2');
    expect(title).not.toBe('Hunt 7');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(title);
    expect(complaints).toEqual([]);
  });

  it('takes 5 points for a probe, 20 for a wrong line or mistake, and nothing for the same again', async () => {
    const { page, complaints } = await openPage(browser(), 'view=hunt&hunt=8');
    const { line, mistake } = new Hunt(8).reveal();
    const { choices } = new Hunt(8);
    await page.click('[data-item=dlogprobs]');
    await page.click('text=Probe dlogprobs');
    await page.waitForSelector('text=95 points, 1 probe');
    await page.click('text=Probe dlogprobs', { force: true });
    await page.click('text=It is this line');
    await page.waitForSelector('text=No, the line of dlogprobs is right. You have 75 points left.');
    await page.click('text=It is this line', { force: true });
    expect(await page.getByText('No, the line of dlogprobs is right.').count()).toBe(1);
    await page.click(`[data-item=${line}]`);
    await page.click('text=It is this line');
    const other = choices.find((one) => one !== mistake) as string;
    await page.click(`.hunt-choices button:text-is("${other}")`);
    await page.waitForSelector('.hunt-choices [role=status]:has-text("No. You have 55 points left.")');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(`✗ ${other}`);
    await page.keyboard.press('Enter');
    expect(await score(page)).toBe('55 points, 1 probe');
    await page.click('text=Give up');
    await page.waitForSelector(`text=It was ${line}: ${mistake}.`);
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has no barrier that axe-core finds, from the first probe to the end, in %s', async (colorScheme) => {
    const { page, complaints } = await openPage(browser(), 'view=hunt&hunt=8', { colorScheme });
    const { line } = new Hunt(8).reveal();
    await page.click(`[data-item=${line}]`);
    await page.click(`text=Probe ${line}`);
    await page.waitForSelector('.beside');
    expect(await violations(page)).toEqual([]);
    await page.click('text=It is this line');
    await page.waitForSelector('.hunt-choices');
    expect(await violations(page)).toEqual([]);
    await page.click('text=Give up');
    await page.waitForSelector('.hunt-end');
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('is there again as it was when you come back from another hunt', async () => {
    const { page, complaints } = await openPage(browser(), 'view=hunt&hunt=8');
    await page.click('text=Probe dlogprobs');
    await page.waitForSelector('text=95 points, 1 probe');
    await page.evaluate("location.hash = 'view=hunt&hunt=9'");
    await page.waitForSelector('text=100 points, 0 probes');
    await page.goBack();
    await page.waitForSelector('text=95 points, 1 probe');
    expect(complaints).toEqual([]);
  });

  it('is in the address: a link opens the same hunt, and without a seed there is a new one below 10,000', async () => {
    const { page, complaints } = await openPage(browser(), 'view=hunt');
    await page.waitForSelector('[data-item]');
    await expect.poll(() => fragmentOf(page)).toContain('hunt=');
    const seed = Number(/hunt=(\d+)/.exec(await fragmentOf(page))?.[1]);
    expect(seed).toBeLessThan(10_000);
    expect(await page.textContent('main h2')).toBe(`Hunt ${seed}`);
    const link = await openPage(browser(), `view=hunt&hunt=${seed}`);
    expect(await link.page.textContent('main h2')).toBe(`Hunt ${seed}`);
    expect([...complaints, ...link.complaints]).toEqual([]);
  });

  it('draws the difference of a probed gradient, and says the numbers of an entry', async () => {
    const { page, complaints } = await openPage(browser(), 'view=hunt&hunt=8');
    const { line } = new Hunt(8).reveal();
    await page.click(`[data-item=${line}]`);
    await page.click(`text=Probe ${line}`);
    await page.focus(`[data-tensor="${line}, difference"]`);
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.textContent('.beside-entry')).toMatch(new RegExp(`^${line}\\[1,1\\]: in this pass [−\\d.e]+, right .*, difference `));
    expect(complaints).toEqual([]);
  });
});

describe('the engine of the hunt', () => {
  let page: Page;
  beforeAll(async () => {
    page = (await openPage(browser())).page;
  });
  const hunt = async (moves: readonly object[]) =>
    (await page.evaluate(`backpropNinja.ask('hunt', 7, ${JSON.stringify(moves)})`)) as { choices: string[]; probes: object[] };
  const { line, mistake } = new Hunt(7).reveal();

  it('tells neither the line nor the mistake before they are found or given up', async () => {
    const other = GRADIENT_NAMES.find((name) => name !== line);
    const guessed = await hunt([{ kind: 'guess', name: other }]);
    expect(guessed).toMatchObject({ choices: [], rightLines: [other], line: undefined, answer: undefined });
    expect(JSON.stringify(guessed)).not.toContain(mistake);
    const found = await hunt([{ kind: 'guess', name: line }]);
    expect(found).toMatchObject({ line, answer: undefined, score: 100 });
    expect(found.choices).toContain(mistake);
    expect(await hunt([{ kind: 'give-up' }])).toMatchObject({ line: undefined, named: false, answer: { line, mistake } });
  });

  it('ignores moves that are not possible: a choice before the line is found, and anything after the end', async () => {
    const right = (await hunt([{ kind: 'guess', name: line }])).choices.indexOf(mistake);
    expect(await hunt([{ kind: 'choose', index: 0 }])).toMatchObject({ score: 100, named: false });
    const moves = [
      { kind: 'guess', name: line },
      { kind: 'choose', index: right },
    ];
    const end = await hunt(moves);
    expect(end).toMatchObject({ named: true, score: 100 });
    expect(await hunt([...moves, { kind: 'choose', index: right + 1 }, { kind: 'probe', name: 'dh' }])).toEqual(end);
  });
});
