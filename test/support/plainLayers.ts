/** Layers over flat arrays for the tests of naming, and the name that a mistake in them gets. */

import { expect } from 'vitest';
import { checkLayer, defineLayer, type Layer, type LayerContext, type Mistake } from '../../src/gradcheck.js';

export type Values = Record<string, Float64Array>;
export type Sizes = Record<string, number>;

/** A layer over flat arrays. Sizes are n and d unless said. */
export interface Plain {
  sizes?: Record<string, readonly number[]>;
  /** Number of entries by input; `near` 1 for names in `gains`, whole numbers below `rows` for `index`. */
  shapes: Record<string, (sizes: Sizes) => number[]>;
  gains?: string[];
  index?: { name: string; count(sizes: Sizes): number; below(sizes: Sizes): number };
  forward(values: Values, sizes: Sizes, context: LayerContext): Float64Array | Record<string, Float64Array>;
  backward(dout: Float64Array & Values, values: Values, sizes: Sizes, context: LayerContext<Float64Array>): Values;
}

export function plain({ sizes = { n: [1, 3], d: [4, 5] }, shapes, gains = [], index, forward, backward }: Plain): Layer {
  const read = (inputs: Record<string, { data: Float64Array } | Int32Array>) =>
    Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, 'data' in value ? value.data : value])) as Values;
  return defineLayer({
    sizes,
    inputs: (at, draw) => ({
      ...Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [
          name,
          gains.includes(name) ? draw.near(1, ...shape(at)) : draw.normal(...shape(at)),
        ]),
      ),
      ...(index && { [index.name]: draw.index(index.count(at), index.below(at)) }),
    }),
    forward: (inputs, context) => forward(read(inputs as never), context.sizes, context),
    backward: (dout, inputs, context) => backward(dout as never, read(inputs as never), context.sizes, context as never),
  });
}

/** An activation of x [n, d]. */
export function activation(f: (x: number) => number, slope: (x: number, y: number, dout: number) => number): Layer {
  return plain({
    shapes: { x: ({ n, d }) => [n, d] },
    forward: ({ x }) => x.map(f),
    backward: (dout, { x }) => ({ x: x.map((value, i) => dout[i] * slope(value, f(value), dout[i])) }),
  });
}

export async function nameOf(layer: Layer, input = 'x'): Promise<Mistake | null> {
  const report = await checkLayer(layer);
  expect(report.refused).toBeNull();
  const row = report.inputs.find(({ name }) => name === input);
  expect(row?.ok).toBe(false);
  return row?.mistake ?? null;
}

export const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
export const rowsOf = (values: Float64Array, d: number) =>
  Array.from({ length: values.length / d }, (_, i) => values.subarray(i * d, (i + 1) * d));
