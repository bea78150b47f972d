/** What a report says of layers with one thing wrong: refusals, properties, rows. */
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/core/tensor.js';
import { checkLayer, type Draw, defineLayer, type Layer, type LayerContext, type LayerReport } from '../../../src/gradcheck.js';

interface Vectors {
  x: Float64Array;
}

/** An elementwise layer on four numbers. */
function elementwise(f: (x: number) => number, slope: (x: number) => number, more: Partial<Layer> = {}): Layer {
  return {
    ...defineLayer({
      inputs: (_: object, draw: Draw) => ({ x: draw.normal(4).data }),
      forward: ({ x }) => x.map(f),
      backward: (dout, { x }) => ({ x: dout.map((v, i) => v * slope(x[i])) }),
    }),
    ...more,
  };
}

/** Over n - 1. */
function varianceOf(x: Float64Array): number {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (x.length - 1);
}

const tanh = (more: Partial<Layer> = {}) => elementwise(Math.tanh, (x) => 1 - Math.tanh(x) ** 2, more);
const property = ({ properties }: LayerReport, name: string) => properties.find((row) => row.name === name);
const row = ({ inputs }: LayerReport, name = 'x') => inputs.find((one) => one.name === name);

/** loss = sum of relu(x w) u, with 4 examples, 3 inputs and 5 hidden units. */
const HIDDEN: Layer = defineLayer({
  inputs: (_: object, draw) => ({ x: draw.normal(4, 3), w: draw.normal(3, 5), u: draw.normal(5).data }),
  forward: ({ x, w, u }) => Array.from(x.matmul(w).data).reduce((sum, z, i) => sum + Math.max(0, z) * u[i % 5], 0),
  backward: (dout, { x, w, u }) => {
    const z = x.matmul(w);
    const dz = new Tensor(
      Float64Array.from(z.data, (v, i) => (v > 0 ? dout * u[i % 5] : 0)),
      [4, 5],
    );
    const du = u.map((_, j) => dout * Array.from(z.data).reduce((sum, v, i) => (i % 5 === j ? sum + Math.max(0, v) : sum), 0));
    return { x: dz.matmul(w.T), w: x.T.matmul(dz).data, u: du };
  },
});

describe('an input of which nothing was measured', () => {
  it('is not shown as right: the layer is refused', async () => {
    const noise = elementwise(
      (x) => Math.sin(1e12 * x),
      () => 0,
    );
    expect(await checkLayer(noise)).toMatchObject({
      ok: false,
      refused: { id: 'not-measured', text: expect.stringContaining('no derivative of x') },
    });
  });
});

describe('a layer is refused', () => {
  it.each<[string, Partial<Layer>, string, RegExp]>([
    [
      'that is random without context.random',
      { forward: ({ x }: Vectors) => x.map((v) => v * Math.random()) },
      'random',
      /context\.random/,
    ],
    ['whose draw is not finite', { inputs: () => ({ x: [1, Number.NaN] }) }, 'not-finite', /draw of x/],
    ['whose forward is finite nowhere', { forward: () => Number.NaN }, 'not-finite', /forward is not finite/],
    [
      'that throws in forward',
      {
        forward: () => {
          throw new RangeError('too wide');
        },
      },
      'threw',
      /^forward threw RangeError: too wide/,
    ],
    [
      'that throws in backward',
      {
        backward: async () => {
          throw new Error('no cache');
        },
      },
      'threw',
      /^backward threw Error: no cache/,
    ],
    ['that throws what is no error', { inputs: () => Promise.reject('later') }, 'threw', /^inputs threw later/],
    ['that returns nothing', { forward: () => undefined }, 'threw', /forward returned undefined/],
    ['without a real output', { forward: () => Int32Array.of(1) }, 'threw', /no real output/],
    ['without a real input', { inputs: () => ({ n: Int32Array.of(1) }) }, 'threw', /no input has a gradient/],
    ['whose sizes are no lists', { sizes: { n: 3 } as never }, 'threw', /^sizes: n must be a list .* found 3$/],
    [
      'with tensors in a list',
      { inputs: (_: object, draw: Draw) => ({ x: [draw.normal(2), draw.normal(2)] }) },
      'threw',
      /^x holds arrays of numbers inside/,
    ],
    ['without a kind of training', { train: [] }, 'threw', /^train: expected true, false/],
    ['with a misspelt field', { sizess: { n: [2] } }, 'threw', /^a layer has no field sizess; did you mean sizes\?$/],
    ['with a misspelt constant', { constant: ['xx'] }, 'threw', /constant: there is no input xx; did you mean x\?/],
    [
      'whose shape is one array',
      { inputs: (_: object, draw: Draw) => ({ x: draw.normal(...([[4]] as unknown as number[])) }) },
      'threw',
      /write draw\.normal\(4\)/,
    ],
    ['whose inputs are no record', { inputs: () => [1, 2] }, 'threw', /inputs must return a record/],
  ] as [string, Partial<Layer>, string, RegExp][])('%s', async (_, parts, id, text) => {
    const report = await checkLayer({ ...tanh(), ...parts });
    expect(report).toMatchObject({ ok: false, refused: { id } });
    expect(report.refused?.text).toMatch(text);
  });
});

