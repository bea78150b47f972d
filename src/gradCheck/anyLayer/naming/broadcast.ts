/** Sums of an output's values over the axes that the input does not have, and values spread over axes that they do not have. */

import { type Axis, axisName, isSameSize, shapeAt, type View } from './axes.js';
import type { Evidence } from './evidence.js';

/** The positions of a smaller array that belong to each position of a larger one, at each point. */
interface Spread {
  /** The axes of the larger array that the smaller one has. */
  kept: readonly number[];
  /** The axes that it does not have, for a sentence. */
  over: string;
  positions(at: number): Int32Array;
}

/** Ways in which the axes of the smaller view are axes of the larger one, in the same order. */
export function spreads(small: View, large: View): Spread[] {
  return choices(small.axes.filter(isNotOne), large.axes).map((kept) => ({
    kept,
    over: large.axes.flatMap((axis, dim) => (kept.includes(dim) || !isNotOne(axis) ? [] : [axisName(large, dim)])).join(' and '),
    positions: (at) => positions(shapeAt(large, at), kept),
  }));
}

function isNotOne({ sizes }: Axis): boolean {
  return sizes.some((size) => size !== 1);
}

/** Increasing lists of axes of `large`, one of the same size for each axis of `small`. */
function choices(small: readonly Axis[], large: readonly Axis[], from = 0): number[][] {
  if (small.length === 0) return [[]];
  const [first, ...rest] = small;
  return large.flatMap((axis, dim) => {
    if (dim < from || !isSameSize(axis.sizes, first.sizes)) return [];
    return choices(rest, large, dim + 1).map((others) => [dim, ...others]);
  });
}

function positions(shape: readonly number[], kept: readonly number[]): Int32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  const out = new Int32Array(size);
  let stride = 1;
  let inner = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    if (kept.includes(dim)) {
      for (let i = 0; i < size; i++) out[i] += (Math.floor(i / inner) % shape[dim]) * stride;
      stride *= shape[dim];
    }
    inner *= shape[dim];
  }
  return out;
}

/** Sums of an array in the output's form over axes that the input does not have, in the input's form. */
export function broadcastSums({ axes, input, points }: Evidence, output: string): BroadcastSum[] {
  const seen = new Set<string>();
  return axes.views(output).flatMap((large) =>
    axes.views(input).flatMap((small) =>
      spreads(small, large).flatMap(({ positions: at, over, kept }) => {
        const key = points.map((_, i) => at(i).join()).join(';');
        if (kept.length === large.axes.length || over === '' || seen.has(key)) return [];
        seen.add(key);
        return [{ over, sum: (values: Float64Array, i: number) => gathered(values, at(i), points[i].entries) }];
      }),
    ),
  );
}

interface BroadcastSum {
  over: string;
  sum(values: Float64Array, at: number): Float64Array;
}

function gathered(values: Float64Array, positionsOf: Int32Array, size: number): Float64Array {
  const out = new Float64Array(size);
  for (let i = 0; i < values.length; i++) out[positionsOf[i]] += values[i];
  return out;
}
