import { describe, expect, it } from 'vitest';
import { normal, randomStream } from '../../src/core/random.js';
import { BACKENDS, floatsOf, intsOf } from '../support/backends.js';
import { relativeError } from '../support/compare.js';

describe.each(BACKENDS)('cross-entropy on $name', ({ create, dtype }) => {
  const backend = create();
  const limit = dtype === 'float32' ? 1e-6 : 1e-14;
  const run = (logits: ArrayLike<number>, targets: number[]) => {
    const n = targets.length;
    const V = logits.length / n;
    const [losses, probs, dlogits] = [n, n * V, n * V].map((size) => backend.floats(size));
    const Yb = intsOf(backend, targets);
    backend.crossEntropyForward(losses, probs, floatsOf(backend, logits), Yb, n, V);
    backend.crossEntropyBackward(dlogits, probs, Yb, n, V);
    return { losses: [...losses], probs: [...probs], dlogits: [...dlogits] };
  };

  it(`gives log-sum-exp minus the target's logit as losses, and rows of probs that sum to 1, within ${limit}`, () => {
    const [n, V] = [7, 27];
    const random = randomStream('grad-check', 'cross-entropy');
    const logits = Array.from({ length: n * V }, () => Math.fround(3 * normal(random)));
    const targets = [0, 26, 3, 3, 1, 13, 25];
    const { losses, probs } = run(logits, targets);
    const rows = targets.map((_, i) => logits.slice(i * V, (i + 1) * V));
    const expected = rows.map((row, i) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[targets[i]]);
    expect(relativeError(losses, expected)).toBeLessThan(limit);
    for (let i = 0; i < n; i++) {
      const sum = probs.slice(i * V, (i + 1) * V).reduce((total, p) => total + p, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(limit);
    }
  });

  it(`gives the loss ln V for equal logits of any magnitude, within ${limit}`, () => {
    for (const logit of [0, 1e4, -1e4, 1e30]) {
      const { losses, probs, dlogits } = run([logit, logit, logit, logit], [1]);
      expect(relativeError(losses, [Math.log(4)])).toBeLessThan(limit);
      expect(probs).toEqual([0.25, 0.25, 0.25, 0.25]);
      expect(dlogits).toEqual([0.25, -0.75, 0.25, 0.25]);
    }
  });

  it('is finite for logits of 1e4 and -1e4: loss 0 for the larger, 20,000 for the smaller', () => {
    const [large, small] = [1e4, -1e4];
    const rows = [
      [large, small, small],
      [small, large, small],
      [small, small, large],
      [large, large, small],
    ];
    const { losses, probs, dlogits } = run(rows.flat(), [0, 0, 2, 2]);
    expect([losses[0], losses[1], losses[2]]).toEqual([0, 20_000, 0]);
    expect(relativeError([losses[3]], [20_000 + Math.LN2])).toBeLessThan(limit);
    expect(probs).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0]);
    expect(dlogits).toEqual([0, 0, 0, -0.25, 0.25, 0, 0, 0, 0, 0.125, 0.125, -0.25]);
  });

  it('propagates NaN in the logits', () => {
    expect(run([0, Number.NaN, 0], [0]).losses).toEqual([Number.NaN]);
  });

  it('does not mix rows', () => {
    const [first, second] = [
      [1, -2, 0.5],
      [0, 3, 3],
    ];
    const both = run([...first, ...second], [2, 0]);
    expect(both.losses).toEqual([...run(first, [2]).losses, ...run(second, [0]).losses]);
    expect(both.probs).toEqual([...run(first, [2]).probs, ...run(second, [0]).probs]);
  });
});
