/**
 * How fast the page is: until it answers, a step, a click on an entry, and training in its worker beside Node, in turns in one run.
 * Run: npm run bench:page, after npm run build. It needs Chromium; CHROMIUM names another one.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { wasmBackend } from '../src/backend/wasm.js';
import { createDataset, createExamples } from '../src/data/dataset.js';
import { parseNames } from '../src/data/parseNames.js';
import { allocateModel } from '../src/network/arrays.js';
import { Training } from '../src/training/training.js';
import { launchChromium, openPage } from '../test/support/browser.js';
import { inProject } from '../test/support/inProject.js';

const ROUNDS = 5;
const OPTIONS = { steps: 10_000, batchSize: 32, learningRate: 0.1, seed: 1 };
const HIDDEN = 64;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Training steps per second in this process. */
function stepsPerSecondHere(): number {
  const { names } = parseNames(readFileSync(inProject('data/names.txt')), 'names.txt');
  const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });
  const backend = wasmBackend(new WebAssembly.Module(readFileSync(inProject('dist/kernels.wasm'))));
  const config = { context: 3, embedding: 10, hidden: [HIDDEN], vocabulary: vocabulary.length };
  const model = allocateModel(backend, config, { training: OPTIONS.batchSize, inference: [] });
  const training = new Training(model, createExamples(parts.train, vocabulary, 3), OPTIONS);
  const start = performance.now();
  while (!training.done) training.advance();
  return OPTIONS.steps / ((performance.now() - start) / 1000);
}

async function stepsPerSecondInPage(page: Page): Promise<number> {
  const request = { ...OPTIONS, hidden: HIDDEN, names: null };
  const result = await page.evaluate(`backpropNinja.ask('train', ${JSON.stringify(request)})`);
  return (result as { stepsPerSecond: number }).stepsPerSecond;
}

/** Milliseconds from a key to the frame that shows the next step, for each step of the pass. */
async function stepTimes(page: Page): Promise<number[]> {
  return page.evaluate(`(async () => {
    const times = [];
    for (let k = 0; k < 45; k++) {
      const start = performance.now();
      dispatchEvent(new KeyboardEvent('keydown', { key: ']' }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - start);
    }
    return times;
  })()`) as Promise<number[]>;
}

/** Milliseconds from a click on an entry of dh to the frame that shows its terms, for entries in different rows and columns. */
async function clickTimes(page: Page): Promise<number[]> {
  return page.evaluate(`(async () => {
    location.hash = 'step=dh';
    await new Promise((resolve) => setTimeout(resolve, 500));
    const map = document.querySelector('.equation [data-tensor="dh"]');
    const { left, top, width, height } = map.getBoundingClientRect();
    const times = [];
    for (let k = 0; k < 30; k++) {
      const start = performance.now();
      const at = { clientX: left + ((2 * k + 0.5) * width) / 64, clientY: top + ((k + 0.5) * height) / 32, bubbles: true };
      map.dispatchEvent(new MouseEvent('click', at));
      const title = 'dh[' + k + ',' + 2 * k + ']';
      const isShown = () => document.querySelector('.why-formula')?.textContent.startsWith(title) && document.querySelector('.terms');
      while (!isShown()) await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - start);
    }
    return times;
  })()`) as Promise<number[]>;
}

const browser = await launchChromium();
try {
  const opened: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const { page } = await openPage(browser);
    opened.push(performance.now() - start);
    await page.context().close();
  }
  const { page } = await openPage(browser);
  const steps = await stepTimes(page);
  const clicks = await clickTimes(page);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) ratios.push((await stepsPerSecondInPage(page)) / stepsPerSecondHere());
  process.stdout.write(
    `${[
      `open to interactive     ${median(opened).toFixed(0)} ms (median of ${ROUNDS})`,
      `a step                  ${median(steps).toFixed(0)} ms (median of ${steps.length}), at most ${Math.max(...steps).toFixed(0)} ms`,
      `a click, until why     ${median(clicks).toFixed(0)} ms (median of ${clicks.length}), at most ${Math.max(...clicks).toFixed(0)} ms`,
      `training beside Node    ${median(ratios).toFixed(2)} (median of ${ROUNDS}, ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
    ].join('\n')}\n`,
  );
} finally {
  await browser.close();
}
