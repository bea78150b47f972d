import { describe, expect, it } from 'vitest';
import { drawBatch } from '../src/batch.js';
import type { Examples } from '../src/dataset.js';
import { randomStream } from '../src/random.js';

// Example r has the context [10r, 10r+1, 10r+2] and the target r, so that a batch shows where each number came from.
const COUNT = 5;
const EXAMPLES: Examples = {
  count: COUNT,
  rows: Uint8Array.from(Array.from({ length: COUNT }, (_, r) => [10 * r, 10 * r + 1, 10 * r + 2, r]).flat()),
};

function batch(n: number, seed: number, size = n): { Xb: Int32Array; Yb: Int32Array } {
  const Xb = new Int32Array(3 * size).fill(-1);
  const Yb = new Int32Array(size).fill(-1);
  drawBatch(Xb, Yb, EXAMPLES, randomStream('batches', seed), n, 3);
  return { Xb, Yb };
}

describe('drawBatch', () => {
  it('keeps each context with its target', () => {
    const { Xb, Yb } = batch(20, 1);
    expect([...Xb]).toEqual([...Yb].flatMap((r) => [10 * r, 10 * r + 1, 10 * r + 2]));
  });

  it('fills n rows and no more', () => {
    const { Xb, Yb } = batch(2, 1, 4);
    expect([...Xb.subarray(6), ...Yb.subarray(2)]).toEqual(new Array(8).fill(-1));
    expect(Math.min(...Xb.subarray(0, 6), ...Yb.subarray(0, 2))).toBeGreaterThanOrEqual(0);
  });

  it('depends on the seed alone', () => {
    expect(batch(20, 1)).toEqual(batch(20, 1));
    expect(batch(20, 1)).not.toEqual(batch(20, 2));
  });

  it('draws each example about equally often, with replacement: chi-square of 5,000 below 18.5 (0.1 %)', () => {
    const counts = new Array<number>(COUNT).fill(0);
    for (const r of batch(5_000, 3).Yb) counts[r]++;
    expect(counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(18.5);
  });
});
