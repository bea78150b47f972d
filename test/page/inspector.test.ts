import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { indexAt } from '../../src/core/numbers.js';
import { TENSOR_NAMES } from '../../src/lesson/entry.js';
import { VALUE_NAMES } from '../../src/lesson/values.js';
import type { Explanation } from '../../src/lesson/why.js';
import { canvasColours, fragmentOf, openPage, reload, useBrowser, violations } from '../support/browser.js';

const browser = useBrowser();

const SOURCE = '{ seed: 1, batch: 0, n: 32, names: null, parameters: "initial" }';

/** Asks the page's engine, for the pass that it shows at first. */
function ask<T>(page: Page, method: string, ...parameters: unknown[]): Promise<T> {
  return page.evaluate(`backpropNinja.ask('${method}', ${[SOURCE, ...parameters.map((one) => JSON.stringify(one))].join(', ')})`);
}

/** An entry of a tensor. */
async function entryOf(page: Page, name: string, at: readonly number[]): Promise<number> {
  return (await ask<Explanation>(page, 'why', name, at)).value;
}

/** A number as the page writes it. */
const numberIn = (text: string | null): number => Number((text ?? '').replaceAll('−', '-').trim());
const title = async (page: Page): Promise<string> => (await page.textContent('.inspector h2')) ?? '';
const shownValue = async (page: Page): Promise<number> => numberIn(await page.textContent('.inspector-value'));
/** The heat map of a tensor in the equation. */
const heatMap = (page: Page, name: string) => page.locator(`.equation [data-tensor="${name}"]`).first();

/** Clicks the middle of an entry. */
async function clickEntry(page: Page, name: string, [row, column]: readonly [number, number], [rows, columns]: readonly [number, number]) {
  const { width, height } = (await heatMap(page, name).boundingBox()) ?? { width: 0, height: 0 };
  await heatMap(page, name).click({ position: { x: ((column + 0.5) * width) / columns, y: ((row + 0.5) * height) / rows } });
}

describe('an entry', () => {
  it('that is clicked shows its value, and is in the address, from which a reload shows it again', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    await clickEntry(page, 'dh', [3, 17], [32, 64]);
    await expect.poll(() => title(page)).toBe('dh[3,17]');
    expect(await shownValue(page)).toBeCloseTo(await entryOf(page, 'dh', [3, 17]), 6);
    await expect.poll(() => fragmentOf(page)).toBe('step=dh&entry=3,17');
    // W2ᵀ is drawn as a transpose: its row 5, column 40 is W2[40,5].
    await clickEntry(page, 'W2ᵀ', [5, 40], [27, 64]);
    await expect.poll(() => title(page)).toBe('W2[40,5]');
    await expect.poll(() => fragmentOf(page)).toBe('step=dh&tensor=W2&entry=40,5');
    await reload(page);
    expect(await title(page)).toBe('W2[40,5]');
    expect(await shownValue(page)).toBeCloseTo(await entryOf(page, 'W2', [40, 5]), 4);
    expect(complaints).toEqual([]);
  });

  it('is suggested where none is chosen: the largest of the tensor; one that the tensor does not have is said', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dW1&entry=99,0');
    expect(await page.textContent('.inspector-empty')).toContain(
      'dW1[99,0] is outside of dW1, whose shape is [30, 64]: the first index is 99, expected 0 to 29.',
    );
    await page.click('.inspector-empty button');
    await page.waitForSelector('.inspector-value');
    const { tensors } = await ask<{ tensors: Record<string, { data: Record<string, number> }> }>(page, 'pass');
    const most = Math.max(...Object.values(tensors.dW1?.data ?? {}).map(Math.abs));
    expect(Math.abs(await shownValue(page)) / most).toBeCloseTo(1, 3);
    expect(complaints).toEqual([]);
  });

  it('under the mouse shows its value beside the mouse or below the equation, and nothing moves', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh');
    const before = await heatMap(page, 'dh').boundingBox();
    await heatMap(page, 'dh').hover({ position: { x: 30, y: 30 } });
    await expect.poll(() => page.locator('.heat-map-line').count()).toBe(2);
    expect(await page.textContent('.readout')).toMatch(/^dh\[\d+,\d+\] = /);
    expect(await heatMap(page, 'dh').boundingBox()).toEqual(before);
    expect(complaints).toEqual([]);
  });

  it('has the colour of its value: each entry is one pixel of the picture', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogprobs');
    const colours = await canvasColours(page, '.equation [data-tensor="dlogprobs"] canvas');
    const zeros = colours.filter((colour) => colour === 0xf7f7f7);
    // 32 targets have -1/n, all other entries are 0.
    expect([colours.length, zeros.length, new Set(colours).size]).toEqual([32 * 27, 32 * 26, 2]);
    expect(complaints).toEqual([]);
  });
});

