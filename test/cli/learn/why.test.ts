import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../../src/data/dataset.js';
import { TENSOR_NAMES } from '../../../src/lesson/entry.js';
import { backward, GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import { createNamesCase } from '../../../src/lesson/namesCase.js';
import { why } from '../../../src/lesson/why.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { NAMES, runCli, type Surroundings, trainSmall, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { makeDirectory, removeDirectory, tempDirectory } from '../../support/tempDirectory.js';

/** A run of the names, beside the names. */
let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  await trainSmall(trained, '--split-seed', '5');
  return () => removeDirectory(trained);
});

const TTY = { tty: true, columns: 80 } as const;
const ask = (words: string, surroundings: Surroundings = {}) =>
  runCli(trained, ['why', ...words.split(' ').filter(Boolean), '--data', 'names.txt'], surroundings);

describe('why', () => {
  it('shows the value, the formula, its numbers, the terms by size, and what to ask next', async () => {
    const { stdout, stderr, exitCode } = await runCli(trained, ['why', 'dW1', '3,17']);
    expect(stdout).toMatchInlineSnapshot(`
      "dW1[3,17] = -0.000138497
      input 3, hidden unit 17; seed 1, batch 0, n 32

        dW1[3,17] = Σᵢ embact[i,3] · dhprebn[i,17]
                  = 1.18 · 0.002687 + 1.093 · 0.002482 + 1.093 · (-0.001784) + 29 more
        i runs over the 32 examples

         0.003171  = embact[13,3]  1.180  · dhprebn[13,17]   0.002687   .br → i
         0.002712  = embact[11,3]  1.093  · dhprebn[11,17]   0.002482   ars → h
        -0.001949  = embact[19,3]  1.093  · dhprebn[19,17]  -0.001784   aka → s
        -0.001696  = embact[30,3]  1.180  · dhprebn[30,17]  -0.001437   ..e → m
        -0.001590  = embact[26,3]  1.180  · dhprebn[26,17]  -0.001347   ..z → o
         0.001530  = embact[1,3]   0.579  · dhprebn[1,17]    0.002642   ehk → i
        -0.001021  = embact[23,3]  1.180  · dhprebn[23,17]  -0.000865   ..b → a
         0.000863  = embact[18,3]  1.180  · dhprebn[18,17]   0.000732   .wa → f
        -0.000754  = embact[8,3]   1.180  · dhprebn[8,17]   -0.000638   .kw → e
        -0.000725  = embact[6,3]   1.180  · dhprebn[6,17]   -0.000614   .br → a
        22 more terms add up to -0.00068; --all lists them

      Next: backprop-ninja why dhprebn 13,17
      "
    `);
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(readFileSync(new URL('../../../docs/dojo.md', import.meta.url), 'utf8')).toContain(`\`\`\`\n${stdout}\`\`\`\n`);
  });

  it('explains an entry as lesson.why does, on the pass of the seed, the batch and n', async () => {
    const { stdout } = await ask('dhprebn 2,5 --seed 3 --batch 4 --n 8 --json');
    const { values } = createNamesCase(createDataset(NAMES, { splitSeed: 42, unique: false }), { seed: 3, batch: 4, n: 8 });
    const explanation = why({ ...values, ...backward(values) }, 'dhprebn', [2, 5]);
    expect(JSON.parse(stdout)).toEqual({ ...explanation, seed: 3, batch: 4, n: 8 });
  });

  it.each(['dW1[3,17]', 'dW1[3, 17]', 'dW1 [3, 17]', 'dW1 3 17', 'dW1 3, 17', 'dW1(3,17)'])('reads %s', async (words) => {
    expect((await ask(words)).stdout).toBe((await ask('dW1 3,17')).stdout);
    expect((await runCli(trained, ['why', words, '--data', 'names.txt'])).stdout).toBe((await ask('dW1 3,17')).stdout);
  });

  it('without an index explains the largest entry, and says so; without a tensor, the loss', async () => {
    const { stdout } = await ask('dW2');
    const { name, at, value } = JSON.parse((await ask('dW2 --json')).stdout);
    expect(stdout.split('\n')[1]).toMatch(
      /^the largest of the 960 entries of dW2; hidden unit \d+, character \d+ \(.\); seed 1, batch 0, n 32$/,
    );
    expect(stdout).toContain(`${name}[${at}] = ${Number(value.toPrecision(6))}\n`);
    expect((await ask('')).stdout).toBe((await ask('loss')).stdout);
    expect((await ask('')).stdout).toMatch(/^loss = \d\.\d+\nseed 1, batch 0, n 32\n/);
  });

  it('lists ten terms and what the others add up to, or all', async () => {
    const terms = (text: string) => text.match(/^ +-?[\d.e-]+ {2}= /gm)?.length;
    const short = (await ask('dW1 3,17')).stdout;
    const long = (await ask('dW1 3,17 --all')).stdout;
    expect([terms(short), terms(long)]).toEqual([10, 32]);
    expect(short).toMatch(/\n {2}22 more terms add up to -?\d.*; --all lists them\n/);
    expect(long).not.toContain('more terms');
    expect((await ask('dcounts_sum_inv 3')).stdout).toContain('more terms are 0\n');
    expect(terms((await ask('dW1 3,17 --n 11')).stdout)).toBe(11);
  });

  it('explains every tensor, in lines that fit a terminal of 80 columns, and one of 30', async () => {
    for (const name of TENSOR_NAMES) {
      for (const columns of [80, 30]) {
        const { stdout, exitCode } = await ask(`${name} --no-color`, { tty: true, columns });
        expect(exitCode).toBe(0);
        expect(
          stdout.split('\n').filter((line) => line.length > columns),
          name,
        ).toEqual([]);
      }
    }
  });

  it('leads from every gradient, by what it proposes next, to where the backward pass begins', async () => {
    for (const name of GRADIENT_NAMES) {
      let words: string | undefined = name;
      let text = '';
      for (let step = 0; words !== undefined && step < 30; step++) {
        text = (await ask(`${words} --n 3`)).stdout;
        [, words] = /\nNext: backprop-ninja why (.*) --n 3 --data names.txt\n$/.exec(text) ?? [];
      }
      expect(text, name).toMatch(/^dlogprobs\[.* = -0\.333333\n[\s\S]*The backward pass begins here\. The loss: backprop-ninja why loss /);
    }
  });

  it('says why an entry is 0, and proposes one that is not', async () => {
    const { Yb } = createNamesCase(createDataset(NAMES, { splitSeed: 42, unique: false }), { seed: 1, batch: 0, n: 32 }).values;
    const target = Yb.data[3];
    const { stdout } = await ask(`dlogprobs 3,${target === 1 ? 2 : 1}`);
    expect(stdout).toContain(`= 0: the target of example 3 is character ${target}, so the loss does not read this entry\n`);
    expect(stdout).toContain(`\nThe target: backprop-ninja why dlogprobs 3,${target} --data names.txt\n`);
    const { Xb } = createNamesCase(createDataset(NAMES, { splitSeed: 42, unique: false }), { seed: 1, batch: 0, n: 2 }).values;
    const absent = Array.from({ length: 15 }, (_, v) => v).find((v) => !Xb.data.includes(v));
    const text = (await ask(`dC ${absent},0 --n 2`)).stdout;
    expect(text).toContain(`= 0: character ${absent} does not occur in the contexts of this batch\n`);
    expect(text).toContain('\nAn entry that is not 0: backprop-ninja why dC --n 2 --data names.txt\n');
    expect((await ask('dprobs 3,1')).exitCode).toBe(0);
  });

  it('of a parameter leads to its gradient', async () => {
    expect((await ask('W1 3,4')).stdout).toMatch(/is a parameter: .*\n\nIts gradient: backprop-ninja why dW1 3,4 --data names.txt\n$/);
  });

  it('uses colours on a terminal only', async () => {
    expect((await ask('dW1', TTY)).stdout).toContain('\u001b[');
    expect((await ask('dW1')).stdout).not.toContain('\u001b[');
  });
});

describe('why --run', () => {
  it("explains the run's network on the run's data", async () => {
    const checkpoint = loadCheckpoint(join(trained, 'run', 'checkpoint.safetensors'));
    const { stdout, exitCode } = await runCli(trained, ['why', 'W1', '2,3', '--run', 'run', '--json']);
    expect(exitCode).toBe(0);
    const { value, checkpoint: path } = JSON.parse(stdout);
    expect(value).toBe(checkpoint.tensors.get('W1')?.[2 * 8 + 3]);
    expect(path).toBe(join(trained, 'run', 'checkpoint.safetensors'));
    const { values } = createNamesCase(createDataset(NAMES, { splitSeed: 5, unique: false }), { seed: 2, batch: 0, n: 32 });
    const { at, terms } = JSON.parse((await runCli(trained, ['why', 'dC', '--run', 'run', '--json', '--seed', '2'])).stdout);
    expect(terms).toHaveLength(values.Xb.data.filter((v) => v === at[0]).length);
    const text = (await runCli(trained, ['why', 'dW1', '2,3', '--run', 'run'])).stdout;
    expect(text).toContain('; run/checkpoint.safetensors, seed 1, batch 0, n 32\n');
    expect(text).toMatch(/\nNext: backprop-ninja why dhprebn \d+,3 --run run\n$/);
  });

  it('refuses what the lesson cannot show, and what it cannot find', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', '--data', 'names.txt', '--steps', '5', '--hidden', '6,5', '--embedding', '2', '--out', 'deep']);
    expectRefusal(
      await runCli(cwd, ['why', 'dW1', '--run', 'deep']),
      2,
      "deep/checkpoint.safetensors has 2 blocks (--hidden 6,5): the lesson's pass is that of one block; name a run of one block, or leave out --run",
    );
    expectRefusal(await runCli(cwd, ['why', 'dW1', '--run', 'nowhere']), 4, 'cannot read nowhere');
    expectRefusal(await runCli(cwd, ['why', 'dW1', '--run', 'deep', '--column', '2']), 2, '--column cannot be used with --run');
  });
});

describe('why refuses', () => {
  it.each([
    ['dw1 3,17', "there is no tensor 'dw1'; did you mean dW1"],
    ['foo', "there is no tensor 'foo'; the tensors are C, W1"],
    ['dW1 3', 'dW1 has shape [30, 64]: expected 2 indices, found 1; name an entry from dW1[0,0] to dW1[29,63]'],
    ['dW1 30,0', 'the first index is 30, expected 0 to 29; indices count from 0'],
    ['dW1 -1 0', 'the first index is -1, expected 0 to 29; indices count from 0: the last one is 29'],
    ['dW1 -1,0', "unknown option '-1,0'; indices count from 0, and never from the end"],
    ['dW1 1.5,0', "dW1[1.5,0]: '1.5' is not a whole number"],
    ['dW1 --n 1', 'a whole number from 2 to 1024'],
    ['dW1 --batch -1', 'a whole number from 0 to 100000'],
    ['dW1 --batch-size 8', 'it is --n here'],
  ])('%s', async (words, message) => expectRefusal(await ask(words), 2, message));
});
