/** Opens dist/page.html in Debian's Chromium, and collects what a browser complains about. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type Browser as Firefox, launch } from 'puppeteer-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { HANGS } from './child.js';
import { inProject } from './inProject.js';

/** Milliseconds by which, with PAGE=slow, each answer of a worker comes later; with PAGE=fast, each step of a test. What depends on speed then fails. */
const LATE = 400;

/** The page, from file://. */
export const PAGE_URL = pathToFileURL(inProject('dist/page.html')).href;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    timeout: HANGS,
    slowMo: process.env.PAGE === 'fast' ? LATE : 0,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
}

/** Debian's Firefox, which playwright cannot drive. */
export function launchFirefox(): Promise<Firefox> {
  return launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr',
    headless: true,
    timeout: HANGS,
    protocolTimeout: HANGS,
  });
}

/** One browser for the tests of a file. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  return () => browser as Browser;
}

/** A page that is open, and everything that must not happen on it: errors, warnings, violations of its policy. */
export interface OpenPage {
  page: Page;
  complaints: string[];
}

/** What either driver's pages have. */
interface Evaluating {
  evaluate(script: string): Promise<unknown>;
}

/**
 * Waits until the page shows all that it has asked its engine for. Three frames in a row: an effect after drawing may ask again.
 * What comes bit by bit, as a training does, and lines that are checked, are waited for by what they show in the end.
 */
export async function settled(page: Evaluating): Promise<void> {
  await page.evaluate(`(async () => {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      if (!document.querySelector('[data-ready]')) quiet = -1;
    }
  })()`);
}

/** What a page still computes or trains must not take the time of the next test. One that is opened for several tests ends with its browser. */
function closeAfterTest(context: BrowserContext): void {
  try {
    onTestFinished(() => context.close());
  } catch {
    // No test runs: it is opened before them.
  }
}

/** Makes a page slow, as on a slow machine: drawing takes 4 times as long, and what workers say comes late. */
async function slowDown(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.addInitScript(`{
    const Before = Worker;
    globalThis.Worker = class extends Before {
      set onmessage(take) {
        super.onmessage = (event) => setTimeout(() => take.call(this, event), ${LATE});
      }
    };
  }`);
}

/**
 * Opens an address of the page and waits until all of it is drawn.
 * @param fragment the part after #
 * @param options by default 1280 x 800, light
 */
export async function openPage(browser: Browser, fragment = '', options: BrowserContextOptions = {}, url = PAGE_URL): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(HANGS);
  closeAfterTest(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) || message.text().startsWith('CSP')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!/^(file|blob|data):/.test(request.url()) && request.url().split('#')[0] !== url) complaints.push(`request: ${request.url()}`);
  });
  if (process.env.PAGE === 'slow') await slowDown(page);
  // As text, because it is a browser's code.
  await page.addInitScript("addEventListener('securitypolicyviolation', (e) => console.log('CSP', e.violatedDirective, e.blockedURI))");
  await page.goto(fragment === '' ? url : `${url}#${fragment}`);
  await settled(page);
  return { page, complaints };
}

/** The part of the page's address after #, as the page has it now: page.url() follows later. */
export async function fragmentOf(page: Evaluating): Promise<string> {
  return decodeURIComponent((await page.evaluate('location.hash')) as string).slice(1);
}

/**
 * Does something in the page in the moment in which a condition holds: a test that looks first may come too late. Both are code of a browser.
 * @returns a function that waits until it is done, and has its result
 */
export async function atOnce(page: Page, condition: string, action: string): Promise<() => Promise<unknown>> {
  await page.evaluate(`{
    globalThis.atOnce = new Promise((resolve) => {
      const look = () => {
        if (!(${condition})) return;
        observer.disconnect();
        resolve(${action});
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      look();
    });
    undefined;
  }`);
  return () => page.evaluate('atOnce');
}

/** Reloads the page and waits until all of it is drawn. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await settled(page);
}

/** Reloads the page in a browser that keeps nothing: each use of its storage throws, as where a reader forbids it. */
export async function refusingStorage(page: Page): Promise<void> {
  await page.addInitScript(`for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });
  }`);
  await reload(page);
}

/** The script that reads the colours of a canvas, for any driver. They are read from a copy: reading the canvas itself twice makes Chromium warn. */
export function canvasScript(selector: string): string {
  return `(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2]);
  })()`;
}

/**
 * The colours of a canvas, row by row, as numbers 0xrrggbb.
 * @param selector finds the canvas; the first counts
 */
export function canvasColours(page: Page, selector: string): Promise<number[]> {
  return page.evaluate(canvasScript(selector));
}

/** What axe-core finds on the page, by all of its rules that are not about drafts of WCAG or its level AAA: a line per rule. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(inProject('node_modules/axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(`axe.run(document, { rules: { 'target-size': { enabled: true } } }).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary].join(': ')))`);
}
