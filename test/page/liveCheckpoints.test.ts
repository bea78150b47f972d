// Checkpoints between the page and the terminal: in and out at any step, and what is refused.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { programName } from '../../src/cli/train/startRun.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { sha256 } from '../../src/node/sha256.js';
import { parseCheckpoint } from '../../src/run/checkpoint.js';
import { openPage, useBrowser } from '../support/browser.js';
import { runCli } from '../support/fakeIO.js';
import { stopAfter } from '../support/resume.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';
import { nodeCheckpoint, PageRun } from './liveRuns.js';

const OPTIONS = { steps: 150, hidden: [10], evalEvery: 40, optimizer: 'momentum', sampling: 'epochs' };
const ARGV = ['train', '--steps', '150', '--hidden', '10', '--eval-every', '40', '--optimizer', 'momentum', '--sampling', 'epochs'];

const browser = useBrowser();
let page: Page;
let run: PageRun;
let cwd: string;
/** The uninterrupted run of the terminal. */
let whole: Buffer;
const fileIn = (directory: string) => join(cwd, directory, 'checkpoint.safetensors');

beforeAll(async () => {
  ({ page } = await openPage(browser()));
  run = new PageRun((script) => page.evaluate(script));
  cwd = makeDirectory();
  expect((await runCli(cwd, [...ARGV, '--out', 'whole'])).exitCode).toBe(0);
  whole = readFileSync(fileIn('whole'));
});
afterAll(() => removeDirectory(cwd));

/** Why a run is not opened, as the page says it. */
async function refusal(options: object, checkpoint?: Uint8Array, own?: { text: string }): Promise<string> {
  return run.open(options, own, checkpoint).then(
    () => 'opened',
    (error: Error) => error.message.replace(/^page\.evaluate: RefusedError: /, '').split('\n')[0] as string,
  );
}

it('a checkpoint of the page is resumed in the terminal, to the bytes of an uninterrupted run', async () => {
  await run.open(OPTIONS);
  await run.train(67);
  mkdirSync(join(cwd, 'moved'));
  writeFileSync(fileIn('moved'), await run.checkpoint());
  const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', 'moved', '--data', BUNDLED_NAMES]);
  expect([exitCode, stderr]).toEqual([0, stderr]);
  expect(readFileSync(fileIn('moved')).equals(whole)).toBe(true);
});

it('a run that was stopped in the terminal is resumed in the page, to the same bytes and the same records', async () => {
  expect((await runCli(cwd, [...ARGV, '--out', 'stopped'], stopAfter(60))).exitCode).toBe(130);
  const bytes = readFileSync(fileIn('stopped'));
  const { state, statistics } = parseCheckpoint(bytes, sha256);
  expect([state.step > 40 && state.step < 150, statistics]).toEqual([true, 'missing']);
  expect((await run.open({}, undefined, bytes)).step).toBe(state.step);
  const { done } = await run.train(null);
  expect(done).toBe(true);
  expect((await run.checkpoint()).equals(whole)).toBe(true);
  const lines = readFileSync(join(cwd, 'whole', 'metrics.jsonl'), 'utf8');
  expect(lines.endsWith(run.metrics)).toBe(true);
});

it('a finished run is extended with more steps, as in the terminal', async () => {
  await run.open({ steps: 170 }, undefined, whole);
  await run.train(null);
  expect((await runCli(cwd, ['train', '--resume', 'whole', '--steps', '170'])).exitCode).toBe(0);
  expect((await run.checkpoint()).equals(readFileSync(fileIn('whole')))).toBe(true);
});

it('your list has the SHA-256 of its file, byte order mark and all, also after a reload', async () => {
  const { page: own } = await openPage(browser(), 'view=names');
  const file = Buffer.from(`\uFEFF${['Ulm', 'Bonn', 'Hof', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz'].join('\r\n')}\r\n`);
  await own.getByLabel('Choose a file').setInputFiles({ name: 'cities.txt', mimeType: 'text/plain', buffer: file });
  await own.getByText('In use: 8 names').waitFor();
  await own.reload();
  await own.getByText('In use: 8 names').waitFor();
  const text =
    await own.evaluate(`backpropNinja.ask('liveOpen', { steps: 10, hidden: [4] }, 1).then(() => backpropNinja.ask('liveCheckpoint'))
    .then((bytes) => new TextDecoder('latin1').decode(bytes))`);
  expect(text).toContain(`"dataSha256":"${sha256(file)}"`);
});

it('opened again, a run starts from the same initialisation', async () => {
  await run.open(OPTIONS);
  const first = await run.checkpoint();
  await run.train(20);
  await run.open(OPTIONS);
  expect((await run.checkpoint()).equals(first)).toBe(true);
});