it('that a link names as the terminal reads it is the same: the index of a dimension of size 1 may be left out', async () => {
  const { page, complaints } = await openPage(browser(), 'step=dbngain&entry=17');
  await expect.poll(() => title(page)).toBe('dbngain[0,17]');
  expect(await heatMap(page, 'dbngain').locator('.heat-map-cursor').count()).toBe(1);
  expect(complaints).toEqual([]);
});

describe('why', () => {
  it('shows the terms, the largest first, and all of them on request; with the rest they add up to the value', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dW1&entry=3,17');
    await page.waitForSelector('.term');
    const { value, terms, formula } = await ask<Explanation>(page, 'why', 'dW1', [3, 17]);
    expect(await page.textContent('.why-formula')).toBe(formula);
    const values = async () => (await page.locator('.terms .number').allTextContents()).map(numberIn);
    const first = await values();
    expect(first).toHaveLength(10);
    const rest = /^22 more terms add up to (.*)$/.exec((await page.textContent('.term-others')) ?? '');
    expect(first.reduce((sum, one) => sum + one, numberIn(rest?.[1] ?? null))).toBeCloseTo(value, 5);
    await page.click('text=Show all 32');
    await expect.poll(() => page.locator('.term').count()).toBe(32);
    const all = await values();
    expect(all.reduce((sum, one) => sum + one, 0)).toBeCloseTo(value, 5);
    all.forEach((one, k) => {
      expect(Math.abs(one / (terms[k]?.value ?? Number.NaN) - 1)).toBeLessThan(1e-3);
    });
    await page.click('text=Show the largest');
    await expect.poll(() => page.locator('.term').count()).toBe(10);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Show all 32');
    expect(complaints).toEqual([]);
  });

  it('says the same as the terminal: the formula in numbers, the example of a term, and the step that it comes through', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dhpreact&entry=3,17');
    const numbers = async () => ((await page.textContent('.why-numbers')) ?? '').replaceAll('−', '-');
    const { numbers: found } = await ask<Explanation>(page, 'why', 'dhpreact', [3, 17]);
    await expect.poll(numbers).toContain(`dhpreact[3,17] = ${found} = `);
    expect(found).toMatch(/^\(1 - /);
    await page.evaluate("location.hash = 'step=dbndiff&entry=3,17'");
    await expect
      .poll(() => page.locator('.term-meaning').allTextContents())
      .toEqual(expect.arrayContaining(['through bnraw', 'through bndiff2']));
    await page.evaluate("location.hash = 'step=db2&entry=5'");
    await expect.poll(() => page.locator('.term-meaning').first().textContent()).toMatch(/^[.a-z]{3} → [.a-z]$/);
    expect(complaints).toEqual([]);
  });

  it('and the proof show no answer about another entry while the next one is computed', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh&entry=3,17');
    await page.waitForSelector('.agreement');
    await page.focus('.equation [data-tensor="dh"]');
    const wrong = await page.evaluate(`(async () => {
      const wrong = [];
      const text = (selector) => {
        const element = document.querySelector(selector);
        return element && getComputedStyle(element).visibility === 'visible' ? element.textContent.replaceAll('−', '-') : undefined;
      };
      const check = () => {
        const [title, value] = [text('.inspector h2'), text('.inspector-value')];
        const [formula, gradient] = [text('.why-formula'), text('.agreement td')];
        if (formula !== undefined && !formula.startsWith(title)) wrong.push(title + ' beside ' + formula);
        if (gradient !== undefined && Number(Number(gradient).toPrecision(4)) !== Number(value)) wrong.push(value + ' beside ' + gradient);
      };
      new MutationObserver(check).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true, attributes: true });
      for (let k = 0; k < 20; k++) {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return wrong;
    })()`);
    expect(wrong).toEqual([]);
    await expect.poll(() => page.locator('.inspector [aria-busy="true"]').count()).toBe(0);
    expect(await title(page)).toBe('dh[3,37]');
    expect(complaints).toEqual([]);
  });

  it('outlines the row and the column that an entry is made of, and those of one term while the mouse is on it', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh&entry=3,17');
    const outlines = (name: string) => heatMap(page, name).locator('.heat-map-outline');
    await expect.poll(() => outlines('dlogits').count()).toBe(1);
    const share = async (name: string) => {
      const [box, whole] = [await outlines(name).first().boundingBox(), await heatMap(page, name).boundingBox()];
      return [(box?.width ?? 0) / (whole?.width ?? 1), (box?.height ?? 0) / (whole?.height ?? 1)].map((one) => one.toFixed(2));
    };
    expect(await share('dlogits')).toEqual(['1.00', (1 / 32).toFixed(2)]);
    expect(await share('W2ᵀ')).toEqual([(1 / 64).toFixed(2), '1.00']);
    await page.hover('.term');
    await expect.poll(() => share('dlogits')).toEqual([(1 / 27).toFixed(2), (1 / 32).toFixed(2)]);
    expect(complaints).toEqual([]);
  });

  it('leads by the keyboard alone from an entry of dC up to the loss, and by the way back to where it began', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dC');
    await page.focus('.equation [data-tensor="dC"]');
    for (const key of ['ArrowDown', 'PageDown', 'End', 'Enter']) await page.keyboard.press(key);
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('inspector-title');
    const start = await title(page);
    expect(start).toBe('dC[8,9]');
    const seen = [start];
    const isNext = "(/^(d[a-zA-Z]|loss)/).test(document.activeElement.textContent) && document.activeElement.closest('.terms') !== null";
    while (seen.at(-1) !== 'loss' && seen.length < 20) {
      await page.waitForSelector('.term');
      for (let k = 0; k < 40 && !(await page.evaluate(isNext)); k++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await expect.poll(() => title(page)).not.toBe(seen.at(-1));
      await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('inspector-title');
      seen.push(await title(page));
    }
    expect(seen.at(-1)).toBe('loss');
    expect(seen.length).toBeGreaterThan(8);
    expect(await page.locator('.trail li').allTextContents()).toEqual(seen);
    await page.click('.trail button');
    await expect.poll(() => title(page)).toBe(start);
    expect(await page.locator('.trail').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says why an entry is 0, and that a parameter is one; Back returns', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dlogprobs&entry=0,0');
    await expect.poll(() => page.textContent('.why')).toMatch(/= 0: the target of example 0 is character \d+/);
    await page.click('.inspector-head .entry-link');
    await expect.poll(() => title(page)).toBe('logprobs[0,0]');
    await page.goBack();
    await expect.poll(() => title(page)).toBe('dlogprobs[0,0]');
    await page.evaluate("location.hash = 'step=dW1&tensor=W1&entry=3,17'");
    await expect.poll(() => page.textContent('.why')).toContain('is a parameter');
    expect(complaints).toEqual([]);
  });
});

