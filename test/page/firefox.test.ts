// The same page in Firefox: puppeteer drives Debian's, which playwright cannot.
import { readFileSync } from 'node:fs';
import { type Browser, launch } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { sha256 } from '../../src/node/sha256.js';
import { PAGE_URL } from '../support/browser.js';
import { inProject } from '../support/inProject.js';
import { LESSON_REQUEST, trainLesson } from './trainLesson.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launch({ browser: 'firefox', executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr', headless: true });
});
afterAll(() => browser?.close());

it('opens the page from file://, steps by the keyboard, and trains 2,000 steps to the same parameters as Node', async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(`${PAGE_URL}#n=8&step=dh`);
  await page.waitForSelector('[data-ready]');
  await page.keyboard.press(']');
  await page.waitForFunction("location.hash.includes('step=dW2')");
  const found = await page.evaluate(`backpropNinja.ask('train', ${JSON.stringify(LESSON_REQUEST)})`);
  const kernels = new WebAssembly.Module(readFileSync(inProject('dist/kernels.wasm')));
  const expected = trainLesson(core, kernels, readFileSync(inProject('data/names.txt')), sha256);
  expect((found as { hashes: unknown }).hashes).toEqual(expected.hashes);
  expect(complaints).toEqual([]);
});
