/**
 * How fast the page is: until it answers, a step, a click on an entry, and training in its worker beside Node, in turns in one run.
 * Run: npm run bench:page, after npm run build. It needs Chromium; CHROMIUM names another one.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { wasmBackend } from '../src/backend/wasm.js';
import { createDataset } from '../src/data/dataset.js';
import { parseNames } from '../src/data/parseNames.js';
import { allocateModel } from '../src/network/arrays.js';
import { sha256 } from '../src/node/sha256.js';
import { INFERENCE } from '../src/run/limitedBackend.js';
import { RunTraining } from '../src/run/runTraining.js';
import { createRunConfig, sizesOf } from '../src/training/recipe.js';
import { modelConfig, trainingCapacity } from '../src/training/runConfig.js';
import { launchChromium, openPage } from '../test/support/browser.js';
import { inProject } from '../test/support/inProject.js';

const ROUNDS = 5;
/** A run with one evaluation, at its end. */
const OPTIONS = { steps: 10_000, hidden: [64], evalEvery: 10_000, seed: 1 };

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Steps per second of the run in this process. */
function stepsPerSecondHere(): number {
  const { names } = parseNames(readFileSync(inProject('data/names.txt')), 'names.txt');
  const dataset = createDataset(names, { splitSeed: 42, unique: false });
  const backend = wasmBackend(new WebAssembly.Module(readFileSync(inProject('dist/kernels.wasm'))));
  const config = createRunConfig(OPTIONS, sizesOf(dataset));
  const model = allocateModel(backend, modelConfig(config, dataset.vocabulary), trainingCapacity(config, INFERENCE));
  const identity = { dataSha256: '0'.repeat(64), program: 'bench' };
  const run = new RunTraining({ model, dataset, config, ...identity, sha256, onRecord: () => {} });
  const start = performance.now();
  while (!run.done) run.advance();
  return OPTIONS.steps / ((performance.now() - start) / 1000);
}

async function stepsPerSecondInPage(page: Page): Promise<number> {
  const result = await page.evaluate(`backpropNinja.ask('liveOpen', ${JSON.stringify(OPTIONS)}, null)
    .then(() => backpropNinja.ask('liveTrain', null))`);
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
