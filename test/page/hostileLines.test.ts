// Lines that want something else than to be right. None reaches the network, the page, or the next line.

import { describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { openLine, pasteLine, waitForVerdict } from '../support/exercisePage.js';

const browser = useBrowser();

const RIGHT = '({ dlogits }) => dlogits.sum(0)';
const before = (code: string) => `({ dlogits }) => { ${code}; return dlogits.sum(0); }`;

const LINES: [what: string, line: string, verdict: string, problem?: RegExp][] = [
  [
    'reads a page of the network',
    before('const r = new XMLHttpRequest(); r.open("GET", "https://example.com", false); r.send()'),
    'cannot run',
    /Network/,
  ],
  ['fetches', before('fetch("https://example.com").catch(() => {})'), 'right'],
  ['opens a socket', before('try { new WebSocket("wss://example.com") } catch {}'), 'right'],
  ['evaluates text', before('eval("1")'), 'cannot run', /EvalError/],
  ['makes a function of text', before('new Function("return 1")()'), 'cannot run', /EvalError/],
  ['makes a function of text by a detour', before('(() => {}).constructor("return 1")()'), 'cannot run', /EvalError/],
  ['loads a script', before('importScripts("https://example.com/a.js")'), 'cannot run', /NetworkError/],
  ['imports a module', before('import("https://example.com/a.js").catch(() => {})'), 'right'],
  ['stores something', before('indexedDB.open("x")'), 'cannot run', /indexedDB is not defined/],
  ['reads what the page stores', before('localStorage.clear()'), 'cannot run', /localStorage is not defined/],
  ['looks for the page', before('window.document.body.remove()'), 'cannot run', /window is not defined/],
  ['starts a worker', before('new Worker(URL.createObjectURL(new Blob([""])))'), 'cannot run', /Worker is not defined/],
  ['forges a message', before('postMessage({ kind: "returned", id: 1, text: "", array: 1 })'), 'cannot run', /postMessage is not defined/],
  [
    'forges a message by a detour',
    before('Object.getPrototypeOf(Object.getPrototypeOf(self)).constructor; self.postMessage(1)'),
    'cannot run',
    /postMessage is not a function/,
  ],
  ['closes its worker', before('close()'), 'cannot run', /close is not defined/],
  ['starts its worker again', before('startLines(() => ({}), 1)'), 'cannot run', /startLines is not defined/],
  ['takes the messages', before('self.onmessage = null; addEventListener("message", (e) => { e.stopImmediatePropagation(); })'), 'right'],
  ['overwrites Tensor', before('Tensor.prototype.sum = () => { throw new Error("sum is gone"); }'), 'cannot run', /sum is gone/],
  [
    'overwrites what everything uses',
    before('Object.entries = Array.prototype.map = Object.fromEntries = () => { throw 1 }'),
    'cannot run',
  ],
  ['throws null', before('throw null'), 'cannot run', /null/],
  ['throws what cannot be shown', before('throw { get message() { throw 1; }, toString() { throw 2; } }'), 'cannot run'],
  ['is a promise', 'async ({ dlogits }) => dlogits.sum(0)', 'cannot run', /a line cannot be async/],
  ['leaves a rejection behind', before('Promise.reject(new Error("late")); setTimeout(() => { throw 1; }, 0)'), 'right'],
  ['never stops its timers', before('setInterval(() => { for (let i = 0; i < 1e6; i++); }, 0)'), 'right'],
  ['is NaN', '({ dlogits }) => dlogits.sum(0).mul(NaN)', 'cannot run', /NaN/],
  ['is huge', '() => Tensor.zeros([3000, 3000])', 'wrong', /\[3000, 3000\]/],
  ['is larger than the memory', '() => Tensor.zeros([1e6, 1e6])', 'cannot run', /RangeError|Array buffer|Invalid/],
  ['is nothing', '() => {}', 'cannot run', /returns nothing/],
  ['is a number', '() => 3', 'cannot run', /a number/],
  ['is an object that throws', '() => new Proxy({}, { get() { throw new Error("no"); } })', 'cannot run'],
  ['changes its input', before('dlogits.data[0] = 7'), 'cannot run', /dlogits/],
  ['calls itself for ever', before('const f = () => f() + 1; f()'), 'cannot run', /RangeError/],
  ['gets out of its brackets', 'x) }; }, 1); postMessage(1); ((() => {', 'cannot run', /cannot be read/],
  [
    'gets out of its brackets before it is called',
    '0)}}, self.postMessage({kind:"printed", line: typeof indexedDB}))); ((a,b) => { return { x: (0',
    'cannot run',
    /this \) closes nothing/,
  ],
  ['prints what throws', before('console.log({ get a() { throw 1; }, toString() { throw 2; } })'), 'right'],
  [
    'leaves its worker without an answer',
    before('Object.prototype.toJSON = Array.prototype[Symbol.iterator] = Float32Array.prototype.slice = null'),
    'cannot run',
  ],
  ['has a name of JavaScript', '({ dlogits: eval }) => eval.sum(0)', 'cannot run', /cannot be read/],
  ['is no function', '3', 'cannot run', /a number/],
  ['is empty', ' ', 'not written yet'],
];

describe('a line', () => {
  it('that is hostile ends with a verdict, and the right one after it is right', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    const found: [string, string, string][] = [];
    for (const [what, line] of LINES) {
      await pasteLine(page, line);
      await page.keyboard.press('Control+Enter');
      await page.locator('.findings[data-checked]:not([data-busy])').waitFor();
      found.push([what, (await page.textContent('.verdict')) ?? '', (await page.locator('.problem').allTextContents()).join(' ')]);
    }
    const expected = LINES.map(([what, , verdict, problem = /^/]) => [
      what,
      expect.stringContaining(verdict),
      expect.stringMatching(problem),
    ]);
    expect(found).toEqual(expected);
    await pasteLine(page, RIGHT);
    await waitForVerdict(page, 'right');
    // The policy of the page speaks, and nothing else.
    expect(complaints.filter((text) => !/CSP|Content Security Policy|example\.com|^late$/.test(text))).toEqual([]);
  });

  it('that prints a lot is cut', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, before('for (let i = 0; i < 1e5; i++) console.log(i, dlogits)'));
    await waitForVerdict(page, 'right');
    const lines = ((await page.textContent('.printed')) ?? '').split('\n');
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([101, expect.stringMatching(/^0 Tensor \[32, 27\] float32 \[ /), '…']);
    expect(complaints).toEqual([]);
  });
});
