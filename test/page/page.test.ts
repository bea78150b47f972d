import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { openPage, PAGE_URL, useBrowser } from '../support/browser.js';

const browser = useBrowser();

describe('the file of the page', () => {
  const html = () => readFileSync(new URL(PAGE_URL), 'utf8');

  it('holds nothing of the machine that built it: no path, no host, no user', () => {
    const { username, homedir } = userInfo();
    const own = [process.cwd(), homedir, hostname(), username].filter((one) => one.length > 4);
    expect([...own, 'file://'].filter((one) => html().includes(one))).toEqual([]);
    expect(html().match(/(^|[^\w.])(\/(home|Users|root|tmp|work|var)\/|[A-Z]:\\\\)\S{0,40}/g)).toBe(null);
  });

  it('is whole: no source map, and nothing that is loaded from elsewhere', () => {
    expect(html()).not.toContain('sourceMappingURL');
    expect(html().match(/<(script|link|img|iframe)[^>]*(src|href)=/gi)).toBe(null);
    expect(html().match(/(@import|url\()\s*["']?https?:/gi)).toBe(null);
  });
});

describe('numbers that are not finite', () => {
  it('have a word in the proof: a probability moved below 0 has no logarithm', async () => {
    const { page, complaints } = await openPage(browser());
    const first = "backpropNinja.ask('pass', { seed: 1, batch: 0, n: 32, names: null, network: 'start' })";
    const target = await page.evaluate(`${first}.then(({ tensors }) => [...tensors.dlogprobs.data].findIndex((value) => value !== 0))`);
    await page.evaluate(`location.hash = 'step=dprobs&tensor=probs&entry=0,${target}&eps=1'`);
    await expect.poll(() => page.textContent('.losses')).toContain('NaN');
    expect(await page.textContent('.proof')).toMatch(/not a number|NaN/);
    expect(await page.textContent('.inspector')).not.toContain('undefined');
    expect(complaints).toEqual([]);
  });

  it('have a mark and a word in the heat map of a line that divides by 0', async () => {
    const { page, complaints } = await openPage(browser(), 'view=exercises&exercise=1&line=dprobs');
    await page.click('.cm-content');
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('({ probs, dlogprobs }) => dlogprobs.div(probs.sub(probs))');
    await page.waitForSelector('text=it returns NaN at [0, 0]');
    await page.waitForSelector('.heat-map-marks');
    const label = await page.getAttribute('.heat-map:has(.heat-map-marks)', 'aria-label');
    expect(label).toContain('864 NaN or infinite');
    expect(await page.locator('.marks-words').first().textContent()).toMatch(/NaN.*−infinity/);
    expect(complaints).toEqual([]);
  });
});

describe('the page from file://', () => {
  it('draws the pass, and its policy, network and console have nothing to complain about', async () => {
    const { page, complaints } = await openPage(browser());
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
      const { page, complaints } = await openPage(browser(), 'step=dh', {}, url);
      await page.keyboard.press(']');
      expect(await page.textContent('h2')).toContain('dW2');
      expect(complaints).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
