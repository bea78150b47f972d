// Training in the page, as a reader does it: the form, the buttons, the address, files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { flagName, type OptionRow } from '../../src/core/optionRow.js';
import { countOf } from '../../src/core/text.js';
import { readAddress } from '../../src/page/properties.js';
import { contradiction, PAGE_OPTIONS, withOption } from '../../src/page/views/train/options.js';
import { TRAINING_OPTIONS } from '../../src/training/options.js';
import { PRESET_NAMES } from '../../src/training/presets.js';
import { fragmentOf, openPage, refusingStorage, reload, settled, useBrowser, violations } from '../support/browser.js';
import { runCli } from '../support/fakeIO.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const browser = useBrowser();

const SMALL = 'hidden=16&steps=400&evalEvery=200';
const SMALL_ARGV = ['--hidden', '16', '--steps', '400', '--eval-every', '200'];

/** A run that is paused or left before its end on any machine: this many steps take hours. */
const ENDLESS = 'hidden=16&steps=1000000000';

const open = (more = '', options = {}) => openPage(browser(), `view=train${more === '' ? '' : `&${more}`}`, options);
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const said = (page: Page, text: string | RegExp) => page.locator('.train-said', { hasText: text }).waitFor();
const commandIn = (page: Page) => page.textContent('.train-command code');
const fragment = async (page: Page) => `#${await fragmentOf(page)}`;
const row = (key: string) => PAGE_OPTIONS.find((one) => one.key === key) as OptionRow;

/** Downloads the checkpoint. */
async function checkpointOf(page: Page): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save checkpoint')]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** What `train` writes. */
async function trained(argv: readonly string[]): Promise<Buffer> {
  const directory = tempDirectory();
  const { exitCode, stderr } = await runCli(directory, ['train', ...argv, '--out', 'run']);
  expect([exitCode, stderr]).toEqual([0, stderr]);
  return readFileSync(join(directory, 'run', 'checkpoint.safetensors'));
}

