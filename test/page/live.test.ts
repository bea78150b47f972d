// A run that trains in the page has the bytes of one that `train` writes, in Chromium and in Firefox.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programName } from '../../src/cli/train/startRun.js';
import type { LiveSamples } from '../../src/page/engine/live.js';
import { launchChromium, launchFirefox, openPage, PAGE_URL, settled } from '../support/browser.js';
import { runCli } from '../support/fakeIO.js';
import { put, tempDirectory } from '../support/tempDirectory.js';
import { type Evaluate, nodeCheckpoint, type OwnList, PageRun } from './liveRuns.js';

const TABLE = [
  'id,name',
  ...['Ulm', 'Bonn', 'Hof', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz', 'Ulm', 'Köln'].map((name, i) => `${i},${name}`),
];
const OWN: OwnList = { text: `\uFEFF${TABLE.join('\r\n')}\r\n`, column: 'name' };

/** Options of `train`, and the same by key. */
const RUNS: readonly { name: string; argv: string[]; options: object; own?: OwnList }[] = [
  { name: "the lesson's preset", argv: ['--steps', '300'], options: { steps: 300 } },
  {
    name: 'Adam with two blocks',
    argv: ['--steps', '120', '--optimizer', 'adam', '--hidden', '30,20', '--eval-every', '50', '--schedule', 'cosine', '--warmup', '10'],
    options: { steps: 120, optimizer: 'adam', hidden: [30, 20], evalEvery: 50, schedule: 'cosine', warmup: 10 },
  },
  {
    name: 'the preset fast, in epochs',
    argv: ['--preset', 'fast', '--steps', '60', '--seed', '9', '--clip', '0.5'],
    options: { preset: 'fast', steps: '60', seed: '9', clip: '0.5' },
  },
  {
    name: 'a network without batch norm',
    argv: ['--norm', 'none', '--init-gain', '1', '--steps', '100', '--hidden', '20,20', '--batch-size', '16'],
    options: { norm: 'none', initGain: 1, steps: 100, hidden: [20, 20], batchSize: 16 },
  },
  {
    name: 'your own names, from a column',
    argv: ['--data', 'own.csv', '--column', 'name', '--steps', '50', '--hidden', '8', '--batch-size', '4', '--unique'],
    options: { steps: 50, hidden: '8', batchSize: 4, unique: true },
    own: OWN,
  },
];

const BROWSERS: readonly { name: string; open: () => Promise<{ evaluate: Evaluate; close: () => Promise<void> }> }[] = [
  {
    name: 'Chromium',
    open: async () => {
      const browser = await launchChromium();
      const { page } = await openPage(browser);
      return { evaluate: (script) => page.evaluate(script), close: () => browser.close() };
    },
  },
  {
    name: 'Firefox',
    open: async () => {
      const browser = await launchFirefox();
      const page = await browser.newPage();
      await page.goto(PAGE_URL);
      await settled(page);
      return { evaluate: (script) => page.evaluate(script), close: () => browser.close() };
    },
  },
];

/** A finished run of the terminal. */
async function trained(argv: readonly string[], own?: OwnList): Promise<{ checkpoint: Buffer; metrics: string; directory: string }> {
  const directory = tempDirectory();
  if (own) put(directory, 'own.csv', own.text);
  const { exitCode, stderr } = await runCli(directory, ['train', ...argv, '--out', 'run']);
  expect([exitCode, stderr]).toEqual([0, stderr]);
  const read = (file: string) => readFileSync(join(directory, 'run', file));
  return { checkpoint: read('checkpoint.safetensors'), metrics: read('metrics.jsonl').toString(), directory };
}

describe.each(BROWSERS)('in $name', ({ open }) => {
  let evaluate: Evaluate;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ evaluate, close } = await open());
  });
  afterAll(() => close?.());

  it.each(RUNS)('$name: the checkpoint and the records of `train`, byte for byte', async ({ argv, options, own }) => {
    const expected = await trained(argv, own);
    const run = new PageRun(evaluate);
    await run.open(options, own);
    expect((await run.train(null)).done).toBe(true);
    expect((await run.checkpoint()).equals(expected.checkpoint)).toBe(true);
    expect(run.metrics).toBe(expected.metrics);
  });

  it('at any step: paused, one step on, looked at, and the checkpoint is what a save of `train` at that step writes', async () => {
    const run = new PageRun(evaluate);
    const { config } = await run.open({ steps: 1_000_000_000, hidden: [20], evalEvery: 500 });
    const { step } = await run.train(null, 150);
    expect((await run.train(1)).step).toBe(step + 1);
    const looks = "Promise.all([backpropNinja.ask('liveSamples', 5), backpropNinja.ask('liveTensor', 'dh')])";
    const [drawn, dh] = (await evaluate(looks)) as [LiveSamples, { shape: number[] }];
    expect(drawn.step).toBe(step + 1);
    expect(drawn.samples.map(({ origin }) => ['new', 'training', 'held out'].includes(origin))).toEqual(new Array(5).fill(true));
    expect(dh.shape).toEqual([32, 20]);
    await run.train(36 - ((step + 1) % 36));
    const { step: end } = await run.train(1);
    expect((await run.checkpoint()).equals(nodeCheckpoint(config, end, programName()))).toBe(true);
  });
});
