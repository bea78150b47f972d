// The same page in Firefox: puppeteer drives Debian's, which playwright cannot.

import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canvasColours, canvasScript, launchChromium, launchFirefox, openPage, PAGE_URL, settled } from '../support/browser.js';
import { HANGS } from '../support/child.js';
import { diagnosedRun, reportOf, writeReport } from '../support/reports.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchFirefox();
});
afterAll(() => browser?.close());

/** Opens an address of the page, and collects what Firefox complains about. */
async function open(fragment: string, url = PAGE_URL): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(HANGS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(`${url}#${fragment}`);
  await settled(page);
  return { page, complaints };
}

it('opens the page from file://, and steps by the keyboard', async () => {
  const { page, complaints } = await open('n=8&step=dh');
  await page.keyboard.press(']');
  await page.waitForFunction("location.hash.includes('step=dW2')");
  expect(complaints).toEqual([]);
});

it('draws a heat map in the colours of Chromium, and says why an entry has its value', async () => {
  const fragment = 'step=dh&entry=3,17';
  const selector = '.equation [data-tensor="dh"] canvas';
  const chromium = await launchChromium();
  try {
    const expected = await canvasColours((await openPage(chromium, fragment)).page, selector);
    const { page, complaints } = await open(fragment);
    expect(await page.evaluate(canvasScript(selector))).toEqual(expected);
    await page.waitForSelector('.error-chart path');
    expect(await page.$eval('.why-formula', (element) => element.textContent)).toContain('dlogits[3,v]');
    expect(complaints).toEqual([]);
  } finally {
    await chromium.close();
  }
});

it('plants a mistake, and draws both losses', async () => {
  const { page, complaints } = await open('view=mistakes&mistake=dh-sign');
  await page.waitForSelector('::-p-text(dh is wrong first)');
  await (await page.waitForSelector('::-p-text(Train both)'))?.click();
  await page.waitForSelector('::-p-text(Train again)');
  expect(await page.$$eval('.curve-numbers tbody tr', (rows) => rows.length)).toBeGreaterThan(2);
  expect(complaints).toEqual([]);
});

it('trains to the end, with names, findings and what is inside', async () => {
  const { page, complaints } = await open('view=train&hidden=16&steps=300&evalEvery=100');
  await (await page.waitForSelector('.train-controls .strong'))?.click();
  await page.waitForSelector('::-p-text(Done: 300 steps)');
  await page.waitForSelector('.train-drawn li:nth-child(2)');
  await page.waitForSelector('.train-inside .distribution');
  expect(await page.$eval('.train-findings', (element) => element.textContent)).toContain('Findings');
  expect(complaints).toEqual([]);
});

it('hunts: a probe is answered', async () => {
  const { page, complaints } = await open('view=hunt&hunt=7');
  await (await page.waitForSelector('[data-item=dC]'))?.click();
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-item=dC] :is(.right, .wrong)');
  expect(complaints).toEqual([]);
});

it('checks a line of an exercise, and ends one that loops', async () => {
  const { page, complaints } = await open('view=exercises&exercise=1&line=db2');
  const type = async (text: string) => {
    await (await page.waitForSelector('>>> .cm-content'))?.click();
    for (const [down, key] of [['Control', 'a']] as const) {
      await page.keyboard.down(down);
      await page.keyboard.press(key);
      await page.keyboard.up(down);
    }
    await page.keyboard.type(text);
  };
  await type('({ dlogits }) => { for (;;); }');
  await page.waitForSelector('::-p-text(it did not finish within 2 s)');
  await type('({ dlogits }) => dlogits.sum(0)');
  await page.waitForSelector('.verdict.right');
  expect(complaints).toEqual([]);
});

it('uses a list of names', async () => {
  const { page, complaints } = await open('view=names');
  await page.type('textarea', 'Ulm\nBonn\nHof\nJena\nKiel\nTrier\nWorms\nMainz');
  await (await page.waitForSelector('button::-p-text(Use these names)'))?.click();
  await page.waitForSelector('::-p-text(8 names)');
  await page.evaluate('localStorage.clear()');
  expect(complaints).toEqual([]);
});

it('opens a report from file://, whose curves, slider and prefix answer', async () => {
  const { page, complaints } = await open('', pathToFileURL(writeReport(reportOf(diagnosedRun()))).href);
  await page.focus('#curves .curve-box');
  await page.keyboard.press('Home');
  expect(await page.$eval('#curves .curve-step', (element) => element.textContent)).toBe('step 10');
  await page.focus('.step-slider input');
  await page.keyboard.press('Home');
  expect(await page.$eval('.step-slider strong', (element) => element.textContent)).toBe('step 1');
  await page.type('.next-character input', 'a');
  expect(await page.$eval('.next-character [role=status]', (element) => element.textContent)).toContain('. a');
  expect(complaints).toEqual([]);
});