describe('the form', () => {
  it('has every option of `train` but those of files and of reading names, with its description, flag and default', async () => {
    const { page, complaints } = await open();
    const flags = await page.locator('.train-field code').allTextContents();
    const train = (TRAINING_OPTIONS as readonly OptionRow[]).filter(({ flag, commands }) => flag && commands?.includes('train'));
    const left = train.map(flagName).filter((flag) => !flags.includes(flag));
    // The rest goes with another optimizer, or is about files and lists.
    expect(left.sort()).toEqual(
      ['--beta1', '--beta2', '--column', '--init', '--momentum', '--normalize', '--save-every', '--weight-decay'].sort(),
    );
    expect(await page.inputValue('#option-hidden')).toBe('200');
    expect(await page.inputValue('#option-lr')).toBe('0.1');
    expect(await page.locator('[name=preset] option').allTextContents()).toHaveLength(PRESET_NAMES.length);
    expect(complaints).toEqual([]);
  });

  it('shows an option with the one that it goes with, and takes its value back with it', async () => {
    const { page, complaints } = await open();
    expect(await page.locator('#option-momentum').count()).toBe(0);
    await page.selectOption('#option-optimizer', 'nesterov');
    await page.fill('#option-momentum', '0.8');
    await expect.poll(() => fragment(page)).toContain('optimizer=nesterov&momentum=0.8');
    await page.selectOption('#option-optimizer', 'adam');
    expect(await page.inputValue('#option-lr')).toBe('0.001');
    await expect.poll(() => fragment(page)).toBe('#view=train&optimizer=adam');
    expect(await commandIn(page)).toBe('npx backprop-ninja train --optimizer adam');
    expect(complaints).toEqual([]);
  });

  it('says what is expected of a value that cannot be read, and does not train without it', async () => {
    const { page, complaints } = await open();
    await page.fill('#option-hidden', '64,x');
    await page.keyboard.press('Tab');
    expect(await page.textContent('#option-hidden-note')).toBe(`Expected ${row('hidden').kind.expected}.`);
    expect(await page.getAttribute('#option-hidden', 'aria-invalid')).toBe('true');
    await press(page, 'Start');
    expect(await page.textContent('.train-refused')).toContain(
      `option '--hidden <H,...>' argument '64,x' is invalid. Expected ${row('hidden').kind.expected}.`,
    );
    expect(await page.evaluate('document.activeElement.id')).toBe('option-hidden');
    await page.fill('#option-hidden', '64');
    expect(await page.getAttribute('#option-hidden', 'aria-invalid')).toBe(null);
    await expect.poll(() => fragment(page)).toBe('#view=train&hidden=64');
    await page.fill('#option-hidden', '');
    await page.keyboard.press('Tab');
    expect(await page.inputValue('#option-hidden')).toBe('200');
    await expect.poll(() => fragment(page)).toBe('#view=train');
    expect(complaints).toEqual([]);
  });

  it.each([
    ['momentum=0.5', '--momentum goes with --optimizer momentum or nesterov, not with sgd'],
    ['steps=10&warmup=20', '--warmup is 20 but --steps is 10, so the learning rate never reaches its full value'],
    ['optimizer=adamw&weightDecay=W7%3D1', '--weight-decay names W7'],
  ])('says in the words of the terminal why options contradict each other: %s', async (options, reason) => {
    const { page, complaints } = await open(options);
    expect(await page.textContent('.train-problem')).toContain(reason);
    await press(page, 'Start');
    await page.locator('.train-refused', { hasText: reason }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('has the options of the preset that is chosen; seeds stay', async () => {
    const { page, complaints } = await open('hidden=30&trainSeed=3');
    await page.selectOption('[name=preset]', 'fast');
    expect(await page.inputValue('#option-hidden')).toBe('96');
    expect(await page.inputValue('#option-optimizer')).toBe('adamw');
    expect(await commandIn(page)).toBe('npx backprop-ninja train --preset fast --seed 3');
    await press(page, 'Undo the changes');
    await expect.poll(() => fragment(page)).toBe('#view=train&preset=fast');
    expect(complaints).toEqual([]);
  });
});

describe('the choice of options', () => {
  it('leaves out what the preset has anyway, and what no longer goes with the others', () => {
    const lesson = { preset: 'lesson', options: {} } as const;
    expect(withOption(lesson, row('hidden'), [200])).toEqual(lesson);
    const adam = withOption(withOption(lesson, row('optimizer'), 'adam'), row('beta2'), 0.9);
    expect(adam.options).toEqual({ optimizer: 'adam', beta2: 0.9 });
    expect(withOption(adam, row('optimizer'), 'sgd')).toEqual(lesson);
    expect(contradiction({ preset: 'lesson', options: { beta2: 0.9 } })).toMatch(/--beta2 goes with --optimizer adam or adamw/);
  });

  it('has an address for every option: its key, with `train` before it where the pass has the same', () => {
    const { state, unreadable } = readAddress(
      'view=train&preset=fast&hidden=30,20&lr=1e-2&seed=4&trainSeed=9007199254740991&unique=true&clip=x',
    );
    expect(state.options).toEqual({ hidden: [30, 20], lr: 0.01, seed: Number.MAX_SAFE_INTEGER, unique: true });
    expect([state.preset, state.seed]).toEqual(['fast', 4]);
    expect(unreadable).toEqual([{ key: 'clip', text: 'x', expected: row('clip').kind.expected }]);
  });
});

describe('a run', () => {
  it('trains to its end, with curves, n-grams, names, a tensor and findings; its checkpoint is the bytes of `train`', async () => {
    const { page, complaints } = await open(SMALL);
    await press(page, 'Start');
    await said(page, /^Done: 400 steps, validation loss 2\.\d{4}\.$/);
    await settled(page);
    expect(await page.textContent('.train-steps')).toMatch(/step 400 of 400.*smoothed loss 2\.\d{4}/);
    expect(await page.locator('.train-drawn li').count()).toBeGreaterThan(1);
    expect(await page.locator('.train-drawn-at').first().textContent()).toMatch(/^step 400, loss 2\.\d{4}$/);
    expect(await page.locator('.train-drawn-at').last().textContent()).toBe('step 0');
    expect(await page.locator('.train-tensor [data-tensor=W1] canvas').count()).toBe(1);
    await page.selectOption('[name=watch]', 'C');
    await page.waitForSelector('[data-tensor=C]');
    await expect.poll(() => fragment(page)).toContain('watch=C');
    expect(await page.locator('.train-inside .distribution').count()).toBeGreaterThan(3);
    expect(await page.locator('.train-findings h3').count()).toBe(1);
    const { name, bytes } = await checkpointOf(page);
    expect(name).toBe('checkpoint.safetensors');
    expect(bytes.equals(await trained(SMALL_ARGV))).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('paused in the middle, continued: ends with the same bytes; a checkpoint of the middle opens and goes on to them, too', async () => {
    const { page, complaints } = await open('hidden=16&steps=6000&evalEvery=2000');
    const argv = ['--hidden', '16', '--steps', '6000', '--eval-every', '2000'];
    await press(page, 'One step');
    await said(page, 'Paused after 1 step.');
    // By the engine, to a step that no speed changes.
    await page.evaluate("backpropNinja.start('liveTrain', [2499], () => {}).result");
    await press(page, 'One step');
    await said(page, 'Paused after 2,501 steps.');
    const middle = await checkpointOf(page);
    const expected = await trained(argv);
    await press(page, 'Continue');
    await said(page, /^Done/);
    expect((await checkpointOf(page)).bytes.equals(expected)).toBe(true);

    const other = await open();
    await other.page.getByLabel('A checkpoint').setInputFiles({ name: 'middle.safetensors', mimeType: '', buffer: middle.bytes });
    await said(other.page, 'middle.safetensors is open, after step 2,501.');
    expect(await commandIn(other.page)).toBe(`npx backprop-ninja train ${argv.join(' ')}`);
    await expect.poll(() => fragment(other.page)).toBe('#view=train&hidden=16&steps=6000&evalEvery=2000');
    await press(other.page, 'Continue');
    await said(other.page, /^Done/);
    expect((await checkpointOf(other.page)).bytes.equals(expected)).toBe(true);
    expect([...complaints, ...other.complaints]).toEqual([]);
  });

  it('is paused after a whole step, whenever you press Pause; one step and Continue go on from there', async () => {
    const { page, complaints } = await open(ENDLESS);
    await press(page, 'Start');
    await press(page, 'Pause');
    await said(page, /^Paused after/);
    const paused = async () => Number(/[\d,]+/.exec((await page.textContent('.train-said')) ?? '')?.[0].replaceAll(',', ''));
    const step = await paused();
    await press(page, 'One step');
    await said(page, `Paused after ${countOf(step + 1, 'step')}.`);
    await press(page, 'Continue');
    await press(page, 'Pause');
    await said(page, /^Paused after/);
    expect(await paused()).toBeGreaterThan(step + 1);
    expect(complaints).toEqual([]);
  });

  it('ends with names of its last step, also where those before come late', async () => {
    const { page, complaints } = await open('hidden=16&steps=20');
    await page.addInitScript(`{
      const Before = Worker;
      globalThis.Worker = class extends Before {
        postMessage(request) {
          if (request.method === 'liveSamples') this.first ??= request.id;
          if (request.method === 'liveTrain') this.training = request.id;
          super.postMessage(request);
        }
        set onmessage(take) {
          super.onmessage = (event) => {
            const { id, kind } = event.data;
            if (id === this.first && !this.trained) {
              this.late = event;
              return;
            }
            take(event);
            if (id !== this.training || kind !== 'result') return;
            this.trained = true;
            if (this.late) take(this.late);
          };
        }
      };
    }`);
    await reload(page);
    await press(page, 'Start');
    await said(page, /^Done/);
    await page.locator('.train-drawn-at', { hasText: 'step 20, loss' }).waitFor();
    expect(await page.locator('.train-drawn-at').allTextContents()).toEqual([
      expect.stringMatching(/^step 20, loss/),
      expect.stringMatching(/^step/),
    ]);
    expect(complaints).toEqual([]);
  });

  it('goes back to the start: the same initialisation, and the same end', async () => {
    const { page, complaints } = await open(SMALL);
    await press(page, 'Start');
    await said(page, /^Done/);
    const first = (await checkpointOf(page)).bytes;
    await press(page, 'Back to the start');
    await said(page, 'Ready: the network is as initialised.');
    expect(await page.textContent('.train-steps')).toContain('step 0 of 400');
    await press(page, 'Continue');
    await said(page, /^Done/);
    expect((await checkpointOf(page)).bytes.equals(first)).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('shows the tensor that was chosen last, also while another one is asked for', async () => {
    const { page, complaints } = await open('hidden=400&steps=100');
    await press(page, 'One step');
    await said(page, 'Paused after 1 step.');
    for (const name of ['C', 'b1', 'W1', 'b2', 'W2', 'C', 'W2']) await page.selectOption('[name=watch]', name);
    await page.waitForSelector('[data-tensor=W2]');
    expect(complaints).toEqual([]);
  });

  it('keeps its options while others are chosen, says so, and begins anew with them', async () => {
    const { page, complaints } = await open(SMALL);
    await press(page, 'Start');
    await page.fill('#option-steps', '300');
    await page.locator('.train-differs', { hasText: 'You have changed options since this run began' }).waitFor();
    await said(page, /^Done: 400 steps/);
    await press(page, 'Start a new run');
    await said(page, /^Done: 300 steps/);
    expect(await page.locator('.train-differs').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('trains on while another view is open, whose header says how far', async () => {
    const { page, complaints } = await open(ENDLESS);
    await press(page, 'Start');
    await page.click('nav button:text-is("The pass")');
    await page.locator('nav button', { hasText: /^Train \d+ %$/ }).waitFor();
    await page.keyboard.press(']');
    await page.waitForSelector('#step-title');
    await page.locator('nav button', { hasText: 'Train' }).click();
    await said(page, 'Training.');
    await press(page, 'Pause');
    await said(page, /^Paused after/);
    expect(complaints).toEqual([]);
  });

  it('that diverges ends with the sentence of the terminal, and doctor says so; another one can be started', async () => {
    const { page, complaints } = await open('optimizer=adamw&lr=1000&weightDecay=1000&hidden=16&steps=500');
    await press(page, 'Start');
    await page.locator('.train-said', { hasText: '✗' }).waitFor();
    expect(await page.textContent('.train-said')).toMatch(/NaN|infinite|Inf/);
    expect(await page.locator('[data-finding=diverged]').count()).toBe(1);
    await press(page, 'Undo the changes');
    await page.fill('#option-steps', '300');
    await press(page, 'Train again');
    await said(page, /^Done/);
    expect(complaints).toEqual([]);
  });

  it('of a network that is too large is refused in the words of the terminal', async () => {
    const { page, complaints } = await open('hidden=1048576,1048576');
    await press(page, 'Start');
    const text = await page.locator('.train-refused').textContent();
    expect(text).toMatch(/the network needs .* of memory, the limit is .*; lower --hidden/);
    expect(complaints).toEqual([]);
  });

  it('that a reload ended is said, with the way to come to the same numbers', async () => {
    const { page, complaints } = await open('hidden=16&steps=100000');
    await press(page, 'Start');
    await page.locator('.train-steps', { hasText: 'loss' }).waitFor();
    await reload(page);
    await page.getByText(/The training before was at step [\d,]+ of 100,000/).waitFor();
    await refusingStorage(page);
    await press(page, 'One step');
    await said(page, 'Paused after 1 step.');
    expect(complaints).toEqual([]);
  });
});

describe('files and names', () => {
  it.each([
    ['no safetensors file', Buffer.from('hello'), /your checkpoint/],
    ['an empty file', Buffer.alloc(0), /your checkpoint/],
  ])('%s is refused with a sentence, and the run stays', async (_, buffer, reason) => {
    const { page, complaints } = await open(SMALL);
    await press(page, 'One step');
    await said(page, 'Paused after 1 step.');
    await page.getByLabel('A checkpoint').setInputFiles({ name: 'x.safetensors', mimeType: '', buffer });
    expect(await page.locator('.train-refused').textContent()).toMatch(reason);
    await said(page, 'Paused after 1 step.');
    await press(page, 'Continue');
    await said(page, /^Done/);
    expect(complaints).toEqual([]);
  });

  it('your own names are what it trains on, and the command says how; a checkpoint of other names is refused', async () => {
    const names = ['Ulm', 'Bonn', 'Hof', 'Aachen', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz', 'Emden', 'Essen', 'Celle'];
    const { page, complaints } = await openPage(browser(), 'view=names');
    await page.getByLabel('Paste the list').fill(names.join('\n'));
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 12 names').waitFor();
    await page.click('nav button:text-is("Train")');
    await page.fill('#option-steps', '50');
    await page.fill('#option-hidden', '8');
    expect(await commandIn(page)).toBe('npx backprop-ninja train --hidden 8 --steps 50 --data names.txt');
    await press(page, 'Start');
    await said(page, /^Done/);
    const directory = tempDirectory();
    put(directory, 'names.txt', names.join('\n'));
    const { exitCode } = await runCli(directory, ['train', '--hidden', '8', '--steps', '50', '--data', 'names.txt', '--out', 'run']);
    expect(exitCode).toBe(0);
    const { bytes } = await checkpointOf(page);
    expect(bytes.equals(readFileSync(join(directory, 'run', 'checkpoint.safetensors')))).toBe(true);
    const other = await open();
    await other.page.getByLabel('A checkpoint').setInputFiles({ name: 'x.safetensors', mimeType: '', buffer: bytes });
    expect(await other.page.locator('.train-refused').textContent()).toMatch(/not the data set of the run/);
    expect([...complaints, ...other.complaints]).toEqual([]);
  });
});

describe('back to the start', () => {
  it('keeps the names of the run, whatever is chosen now', async () => {
    const names = ['Ulm', 'Bonn', 'Hof', 'Aachen', 'Jena', 'Kiel', 'Trier', 'Worms', 'Mainz', 'Emden', 'Essen', 'Celle'];
    const { page, complaints } = await openPage(browser(), 'view=names&hidden=8&steps=50');
    await page.getByLabel('Paste the list').fill(names.join('\n'));
    await page.getByRole('button', { name: 'Use these names' }).click();
    await page.getByText('In use: 12 names').waitFor();
    await page.click('nav button:text-is("Train")');
    await press(page, 'Start');
    await said(page, /^Done/);
    const { bytes } = await checkpointOf(page);
    await page.locator('nav button', { hasText: 'Your names' }).click();
    await page.getByRole('button', { name: 'Back to the bundled names' }).click();
    await page.locator('nav button', { hasText: 'Train' }).click();
    await page.locator('.train-differs', { hasText: 'The names are others' }).waitFor();
    await press(page, 'Back to the start');
    await said(page, 'Ready: the network is as initialised.');
    expect(await page.locator('.train-differs').textContent()).toContain('The names are others');
    await press(page, 'Continue');
    await said(page, /^Done/);
    expect((await checkpointOf(page)).bytes.equals(bytes)).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('is refused with a sentence for a run that began with the weights of a file', async () => {
    const directory = tempDirectory();
    const train = (...more: string[]) => runCli(directory, ['train', '--steps', '20', ...more]);
    expect((await train('--hidden', '8', '--out', 'a')).exitCode).toBe(0);
    expect((await train('--init', 'a', '--out', 'b')).exitCode).toBe(0);
    const buffer = readFileSync(join(directory, 'b', 'checkpoint.safetensors'));
    const { page, complaints } = await open();
    await page.getByLabel('A checkpoint').setInputFiles({ name: 'b.safetensors', mimeType: '', buffer });
    await said(page, /^Done/);
    await press(page, 'Back to the start');
    expect(await page.locator('.train-refused').textContent()).toContain('the run began with the weights of a file');
    await said(page, /^Done/);
    expect(complaints).toEqual([]);
  });
});

describe('for everyone', () => {
  it('by keyboard alone: an option, start, pause, one step', async () => {
    const { page, complaints } = await open(ENDLESS);
    await page.focus('.train-controls .strong');
    await page.keyboard.press('Enter');
    await said(page, 'Training.');
    await page.keyboard.press('Enter');
    await said(page, /^Paused after/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await said(page, /^Paused after/);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('One step');
    expect(complaints).toEqual([]);
  });

  it('says little: while it trains, no live region changes', async () => {
    const { page, complaints } = await open(ENDLESS);
    await press(page, 'Start');
    await said(page, 'Training.');
    await page.evaluate(`(() => {
      globalThis.said = [];
      const take = (changes) => said.push(...changes.map(({ target }) => target.textContent).filter((text) => text !== ''));
      for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]'))
        new MutationObserver(take).observe(region, { subtree: true, childList: true, characterData: true });
    })()`);
    // Until it has shown other steps five times.
    const shownStep = () => page.textContent('.train-steps .number');
    for (let k = 0; k < 5; k++) {
      const before = await shownStep();
      await expect.poll(shownStep).not.toBe(before);
    }
    expect(await page.evaluate('said')).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('has no barrier that axe-core finds at %i px, %s, and does not scroll sideways', async (width, colorScheme) => {
    const { page, complaints } = await open(`${SMALL}&optimizer=adamw`, { viewport: { width, height: 800 }, colorScheme });
    await press(page, 'Start');
    await said(page, /^Done/);
    if (width === 390) await page.click('.train-options > summary');
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    expect(complaints).toEqual([]);
  });

  it('follows a window that becomes narrower; no number is cut off at 900 px or more', async () => {
    const { page, complaints } = await open(`${SMALL}&hidden=16,16,16&clip=0.1`);
    await press(page, 'Start');
    await said(page, /^Done/);
    const cut = "[...document.querySelectorAll('.distributions')].filter((one) => one.scrollWidth > one.clientWidth).length";
    for (const width of [1280, 1024, 910, 768, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const shown = () => page.evaluate(`[document.documentElement.scrollWidth, innerWidth > 900 ? ${cut} : 0]`);
      await expect.poll(shown).toEqual([width, 0]);
    }
    expect(complaints).toEqual([]);
  });
});
