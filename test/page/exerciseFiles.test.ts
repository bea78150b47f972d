// What is written in the exercises of the page: it stays, comes from another tab, goes out as a file, and comes in again.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { learnerText, stubText } from '../../src/dojo/stub.js';
import { checkFile } from '../../src/node/learner/run.js';
import { atOnce, reload, settled, useBrowser } from '../support/browser.js';
import { openLine, pasteLine, typeLine, waitForVerdict } from '../support/exercisePage.js';
import { tempDirectory } from '../support/tempDirectory.js';

const browser = useBrowser();

/** Whether a line is being checked. */
const CHECKING = "document.querySelector('.findings[data-busy]')";

describe('what is written', () => {
  it('stays after a reload, with its verdict, and can be taken back', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0)');
    await waitForVerdict(page, 'right');
    await reload(page);
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    expect(await page.getByRole('button', { name: /^db2\b.*right/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Start over' }).click();
    await expect.poll(() => page.textContent('.cm-content')).toBe('({ dlogits }) => todo()');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.cm-content', { hasText: '({ dlogits }) => dlogits.sum(0)' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('is not checked again by itself if its check ended the page', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    // A tab that has crashed does not hide its page before.
    const crash = `(() => {
      const kept = { ...sessionStorage };
      addEventListener('pagehide', () => Object.assign(sessionStorage, kept));
      location.reload();
    })()`;
    await atOnce(page, CHECKING, crash);
    const loaded = page.waitForEvent('load');
    await pasteLine(page, '({ dlogits }) => { for (;;); }');
    await loaded;
    await settled(page);
    // Longer than a pause of typing, after which a line is checked.
    await page.waitForTimeout(1_000);
    expect(await page.textContent('.verdict')).toContain('not checked');
    await page.getByRole('button', { name: 'Check now' }).click();
    await waitForVerdict(page, 'cannot run');
    expect(complaints).toEqual([]);
  });

  it('is checked again after a reload in the middle of its check', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await atOnce(page, CHECKING, 'location.reload()');
    const loaded = page.waitForEvent('load');
    await pasteLine(page, '({ dlogits }) => { for (;;); }');
    await loaded;
    await waitForVerdict(page, 'cannot run');
    expect(complaints).toEqual([]);
  });

  it('in another tab comes into this one', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.waitForSelector('.cm-content');
    await typeLine(other, '({ dlogits }) => dlogits.sum(1)');
    await page.locator('.cm-content', { hasText: 'sum(1)' }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await typeLine(page, '({ dh }) => dh');
    await other.getByRole('button', { name: 'Next' }).click();
    await other.locator('.cm-content', { hasText: '({ dh }) => dh' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('goes out as the file that the command line checks, and comes in again', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0),');
    await waitForVerdict(page, 'right');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as file' }).click()]);
    expect(download.suggestedFilename()).toBe('exercise1.ts');
    const path = join(tempDirectory(), 'exercise1.ts');
    await download.saveAs(path);
    const { lines } = await checkFile(path, 1, { gradient: 'db2' });
    expect(lines.map(({ name, verdict }) => [name, verdict])).toEqual([['db2', 'right']]);
    const elsewhere = await openLine(browser(), 4);
    await elsewhere.page.setInputFiles('input[type=file]', path);
    await elsewhere.page.getByText('Took 1 line from exercise1.ts.').waitFor();
    await elsewhere.page.getByRole('button', { name: /^Exercise 1/ }).click();
    await elsewhere.page.getByRole('button', { name: /^db2\b.*right/ }).click();
    expect(await elsewhere.page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    expect([...complaints, ...elsewhere.complaints]).toEqual([]);
  });

  it('is not lost to a file, and a file that is none gets a sentence', async () => {
    const { page, complaints } = await openLine(browser(), 2);
    await typeLine(page, '({ logits }) => logits');
    const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.setInputFiles('input[type=file]', [
      file('notes.txt', 'anna'),
      file('exercise2.ts', 'export default { dlogits: (x) => x.logits };'),
    ]);
    await page.getByText('In place of yours: dlogits.').waitFor();
    await page.getByText('notes.txt is not an exercise file: it has no `export default`.').waitFor();
    await page.locator('.cm-content', { hasText: '(x) => x.logits' }).waitFor();
    await page.locator('.files').getByRole('button', { name: 'Undo' }).click();
    await page.locator('.cm-content', { hasText: '({ logits }) => logits' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('stays where a file has not written it, and the code above the lines of a file is shown', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'db2');
    await pasteLine(page, '({ dlogits }) => dlogits.sum(0)');
    const file = (text: string) => ({ name: 'exercise1.ts', mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.setInputFiles('input[type=file]', file(stubText(EXERCISES[1])));
    await page.getByText('exercise1.ts has no line that is written.').waitFor();
    await page.getByText('Not written in exercise1.ts, so yours stays: db2.').waitFor();
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    const lines = { db2: 'rows', dprobs: '({ probs, dlogprobs }) => dlogprobs.div(probs,' };
    const top = 'const rows = ({ dlogits }) => dlogits.sum(0);';
    await page.setInputFiles('input[type=file]', file(learnerText(EXERCISES[1], { lines, top })));
    await page.getByText('Took 2 lines from exercise1.ts.').waitFor();
    await page.getByText('dprobs in exercise1.ts cannot be read: this ( is not closed.').waitFor();
    await page.getByText('The code above the lines').waitFor();
    await waitForVerdict(page, 'right');
    expect(complaints).toEqual([]);
  });
});
