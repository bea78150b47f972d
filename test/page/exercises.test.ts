// The exercises in the page, as a person solves them.
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/core/tensor.js';
import { EXERCISES } from '../../src/dojo/exercises.js';
import type { ParameterGradients } from '../../src/dojo/lessonTraining.js';
import { runPass } from '../../src/dojo/outcome.js';
import { solutionText } from '../../src/dojo/stub.js';
import { type TrainingReport, trainWithGradients } from '../../src/dojo/training.js';
import { checkFile } from '../../src/node/learner/run.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { launchChromium, violations } from '../support/browser.js';
import { openLine, pasteLine, typedSolution, typeLine, waitForVerdict } from '../support/exercisePage.js';
import { tempDirectory } from '../support/tempDirectory.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

describe('a line in the page', () => {
  it('is right while you type, and the next one follows', async () => {
    const { page, complaints } = await openLine(browser, 1);
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
    const { page, complaints } = await openLine(browser, 1, 'dprobs');
    await typeLine(page, '({ probs, dlogprobs }) => probs.mul(dlogprobs)');
    await waitForVerdict(page, 'wrong');
    expect(await page.textContent('.problem')).toContain('probs');
    expect(await page.locator('.beside .heat-map').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  it('that never ends is stopped, and the page goes on', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await typeLine(page, '({ dlogits }) => { for (;;); }');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain('it did not finish within 2 s');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0)');
    await waitForVerdict(page, 'right');
    expect(complaints).toEqual([]);
  });
});

describe('a line that cannot be read', () => {
  it('is marked at its place, in a sentence', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toBe('it cannot be read: this ( is not closed');
    expect(await page.textContent('.cm-fault')).toBe('(');
    expect(complaints).toEqual([]);
  });

  it('in the words of the browser where its parser forbids what the editor knows', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await pasteLine(page, '({ dlogits }) => {\n  const a = 1;\n  let a = 2;\n}');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toContain("Identifier 'a' has already been declared");
    expect(await page.textContent('.cm-line:has(.cm-fault)')).toBe('  let a = 2;');
    expect(complaints).toEqual([]);
  });

  it('an error while it runs has its line, if the text has several', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await pasteLine(page, '({ dlogits }) => {\n  const a: Tensor = dlogits;\n  return a.summ(0);\n}');
    await waitForVerdict(page, 'cannot run');
    expect(await page.textContent('.problem')).toBe('it threw TypeError: a.summ is not a function (line 3): did you mean .sum');
    expect(complaints).toEqual([]);
  });
});

describe('the hints', () => {
  it('come one by one, and the solution after a question', async () => {
    const { page, complaints } = await openLine(browser, 1, 'dh');
    const hints = page.locator('.hints li');
    for (const [i, name] of ['Give me a hint', 'Tell me the rule', 'Show the formula'].entries()) {
      await page.getByRole('button', { name }).click();
      expect(await hints.count()).toBe(i + 1);
    }
    await page.getByRole('button', { name: 'Show the solution' }).click();
    await page.getByRole('button', { name: 'Not yet' }).click();
    expect(await page.locator('.solution').count()).toBe(0);
    await page.getByRole('button', { name: 'Show the solution' }).click();
    await page.getByRole('button', { name: 'Show it' }).click();
    expect(await page.textContent('.solution pre')).toBe(typedSolution(1, 'dh'));
    expect(complaints).toEqual([]);
  });
});

