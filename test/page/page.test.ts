import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { sha256 } from '../../src/node/sha256.js';
import { launchChromium, openPage, PAGE_URL } from '../support/browser.js';
import { inProject } from '../support/inProject.js';
import { LESSON_REQUEST, trainLesson } from './trainLesson.js';

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

  it('is the same over http', async () => {
    const html = readFileSync(new URL(PAGE_URL));
    const server = createServer((_, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ninja.html`;
      const { page, complaints } = await openPage(browser, 'step=dh', {}, url);
      await page.keyboard.press(']');
      expect(await page.textContent('h2')).toContain('dW2');
      expect(complaints).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('trains 2,000 steps to the same parameters as Node', async () => {
    const { page } = await openPage(browser);
    const found = await page.evaluate(`backpropNinja.ask('train', ${JSON.stringify(LESSON_REQUEST)})`);
    const kernels = new WebAssembly.Module(readFileSync(inProject('dist/kernels.wasm')));
    const expected = trainLesson(core, kernels, readFileSync(inProject('data/names.txt')), sha256);
    expect((found as { hashes: unknown }).hashes).toEqual(expected.hashes);
  });
});
