import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { sha256 } from '../../src/node/sha256.js';
import { launchChromium, openPage } from '../support/browser.js';
import { inProject } from '../support/inProject.js';
import { trainLesson } from './trainLesson.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

describe('the page from file://', () => {
  it('draws the pass, and its policy, network and console have nothing to complain about', async () => {
    const { page, complaints } = await openPage(browser);
    await page.keyboard.press(']');
    expect(await page.textContent('h2')).toContain('embact');
    expect(complaints).toEqual([]);
  });

  it('trains 2,000 steps to the same parameters as Node', async () => {
    const { page } = await openPage(browser);
    const request = { steps: 2_000, batchSize: 32, learningRate: 0.1, seed: 1, hidden: 200, names: null };
    const found = await page.evaluate(`backpropNinja.ask('train', ${JSON.stringify(request)})`);
    const kernels = new WebAssembly.Module(readFileSync(inProject('dist/kernels.wasm')));
    const expected = trainLesson(core, kernels, readFileSync(inProject('data/names.txt')), sha256);
    expect((found as { hashes: unknown }).hashes).toEqual(expected.hashes);
  });
});
