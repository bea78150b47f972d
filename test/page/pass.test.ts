import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { STEP_NAMES } from '../../src/lesson/values.js';
import { expectedOf } from '../../src/page/properties.js';
import { canvasColours, fragmentOf, openPage, reload, settled, useBrowser } from '../support/browser.js';

const browser = useBrowser();

const STEPS = [...STEP_NAMES, ...GRADIENT_NAMES];

/** The step that the page shows, by its heading. */
async function stepOn(page: Page): Promise<string> {
  return ((await page.textContent('#step-title')) ?? '').split(' ')[0] as string;
}

/** The captions of the equation's heat maps: name, shape and range. */
function captions(page: Page): Promise<string[]> {
  return page.locator('.equation').first().locator('figcaption').allTextContents();
}

const colours = (page: Page, tensor: string) => canvasColours(page, `.equation [data-tensor="${tensor}"] canvas`);

/** The entries of a tensor of the pass. */
function entries(page: Page, source: object, tensor: string): Promise<number[]> {
  return page.evaluate(`backpropNinja.ask('pass', ${JSON.stringify(source)}).then((pass) => [...pass.tensors.${tensor}.data])`);
}

/** Moves the mouse over a heat map; places are shares of its height and width. */
async function pointAt(page: Page, tensor: string, down: number, right: number): Promise<void> {
  const map = page.locator(`.equation [data-tensor="${tensor}"]`).first();
  const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
  await map.hover({ position: { x: right * width, y: down * height } });
}

const ZERO = 0xf7f7f7;
const POSITIVE = 0x2166ac;
const NEGATIVE = 0xb35806;

describe('the pass, step by step', () => {
  it('goes through all 46 steps with ] and back with [, and stays at the ends', async () => {
    const { page, complaints } = await openPage(browser());
    await page.keyboard.press('[');
    const seen = [await stepOn(page)];
    for (let k = 1; k < STEPS.length; k++) {
      await page.keyboard.press(']');
      seen.push(await stepOn(page));
    }
    expect(seen).toEqual(STEPS);
    await page.keyboard.press(']');
    expect(await stepOn(page)).toBe('dC');
    await page.keyboard.press('[');
    expect(await stepOn(page)).toBe('demb');
    expect(complaints).toEqual([]);
  });

  it('is gone through with AltGr, by which some keyboards type [ and ], also where it is reported as Ctrl with Alt; not with Ctrl', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    const press = (more: string) => page.evaluate(`dispatchEvent(new KeyboardEvent('keydown', { key: ']', ctrlKey: true, ${more} }))`);
    await press('altKey: true, modifierAltGraph: true');
    expect(await stepOn(page)).toBe('dW2');
    await press('altKey: false');
    expect(await stepOn(page)).toBe('dW2');
    expect(complaints).toEqual([]);
  });

  it('shows the same after a reload of the address', async () => {
    const { page, complaints } = await openPage(browser(), 'seed=7&batch=3&n=8&step=dW2&tensor=h&entry=2,5&log=true');
    const shown = () => page.evaluate("document.querySelector('main').innerText");
    const before = await shown();
    expect(await stepOn(page)).toBe('dW2');
    expect(before).toContain('In float32 the error is least at');
    await reload(page);
    expect(await shown()).toBe(before);
    expect(await captions(page)).toEqual([
      expect.stringContaining('dlogits[8,27]'),
      expect.stringContaining('hᵀ[64,8]'),
      expect.stringContaining('dW2[64,27]'),
    ]);
    expect(complaints).toEqual([]);
  });

  it('jumps by the list, the map and the names of neighbours, and Back returns', async () => {
    const { page, complaints } = await openPage(browser());
    await page.selectOption('select[aria-label="Step"]', 'dbnvar');
    await page.click('.map [data-node="dhprebn"]');
    await page.click('.neighbours button:text-is("dbndiff")');
    expect(await stepOn(page)).toBe('dbndiff');
    await page.goBack();
    expect(await stepOn(page)).toBe('dhprebn');
    await page.goBack();
    expect(await stepOn(page)).toBe('dbnvar');
    await page.goForward();
    expect(await stepOn(page)).toBe('dhprebn');
    // A parameter has no line: it is shown where it is read.
    await page.click('.map [data-node="W2"]');
    expect(await stepOn(page)).toBe('logits');
    expect(await fragmentOf(page)).toContain('tensor=W2');
    expect(complaints).toEqual([]);
  });

  it('has one tab stop for the map, and arrow keys in it', async () => {
    const { page, complaints } = await openPage(browser(), 'step=h');
    expect(await page.locator('.map [tabindex="0"]').count()).toBe(1);
    await page.focus('.map [data-node="h"]');
    const reached: (string | null)[] = [];
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'End', 'ArrowUp', 'Home', 'Enter']) {
      await page.keyboard.press(key);
      reached.push(await page.evaluate("document.activeElement.getAttribute('data-node')"));
    }
    expect(reached).toEqual(['logits', 'b2', 'db2', 'dlogits', 'dh', 'dlogprobs', 'db2', 'dC', 'dC']);
    expect(await stepOn(page)).toBe('dC');
    expect(complaints).toEqual([]);
  });
});

