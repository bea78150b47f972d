import { describe, expect, it } from 'vitest';
import { nameOf, plain, sum } from '../../../support/plainLayers.js';

/** y[t] = decay·y[t-1] + x[t] for each of n rows. */
function scan(backward: (dout: Float64Array, decay: number, steps: number) => Float64Array) {
  const decay = 0.7;
  return plain({
    sizes: { n: [1, 2, 3], t: [4, 5] },
    shapes: { x: ({ n, t }) => [n, t] },
    forward: ({ x }, { t }) => {
      const y = x.slice();
      for (let i = 0; i < y.length; i++) if (i % t > 0) y[i] += decay * y[i - 1];
      return y;
    },
    backward: (dout, _, { t }) => ({ x: backward(dout, decay, t) }),
  });
}

/** The right gradient of the scan for some of dout. */
function back(dout: Float64Array, decay: number, steps: number, keeps: (step: number) => boolean = () => true): Float64Array {
  const dx = dout.map((value, i) => (keeps(i % steps) ? value : 0));
  for (let i = dx.length - 1; i >= 0; i--) if (i % steps < steps - 1) dx[i] += decay * dx[i + 1];
  return dx;
}

describe('a recurrence', () => {
  it('carries nothing back', async () => {
    expect(await nameOf(scan((dout) => dout))).toMatchObject({ id: 'dout-passed-on' });
  });

  it('carries back one step only', async () => {
    const layer = scan((dout, decay, t) => dout.map((value, i) => value + (i % t < t - 1 ? decay * dout[i + 1] : 0)));
    expect(await nameOf(layer)).toMatchObject({ id: 'cross-terms', axis: 't' });
  });

  it('runs forward, not backward', async () => {
    const layer = scan((dout, decay, t) => {
      const dx = dout.slice();
      for (let i = 0; i < dx.length; i++) if (i % t > 0) dx[i] += decay * dx[i - 1];
      return dx;
    });
    expect(await nameOf(layer)).toMatchObject({ id: 'jacobian-for-transpose' });
  });

  it('leaves out the step itself', async () => {
    expect(await nameOf(scan((dout, decay, t) => back(dout, decay, t).map((value, i) => value - dout[i])))).toMatchObject({
      id: 'dout-missing',
    });
  });

  it.each([
    ['first', (step: number) => step === 0],
    ['last', (step: number, t: number) => step === t - 1],
  ] as const)('uses dout of the %s step only', async (end, keeps) => {
    const layer = scan((dout, decay, t) => back(dout, decay, t, (step) => keeps(step, t)));
    expect(await nameOf(layer)).toMatchObject({ id: `${end}-step-only`, axis: 't' });
  });
});

describe('a table of rows', () => {
  type Add = (row: Float64Array, dout: Float64Array, count: number, isFirst: boolean) => void;
  const embedding = (add: Add) =>
    plain({
      sizes: { n: [3, 4], v: [5, 6], e: [2, 3] },
      shapes: { table: ({ v, e }) => [v, e] },
      index: { name: 'words', count: ({ n }) => n, below: ({ v }) => v },
      forward: ({ table, words }, { e }) =>
        Float64Array.from(Array.from(words).flatMap((word) => Array.from(table.subarray(word * e, word * e + e)))),
      backward: (dout, { table, words }, { e }) => {
        const gradient = table.map(() => 0);
        words.forEach((word, i) => {
          const count = words.filter((other) => other === word).length;
          add(gradient.subarray(word * e, word * e + e), dout.subarray(i * e, i * e + e), count, words.indexOf(word) === i);
        });
        return { table: gradient };
      },
    });
  const added = (row: Float64Array, dout: Float64Array, factor = 1) => row.set(row.map((value, j) => value + factor * dout[j]));

  it.each<[string, Add]>([
    ['the last use of a row', (row, dout) => row.set(dout)],
    ['the first use of a row', (row, dout, _, isFirst) => isFirst && row.set(dout)],
    ['the mean of the uses', (row, dout, count) => added(row, dout, 1 / count)],
  ])('gets %s', async (_, add) => {
    expect(await nameOf(embedding(add), 'table')).toMatchObject({ id: 'repeated-rows', indices: 'words' });
  });
});

describe('windows that overlap', () => {
  /** A convolution with three taps, without padding. */
  const windows = (isSet: boolean) =>
    plain({
      sizes: { length: [5, 6] },
      shapes: { x: ({ length }) => [length], w: () => [3] },
      forward: ({ x, w }) => Float64Array.from({ length: x.length - 2 }, (_, i) => w[0] * x[i] + w[1] * x[i + 1] + w[2] * x[i + 2]),
      backward: (dout, { x, w }) => {
        const dx = x.map(() => 0);
        dout.forEach((value, i) => {
          w.forEach((tap, j) => {
            dx[i + j] = value * tap + (isSet ? 0 : dx[i + j]);
          });
        });
        return { x: dx, w: w.map((_, j) => sum(dout.map((value, i) => value * x[i + j]))) };
      },
    });

  it('overwrite each other', async () => {
    expect(await nameOf(windows(true))).toMatchObject({ id: 'repeated-rows' });
  });
});

describe('several outputs', () => {
  it('the dout of one of them is not used', async () => {
    const layer = plain({
      shapes: { x: ({ n, d }) => [n, d] },
      forward: ({ x }) => ({ sine: x.map(Math.sin), square: x.map((value) => value * value) }),
      backward: ({ sine }, { x }) => ({ x: x.map((value, i) => sine[i] * Math.cos(value)) }),
    });
    expect(await nameOf(layer)).toMatchObject({ id: 'dout-missing', output: 'square' });
  });
});

describe('a loss over examples', () => {
  const loss = (uses: (i: number, n: number) => boolean) =>
    plain({
      sizes: { n: [2, 3, 4], d: [3, 5] },
      shapes: { x: ({ n, d }) => [n, d], w: ({ d }) => [d] },
      forward: ({ x, w }, { n, d }) =>
        Float64Array.of(sum(Array.from({ length: n }, (_, i) => Math.sin(sum(w.map((value, j) => value * x[i * d + j]))))) / n),
      backward: (dout, { x, w }, { n, d }) => {
        const slopes = Float64Array.from({ length: n }, (_, i) => (dout[0] * Math.cos(sum(w.map((value, j) => value * x[i * d + j])))) / n);
        return {
          x: x.map((_, k) => slopes[Math.floor(k / d)] * w[k % d]),
          w: w.map((_, j) => sum(slopes.map((slope, i) => (uses(i, n) ? slope * x[i * d + j] : 0)))),
        };
      },
    });

  it('uses the first example only', async () => {
    expect(
      await nameOf(
        loss((i) => i === 0),
        'w',
      ),
    ).toMatchObject({ id: 'first-example-only', axis: 'n' });
  });

  it('keeps the last example only', async () => {
    expect(
      await nameOf(
        loss((i, n) => i === n - 1),
        'w',
      ),
    ).toMatchObject({ id: 'sum-missing', axis: 'n' });
  });
});
