import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const QUICK = ['bench', '--hidden', '9', '--seconds', '0.2'];

describe('bench', () => {
  it('compares the results of both backends, then times each layer and the whole step', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), QUICK);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^T 3, E 10, H 9, V 27, n 32: [\d,]+ parameters; the backends agree$/m);
    expect(stdout).toMatch(/^SIMD peak of this core: [\d.]+ GFLOP\/s/m);
    for (const heading of ['wasm', 'reference float32', 'embedding table, backward', 'whole step, batch included']) {
      expect(stdout).toContain(heading);
    }
    expect(stdout.match(/^[\d,]+ steps\/s$/gm)).toHaveLength(2);
  });

  it('times the plain first layer if the vocabulary is larger than twice the batch', async () => {
    const { stdout } = await runCli(tempDirectory(), [...QUICK, '--batch-size', '4', '--backend', 'wasm']);
    expect(stdout).toContain('linear 1, backward');
    expect(stdout).not.toContain('embedding table');
    expect(stdout).not.toContain('reference');
  });

  it('lists the layers of every block', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['bench', '--hidden', '9,7,5', '--seconds', '0.2', '--backend', 'wasm']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^T 3, E 10, H 9,7,5, V 27, n 32: /);
    const layers = stdout.split('\n').flatMap((line) => line.match(/^[a-z][\w ,-]+?(?= {2,})/) ?? []);
    const both = (layer: string) => [`${layer}, forward`, `${layer}, backward`];
    expect(layers).toEqual([
      'wasm',
      ...both('embedding table'),
      ...both('batch norm and tanh'),
      ...[2, 3].flatMap((K) => [...both(`linear ${K}`), ...both(`batch norm and tanh ${K}`)]),
      ...both('linear'),
      ...both('cross-entropy'),
      'update',
      'whole step, batch included',
    ]);
  });

  it.each([
    ['24,16,8', '2'],
    ['24,16,8', '3'],
    ['1,1', '32'],
    [Array(16).fill('16').join(','), '8'],
  ])('finds that the backends agree: H %s, n = %s', async (hidden, n) => {
    const argv = ['bench', '--hidden', hidden, '--batch-size', n, '--seconds', '0.01', '--backend', 'wasm'];
    expect(await runCli(tempDirectory(), argv)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('the backends agree'),
    });
  });

  it('prints one JSON document with --json, in which the rates match the times', async () => {
    const { stdout } = await runCli(tempDirectory(), [...QUICK, '--json']);
    const { ok, peakGflops, backends } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(backends.map(({ backend }: { backend: string }) => backend)).toEqual(['wasm', 'reference float32']);
    for (const { microsecondsPerStep, stepsPerSecond, layers } of backends) {
      expect(stepsPerSecond).toBeCloseTo(1e6 / microsecondsPerStep);
      for (const { operations, microseconds, gflops, shareOfPeak } of layers) {
        expect(gflops).toBeCloseTo(operations / microseconds / 1e3);
        expect(shareOfPeak).toBeCloseTo(gflops / peakGflops);
      }
    }
  });
});
