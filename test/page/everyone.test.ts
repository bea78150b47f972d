// Every view, for everyone: small screens, zoom, light and dark, keyboard, screen readers, reduced motion.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Hunt } from '../../src/dojo/hunt.js';
import { openPage, settled, useBrowser, violations } from '../support/browser.js';
import { inProject } from '../support/inProject.js';

const browser = useBrowser();

const AUDIT = readFileSync(inProject('test/support/pageAudit.js'), 'utf8');

const audit = (page: Page, least: number): Promise<string[]> =>
  page.evaluate(`(${AUDIT.replace(/;\s*$/, '')})(${JSON.stringify({ least })})`);

const { line: huntedLine } = new Hunt(7).reveal();

/** Every view in the states that look different: its fragment, and what is done there first. */
const STATES: Readonly<Record<string, readonly [fragment: string, title: string, act?: (page: Page) => Promise<unknown>]>> = {
  'the pass at its first step': ['', 'emb · Backprop Ninja'],
  'the pass at a matrix product, with an entry': [
    'step=dh&entry=3,17',
    'dh · Backprop Ninja',
    async (page) => {
      await page.click('text=Show as table');
      await page.waitForSelector('.error-chart path');
    },
  ],
  'the pass at a tensor with two uses, on one logarithmic scale': ['step=dbndiff&sameScale=on&log=on', 'dbndiff · Backprop Ninja'],
  'the pass in closed form': ['step=dhprebn&form=closed', 'dhprebn · Backprop Ninja'],
  'the pass at an address that cannot be read': ['step=dZ&n=1e9&entry=3,17', 'emb · Backprop Ninja'],
  'the pass at its end': ['step=dC', 'dC · Backprop Ninja'],
  'a planted mistake': [
    'view=mistakes&mistake=dh-sign',
    'Plant a mistake · Backprop Ninja',
    async (page) => {
      await page.waitForSelector('.spread-chosen canvas');
      await page.click('text=Show the difference as a table');
      await page.getByLabel('200').check();
      await page.click('text=Train both');
      await page.waitForSelector('text=Train again');
    },
  ],
  'a hunt': ['view=hunt&hunt=7', 'Hunt · Backprop Ninja', (page) => page.waitForSelector('[data-item]')],
  'a hunt after a probe': [
    'view=hunt&hunt=7',
    'Hunt · Backprop Ninja',
    async (page) => {
      await page.click(`[data-item=${huntedLine}]`);
      await page.click(`text=Probe ${huntedLine}`);
      await page.waitForSelector('.hunt-maps canvas');
    },
  ],
  'the question of a hunt': [
    'view=hunt&hunt=7',
    'Hunt · Backprop Ninja',
    async (page) => {
      await page.click(`[data-item=${huntedLine}]`);
      await page.click('text=It is this line');
      await page.waitForSelector('.hunt-choices');
    },
  ],
  'an exercise with a wrong line': [
    'view=exercises&exercise=1&line=dprobs',
    'Exercise 1, dprobs · Backprop Ninja',
    async (page) => {
      await page.click('.cm-content');
      await page.keyboard.press('Control+a');
      await page.keyboard.type('({ probs, dlogprobs }) => probs.mul(dlogprobs)');
      await page.keyboard.press('Escape');
      await page.locator('.verdict', { hasText: 'wrong' }).waitFor();
      await page.click('text=Give me a hint');
    },
  ],
  'Exercise 4': ['view=exercises&exercise=4', 'Exercise 4, dlogits · Backprop Ninja', (page) => page.waitForSelector('.cm-content')],
  'a training before its start, with options that contradict each other': ['view=train&momentum=0.5', 'Train · Backprop Ninja'],
  'a training at its end': [
    'view=train&hidden=16&steps=300&evalEvery=100&optimizer=adamw',
    'Train · Backprop Ninja',
    async (page) => {
      await page.click('text=Start');
      await page.locator('.train-said', { hasText: 'Done' }).waitFor();
      await page.waitForSelector('.train-drawn li:nth-child(2)');
      await page.fill('#option-steps', 'many');
      await page.keyboard.press('Tab');
    },
  ],
  'own names': ['view=names', 'Your names · Backprop Ninja'],
};

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
  // 1280 x 800 at a zoom of 200 %.
  { width: 640, height: 400 },
];

describe.each(Object.entries(STATES))('%s', (_, [fragment, title, act]) => {
  it('fits 1280, 640 (zoom 200 %), 390 and 320 px, light and dark: nothing overlaps or is too small, all is named, axe-core finds nothing', async () => {
    const { page, complaints } = await openPage(browser(), fragment, { reducedMotion: 'reduce' });
    await act?.(page);
    await settled(page);
    const found: Record<string, string[]> = {};
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // Sizes are observed.
        await settled(page);
        if (size.width === 1280 || size.width === 390) found[`axe ${size.width} ${colorScheme}`] = await violations(page);
      }
      found[`${size.width}`] = await audit(page, size.width < 600 ? 40 : 24);
    }
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({});
    expect(await page.title()).toBe(title);
    expect(complaints).toEqual([]);
  });
});