describe('the proof', () => {
  it('agrees in at least five digits for the largest entry of each of the 26 tensors, with some ε', async () => {
    const { page, complaints } = await openPage(browser());
    const { tensors } = await ask<{ tensors: Record<string, { data: Record<string, number> }> }>(page, 'pass');
    for (const name of VALUE_NAMES) {
      const data = Object.values(tensors[`d${name}`]?.data ?? {}).map(Math.abs);
      const entry = data.indexOf(Math.max(...data));
      const curves = await ask<Record<string, { bestError: number; noiseBelow?: number }>>(page, 'errorCurves', name, entry);
      expect(curves.float64?.bestError, name).toBeLessThan(1e-5);
    }
    expect(complaints).toEqual([]);
  });

  it('shows the losses, the quotient and the digits that agree; the slider moves ε by keys, and the address keeps it', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dW1&entry=3,17');
    const rows = async () => (await page.locator('.agreement tr').allTextContents()).map((text) => text.replace(/\s+/g, ' '));
    await expect.poll(async () => (await rows()).length).toBe(3);
    expect(numberIn(await page.textContent('.agreement td'))).toBeCloseTo(await entryOf(page, 'dW1', [3, 17]), 12);
    expect((await rows())[1]).toMatch(/[5-9] digits$/);
    const digits = (await page.textContent('.agreement u')) ?? '';
    expect(await page.textContent('.agreement td')).toContain(digits);
    const losses = (await page.locator('.losses td').allTextContents()).map(Number) as [number, number, number];
    expect((losses[0] - losses[2]) / 2e-5).toBeCloseTo(await entryOf(page, 'dW1', [3, 17]), 7);
    await page.focus('.eps');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.getAttribute('.eps', 'aria-valuetext')).toBe('2e-5');
    await expect.poll(() => fragmentOf(page)).toContain('eps=0.00002');
    await page.keyboard.press('Home');
    await expect.poll(() => page.textContent('.proof b.number')).toBe('1e-12');
    await page.keyboard.press('End');
    await expect.poll(() => page.textContent('.proof b.number')).toBe('1e0');
    await expect.poll(() => fragmentOf(page)).toMatch(/eps=1$/);
    await reload(page);
    expect(await page.textContent('.proof b.number')).toBe('1e0');
    expect(complaints).toEqual([]);
  });

  it('draws the error of both precisions by ε, and says the same in a sentence', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dW2&entry=3,7');
    await page.waitForSelector('.error-chart path.curve-float64');
    const texts = await page.locator('.error-chart text').allTextContents();
    expect(texts).toEqual(expect.arrayContaining(['float32 noise', 'curvature', 'ε', '1e-12', '1e0', '1e-16']));
    expect(await page.textContent('.proof')).toMatch(
      /In float32 the error is least at ε = .*; below .* rounding makes it more than ten times larger, above/,
    );
    expect(complaints).toEqual([]);
  });

  it('says NaN where a probability would be negative', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dprobs&eps=1');
    await page.click('.inspector-empty button');
    await expect.poll(() => page.locator('.losses td').allTextContents()).toContain('NaN');
    expect(await page.textContent('.agreement')).toContain('NaN0 digits');
    await expect.poll(() => page.textContent('.proof')).toContain('a loss is not a finite number');
    expect(complaints).toEqual([]);
  });
});