describe('what is written', () => {
  it('stays after a reload, with its verdict, and can be taken back', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0)');
    await waitForVerdict(page, 'right');
    await page.reload();
    await page.waitForSelector('.cm-content');
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    expect(await page.getByRole('button', { name: /^db2\b.*right/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Start over' }).click();
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => todo()');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.cm-content', { hasText: '({ dlogits }) => dlogits.sum(0)' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('is not checked again by itself if its check ended the page', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await pasteLine(page, '({ dlogits }) => { for (;;); }');
    await page.locator('.findings[data-busy]').waitFor();
    await page.reload();
    await page.waitForSelector('.cm-content');
    await page.waitForTimeout(1_000);
    expect(await page.textContent('.verdict')).toContain('not checked');
    await page.getByRole('button', { name: 'Check now' }).click();
    await waitForVerdict(page, 'cannot run');
    expect(complaints).toEqual([]);
  });

  it('in another tab comes into this one', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
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
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await typeLine(page, '({ dlogits }) => dlogits.sum(0),');
    await waitForVerdict(page, 'right');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as file' }).click()]);
    expect(download.suggestedFilename()).toBe('exercise1.ts');
    const path = join(tempDirectory(), 'exercise1.ts');
    await download.saveAs(path);
    const { lines } = await checkFile(path, 1, { gradient: 'db2' });
    expect(lines.map(({ name, verdict }) => [name, verdict])).toEqual([['db2', 'right']]);
    const elsewhere = await openLine(browser, 4);
    await elsewhere.page.setInputFiles('input[type=file]', path);
    await elsewhere.page.getByText('Took 1 line from exercise1.ts.').waitFor();
    await elsewhere.page.getByRole('button', { name: /^Exercise 1/ }).click();
    await elsewhere.page.getByRole('button', { name: /^db2\b.*right/ }).click();
    expect(await elsewhere.page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    expect([...complaints, ...elsewhere.complaints]).toEqual([]);
  });

  it('is not lost to a file, and a file that is none gets a sentence', async () => {
    const { page, complaints } = await openLine(browser, 2);
    await typeLine(page, '({ logits }) => logits');
    const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.setInputFiles('input[type=file]', [
      file('notes.txt', 'anna'),
      file('exercise2.ts', 'export default { dlogits: (x) => x.logits };'),
    ]);
    await page.getByText('notes.txt is no exercise: it has no `export default`.').waitFor();
    await page.locator('.cm-content', { hasText: '(x) => x.logits' }).waitFor();
    await page.locator('.files').getByRole('button', { name: 'Undo' }).click();
    await page.locator('.cm-content', { hasText: '({ logits }) => logits' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('Exercises 2 and 3', () => {
  it.each([
    [2, 'dlogits'],
    [3, 'dhprebn'],
  ] as const)('Exercise %i is solved', async (number, name) => {
    const { page, complaints } = await openLine(browser, number);
    await typeLine(page, typedSolution(number, name));
    await waitForVerdict(page, 'right');
    expect(await page.textContent('.exercises-nav [aria-current]')).toContain('✓ 1 of 1');
    expect(complaints).toEqual([]);
  });
});

describe('Exercise 4', () => {
  it('comes in as a file, trains with all lines, and can be cancelled', async () => {
    const { page, complaints } = await openLine(browser, 4);
    expect(await page.getByRole('button', { name: 'Train 1,000 steps' }).isDisabled()).toBe(true);
    const solved = { name: 'exercise4.ts', mimeType: 'text/plain', buffer: Buffer.from(solutionText(EXERCISES[4])) };
    await page.setInputFiles('input[type=file]', solved);
    await page.getByText('13 of 13').waitFor();
    await page.getByRole('button', { name: 'Train 1,000 steps' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Train 1,000 steps' }).click();
    await page.getByText('Trained 1,000 steps').waitFor({ timeout: 120_000 });
    const losses = /loss ([\d.]+) → ([\d.]+) /.exec((await page.textContent('.training')) ?? '')?.slice(1);
    const { firstLoss, lastLoss } = trainLesson();
    expect(losses).toEqual([firstLoss.toFixed(4), lastLoss.toFixed(4)]);
    expect(complaints).toEqual([]);
  });
});

/** The same training with the lesson's lines, in this process. */
function trainLesson(): TrainingReport {
  const steps = trainWithGradients(readNamesFile(BUNDLED_NAMES).names);
  let step = steps.next();
  while (!step.done) {
    const { gradients } = runPass(
      EXERCISES[4].lines.map(({ name, solution }) => [name, solution] as const),
      step.value,
    ) as { gradients: Map<string, Tensor> };
    step = steps.next(Object.fromEntries(gradients) as unknown as ParameterGradients);
  }
  return step.value;
}

describe('with the keyboard alone', () => {
  it('a line is completed, checked, and left', async () => {
    const { page, complaints } = await openLine(browser, 1, 'db2');
    await page.focus('.cm-content');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('({ }) => dlo');
    await page.locator('.cm-tooltip-autocomplete').waitFor();
    // A completion is not taken in the moment in which it appears.
    await page.waitForTimeout(100);
    await page.keyboard.press('Enter');
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits');
    await page.keyboard.type('.sum');
    await page.locator('.cm-completionLabel', { hasText: 'sum' }).waitFor();
    await page.waitForTimeout(100);
    await page.keyboard.press('Enter');
    await page.keyboard.type('0');
    expect(await page.textContent('.cm-content')).toBe('({ dlogits }) => dlogits.sum(0)');
    await page.keyboard.press('Control+Enter');
    await waitForVerdict(page, 'right');
    await page.keyboard.press('Alt+ArrowDown');
    expect(await page.textContent('h2')).toContain('dhpreact');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Give me a hint');
    expect(complaints).toEqual([]);
  });

  it('the address names exercise and line', async () => {
    const { page, complaints } = await openLine(browser, 4, 'dW1');
    expect(await page.textContent('h2')).toContain('dW1');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(page.url()).toContain('exercise=4&line=db1');
    await page.goBack();
    await page.locator('h2', { hasText: 'dW1' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('at 390 x 844', () => {
  it('nothing is wider than the screen', async () => {
    const { page, complaints } = await openLine(browser, 1, 'dcounts_sum_inv', { viewport: { width: 390, height: 844 } });
    await typeLine(page, '({ counts, dprobs }) => counts.mul(dprobs).sum(0, { keepdim: true })');
    await waitForVerdict(page, 'wrong');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(complaints).toEqual([]);
  });
});

describe('a barrier', () => {
  it.each(['light', 'dark'] as const)(
    'is not found by axe-core, with a wrong line, its hints and the methods, in %s',
    async (colorScheme) => {
      const { page, complaints } = await openLine(browser, 1, 'db2', { colorScheme });
      await pasteLine(page, '({ dlogits }) => dlogits.sum(1)');
      await waitForVerdict(page, 'wrong');
      await page.getByRole('button', { name: 'Give me a hint' }).click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Methods' }).click();
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    },
  );
});
