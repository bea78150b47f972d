/** Gradients with too many entries. */

import { countOf } from '../../../core/text.js';
import type { Mistake } from '../report.js';
import { RETURNED } from './axes.js';
import { broadcastSums } from './broadcast.js';
import type { Evidence, Point } from './evidence.js';

/** A gradient that is right once it is summed over the axes that the input does not have. */
export function broadcastSumMissing(evidence: Evidence): Mistake | null {
  const { points } = evidence;
  if (!evidence.areEnough(points.filter(({ witness }) => witness.returned))) return null;
  for (const { over, sum } of broadcastSums(evidence, RETURNED)) {
    if (!points.every((point, at) => isRight(point, sum(point.returned, at)))) continue;
    const { witness, returned, entries } = points.find((point) => point.witness.returned) ?? points[0];
    const text = `the sum over ${over} is missing: the gradient has ${returned.length} entries, and the input ${countOf(entries, 'entry').replace('entrys', 'entries')}; summed over ${over} it is right`;
    return { id: 'sum-missing', text, axis: over, found: [returned.length], expected: [...witness.shape] };
  }
  return null;
}

function isRight({ right, witness: { limit } }: Point, sums: Float64Array): boolean {
  return sums.every((value, k) => Math.abs(value - right[k]) <= limit[k]);
}
