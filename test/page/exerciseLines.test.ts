// What the page says of a line of an exercise, while it is written.

import { describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.js';
import { openLine, pasteLine, typedSolution, typeLine, waitForVerdict } from '../support/exercisePage.js';

const browser = useBrowser();

describe('a line in the page', () => {
  it('is right while you type, and the next one follows', async () => {
    const { page, complaints } = await openLine(browser(), 1);
    for (const name of ['dlogprobs', 'dprobs', 'dcounts_sum_inv']) {
      expect(await page.textContent('h2')).toContain(name);
      await typeLine(page, typedSolution(1, name));
      await waitForVerdict(page, 'right');
      await page.getByRole('button', { name: 'Next' }).click();
    }
    expect(await page.textContent('.exercises-nav [aria-current]')).toContain('3 of 26');
    expect(await page.textContent('.verdict')).toContain('not written yet');
    expect(complaints).toEqual([]);
  });

  it('gets the name of its mistake, and is shown beside the right one', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'dprobs');
    await typeLine(page, '({ probs, dlogprobs }) => probs.mul(dlogprobs)');
    await waitForVerdict(page, 'wrong');
    expect(await page.textContent('.problem')).toContain('probs');
    expect(await page.locator('.beside .heat-map').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  it('that never ends is stopped, and the page goes on', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await typeLine(page, '({ dlogits }) => { for (;;); }');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain('it did not finish within 2 s');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0)');
    await waitForVerdict(page, 'right');
    expect(complaints).toEqual([]);
  });
});

describe('what is said of a line', () => {
  it('is never what was said of another text', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, '({ dlogits }) => dlogits.sum(0)');
    await waitForVerdict(page, 'right');
    // What a person reads, and a screen reader: hidden text is not in it.
    await page.evaluate(`{
      const findings = document.querySelector('.findings');
      const seen = (globalThis.seen = new Set());
      new MutationObserver(() => seen.add(findings.innerText)).observe(findings, { subtree: true, childList: true, characterData: true, attributes: true });
    }`);
    await pasteLine(page, '({ n }) => { for (;;); }');
    await waitForVerdict(page, 'cannot run');
    const seen = (await page.evaluate('[...globalThis.seen]')) as string[];
    const said = seen.map((text) => text.replaceAll(/\s+/g, ' ').trim());
    expect(said.filter((text) => /right|exact|max diff/.test(text))).toEqual([]);
    expect(said).toEqual(expect.arrayContaining(['… not checked Check now', '… checking Check now']));
    expect(complaints).toEqual([]);
  });

  it('is that it is not written where there are only comments, or nothing', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    for (const text of ['// I will do this tomorrow', '  ', '/* later */']) {
      await pasteLine(page, '({ n }) => n');
      await waitForVerdict(page, 'cannot run');
      await pasteLine(page, text);
      await waitForVerdict(page, 'not written yet');
      expect(await page.locator('.problem').count()).toBe(0);
    }
    expect(complaints).toEqual([]);
  });

  it('is right for a line that is a method, as in a file', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, 'db2({ dlogits }) {\n  return dlogits.sum(0);\n},');
    await waitForVerdict(page, 'right');
    expect(complaints).toEqual([]);
  });

  it('comes within seconds, also if each run is slow and none endless', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, '({ dlogits }) => { const t = Date.now(); while (Date.now() - t < 900) {} return dlogits.sum(0); }');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain('it did not finish within 5 s');
    expect(complaints).toEqual([]);
  });
});

describe('typing over a selection', () => {
  it('that begins in a coloured word keeps the policy of the page', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    for (const text of ['dlogits => 1', '(3', 'const x = 1', '4', '({ dlogits }) => dlogits.sum(dlo']) {
      await typeLine(page, text);
      await page.keyboard.press('Escape');
      expect(await page.textContent('.cm-content')).toBe(text);
      await page.waitForTimeout(200);
    }
    expect(complaints).toEqual([]);
  });
});

describe('a line that cannot be read', () => {
  it('is marked at its place, in a sentence', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toBe('it cannot be read: this ( is not closed');
    expect(await page.textContent('.cm-fault')).toBe('(');
    expect(complaints).toEqual([]);
  });

  it('in the words of the browser where its parser forbids what the editor knows', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, '({ dlogits }) => {\n  const a = 1;\n  let a = 2;\n}');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain("Identifier 'a' has already been declared");
    expect(await page.textContent('.cm-line:has(.cm-fault)')).toBe('  let a = 2;');
    expect(complaints).toEqual([]);
  });

  it.each([
    ['export default ({ dlogits }) => dlogits.sum(0);', 'export belongs into a file'],
    ["import { Tensor } from 'backprop-ninja';\n({ dlogits }) => dlogits.sum(0)", 'import belongs into a file'],
  ])('with an advice on what belongs into a file: %s', async (text, advice) => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, text);
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain(advice);
    expect(complaints).toEqual([]);
  });

  it('an error while it runs has its line, if the text has several', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, '({ dlogits }) => {\n  const a: Tensor = dlogits;\n  return a.summ(0);\n}');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toBe('it threw TypeError: a.summ is not a function (line 3): did you mean .sum');
    expect(complaints).toEqual([]);
  });
});
