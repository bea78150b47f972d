import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { CHECKS, KillMatrix } from '../../src/dojo/killMatrix.js';
import { findMutant, MUTANTS } from '../../src/dojo/mutants.js';
import { differingParts } from '../../src/page/views/mistakes/differingParts.js';
import { atOnce, fragmentOf, openPage, settled, useBrowser, violations } from '../support/browser.js';

const browser = useBrowser();

const open = async (mistake: string, more = '') => {
  const opened = await openPage(browser(), `view=mistakes&mistake=${mistake}${more}`);
  await opened.page.waitForSelector('.spread [data-item]');
  return opened;
};
const stateOf = (page: Page, name: string) => page.textContent(`.spread [data-item=${name}] span`);

describe('a planted mistake in the page', () => {
  it.each([
    [
      'dh-sign',
      'dh',
      { dlogits: '✓ right', dh: '✗ the mistake', dhpreact: '✗ also wrong', dW2: '✓ right', db1: '✓ right', dC: '✗ also wrong' },
    ],
    ['cross-entropy-no-division-by-n', 'dlogits', { dnorm_logits: '✓ right', dlogits: '✗ the mistake', dC: '✗ also wrong' }],
    ['batch-norm-gain-forgotten', 'dhprebn', { dbndiff: '✓ right', dhprebn: '✗ the mistake', dW1: '✗ also wrong' }],
    ['dh-w2-not-transposed', 'dh', { dlogits: '✓ right', dh: '✗ fails', dhpreact: '✗ fails', dW2: '✓ right' }],
    ['db2-sum-forgotten', 'db2', { db2: '✗ the mistake', dh: '✓ right', dC: '✓ right' }],
  ])('%s is wrong first in %s, and spreads to what reads it', async (mistake, first, states) => {
    const { page, complaints } = await open(mistake);
    expect(findMutant(mistake).line).toBe(first);
    expect(await page.textContent('.mistakes-sentence')).toContain(`${first} is wrong first`);
    for (const [name, text] of Object.entries(states)) expect([name, await stateOf(page, name)]).toEqual([name, text]);
    expect(complaints).toEqual([]);
  });

  it('keeps an entry of the address while the batch shrinks and grows: a smaller batch may not have it', async () => {
    const { page, complaints } = await open('dprobs-squared', '&n=8&tensor=dprobs&entry=20,3');
    const batchOf = async (n: number) => {
      await page.fill('[name=n]', String(n));
      await page.keyboard.press('Enter');
      await page.waitForSelector(`.spread-chosen h4:has-text("[${n},27]")`);
      return page.textContent('.beside-entry');
    };
    expect(await batchOf(32)).toMatch(/^dprobs\[20,3\]: with the mistake /);
    expect(await batchOf(8)).toBe('Choose an entry to see its numbers.');
    expect(await batchOf(32)).toMatch(/^dprobs\[20,3\]: with the mistake /);
    expect(complaints).toEqual([]);
  });

  it('may have the mouse at rest over an entry that the next gradient does not have', async () => {
    const { page, complaints } = await open('dprobs-squared', '&tensor=dprobs');
    const map = page.locator('.beside .heat-map').first();
    const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
    await map.hover({ position: { x: width - 2, y: height - 2 } });
    await page.waitForSelector('.heat-map-readout');
    await page.focus('.spread [tabindex="0"]');
    await page.keyboard.press('End');
    await page.waitForSelector('.spread-chosen h4:has-text("dC")');
    await settled(page);
    expect(await page.locator('.heat-map-readout').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('never has what is known of another one beside it, unless that is marked as being computed', async () => {
    const { page, complaints } = await open('dh-sign');
    // What is on the page whenever it changes.
    await page.evaluate(`(() => {
      window.seen = [];
      const text = (selector) => document.querySelector(selector)?.textContent;
      new MutationObserver(() => {
        const busy = document.querySelector('.mistakes-spread').getAttribute('aria-busy') === 'true';
        window.seen.push([text('.mistakes-line h3 code'), text('.mistakes-sentence').split(' ')[0], busy]);
      }).observe(document.querySelector('.mistakes'), { subtree: true, childList: true, attributes: true, characterData: true });
    })()`);
    await page.selectOption('[name=line]', '1 dW2');
    await page.waitForSelector('.mistakes-sentence:has-text("dW2 is wrong first")');
    await page.fill('[name=n]', '8');
    await page.keyboard.press('Enter');
    await settled(page);
    const seen = (await page.evaluate('window.seen')) as [string, string, boolean][];
    expect(seen.filter(([line, first, busy]) => line !== first && !busy)).toEqual([]);
    expect(seen.some(([, , busy]) => busy)).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('has one scale in the legend, the list and the maps with "Same scale for all"', async () => {
    const { page, complaints } = await open('dh-sign', '&tensor=dhpreact&sameScale=true');
    const legend = await page.textContent('.legend-ends >> nth=1');
    expect(await page.locator('.beside .range').allTextContents()).toEqual(Array(3).fill(`±${legend}`));
    expect(complaints).toEqual([]);
  });

  it('is said to be invisible where no comparison of losses sees it, with the reason', async () => {
    const { page, complaints } = await open('dlogit_maxes-sign-forgotten');
    expect(await page.textContent('.mistakes-invisible')).toContain('dlogit_maxes is 0 end to end');
    expect(await page.textContent('.mistakes-sentence')).toContain('the mistake does not show');
    expect(await page.textContent('.spread-chosen')).toContain('dlogit_maxes is 0 with or without the mistake');
    expect(complaints).toEqual([]);
  });

  it('says why a line fails, and which shape a wrong one has', async () => {
    const { page, complaints } = await open('dh-w2-not-transposed');
    expect(await page.textContent('.spread-chosen')).toContain('It fails: matmul needs [n,k] and [k,m]');
    await page.selectOption('[name=line]', '1 db2');
    await page.selectOption('[name=mistake]', 'db2-sum-forgotten');
    await page.waitForSelector('text=Its shape is [32,27], expected [27].');
    expect(complaints).toEqual([]);
  });

  it('shows the line as the lesson has it, and what is different in it', async () => {
    const { page, complaints } = await open('dh-sign');
    expect(await page.locator('.code-block').allTextContents()).toEqual([
      'dh: ({ W2, dlogits }) => dlogits.matmul(W2.T)',
      'dh: ({ W2, dlogits }) => dlogits.matmul(W2.T).neg()',
    ]);
    expect(await page.textContent('.code-block mark')).toBe('.neg()');
    expect(complaints).toEqual([]);
  });

  it('gets the verdicts of the command mutants', async () => {
    const { page, complaints } = await open('dh-sign');
    const matrix = new KillMatrix();
    for (const mutant of MUTANTS.filter((_, i) => i % 18 === 0)) {
      const { noticedBy, said } = matrix.judge(mutant);
      await page.selectOption('[name=line]', `${mutant.exercise} ${mutant.line}`);
      await page.selectOption('[name=mistake]', mutant.name);
      await page.waitForSelector(`[data-mistake=${mutant.name}]`);
      for (const check of CHECKS) {
        expect([mutant.name, check, await page.textContent(`[data-check="${check}"] td:last-child`)]).toEqual([
          mutant.name,
          check,
          noticedBy[check] ? '✓ notices it' : '✗ misses it',
        ]);
      }
      expect(await page.textContent('.mistakes-said')).toContain(said);
    }
    expect(complaints).toEqual([]);
  });

  it('is in the address, with the gradient and the entry; Back goes to the mistake before', async () => {
    const { page, complaints } = await open('dh-sign', '&tensor=dhpreact&entry=3,5');
    expect(await page.textContent('.spread [aria-selected=true] code')).toBe('dhpreact');
    expect(await page.textContent('.beside-entry')).toMatch(/^dhpreact\[3,5\]: with the mistake /);
    await page.click('text=Next');
    await page.waitForSelector('text=42 of 143');
    await page.goBack();
    await page.waitForSelector('text=41 of 143');
    expect(await page.inputValue('[name=mistake]')).toBe('dh-sign');
    await page.click('text=Show dh in the pass');
    expect(await fragmentOf(page)).toContain('step=dh');
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has no barrier that axe-core finds, with a table and curves, in %s', async (colorScheme) => {
    const { page, complaints } = await openPage(browser(), 'view=mistakes&mistake=dh-sign', { colorScheme });
    await page.check('text=200');
    await page.click('text=Train both');
    await page.click('text=Show the difference as a table');
    await page.waitForSelector('.loss-tables > table');
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('has one tab stop for the 26 gradients, whose arrows choose', async () => {
    const { page, complaints } = await open('dh-sign');
    expect(await page.locator('.spread [tabindex="0"]').count()).toBe(1);
    await page.focus('.spread [tabindex="0"]');
    await page.keyboard.press('ArrowRight');
    expect(await page.textContent('.spread-chosen h4')).toContain('dW2');
    await page.keyboard.press('End');
    expect(await page.textContent('.spread-chosen h4')).toContain('dC');
    expect(complaints).toEqual([]);
  });
});

describe('training with and without a mistake in the page', () => {
  it('ends with two curves, their losses, and what they show', async () => {
    const { page, complaints } = await open('dh-sign');
    await page.check('text=200');
    await page.click('text=Train both');
    await page.waitForSelector('text=It ends');
    await settled(page);
    const rows = await page.locator('.loss-tables > table tbody tr').allTextContents();
    expect(rows).toEqual([
      expect.stringMatching(/^Right gradients2\.\d{4}2\.\d{4}$/),
      expect.stringMatching(/^With the mistake2\.\d{4}2\.\d{4}$/),
    ]);
    expect(await page.locator('.curve-numbers tbody tr').count()).toBe(20);
    // Both curves are drawn: the canvas has their colours.
    const colors = (await page.evaluate(`(() => {
      const { width, height } = document.querySelector('.curve-box canvas');
      const { data } = document.querySelector('.curve-box canvas').getContext('2d').getImageData(0, 0, width, height);
      let [blue, red] = [0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 200) continue;
        if (data[i + 2] > data[i] + 60) blue++;
        if (data[i] > data[i + 2] + 60) red++;
      }
      return [blue, red];
    })()`)) as number[];
    expect(Math.min(...colors)).toBeGreaterThan(200);
    expect(complaints).toEqual([]);
  });

  it('can be cancelled; what it has shown stays, and the page goes on', async () => {
    const { page, complaints } = await open('dh-sign');
    await page.check('text=5,000');
    const cancelled = await atOnce(
      page,
      "/step [1-9]/.test(document.querySelector('.training-controls')?.textContent)",
      '[document.activeElement.textContent, document.activeElement.click()][0]',
    );
    await page.focus('text=Train both');
    await page.keyboard.press('Enter');
    expect(await cancelled()).toBe('Cancel');
    await page.waitForSelector('text=Cancelled after');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Train again');
    expect(await page.locator('progress').count()).toBe(0);
    await page.click('text=Next');
    await page.waitForSelector('.mistakes-sentence');
    expect(await page.locator('.curve-chart').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says where training with a wrong shape stops', async () => {
    const { page, complaints } = await open('dW1-transposed');
    await page.check('text=200');
    await page.click('text=Train both');
    await page.waitForSelector('text=Training fails');
    expect(await page.textContent('.loss-tables')).toContain('stopped in step 0');
    expect(complaints).toEqual([]);
  });
});

describe('parts of the view', () => {
  it.each([
    ['a.b(c)', 'a.b(c).neg()', ['a.b(c)', '', ''], ['a.b(c)', '.neg()', '']],
    ['dx.sum(0)', 'dx.sum(1)', ['dx.sum(', '0', ')'], ['dx.sum(', '1', ')']],
    ['same', 'same', ['same', '', ''], ['same', '', '']],
    ['', 'x', ['', '', ''], ['', 'x', '']],
  ])('%s and %s differ in the middle', (left, right, leftParts, rightParts) => {
    expect(differingParts(left, right)).toEqual([leftParts, rightParts]);
  });
});
