// A page with a run in it, as `open --run` writes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../src/core/base64.js';
import { sizeOf } from '../../src/core/tensor.js';
import { createDataset } from '../../src/data/dataset.js';
import { createNamesCase } from '../../src/lesson/namesCase.js';
import { byName, LESSON_PARAMETER_NAMES, type LessonParameterName, parameterShapes } from '../../src/network/parameters.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { PASS_STEPS } from '../../src/page/properties.js';
import { fillPage, type RunData, readRunData, runData } from '../../src/run/pageData.js';
import { openPage, PAGE_URL, useBrowser } from '../support/browser.js';
import { SAVED_STEP, saveSmallRun } from '../support/checkpoints.js';
import { NAMES } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

const browser = useBrowser();

function pageWith(data: RunData): string {
  const file = join(tempDirectory(), 'page.html');
  writeFileSync(file, fillPage(readFileSync(new URL(PAGE_URL), 'utf8'), data));
  return pathToFileURL(file).href;
}

const smallRun = (): RunData => runData('0007', loadCheckpoint(saveSmallRun(tempDirectory()).path), NAMES);

describe('a page with a run in it', () => {
  it("shows the pass with the run's parameters, or those at the start", async () => {
    const data = smallRun();
    const { page, complaints } = await openPage(browser(), 'n=4', {}, pageWith(data));
    const network = page.getByLabel('Network');
    expect(await network.locator('option:checked').textContent()).toBe(`0007, after ${SAVED_STEP} steps`);
    const run = readRunData(JSON.stringify(data));
    if (!run) throw new Error('no run');
    const loss = async (chosen: 'run' | 'start') => {
      const source = { seed: 1, batch: 0, n: 4, names: null, network: chosen };
      const found = (await page.evaluate(`backpropNinja.ask('pass', ${JSON.stringify(source)})`)) as {
        tensors: { loss: { data: object } };
      };
      return Object.values(found.tensors.loss.data)[0] as number;
    };
    const { values } = createNamesCase(createDataset(run.names ?? [], run), { seed: 1, batch: 0, n: 4, trained: run });
    // Math.exp and Math.tanh differ in the last bit between versions of an engine.
    expect(await loss('run')).toBeCloseTo(values.loss.item(), 12);
    expect(await loss('start')).not.toBeCloseTo(values.loss.item(), 3);
    await network.selectOption('at the start of a training');
    await expect.poll(() => page.url()).toContain('network=start');
    expect(complaints).toEqual([]);
  });

  /** The same run with numbers that overflow. */
  const huge = (data: RunData): RunData => {
    const W2 = new Float32Array((fromBase64(data.parameters.W2) as Uint8Array).slice().buffer).map((x) => 1e5 * x);
    return { ...data, parameters: { ...data.parameters, W2: toBase64(new Uint8Array(W2.buffer)) } };
  };
  /** The same network with one input and one hidden unit. */
  const smallest = (data: RunData): RunData => {
    const config = { context: 1, embedding: 1, hidden: [1], vocabulary: createDataset(NAMES, data).vocabulary.length };
    const shapes = parameterShapes(config);
    const entries = (name: LessonParameterName) => Float32Array.from({ length: sizeOf(shapes[name]) }, (_, k) => Math.sin(k + 1));
    const parameters = byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map((name) => toBase64(new Uint8Array(entries(name).buffer))),
    );
    return { ...data, context: 1, embedding: 1, hidden: [1], parameters };
  };

  it.each([
    ['whose numbers overflow', huge],
    ['with one input and one hidden unit', smallest],
  ])('%s shows every step and its largest entry; no digits of NaN or infinity agree', async (_, changed) => {
    const { page, complaints } = await openPage(browser(), 'n=4', {}, pageWith(changed(smallRun())));
    for (let k = 0; k < PASS_STEPS.length; k++) {
      expect(((await page.textContent('#step-title')) ?? '').split(' ')[0]).toBe(PASS_STEPS[k]);
      if (PASS_STEPS[k] !== 'loss') {
        await page.click('.inspector-empty button');
        await page.waitForSelector('.agreement');
        const rows = (await page.locator('.agreement tr').allTextContents()).filter((row) => /NaN|infinity/.test(row));
        for (const row of rows) expect(row).toMatch(/^gradient|0 digits$/);
      }
      await page.keyboard.press(']');
    }
    expect(complaints).toEqual([]);
  });

  it('says of a mistake nothing where its gradients are NaN anyway', async () => {
    const { page, complaints } = await openPage(browser(), 'n=4&view=mistakes&mistake=dh-sign', {}, pageWith(huge(smallRun())));
    await page.waitForSelector('.spread [data-item]');
    expect(await page.textContent('.mistakes-sentence')).toContain('25 of the 26 gradients are NaN or infinite even without the mistake');
    expect(await page.textContent('.spread-chosen')).toContain('dh is NaN or infinite even without the mistake');
    expect(complaints).toEqual([]);
  });

  it('says that its run is damaged, and shows the network at its start', async () => {
    const data = smallRun();
    const { page, complaints } = await openPage(
      browser(),
      'n=4',
      {},
      pageWith({ ...data, parameters: { ...data.parameters, b2: 'AAAA' } }),
    );
    expect(await page.getByText('the run in this page is damaged').textContent()).toMatch(
      /b2 has 3 bytes.*; write the page again: npx backprop-ninja open --run RUN$/,
    );
    expect(await page.getByLabel('Network').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
