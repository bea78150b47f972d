import { describe, expect, it } from 'vitest';
import { randomStream, restoreStream } from '../../src/core/random.js';
import { drawBatch, Epochs } from '../../src/data/batch.js';
import type { Examples } from '../../src/data/dataset.js';

// Example r has the target r+1 and the three numbers before it as its context, so a batch shows which example each number came from.
const COUNT = 5;
const EXAMPLES: Examples = {
  count: COUNT,
  context: 3,
  text: Uint8Array.from({ length: COUNT + 1 }, (_, r) => r),
};

const contextBefore = (target: number) => [target - 3, target - 2, target - 1].map((entry) => Math.max(0, entry));

function batch(n: number, seed: number, size = n): { Xb: Int32Array; Yb: Int32Array } {
  const Xb = new Int32Array(3 * size).fill(-1);
  const Yb = new Int32Array(size).fill(-1);
  drawBatch({ n, Xb, Yb }, EXAMPLES, randomStream('batches', seed));
  return { Xb, Yb };
}

describe('drawBatch', () => {
  it('keeps each context with its target', () => {
    const { Xb, Yb } = batch(20, 1);
    expect([...Xb]).toEqual([...Yb].flatMap(contextBefore));
  });

  it('fills n rows and no more', () => {
    const { Xb, Yb } = batch(2, 1, 4);
    expect([...Xb.subarray(6), ...Yb.subarray(2)]).toEqual(new Array(8).fill(-1));
    expect(Math.min(...Xb.subarray(0, 6), ...Yb.subarray(0, 2))).toBeGreaterThanOrEqual(0);
  });

  it('depends only on the seed', () => {
    expect(batch(20, 1)).toEqual(batch(20, 1));
    expect(batch(20, 1)).not.toEqual(batch(20, 2));
  });

  it('draws each example about equally often, with replacement: chi-square of 5,000 below 18.5 (0.1 %)', () => {
    const counts = new Array<number>(COUNT).fill(0);
    for (const target of batch(5_000, 3).Yb) counts[target - 1]++;
    expect(counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(18.5);
  });
});

describe('Epochs', () => {
  /** The examples of consecutive batches of n, in order. */
  function drawn(epochs: Epochs, batches: number, n: number, examples = EXAMPLES): number[] {
    return Array.from({ length: batches }, () => {
      const Xb = new Int32Array(3 * n);
      const Yb = new Int32Array(n);
      epochs.drawBatch({ n, Xb, Yb }, examples);
      Yb.forEach((target, i) => {
        expect([...Xb.subarray(3 * i, 3 * i + 3)]).toEqual(contextBefore(target));
      });
      return [...Yb].map((target) => target - 1);
    }).flat();
  }
  const fresh = (seed: number, count = COUNT) => new Epochs(count, randomStream('batches', seed));
  const sorted = (values: number[]) => [...values].sort((a, b) => a - b);

  it.each([1, 2, 3, 4, 5, 7, 13])('draw every example exactly once per epoch in batches of %i, each epoch in a new order', (n) => {
    const all = drawn(fresh(3), 40, n).slice(0, 8 * COUNT);
    const epochs = Array.from({ length: Math.floor(all.length / COUNT) }, (_, e) => all.slice(e * COUNT, (e + 1) * COUNT));
    expect(epochs.length).toBe(Math.min(8, Math.floor((40 * n) / COUNT)));
    for (const epoch of epochs) expect(sorted(epoch)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(epochs.length / 2);
  });

  it('draw the examples in the same order for any batch size', () => {
    const one = drawn(fresh(1), 60, 1);
    for (const n of [2, 3, 5, 12, 60]) expect(drawn(fresh(1), 60 / n, n)).toEqual(one);
    expect(drawn(fresh(2), 60, 1)).not.toEqual(one);
  });

  it('resume from their state and the number of drawn examples, at any example, including the ends of epochs', () => {
    const whole = drawn(fresh(5), 23, 1);
    for (let stop = 0; stop <= 23; stop++) {
      const first = fresh(5);
      drawn(first, stop, 1);
      const state = JSON.parse(JSON.stringify(first.state));
      const second = new Epochs(COUNT, restoreStream(state), stop);
      expect(second.state).toEqual(state);
      expect(drawn(second, 23 - stop, 1), `${stop}`).toEqual(whole.slice(stop));
    }
  });

  it('repeat a single example', () => {
    expect(drawn(fresh(1, 1), 4, 2)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('put every example at every position equally often, within 4 standard deviations over 5,000 epochs', () => {
    const counts = Array.from({ length: COUNT }, () => new Array<number>(COUNT).fill(0));
    const order = drawn(fresh(9), 5000, COUNT);
    order.forEach((example, i) => {
      counts[example][i % COUNT]++;
    });
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(5000 * 0.2 * 0.8));
  });
});