describe('the equation of a step', () => {
  it('is dlogits · W2ᵀ for dh: rows aligned with dlogits, columns with W2ᵀ, one pixel size', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    expect((await captions(page)).map((text) => text.replace(/ ±.*/, ''))).toEqual(['W2ᵀ[27,64]', 'dlogits[32,27]', 'dh[32,64]']);
    const box = async (name: string) =>
      (await page.locator(`.equation [data-tensor="${name}"]`).first().boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [left, right, result] = [await box('dlogits'), await box('W2ᵀ'), await box('dh')];
    expect(result.y).toBeCloseTo(left.y, 0);
    expect(result.height).toBeCloseTo(left.height, 0);
    expect(result.x).toBeCloseTo(right.x, 0);
    expect(result.width).toBeCloseTo(right.width, 0);
    expect(left.width / 27).toBeCloseTo(result.height / 32, 1);
    expect(complaints).toEqual([]);
  });

  it('has the colours of the values: zero in the middle, the largest magnitude at an end', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogprobs&n=4');
    const values = await entries(page, { seed: 1, batch: 0, n: 4, names: null }, 'dlogprobs');
    expect(await colours(page, 'dlogprobs')).toEqual(values.map((value) => (value === 0 ? ZERO : NEGATIVE)));
    expect(values.filter((value) => value !== 0)).toEqual([-1 / 4, -1 / 4, -1 / 4, -1 / 4]);
    expect(complaints).toEqual([]);
  });

  it('draws a transpose transposed', async () => {
    const { page } = await openPage(browser(), 'step=dh&n=4');
    const transposed = await colours(page, 'W2ᵀ');
    await page.evaluate("location.hash = 'step=logits&n=4'");
    await page.waitForSelector('.equation [data-tensor="W2"]');
    const plain = await colours(page, 'W2');
    expect(transposed).toEqual(Array.from({ length: 27 * 64 }, (_, k) => plain[(k % 64) * 27 + Math.floor(k / 64)]));
  });

  it('shows the copies of a broadcast tensor, and the sum back to one row', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dbndiff&n=8');
    const copies = page.locator('.equation-copies');
    expect(await copies.getAttribute('title')).toBe('8 copies of bnvar_inv');
    expect(await page.locator('.equation-label').allTextContents()).toEqual(['through bnraw', 'through bndiff2']);
    await page.evaluate("location.hash = 'step=dbngain&n=8'");
    await page.waitForSelector('.equation [data-tensor="dbngain"]');
    expect(await page.textContent('.equation-arrow')).toContain('Σ over the batch');
    const box = async (selector: string) => (await page.locator(selector).first().boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [before, sum] = [await box('.equation-reduced .equation-map:first-child canvas'), await box('.equation [data-tensor="dbngain"]')];
    expect(sum.x).toBeCloseTo(before.x, 0);
    expect(sum.width).toBeCloseTo(before.width, 0);
    expect(sum.y).toBeGreaterThan(before.y + before.height);
    expect(complaints).toEqual([]);
  });

  it('marks the row and the column that an entry of a matrix product is made of, and the rows that are added up to one of dC', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    const marked = (name: string) => page.locator(`.equation-cells:has([data-tensor="${name}"]) .equation-mark`);
    const box = async (name: string) => (await marked(name).boundingBox()) ?? { width: 0, height: 0 };
    await pointAt(page, 'dh', 5.5 / 32, 13.5 / 64);
    const [row, column] = [await box('dlogits'), await box('W2ᵀ')];
    expect(Math.round(row.width / row.height)).toBe(27);
    expect(Math.round(column.height / column.width)).toBe(27);
    await page.evaluate("location.hash = 'step=dC'");
    await page.waitForSelector('.equation [data-tensor="demb"]');
    await pointAt(page, 'dC', 5.5 / 27, 3.5 / 10);
    const times = await page.evaluate(
      "backpropNinja.ask('pass', { seed: 1, batch: 0, n: 32, names: null }).then(({ batch }) => [...batch.Xb.data].filter((v) => v === 5).length)",
    );
    expect(times).toBeGreaterThan(1);
    expect(await marked('demb').count()).toBe(times);
    expect(complaints).toEqual([]);
  });

  it('has nothing below it about an entry under the mouse of the step before', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    await pointAt(page, 'dh', 5.5 / 32, 13.5 / 64);
    expect(await page.textContent('.readout')).toMatch(/^dh\[5,13\] = /);
    await page.keyboard.press(']');
    expect(await stepOn(page)).toBe('dW2');
    expect(await page.textContent('.readout')).not.toContain('dh[');
    expect(complaints).toEqual([]);
  });

  it('says which example and which character an entry under the mouse belongs to', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogits');
    await pointAt(page, 'dlogits', 5.5 / 32, 13.5 / 27);
    expect(await page.textContent('.readout')).toMatch(/^dlogits\[5,13\] = [\d.−]+ example 5 \([.a-z]{3} → [.a-z]\), character 13 \(m\)$/);
    expect(complaints).toEqual([]);
  });
});

