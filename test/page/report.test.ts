// The report from file://: what its script adds to the main result, for every kind of run.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ReportData, ReportRun } from '../../src/run/reportData.js';
import { summariseSweep } from '../../src/run/sweepSummary.js';
import { openPage, reload, settled, useBrowser, violations } from '../support/browser.js';
import { inProject } from '../support/inProject.js';
import { diagnosedRun, reportOf, reportRun, writeReport } from '../support/reports.js';
import { tempDirectory } from '../support/tempDirectory.js';

const browser = useBrowser();

function open(data: ReportData, options: BrowserContextOptions = {}) {
  return openPage(browser(), '', options, pathToFileURL(writeReport(data)).href);
}

const NARROW = { width: 390, height: 844 };
const widthOf = (page: Page) => page.evaluate('document.documentElement.scrollWidth');

/** A run without its network and its diagnostics, as a comparison holds it. */
const compared = (name: string, changed: Partial<ReportRun> = {}) => reportRun({ name, parameters: null, statistics: null, ...changed });

const TWELVE = reportOf(
  ...Array.from({ length: 12 }, (_, i) =>
    compared(i < 2 ? `${'ab'[i]}/run` : `run ${i}`, {
      losses: Array.from({ length: i }, (_, k) => [100 * (k + 1), 3 - 0.01 * i * k, 0.1]),
      valLosses:
        i === 11
          ? [[100, 1e9]]
          : i > 3
            ? [
                [100, 2.5],
                [100 * i, 2.5 - 0.01 * i],
              ]
            : [],
    }),
  ),
);

const results = Array.from({ length: 30 }, (_, i) => ({
  run: `run-${i + 1}`,
  options: { lr: ['0.01', '0.1', '100'][i % 3], hidden: String(10 * (1 + (i % 5))), seed: String(i % 2) },
  trainLoss: i % 3 === 2 ? null : 2.1 + 0.01 * i,
  valLoss: i % 3 === 2 ? null : 2.2 + 0.01 * i,
  seconds: 1,
}));
const SWEEP: ReportData = {
  runs: [compared('run-1')],
  sweep: summariseSweep({ vary: ['lr=0.01/0.1/100', 'hidden=10..60'], planned: 30, shared: '--steps 20' }, results),
  live: false,
};

/** A network of 1 hidden unit after its first step: curves of one point. */
const ONE_STEP = reportOf(diagnosedRun({ hidden: [1], steps: 1 }, { losses: [[1, 3.1, 0.1]], valLosses: [] }));
const DIVERGED = reportOf(
  diagnosedRun({ learningRate: 1e3 }, { result: null, gradCheck: null, best: null, losses: [[10, 1e30, 1e3]], valLosses: [] }),
);
const BARE = reportOf(
  reportRun({ losses: [], valLosses: [], result: null, parameters: null, statistics: null, best: null, gradCheck: null }),
);
const CHARACTERS = Array.from({ length: 199 }, (_, i) => String.fromCodePoint(0x4e00 + i));
const LARGE = reportOf(
  diagnosedRun(
    { hidden: [4, 4, 4, 4, 4, 4, 4, 4] },
    {},
    CHARACTERS.map((one, i) => one + CHARACTERS[(7 * i) % 199]),
  ),
);

const KINDS: [string, ReportData][] = [
  ['a run', reportOf(diagnosedRun())],
  ['a run without batch norm', reportOf(diagnosedRun({ norm: 'none', hidden: [5, 4] }))],
  ['a run of one step with one hidden unit', ONE_STEP],
  ['a run that diverged', DIVERGED],
  ['a run without curves, result, network and diagnostics', BARE],
  ['a network of 8 blocks and 200 characters', LARGE],
  ['twelve runs, of which two have one name, some no curve, and one diverged', TWELVE],
  ['a sweep of 30 runs of which 10 diverged', SWEEP],
];

