/** How much forward rounds, measured: third differences at steps of a few units in the last place are nothing but rounding. */

import type { Calls, Point } from './calls.js';
import { isLarge } from './effort.js';
import { judgedInputs } from './gradients.js';
import type { Precision } from './report.js';

export const EPSILON: Record<Precision, number> = { float64: 2 ** -52, float32: 2 ** -23 };

/**
 * Steps, as shares of an input's largest entry: 64 units in the last place, and in float64 also two at which an output that is stepped like 1 + 1e-7
 * takes several values. There a smooth function's third difference is still below its rounding.
 */
const STEPS: Record<Precision, readonly number[]> = { float64: [2 ** -46, 1.3 * 2 ** -27, 1.7 * 2 ** -24], float32: [1.3 * 2 ** -17] };
/** Points in a row, for three third differences of each output. None is the point itself, where a kink may be. */
const POINTS = 6;
/** A third difference, x3 - 3 x2 + 3 x1 - x0, of independent errors has sqrt(1 + 9 + 9 + 1) times their size. */
const GROWTH = Math.sqrt(20);

/** The magnitude that each output rounds like: its own, or that of larger numbers whose difference it is (a loss of 1e-7 from logits of 30). */
export async function magnitudeOf(calls: Calls, point: Point, outputs: Float64Array, precision: Precision): Promise<Float64Array> {
  const magnitude = outputs.map(Math.abs);
  for (const step of isLarge(outputs.length) ? STEPS[precision].slice(0, 1) : STEPS[precision]) {
    const rows: Float64Array[] = [];
    for (let k = 1; k <= POINTS; k++) rows.push((await calls.forward(point, shifted(calls, point, k * step))).data);
    for (let i = 0; i < magnitude.length; i++) {
      const rounding = roundingIn(rows, i) / EPSILON[precision];
      if (rounding > magnitude[i]) magnitude[i] = rounding;
    }
  }
  return magnitude;
}

function roundingIn(rows: readonly Float64Array[], i: number): number {
  let squares = 0;
  for (let k = 0; k + 3 < POINTS; k++) squares += (rows[k + 3][i] - 3 * rows[k + 2][i] + 3 * rows[k + 1][i] - rows[k][i]) ** 2;
  return Math.sqrt(squares / (POINTS - 3)) / GROWTH;
}

/** All real inputs moved by a share of their largest entry, in a direction that no layer singles out. */
function shifted(calls: Calls, point: Point, share: number): ReadonlyMap<string, Float64Array> {
  const moved = judgedInputs(calls.layer, point).map(({ name, data }) => {
    const largest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
    return [name, data.map((x, i) => x + share * largest * (1 - ((i * 0.618) % 1) * (i % 2 === 0 ? 1 : 1.7)))] as const;
  });
  return new Map(moved);
}