it('with fields of its own is judged', async () => {
  expect(await checkLayer({ ...tanh(), name: 'tanh', note: 'elementwise' } as Layer)).toMatchObject({ ok: true });
});

describe('a property fails', () => {
  it.each<[string, string, Partial<Layer>, RegExp]>([
    [
      'inputs-unchanged',
      'where forward changes an input',
      { forward: ({ x }: Vectors) => x.map((v, i, all) => (all[i] = Math.tanh(v))) },
      /x changed/,
    ],
    [
      'dout-unchanged',
      'where backward changes dout',
      { backward: (dout: Float64Array, { x }: Vectors) => ({ x: dout.map((v, i, all) => (all[i] = v * (1 - Math.tanh(x[i]) ** 2))) }) },
      /backward changed dout/,
    ],
    ['zero', 'where backward of zeros is not zero', { backward: (dout: Float64Array) => ({ x: dout.map((v) => v + 1) }) }, /not zero/],
    [
      'linear',
      'where dout is not used',
      { backward: (_: never, { x }: Vectors) => ({ x: x.map((v) => 1 - Math.tanh(v) ** 2) }) },
      /dout is not used/,
    ],
    ['linear', 'where backward is not linear', { backward: (dout: Float64Array) => ({ x: dout.map((v) => v * v) }) }, /not linear/],
    ['shapes', 'where a gradient is missing', { backward: () => ({}) }, /no gradient for x/],
    ['shapes', 'where a gradient is too short', { backward: () => ({ x: [1] }) }, /has 1 number, expected 4/],
    ['finite', 'where a gradient is not finite', { backward: () => ({ x: [1, 2, 3, Number.NaN] }) }, /not finite/],
  ] as [string, string, Partial<Layer>, RegExp][])('%s: %s', async (name, _, parts, detail) => {
    const report = await checkLayer({ ...tanh(), ...parts });
    expect(report.ok).toBe(false);
    expect(property(report, name)).toMatchObject({ ok: false, detail: expect.stringMatching(detail) });
  });

  it('no-alias: where one buffer is the gradient of two inputs, also dout, but not where two inputs share a shape', async () => {
    const add = (backward: (dout: Float64Array) => object) =>
      checkLayer(
        defineLayer({
          inputs: (_: object, draw) => ({ a: draw.normal(3).data, b: draw.normal(3).data }),
          forward: ({ a, b }) => a.map((v, i) => v + b[i]),
          backward,
        }),
      );
    expect(property(await add((dout) => ({ a: dout, b: dout })), 'no-alias')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('a and b'),
    });
    expect((await add((dout) => ({ a: dout, b: dout.slice() }))).ok).toBe(true);
    const shape = [3];
    expect((await add((dout) => ({ a: { data: dout, shape }, b: { data: dout.slice(), shape } }))).ok).toBe(true);
  });

  it('repeatable: where a second backward gives another gradient', async () => {
    const sums = new Float64Array(4);
    const backward = (dout: Float64Array, { x }: Vectors) => {
      for (const [i, v] of dout.entries()) sums[i] += v * (1 - Math.tanh(x[i]) ** 2);
      return { x: sums.slice() };
    };
    expect(property(await checkLayer(tanh({ backward } as Partial<Layer>)), 'repeatable')).toMatchObject({ ok: false });
  });
});