describe('a pass of own names', () => {
  it('with hundreds of characters and n 64 stays inside a narrow screen, at every step', async () => {
    const { page, complaints } = await openPage(browser(), 'view=names&n=64', { viewport: { width: 390, height: 844 } });
    const names = Array.from({ length: 100 }, (_, i) => String.fromCodePoint(0x4e00 + 3 * i, 0x4e01 + 3 * i, 0x4e02 + 3 * i));
    await page.getByLabel('Paste the list').fill(names.join('\n'));
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 100 names').waitFor();
    await page.getByRole('button', { name: 'The pass' }).click();
    await page.locator('.map').waitFor();
    for (const step of STEPS) {
      expect(await stepOn(page)).toBe(step);
      expect(await page.evaluate('document.documentElement.scrollWidth'), step).toBe(390);
      const shown =
        "[...document.querySelectorAll('.map [aria-current]')].every((one) => { const { left, right } = one.getBoundingClientRect(); return left >= 0 && right <= 390; })";
      expect(await page.evaluate(shown), step).toBe(true);
      await page.keyboard.press(']');
    }
    expect(complaints).toEqual([]);
  });
});

describe('the controls of the pass', () => {
  it('change the scale of the heat maps', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dhprebn&n=8');
    const own = await colours(page, 'dhprebn');
    expect(own.some((colour) => colour === POSITIVE || colour === NEGATIVE)).toBe(true);
    await page.check('text=Logarithmic scale');
    const log = await colours(page, 'dhprebn');
    expect(log).not.toEqual(own);
    await page.uncheck('text=Logarithmic scale');
    await page.check('text=Same scale for all');
    const same = await colours(page, 'dhprebn');
    expect(same).not.toEqual(own);
    await expect.poll(() => fragmentOf(page)).toMatch(/sameScale=/);
    expect(await page.textContent('.legend')).not.toContain('max');
    expect(complaints).toEqual([]);
  });

  it('choose seed, batch and n, and say what a field may hold', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogprobs');
    await page.fill('input[name="n"]', '3');
    await page.press('input[name="n"]', 'Enter');
    await page.waitForSelector('.equation figcaption:has-text("[3,27]")');
    await page.click('button[aria-label="Next batch"]');
    await page.fill('input[name="seed"]', '12');
    await page.press('input[name="seed"]', 'Tab');
    expect(await fragmentOf(page)).toContain('seed=12&batch=1&n=3');
    await page.fill('input[name="n"]', '65');
    await page.press('input[name="n"]', 'Enter');
    expect(await page.textContent('.controls-problem')).toBe('65 is not a batch size. Type a whole number from 2 to 64.');
    expect(await page.inputValue('input[name="n"]')).toBe('3');
    await page.goBack();
    await expect.poll(() => page.textContent('.controls-problem')).toBe('');
    const last = /\d+$/.exec(expectedOf('batch').replaceAll(',', ''))?.[0] ?? '';
    await page.fill('input[name="batch"]', last);
    await page.press('input[name="batch"]', 'Enter');
    await expect.poll(() => page.isDisabled('button[aria-label="Next batch"]')).toBe(true);
    expect(complaints).toEqual([]);
  });
});