describe('for those who do not see the picture', () => {
  it('moves say the entry and its value; a tensor is one tab stop', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh&entry=3,17');
    await page.focus('.equation [data-tensor="dh"]');
    await page.keyboard.press('Control+ArrowRight');
    const said = heatMap(page, 'dh').locator('[role=status]');
    await expect.poll(() => said.textContent()).toMatch(/^\[3,63\] −?[\d.e−]+$/);
    expect(await heatMap(page, 'dh').getAttribute('aria-label')).toMatch(/^dh \[32,64\], from −0\.\d+ to 0\.\d+\. Cursor: \[3,63\] /);
    expect(await heatMap(page, 'dh').locator('[tabindex], button, a').count()).toBe(0);
    expect(await page.locator('.equation [data-tensor="dh"][tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('inspector-title');
    await page.keyboard.press('Escape');
    expect(await page.evaluate("document.activeElement.closest('[data-tensor]').dataset.tensor")).toBe('dh');
    expect(complaints).toEqual([]);
  });

  it('a tensor is a table with headings, a part at a time', async () => {
    const { page, complaints } = await openPage(browser(), 'step=dh&entry=3,40');
    await page.click('text=Show as table');
    const headings = await page.locator('.tensor-table thead th').allTextContents();
    expect([headings.length, headings[1], headings.at(-1)]).toEqual([33, '32', '63']);
    expect(await page.textContent('.tensor-table td[aria-current]')).toBe(await page.textContent('.inspector-value'));
    await page.click('[aria-label="Columns before"]');
    await expect.poll(() => page.textContent('.tensor-table thead th:last-child')).toBe('31');
    expect(numberIn(await page.textContent('.tensor-table tbody tr:nth-child(4) td:nth-child(19)'))).toBeCloseTo(
      await entryOf(page, 'dh', [3, 17]),
      6,
    );
    expect(complaints).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'axe-core finds nothing in the inspector, the table and the heat maps, in %s',
    async (colorScheme) => {
      const { page, complaints } = await openPage(browser(), 'step=dh&entry=3,17', { colorScheme });
      await page.click('text=Show as table');
      await page.waitForSelector('.error-chart path.curve-float64');
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    },
  );
});

it('on a narrow screen a tap chooses an entry, and Why? beside its value leads down to the inspector', async () => {
  const options = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const { page, complaints } = await openPage(browser(), 'step=dh', options);
  const { width, height } = (await heatMap(page, 'dh').boundingBox()) ?? { width: 0, height: 0 };
  await heatMap(page, 'dh').tap({ position: { x: (20.5 * width) / 64, y: (9.5 * height) / 32 } });
  await expect.poll(() => title(page)).toBe('dh[9,20]');
  expect(await page.locator('.heat-map-readout').count()).toBe(0);
  await page.waitForSelector('.error-chart path.curve-float64');
  await page.locator('.readout-why').tap();
  await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('inspector-title');
  const top = (await page.locator('.inspector h2').boundingBox())?.y ?? Number.NaN;
  expect(top).toBeGreaterThanOrEqual(0);
  expect(top).toBeLessThan(844);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  expect(complaints).toEqual([]);
});

it('every tensor of the pass can be inspected: no step, no entry makes the page complain', async () => {
  const { page, complaints } = await openPage(browser());
  const { tensors } = await ask<{ tensors: Record<string, { shape: number[]; data: Record<string, number> }> }>(page, 'pass');
  for (const name of TENSOR_NAMES) {
    const { shape = [], data = {} } = tensors[name] ?? {};
    const at = indexAt(Object.keys(data).length - 1, shape);
    await page.evaluate(`location.hash = 'step=${name.startsWith('d') ? name : 'loss'}&tensor=${name}&entry=${at}'`);
    await expect.poll(() => title(page)).toBe(at.length === 0 ? name : `${name}[${at}]`);
    await page.waitForSelector('.why-formula');
  }
  expect(complaints).toEqual([]);
});
