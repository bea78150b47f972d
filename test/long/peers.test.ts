// npm run bench: every peer computes what we compute, or is left out with a reason. It judges no speed.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { inProject } from '../support/inProject.js';
import { tempDirectory } from '../support/tempDirectory.js';

const hasGcc = spawnSync('gcc', ['--version']).status === 0;
const counts = [1, 2].filter((threads) => threads <= availableParallelism());
/** With columns and rows that fill no vector and no share. */
const SIZES = ['64x32', '201x33', '9x5'];

/** Runs the script for as short as it can be. */
async function bench(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const argv = [
    inProject('node_modules/jiti/lib/jiti-cli.mjs'),
    inProject('bench/peers.ts'),
    '--rounds',
    '1',
    '--seconds',
    '0.01',
    ...args,
  ];
  try {
    return { exitCode: 0, ...(await promisify(execFile)(process.execPath, argv)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

const entriesOf = ({ timings }: { timings: { name: string; threads: number; size: number[] }[] }) =>
  timings.map(({ name, threads, size }) => `${name} ${threads} ${size.join('x')}`);

describe.skipIf(!hasGcc)('beside plain C', () => {
  it('on one and on two threads, both have our loss, gradient norm and loss after an update', async () => {
    const { stdout } = await bench('--only', 'c', '--sizes', SIZES.join(','), '--json');
    const result = JSON.parse(stdout);
    expect(result.leftOut).toEqual(counts.length === 2 ? [] : ['2 threads: this machine has 1 core']);
    expect(entriesOf(result)).toEqual(
      SIZES.flatMap((size) => ['ours', 'c'].flatMap((name) => counts.map((count) => `${name} ${count} ${size}`))),
    );
    for (const { microseconds } of result.timings) expect(microseconds).toEqual([expect.any(Number)]);
  });

  it.each([
    ['the variance is divided by n', '(variance[j] / (B - 1)', '(variance[j] / B', 'loss'],
    [
      'dC leaves out the last position',
      'for (int t = 0; t < T; t++)\n      for (int e',
      'for (int t = 0; t < T - 1; t++)\n      for (int e',
      'norm',
    ],
    ['the rate is twice as high', '#define RATE .1f', '#define RATE .2f', 'loss after one update'],
  ])('a peer is refused if %s', async (_, right, wrong, what) => {
    const source = readFileSync(inProject('bench/step.c'), 'utf8');
    expect(source).toContain(right);
    const planted = join(tempDirectory(), 'planted.c');
    writeFileSync(planted, source.replace(right, wrong));
    const { stdout } = await bench('--only', 'c', '--threads', '1', '--sizes', '64x32', '--c', planted, '--json');
    const result = JSON.parse(stdout);
    expect(entriesOf(result)).toEqual(['ours 1 64x32']);
    expect(result.leftOut).toEqual([
      expect.stringMatching(new RegExp(`^C ×1 at H 64, n 32: refused: its ${what}.* is [\\d.]+, ours [\\d.]+$`)),
    ]);
  });
});

it.skipIf(hasGcc)('needs gcc, which is not installed: skipped', () => {});

describe('the options', () => {
  it('a peer that is not installed is left out with a line that says what to install', async () => {
    const { stdout, stderr, exitCode } = await bench('--only', 'torch', '--sizes', '9x5', '--threads', '1', '--python', '/nowhere/python3');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('left out: PyTorch: /nowhere/python3 is not installed (Debian: install python3-torch');
    expect(stdout).toMatch(/^\| 9 \| 5 \| [\d.]+ \|$/m);
  });

  it.each([
    [['--only', 'tensorflow'], "--only is tensorflow: expected names out of ours, c, torch, jax-js, tfjs, tfjs-cpu, found 'tensorflow'\n"],
    [['--sizes', '64x32,200'], "--sizes is 64x32,200: expected hidden units x batch size, such as 200x32, found '200'\n"],
    [['--threads', '0'], "--threads is 0: expected numbers of threads, found '0'\n"],
    [['--size', '64x32'], "Unknown option '--size'\n"],
  ])('%j is refused in one line', async (args, message) => {
    expect(await bench(...args)).toEqual({ exitCode: 2, stdout: '', stderr: message });
  });
});