it('a training that is cancelled has its run after a whole step', async () => {
  const { config } = await run.open({ ...OPTIONS, steps: 1_000_000_000 });
  await page.evaluate(`new Promise((resolve) => {
    const training = backpropNinja.start('liveTrain', [null], ({ step }) => {
      if (step === 0) return;
      training.cancel();
      resolve();
    });
  })`);
  const bytes = await run.checkpoint();
  const { step } = await run.train(0);
  expect(step).toBeGreaterThan(0);
  expect(bytes.equals(nodeCheckpoint(config, step, programName()))).toBe(true);
});

it('names and the checkpoint that are asked for while it trains change nothing of the training', async () => {
  await run.open(OPTIONS);
  const training = run.train(null);
  const looks =
    "Promise.all([1, 2, 3].map(() => Promise.all(['liveSamples', 'liveCheckpoint'].map((method) => backpropNinja.ask(method, 3)))))";
  await page.evaluate(looks);
  await training;
  expect((await run.checkpoint()).equals(whole)).toBe(true);
});

it('what a step computes has no value before the first step; the parameters have theirs', async () => {
  const { tensors } = await run.open(OPTIONS);
  expect(tensors).toEqual(expect.arrayContaining(['C', 'W1', 'dW1', 'h', 'dh', 'hprebn', 'logits', 'dlogits']));
  const shapes = async () =>
    page.evaluate("Promise.all(['W1', 'dW1', 'h'].map((name) => backpropNinja.ask('liveTensor', name).then((t) => t && t.shape)))");
  expect(await shapes()).toEqual([[30, 10], null, null]);
  await run.train(1);
  expect(await shapes()).toEqual([
    [30, 10],
    [30, 10],
    [32, 10],
  ]);
});

it('a run that is refused leaves the one before, and one that is replaced is gone with its worker', async () => {
  await run.open(OPTIONS);
  await run.train(10);
  expect(await refusal({ lr: 'fast' })).toBe("option '--lr <rate>' argument 'fast' is invalid. Expected a number above 0 up to 1000.");
  expect((await run.train(1)).step).toBe(11);
  for (let again = 0; again < 5; again++) await run.open(OPTIONS);
  // The engine of the pass, and that of the run.
  await expect.poll(() => page.workers().length).toBe(2);
});

it('damaged, foreign and imported files, other settings and other names are refused in the words of the terminal', async () => {
  const damaged = Uint8Array.from(whole);
  damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
  const differing =
    'your checkpoint has other settings: --seed is 2147483647 there, but 5 here; --steps is 150 there, but 100 here, and can only be raised';
  expect(await refusal({}, damaged)).toBe("'your checkpoint': damaged: SHA-256 mismatch");
  expect(await refusal({}, whole.subarray(0, 100))).toMatch(/^'your checkpoint': (truncated|not a safetensors file)/);
  expect(await refusal({}, new TextEncoder().encode('anna\nbob\n'))).toMatch(/^'your checkpoint': .*not a safetensors file/);
  expect(await refusal({ seed: 5, steps: 100 }, whole)).toBe(differing);
  const names = 'Ulm\nBonn\nHof\nJena\nKiel\nTrier\nWorms\nMainz';
  expect(await refusal({}, whole, { text: names })).toMatch(
    /^your list is not the data set of the run: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; new characters .*; missing characters /,
  );
  expect((await runCli(cwd, ['export', 'whole', '--to', 'weights.npz'])).exitCode).toBe(0);
  const { exitCode, stderr } = await runCli(cwd, ['import', 'weights.npz', '--data', BUNDLED_NAMES, '--out', 'imported']);
  expect([exitCode, stderr]).toEqual([0, stderr]);
  expect(await refusal({}, readFileSync(fileIn('imported')))).toBe('your checkpoint was imported: there is no training to resume');
});

it('names that are too few once repeats are dropped are refused with their number', async () => {
  const text = 'Ulm\nUlm\nHof\nHof\nKiel\nKiel\nKiel';
  expect(await refusal({ unique: true }, undefined, { text })).toBe('3 different names are too few to split 80/10/10');
});

it('numbers that blow up end the training with the word of the terminal and the way out, each time', async () => {
  await run.open({ steps: 100, hidden: [8], optimizer: 'adamw', weightDecay: 1000, lr: 1000 });
  const problem = () =>
    run.train(null).then(
      () => 'trained',
      (error: Error) => error.message,
    );
  expect(await problem()).toMatch(/after step \d+|at step \d+|NaN|Infinity/);
  expect(await problem()).not.toBe('trained');
});