describe('batch', () => {
  const mean = (independent: boolean) =>
    checkLayer(
      defineLayer({
        sizes: { n: [1, 3], d: [2] },
        inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d), w: draw.normal(d).data }),
        forward: ({ x, w }, { sizes: { n, d } }) => {
          const across = independent ? 0 : x.data.reduce((a, b) => a + b, 0) / (n * d);
          return { data: x.data.map((v, k) => (v - across) * w[k % d]), shape: [n, d] };
        },
        backward: ({ data }, { x, w }, { sizes: { n, d } }) => {
          const dx = data.map((v, k) => v * w[k % d]);
          const shared = independent ? 0 : dx.reduce((a, b) => a + b, 0) / (n * d);
          const across = independent ? 0 : x.data.reduce((a, b) => a + b, 0) / (n * d);
          const dw = w.map((_, j) => data.reduce((sum, v, k) => (k % d === j ? sum + v * (x.data[k] - across) : sum), 0));
          return { x: dx.map((v) => v - shared), w: dw };
        },
        batch: { letter: 'n', inputs: ['x'] },
      }),
    );

  it('holds where examples are independent', async () => {
    expect(await mean(true)).toMatchObject({ ok: true });
    expect(property(await mean(true), 'batch')).toMatchObject({ ok: true });
  });

  it('fails where they are not, although every gradient is right', async () => {
    const report = await mean(false);
    expect(report.inputs.every(({ ok }) => ok)).toBe(true);
    expect(property(report, 'batch')).toMatchObject({ ok: false, detail: expect.stringMatching(/example 0 alone differs/) });
  });

  it('fails where an example alone is not finite, as with a variance over n - 1', async () => {
    const scaled = defineLayer({
      sizes: { n: [2, 3] },
      inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
      forward: ({ x }) => x.map((v) => v * varianceOf(x)),
      backward: (dout, { x }) => {
        const mean = x.reduce((a, b) => a + b, 0) / x.length;
        const along = dout.reduce((sum, v, i) => sum + v * x[i], 0);
        return { x: dout.map((v, i) => v * varianceOf(x) + (along * 2 * (x[i] - mean)) / (x.length - 1)) };
      },
      batch: { letter: 'n', inputs: ['x'] },
    });
    const report = await checkLayer(scaled);
    expect(row(report)).toMatchObject({ ok: true });
    expect(property(report, 'batch')).toMatchObject({ ok: false });
  });

  it('holds for a flat array of numbers, and is not tried with random numbers', async () => {
    const square = (random: boolean) =>
      checkLayer(
        defineLayer({
          sizes: { n: [2, 3], d: [4] },
          inputs: ({ n, d }, draw) => ({ x: Array.from(draw.normal(n * d).data) }),
          forward: ({ x }, context) => {
            context.saved.mask = x.map(() => (random && context.random() < 0.5 ? 0 : 1));
            return x.map((v, i) => v * v * context.saved.mask[i]);
          },
          backward: (dout, { x }, { saved }) => ({ x: dout.map((v, i) => 2 * v * x[i] * saved.mask[i]) }),
          batch: { letter: 'n', inputs: ['x'] },
        }),
      );
    expect(property(await square(false), 'batch')).toMatchObject({ ok: true });
    const dropout = await square(true);
    expect(dropout.ok).toBe(true);
    expect(property(dropout, 'batch')).toMatchObject({ ok: null, detail: expect.stringMatching(/draws random numbers/) });
  });

  it('is not tried without a batch, or where an output has no examples', async () => {
    expect(property(await checkLayer(tanh()), 'batch')).toMatchObject({ ok: null, detail: '' });
    const loss = defineLayer({
      sizes: { n: [2, 3] },
      inputs: ({ n }, draw) => ({ x: draw.normal(n).data }),
      forward: ({ x }) => x.reduce((sum, v) => sum + v * v, 0),
      backward: (dout, { x }) => ({ x: x.map((v) => 2 * v * dout) }),
      batch: { letter: 'n', inputs: ['x'] },
    });
    expect(property(await checkLayer(loss), 'batch')).toMatchObject({ ok: null, detail: 'the output does not have n = 2 examples' });
  });
});

