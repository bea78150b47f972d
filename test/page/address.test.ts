// What a link carries: it opens the same view elsewhere, and no link does harm.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { PASS_LIMITS } from '../../src/lesson/namesCase.js';
import { noticeOf, readAddress } from '../../src/page/properties.js';
import { fragmentOf, openPage, reload, useBrowser } from '../support/browser.js';

const browser = useBrowser();

const shown = (page: Page) => page.evaluate<string>("document.querySelector('main').innerText");

describe('a link', () => {
  it.each([
    'seed=3&batch=2&n=8&step=dhpreact&tensor=h&entry=2,5&eps=0.001',
    'step=dlogits&form=closed&log=true&sameScale=true',
    'view=mistakes&mistake=dh-sign&tensor=dhpreact&entry=1,2',
    'view=hunt&hunt=12',
    'view=exercises&exercise=4&line=dW2',
    'view=train&preset=fast&hidden=30,20&trainSeed=7&unique=true&weightDecay=W1%3D1.2,C%3D0.5',
    'view=names',
  ])('shows the same after a reload and in another browser: %s', async (fragment) => {
    const { page, complaints } = await openPage(browser(), fragment);
    const first = await shown(page);
    expect(first).not.toMatch(/…\n|checking …/);
    await reload(page);
    expect(await shown(page)).toBe(first);
    const other = await openPage(browser(), await fragmentOf(page));
    expect(await shown(other.page)).toBe(first);
    expect([...complaints, ...other.complaints]).toEqual([]);
  });

  it('is what Back and Forward go through: views and steps', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    await page.keyboard.press(']');
    for (const view of ['Plant a mistake', 'Exercises', 'The pass']) await page.click(`nav button:text-is("${view}")`);
    for (const title of [/^Exercise 1/, /^Plant a mistake/, /^dW2/, /^dh/]) {
      await page.goBack();
      await expect.poll(() => page.title()).toMatch(title);
    }
    await page.goForward();
    await expect.poll(() => page.title()).toBe('dW2 · Backprop Ninja');
    expect(complaints).toEqual([]);
  });

  it('has every seed and batch of `why`, and its batch sizes up to 64', () => {
    const { seed, batch, n } = PASS_LIMITS;
    expect(readAddress(`seed=${seed[1]}&batch=${batch[1]}&n=${n[0]}`)).toMatchObject({
      state: { seed: seed[1], batch: batch[1], n: n[0] },
      unreadable: [],
    });
    expect(readAddress('n=65').unreadable).toEqual([{ key: 'n', text: '65', expected: 'a whole number from 2 to 64' }]);
  });

  it('with a property that does not exist is reported, with the one that may be meant', async () => {
    const meant = (fragment: string) => readAddress(fragment).unreadable.map(noticeOf);
    expect(meant('view=train&norm=none&init-output=1')).toEqual([
      'The address has init-output=1, but the page has no such property; did you mean initOutput?',
    ]);
    expect(meant('Batch-Size=8')[0]).toContain('did you mean batchSize?');
    expect(meant('sedd=8')[0]).toContain('did you mean seed?');
    expect(meant('colour=red')).toEqual(['The address has colour=red, but the page has no such property.']);
    expect(meant('__proto__=1&constructor')).toHaveLength(2);
    expect(meant(`${'x'.repeat(1e6)}=1`)[0]?.length).toBeLessThan(200);
    const many = Array.from({ length: 2000 }, (_, i) => `n=x${i}&y${i}=1`).join('&');
    const { page, complaints } = await openPage(browser(), `step=dh&${many}`);
    expect(await page.locator('.notices p').count()).toBe(5);
    expect(await page.textContent('#step-title')).toContain('dh');
    expect(complaints).toEqual([]);
  });

  it('with a value that does not exist is reported with what is expected, and shows the default', async () => {
    const { page, complaints } = await openPage(browser(), `step=dZ&n=1e9&seed=${'9'.repeat(500)}`, {
      viewport: { width: 390, height: 844 },
    });
    const notices = (await page.textContent('.notices')) ?? '';
    expect(notices).toContain('n=1e9. Expected a whole number from 2 to 64');
    expect(notices.length).toBeLessThan(1500);
    expect(await page.textContent('#step-title')).toContain('emb');
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(complaints).toEqual([]);
  });
});

it('300 random addresses do no harm: no exception, no complaint, and the page goes on', async () => {
  const { page, complaints } = await openPage(browser());
  const random = randomStream('hunt', 16);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const KEYS = [
    'view',
    'seed',
    'batch',
    'n',
    'network',
    'step',
    'tensor',
    'entry',
    'form',
    'eps',
    'sameScale',
    'log',
    'mistake',
    'hunt',
    'preset',
    'hidden',
    'lr',
    'optimizer',
  ];
  const ODD_KEYS = ['exercise', 'line', '__proto__', 'constructor', '', '%', 'x'];
  const VALUES = [
    'pass',
    'train',
    'mistakes',
    'hunt',
    'exercises',
    'names',
    'dh',
    'dC',
    'loss',
    'C',
    '3,17',
    '999999,0',
    '0',
    '1',
    '7',
    '64',
    'on',
  ];
  const ODD_VALUES = [
    '',
    '%',
    '%E0%A4%A',
    '%00',
    'NaN',
    '-1',
    '1e999',
    '1e-5',
    'Infinity',
    '__proto__',
    'toString',
    '3,',
    '💥',
    'a'.repeat(5000),
  ];
  for (let k = 0; k < 300; k++) {
    const parts = Array.from(
      { length: 1 + Math.floor(random() * 5) },
      () => `${pick([...KEYS, ...ODD_KEYS])}=${pick([...VALUES, ...ODD_VALUES])}`,
    );
    const fragment = random() < 0.1 ? pick(ODD_VALUES) : parts.join('&');
    await page.evaluate(
      `location.hash = ${JSON.stringify(fragment)}; new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`,
    );
    expect([fragment, complaints]).toEqual([fragment, []]);
  }
  await page.evaluate("location.hash = 'step=dh'");
  await page.waitForSelector('#step-title:has-text("dh")');
  expect(complaints).toEqual([]);
});
