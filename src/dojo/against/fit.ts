/** One unknown number, fitted. */
import type { Tensor } from '../../core/tensor.js';

/** Rounds of Gauss-Newton: it converges quadratically, so that it is exact by then or nowhere. */
const ROUNDS = 8;
const WIDTH = 1e-5;

/** The number that brings a value nearest to the one found, from a start; not finite where there is none. */
export function fitted(found: Tensor, valueAt: (x: number) => Tensor, start: number): number {
  let x = start;
  for (let round = 0; round < ROUNDS && Number.isFinite(x); round++) {
    const here = valueAt(x).data;
    const there = valueAt(x + WIDTH).data;
    let [along, square] = [0, 0];
    for (let i = 0; i < here.length; i++) {
      const slope = (there[i] - here[i]) / WIDTH;
      along += slope * (found.data[i] - here[i]);
      square += slope * slope;
    }
    const step = along / square;
    x += step;
    if (Math.abs(step) < 1e-12 * Math.abs(x)) break;
  }
  return x;
}