describe('kinks', () => {
  it.each([
    ['0', 0, 'left'],
    ['1', 1, 'right'],
    ['1/4', 0.25, 'between'],
  ])('of ReLU at 0 take a slope of %s', async (_, at0, taken) => {
    const report = await checkLayer(
      elementwise(
        (x) => Math.max(0, x),
        (x) => (x > 0 ? 1 : x === 0 ? at0 : 0),
      ),
    );
    expect(report).toMatchObject({ ok: true, tried: { taken } });
    expect(report.tried.kinks).toBeGreaterThan(0);
  });

  it.each([2, -1, Number.NaN])('of ReLU at 0 do not take a slope of %s', async (at0) => {
    const report = await checkLayer(
      elementwise(
        (x) => Math.max(0, x),
        (x) => (x > 0 ? 1 : x === 0 ? at0 : 0),
      ),
    );
    expect(row(report)).toMatchObject({ ok: false });
  });

  it('of overlapping windows with ties are judged window by window', async () => {
    const pool = defineLayer({
      inputs: (_: object, draw) => ({ x: draw.normal(7).data }),
      forward: ({ x }) => Float64Array.from({ length: 5 }, (_v, i) => Math.max(x[i], x[i + 1], x[i + 2])),
      backward: (dout, { x }) => {
        const dx = new Float64Array(7);
        for (const [i, v] of dout.entries()) dx[x.indexOf(Math.max(x[i], x[i + 1], x[i + 2]), i)] += v;
        return { x: dx };
      },
    });
    expect(await checkLayer(pool)).toMatchObject({ ok: true });
  });

  it('of several numbers at once pass where a point nearby has that gradient: equal numbers that are sorted', async () => {
    const sorted = (backward: (order: number[], dout: Float64Array) => Float64Array) =>
      checkLayer(
        defineLayer({
          inputs: (_: object, draw) => ({ x: draw.normal(5).data }),
          forward: ({ x }) => x.slice().sort(),
          backward: (dout, { x }) => ({
            x: backward(
              [...x.keys()].sort((i, j) => x[i] - x[j]),
              dout,
            ),
          }),
        }),
      );
    const right = await sorted((order, dout) => dout.map((_, i) => dout[order.indexOf(i)]));
    expect(right).toMatchObject({ ok: true });
    expect(await sorted((order, dout) => dout.map((_, i) => dout[order[i]]))).toMatchObject({ ok: false });
  });

  it('of a hidden layer of ReLU behind zeros pass where a point nearby has that gradient', async () => {
    for (const seed of [0, 1, 2, 3]) {
      expect(await checkLayer(HIDDEN, { seed })).toMatchObject({ ok: true });
      const wrong = (dout: number, inputs: never, context: LayerContext) => {
        const gradients = HIDDEN.backward(dout as never, inputs, context as never) as { w: Float64Array };
        gradients.w[3] += 0.3;
        return gradients;
      };
      expect(row(await checkLayer({ ...HIDDEN, backward: wrong } as Layer, { seed }), 'w')).toMatchObject({ ok: false });
    }
  });

  it('without slopes on both sides are left undecided, and counted', async () => {
    const report = await checkLayer(
      elementwise(
        (x) => Math.sqrt(Math.abs(x)),
        (x) => (0.5 * Math.sign(x)) / Math.sqrt(Math.abs(x)),
      ),
    );
    expect(report.ok).toBe(true);
    expect(report.tried.undecided).toBeGreaterThan(0);
  });
});

describe('a point', () => {
  it('where forward is not finite is dropped, and counted', async () => {
    const report = await checkLayer(elementwise(Math.log, (x) => 1 / x));
    expect(report.tried.dropped).toBeGreaterThan(0);
    const positive = await checkLayer({
      ...elementwise(Math.log, (x) => 1 / x),
      inputs: (_: object, draw: Draw) => ({ x: draw.positive(4).data }),
    });
    expect(positive).toMatchObject({ ok: true, tried: { dropped: 0 } });
  });

  it('with large values finds a bound that the gradient forgets', async () => {
    const report = await checkLayer(
      elementwise(
        (x) => Math.min(6, Math.max(0, x)),
        (x) => (x > 0 ? 1 : 0),
      ),
    );
    expect(row(report)).toMatchObject({ ok: false });
  });
});

