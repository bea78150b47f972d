// The exercises in the page, as a person solves them.

import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/core/tensor.js';
import { EXERCISES } from '../../src/dojo/exercises.js';
import type { ParameterGradients } from '../../src/dojo/lessonTraining.js';
import { runPass } from '../../src/dojo/outcome.js';
import { solutionText } from '../../src/dojo/stub.js';
import { type TrainingReport, trainWithGradients } from '../../src/dojo/training.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { atOnce, useBrowser } from '../support/browser.js';
import { openLine, typedSolution, typeLine, waitForVerdict } from '../support/exercisePage.js';

const browser = useBrowser();

describe('the hints', () => {
  it('come one by one, and the solution after a question', async () => {
    const { page, complaints } = await openLine(browser(), 1, 'dh');
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

describe('Exercises 2 and 3', () => {
  it.each([
    [2, 'dlogits'],
    [3, 'dhprebn'],
  ] as const)('Exercise %i is solved', async (number, name) => {
    const { page, complaints } = await openLine(browser(), number);
    await typeLine(page, typedSolution(number, name));
    await waitForVerdict(page, 'right');
    expect(await page.textContent('.exercises-nav [aria-current]')).toContain('✓ 1 of 1');
    expect(complaints).toEqual([]);
  });
});

describe('Exercise 4', () => {
  it('comes in as a file, trains with all lines, and can be cancelled', async () => {
    const { page, complaints } = await openLine(browser(), 4);
    expect(await page.getByRole('button', { name: 'Train 1,000 steps' }).isDisabled()).toBe(true);
    const solved = { name: 'exercise4.ts', mimeType: 'text/plain', buffer: Buffer.from(solutionText(EXERCISES[4])) };
    await page.setInputFiles('input[type=file]', solved);
    await page.getByText('13 of 13').waitFor();
    const cancel = "[...document.querySelectorAll('.training button')].find(({ textContent }) => textContent === 'Cancel')";
    const cancelled = await atOnce(page, cancel, `${cancel}.click()`);
    await page.getByRole('button', { name: 'Train 1,000 steps' }).click();
    await cancelled();
    await page.getByRole('button', { name: 'Train 1,000 steps' }).click();
    await page.getByText('Trained 1,000 steps').waitFor();
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
