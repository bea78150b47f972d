// A page with a run in it, as `open --run` writes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../src/data/dataset.js';
import { createNamesCase } from '../../src/lesson/namesCase.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { fillPage, type RunData, readRunData, runData } from '../../src/run/pageData.js';
import { launchChromium, openPage, PAGE_URL } from '../support/browser.js';
import { SAVED_STEP, saveSmallRun } from '../support/checkpoints.js';
import { NAMES } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

function pageWith(data: RunData): string {
  const file = join(tempDirectory(), 'page.html');
  writeFileSync(file, fillPage(readFileSync(new URL(PAGE_URL), 'utf8'), data));
  return pathToFileURL(file).href;
}

const smallRun = (): RunData => runData('0007', loadCheckpoint(saveSmallRun(tempDirectory()).path), NAMES);

describe('a page with a run in it', () => {
  it("shows the pass with the run's parameters, or those at the start", async () => {
    const data = smallRun();
    const { page, complaints } = await openPage(browser, 'n=4', {}, pageWith(data));
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
    await page.waitForFunction("location.hash.includes('network=start')");
    expect(complaints).toEqual([]);
  });

  it('says of a mistake nothing where its gradients are NaN anyway', async () => {
    const data = smallRun();
    const W2 = Buffer.from(data.parameters.W2, 'base64');
    for (let i = 0; i < W2.length; i += 4) W2.writeFloatLE(1e5 * W2.readFloatLE(i), i);
    const huge = { ...data, parameters: { ...data.parameters, W2: W2.toString('base64') } };
    const { page, complaints } = await openPage(browser, 'n=4&view=mistakes&mistake=dh-sign', {}, pageWith(huge));
    await page.waitForSelector('.spread [data-item]');
    expect(await page.textContent('.mistakes-sentence')).toContain('25 of the 26 gradients are NaN or infinite even without the mistake');
    expect(await page.textContent('.spread-chosen')).toContain('dh is NaN or infinite even without the mistake');
    expect(complaints).toEqual([]);
  });

  it('says that its run is damaged, and shows the network at its start', async () => {
    const data = smallRun();
    const { page, complaints } = await openPage(browser, 'n=4', {}, pageWith({ ...data, parameters: { ...data.parameters, b2: 'AAAA' } }));
    expect(await page.getByText('the run in this page is damaged').textContent()).toMatch(/b2 has 3 bytes/);
    expect(await page.getByLabel('Network').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