it('a wrong gradient beside an output of -1e9, as of a mask, is seen', async () => {
  const masked = (slope: number) =>
    checkLayer(
      defineLayer({
        inputs: (_: object, draw) => ({ x: draw.normal(4).data }),
        forward: ({ x }) => x.map((v, k) => (k === 3 ? v - 1e9 : v * v)),
        backward: (dout, { x }) => ({ x: dout.map((v, k) => (k === 3 ? v : slope * v * x[k])) }),
      }),
    );
  expect(await masked(2)).toMatchObject({ ok: true });
  expect(row(await masked(1))).toMatchObject({ ok: false });
});

describe('context', () => {
  it('gives random numbers that start again for each forward and before its backward', async () => {
    const seen: number[] = [];
    const mask = ({ x }: Vectors, { random }: LayerContext) => x.map(() => (random() < 0.5 ? 0 : 2));
    const report = await checkLayer(
      tanh({
        forward: (inputs: Vectors, context: LayerContext) => mask(inputs, context).map((m, i) => m * inputs.x[i]),
        backward: (dout: Float64Array, inputs: Vectors, context: LayerContext) => {
          seen.push(context.random());
          const again = inputs.x.map((_, i) => (i === 0 ? seen.at(-1) : context.random()) as number);
          return { x: dout.map((v, i) => v * (again[i] < 0.5 ? 0 : 2)) };
        },
      } as Partial<Layer>),
    );
    expect(report).toMatchObject({ ok: true });
  });

  it('has an empty record for saved values in each forward, the outputs in backward, and both kinds of training', async () => {
    const trains = new Set<boolean>();
    const report = await checkLayer(
      tanh({
        train: [true, false],
        forward: ({ x }: Vectors, context: LayerContext) => {
          expect(context.saved).toEqual({});
          trains.add(context.train);
          context.saved.y = x.map(Math.tanh);
          return context.saved.y.slice();
        },
        backward: (dout: Float64Array, _: Vectors, context: LayerContext) => {
          expect(context.outputs).toEqual(context.saved.y);
          return { x: dout.map((v, i) => v * (1 - context.saved.y[i] ** 2)) };
        },
      } as Partial<Layer>),
    );
    expect(report).toMatchObject({ ok: true });
    expect([...trains].sort()).toEqual([false, true]);
  });

  it('gives buffers of noise that backward adds to', async () => {
    const accumulating = (add: boolean) =>
      checkLayer(
        defineLayer({
          accumulates: ['w'],
          inputs: (_: object, draw) => ({ x: draw.normal(3).data, w: draw.normal(), shift: 2 }),
          constant: ['shift'],
          forward: ({ x, w, shift }) => x.map((v) => v * w + shift),
          backward: (dout, { x, w }, { gradients }) => {
            const dw = dout.reduce((sum, v, i) => sum + v * x[i], 0);
            gradients.w = add ? gradients.w + dw : dw;
            return { x: dout.map((v) => v * w) };
          },
        }),
      );
    expect(await accumulating(true)).toMatchObject({ ok: true, inputs: [{ name: 'x' }, { name: 'w' }] });
    expect(row(await accumulating(false), 'w')).toMatchObject({ ok: false });
  });
});

describe('a layer of 20,000 inputs', () => {
  /** @returns the report and the number of forward passes that it took */
  async function check(wrong: number) {
    let passes = 0;
    const layer = defineLayer({
      inputs: (_: object, draw) => ({ x: draw.normal(20_000).data }),
      forward: ({ x }) => {
        passes++;
        return x.map(Math.tanh);
      },
      backward: (dout, { x }) => ({ x: dout.map((v, i) => v * (1 - Math.tanh(x[i]) ** 2) * (i === wrong ? 0.5 : 1)) }),
    });
    return { report: await checkLayer(layer), passes };
  }

  it('is judged in less than 300 forward passes', async () => {
    const { report, passes } = await check(-1);
    expect(report).toMatchObject({ ok: true });
    expect(passes).toBeLessThan(300);
  });

  it('with one wrong entry is judged in less than 600, and the entry is located', async () => {
    const { report, passes } = await check(12_345);
    expect(row(report)).toMatchObject({ ok: false, at: [12_345], wrongEntries: 1 });
    const { found, expected } = row(report) as { found: number; expected: number };
    expect(found / expected).toBeCloseTo(0.5, 6);
    expect(passes).toBeLessThan(600);
  });
});