describe('the closed form', () => {
  it.each([
    ['dprobs', 'dlogits', 2],
    ['dbnvar', 'dhprebn', 3],
  ])('at %s is that of %s: its terms, the lines that it replaces, and the difference', async (step, name, terms) => {
    const { page, complaints } = await openPage(browser(), `step=${step}&n=8`);
    await page.check('text=Closed form');
    expect(await stepOn(page)).toBe(name);
    expect(await fragmentOf(page)).toContain('form=closed');
    const shown = await captions(page);
    expect(shown).toHaveLength(terms + 1);
    expect(shown.at(-1)).toContain(name);
    const text = (await page.textContent('.closed')) ?? '';
    expect(text).toContain(step);
    expect(Number(/differ by at most ([\d.e−-]+)/.exec(text)?.[1]?.replace('−', '-').replace(/\.$/, ''))).toBeLessThan(1e-12);
    await page.check('text=Atomic steps');
    expect(await fragmentOf(page)).not.toContain('form=');
    expect(complaints).toEqual([]);
  });

  it('is shown by an address with a replaced line, whose name leads to the atomic step', async () => {
    const { page, complaints } = await openPage(browser(), 'form=closed&step=dprobs&n=4');
    await page.locator('.map [data-node="dlogits"][aria-current="step"]').waitFor();
    expect(await stepOn(page)).toBe('dlogits');
    await page.click('.closed button:text-is("dprobs")');
    expect(await stepOn(page)).toBe('dprobs');
    expect(await page.isChecked('text=Atomic steps')).toBe(true);
    await page.goBack();
    expect(await stepOn(page)).toBe('dlogits');
    expect(await page.isChecked('text=Closed form')).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('is left for the atomic step of a line that it replaces, where an entry of it is asked for', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogits&form=closed&entry=3,5');
    await page.click('.terms .entry-link');
    await expect.poll(() => page.textContent('.inspector h2')).toBe('dnorm_logits[3,5]');
    expect(await stepOn(page)).toBe('dnorm_logits');
    expect(await page.locator('.trail li').count()).toBe(2);
    await page.evaluate("location.hash = 'form=closed&step=dprobs&entry=3,5'");
    await settled(page);
    expect(await page.textContent('.inspector h2')).toBe('dprobs[3,5]');
    expect(await stepOn(page)).toBe('dprobs');
    await page.evaluate("location.hash = 'view=mistakes&form=closed&mistake=dprobs-squared'");
    await page.getByRole('button', { name: /^Show d\w+ in the pass$/ }).click();
    await page.locator('#step-title').waitFor();
    expect(await fragmentOf(page)).not.toContain('form=');
    expect(complaints).toEqual([]);
  });

  it('leaves out the replaced lines when you step', async () => {
    const { page, complaints } = await openPage(browser(), 'form=closed&step=loss');
    const seen: string[] = [];
    for (let k = 0; k < 8; k++) {
      await page.keyboard.press(']');
      seen.push(await stepOn(page));
    }
    expect(seen).toEqual(['dlogits', 'dh', 'dW2', 'db2', 'dhpreact', 'dbngain', 'dbnbias', 'dhprebn']);
    expect(complaints).toEqual([]);
  });
});
