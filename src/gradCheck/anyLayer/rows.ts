/** The row of a report for one input, and what was seen of it on the way. */

import { indexAt } from '../../core/numbers.js';
import { verdictOn } from '../verdict.js';
import type { InputValue, Outputs, Point } from './calls.js';
import type { Comparison } from './compare.js';
import type { InputRow, Mistake } from './report.js';

/** A point that is finite, with its cotangents. */
export interface Visit {
  point: Point;
  outputs: Outputs;
  magnitude: Float64Array;
  dout: Float64Array;
}

/** What was seen of one input. */
export class InputTally {
  row: InputRow | undefined;
  isWrong = false;
  /** Entries that were compared at generic draws. */
  compared = 0;
  /** The largest sum that a gradient of the input was, at generic draws. */
  scale = 0;
  readonly visits: Visit[] = [];

  /** Keeps the row with the largest error/limit. A row without figures is worse than any. */
  add(row: InputRow): void {
    if (!row.ok) this.isWrong = true;
    if (!this.row || this.row.entries === 0 || badness(row) > badness(this.row)) this.row = row;
  }
}

function badness({ ok, error, limit }: InputRow): number {
  if (error === null || limit === null || Number.isNaN(error)) return ok ? 0 : Number.POSITIVE_INFINITY;
  if (error === 0) return 0;
  return (ok ? 0 : 1) + error / limit;
}

/** The row of a mistake that needs no measurement. */
export function rowWithout(point: Point, input: InputValue | undefined, mistake: Mistake, name = input?.name ?? ''): InputRow {
  const entries = input?.data.length ?? 0;
  const none = { error: null, limit: null, at: [], found: null, expected: null };
  return { name, ok: false, sizes: point.sizes, train: point.train, ...none, wrongEntries: entries, entries, mistake };
}

/** The row of a comparison: its first wrong entry, or the one with the largest error. */
export function rowOf(point: Point, input: InputValue, yours: Float64Array, { entries, right, limit }: Comparison): InputRow {
  const head = { name: input.name, sizes: point.sizes, train: point.train, mistake: null };
  if (entries.length === 0) {
    return { ...head, ok: true, error: 0, limit: 0, at: [], found: null, expected: null, wrongEntries: 0, entries: 0 };
  }
  const found = Float64Array.from(entries, (entry) => yours[entry]);
  const { ok, wrong, shown } = verdictOn(found, right, limit);
  return {
    ...head,
    ok,
    error: Math.abs(found[shown] - right[shown]),
    limit: limit[shown],
    at: indexAt(entries[shown], input.shape),
    found: found[shown],
    expected: right[shown],
    wrongEntries: wrong,
    entries: entries.length,
  };
}