describe.each(KINDS)('the report of %s', (_, data) => {
  it.each([
    ['light', { width: 1280, height: 800 }],
    ['dark', NARROW],
  ] as const)('opens offline under its policy, without a barrier that axe-core finds, in %s', async (colorScheme, viewport) => {
    const { page, complaints } = await open(data, { colorScheme, viewport });
    expect(await widthOf(page)).toBe(viewport.width);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe('the curves of a run', () => {
  it('read all values at the step under the mouse, and at the last step otherwise', async () => {
    const { page, complaints } = await open(reportOf(diagnosedRun()));
    const legend = page.locator('#curves .curve-legend').first();
    expect(await legend.innerText()).toMatch(/step 20[\s\S]*2\.2000[\s\S]*validation\s+2\.1200/);
    const box = page.locator('#curves .curve-box .u-over').first();
    await box.scrollIntoViewIfNeeded();
    const { x, y, width } = (await box.boundingBox()) as { x: number; y: number; width: number };
    await page.mouse.move(x + width / 2, y + 20);
    await expect.poll(() => legend.innerText()).toMatch(/step 10[\s\S]*2\.9000[\s\S]*validation\s+2\.5000/);
    // The rate below is read at the same step.
    expect(await page.locator('#curves .curve-legend').nth(1).innerText()).toMatch(/step 10[\s\S]*rate\s+0\.1/);
    await page.mouse.move(0, 0);
    await expect.poll(() => legend.innerText()).toContain('step 20');
    expect(complaints).toEqual([]);
  });

  it('are read by the keys, which say the values', async () => {
    const { page, complaints } = await open(reportOf(diagnosedRun()));
    const box = page.locator('#curves .curve-box').first();
    await box.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await box.getAttribute('aria-valuetext')).toBe('step 10: training, mean of its batches 2.9000, validation 2.5000');
    await page.keyboard.press('ArrowLeft');
    expect(await box.getAttribute('aria-valuenow')).toBe('10');
    await page.keyboard.press('End');
    expect(await box.getAttribute('aria-valuenow')).toBe('20');
    await page.keyboard.press('Escape');
    expect(complaints).toEqual([]);
  });

  it('are in a table, too', async () => {
    const { page } = await open(reportOf(diagnosedRun()));
    await page.locator('#curves summary').first().click();
    expect(await page.locator('#curves table').first().locator('tbody tr').allTextContents()).toEqual(['102.90002.5000', '202.20002.1200']);
  });

  it('of several runs have the colours of the table, and one kind at a time', async () => {
    const { page, complaints } = await open(TWELVE);
    expect(await page.locator('.curve-legend li').count()).toBe(13);
    expect(await page.locator('.curve-legend li').nth(2).innerText()).toContain('b/run');
    const color = (selector: string) => page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).borderTopColor`);
    expect(await color('.curve-legend .curve-line')).toBe(await color('.report-swatch'));
    await page.check('text=Learning rate');
    expect(await page.locator('.curve-title').innerText()).toBe('Learning rate');
    expect(complaints).toEqual([]);
  });
});

describe('the diagnostics of a run', () => {
  it('open at the last step; the arrow keys go through the steps', async () => {
    const { page, complaints } = await open(reportOf(diagnosedRun()));
    const slider = page.locator('.step-slider input');
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 20');
    const drawn = () =>
      page.evaluate<string[]>("Array.from(document.querySelectorAll('.distributions .bars'), (path) => path.getAttribute('d'))");
    const last = await drawn();
    expect(last.length).toBe(6);
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 1');
    expect(await drawn()).not.toEqual(last);
    // The charts over time are read at this step.
    expect(await page.locator('.diagnostics .curve-step').first().innerText()).toBe('step 1');
    expect(complaints).toEqual([]);
  });
});

describe('the next character', () => {
  it('follows what is typed; a click on a character appends it', async () => {
    const { page, complaints } = await open(reportOf(diagnosedRun()));
    const shares = () => page.locator('.next-share').allTextContents();
    const before = await shares();
    await page.fill('.next-character input', 'a');
    expect(await shares()).not.toEqual(before);
    await page.locator('button.next-row').first().click();
    expect(await page.inputValue('.next-character input')).toMatch(/^a.$/);
    expect(await page.locator('.next-character [role=status]').innerText()).toMatch(/^It sees .+, and expects/);
    expect(complaints).toEqual([]);
  });

  it('says which characters the network does not know, and leaves them out', async () => {
    const { page, complaints } = await open(reportOf(diagnosedRun()));
    await page.fill('.next-character input', 'a');
    const shares = await page.locator('.next-share').allTextContents();
    await page.fill('.next-character input', '7.aÉ');
    expect(await page.locator('.next-character [role=status]').innerText()).toMatch(
      /^7 \. \(the end of a name\) É are not among the \d+ characters/,
    );
    expect(await page.locator('.next-share').allTextContents()).toEqual(shares);
    expect(complaints).toEqual([]);
  });
});

it('the map of the embedding names the closest characters under the mouse', async () => {
  const { page, complaints } = await open(reportOf(diagnosedRun()));
  const letter = page.locator('.embedding-map text').nth(1);
  await letter.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await letter.boundingBox()) as { x: number; y: number; width: number; height: number };
  await page.mouse.move(x + width / 2, y + height / 2);
  await expect.poll(() => page.locator('.embedding-said').innerText()).toMatch(/^Closest to .+ in all of C: /);
  await page.click('text=The map as numbers');
  // The browser says later that they are open.
  await expect.poll(() => page.locator('.embedding-map tbody tr').count()).toBeGreaterThan(3);
  expect(complaints).toEqual([]);
});

it('a run in training is loaded again with what is new, and keeps slider, prefix and place', async () => {
  const path = join(tempDirectory(), 'report.html');
  const run = diagnosedRun();
  writeReport(reportOf(run), path);
  const { page, complaints } = await openPage(browser(), '', {}, pathToFileURL(path).href);
  // Its clock is that of the test, which may be slow: the reader's last action is long ago when the test says so.
  await page.addInitScript(`{
    const now = performance.now.bind(performance);
    let later = 0;
    performance.now = () => now() + later;
    globalThis.setInterval = (act) => {
      globalThis.aMinuteLater = () => setTimeout(() => {
        later += 60_000;
        act();
      });
    };
  }`);
  writeReport({ ...reportOf(run), live: true }, path);
  await reload(page);
  await page.fill('.next-character input', 'a');
  await page.focus('.step-slider input');
  await page.keyboard.press('Home');
  const top = await page.evaluate('scrollY');
  writeReport({ ...reportOf({ ...run, name: 'newer' }), live: true }, path);
  await page.evaluate('aMinuteLater()');
  await page.waitForSelector('h1:has-text("newer")');
  await settled(page);
  expect(await page.inputValue('.next-character input')).toBe('a');
  expect(await page.getAttribute('.step-slider input', 'aria-valuetext')).toBe('step 1');
  await expect.poll(() => page.evaluate('scrollY')).toBe(top);
  expect(complaints).toEqual([]);
});

it('says so when its data is damaged, below the main result', async () => {
  const path = writeReport(reportOf(reportRun()));
  writeFileSync(path, readFileSync(path, 'utf8').replace('"gradCheck":{"ok":true', '"gradCheck":{"ok":7'));
  const { page } = await openPage(browser(), '', {}, pathToFileURL(path).href);
  expect(await page.locator('[role=alert]').innerText()).toMatch(/^the data of this report is damaged/);
  expect(await page.locator('h1').innerText()).toBe('0007');
});

it('is below 300 kB without data', () => {
  expect(statSync(inProject('dist/report.html')).size).toBeLessThan(300_000);
});
