/** Which outputs depend on an entry, along an axis that input and output share: its own index, later ones as in a recurrence, or any. */

import type { Evidence } from './evidence.js';

export type Dependence = 'own' | 'later' | 'earlier' | 'any';

/** Indices along the axis of entries and of outputs, at each point. */
export interface Indices {
  input(at: number): (position: number) => number;
  output(at: number): (position: number) => number;
  /** Size of the axis at each point. */
  sizes: readonly number[];
}

/** Slopes below this are 0. */
const ZERO = 1e-12;

/**
 * How outputs depend on entries along the axis, at the points where the Jacobian is known. Later and earlier must reach from one end to the other: the
 * window of a convolution looks the same nearby.
 * @returns undefined if no point is large enough to tell
 */
export function dependenceAlong({ points }: Evidence, { input, output, sizes }: Indices): Dependence | undefined {
  const seen = { later: false, earlier: false, reachesLast: false, reachesFirst: false, told: false };
  for (const [at, { jacobian, entries, dout, witness }] of points.entries()) {
    if (!jacobian || sizes[at] < 3) continue;
    seen.told = true;
    const [ofInput, ofOutput, last] = [input(at), output(at), sizes[at] - 1];
    for (let o = 0; o < dout.length; o++) {
      const to = ofOutput(o);
      for (let k = 0; k < entries; k++) {
        if (Math.abs(jacobian[o * entries + k]) <= ZERO) continue;
        const from = ofInput(witness.entries[k]);
        if (to > from) seen.later = true;
        if (to < from) seen.earlier = true;
        if (from === 0 && to === last) seen.reachesLast = true;
        if (from === last && to === 0) seen.reachesFirst = true;
      }
    }
  }
  if (!seen.told) return undefined;
  if (!seen.later && !seen.earlier) return 'own';
  if (!seen.earlier && seen.reachesLast) return 'later';
  return !seen.later && seen.reachesFirst ? 'earlier' : 'any';
}
