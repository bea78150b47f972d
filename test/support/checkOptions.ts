import type { CheckOptions } from '../../src/gradCheck/options.js';
import type { CheckRow } from '../../src/gradCheck/row.js';
import type { LessonConfig } from '../../src/lesson/case.js';
import type { LessonValues, ValueName } from '../../src/lesson/values.js';
import type { ModelConfig } from '../../src/network/parameters.js';

/** A network small enough to check thousands of times. All sizes differ, so no wrong shape fits by chance. */
export const SMALL: LessonConfig = { context: 3, embedding: 4, hidden: [5], vocabulary: 7 };

/** Three blocks, all of different sizes. */
export const SMALL_DEEP: ModelConfig = { ...SMALL, hidden: [5, 6, 8] };

/** The defaults of the command line. */
export const OPTIONS: CheckOptions = { eps: 1e-3, tolerance: 1e-6, entries: 100, seed: 'mutants' };

/** Names of the rows that failed, in backward order. */
export function redRows(rows: readonly CheckRow[]): string[] {
  return rows.filter((row) => !row.ok).map((row) => row.name);
}

/**
 * Remembers the derivatives of one case by tensor and entry. Measuring them takes almost all the time of a check, and they are the same whatever
 * lines are checked.
 */
export function remembering<Rest extends unknown[]>(
  measure: (values: LessonValues, name: ValueName, entry: number, ...rest: Rest) => number,
): typeof measure {
  const known = new Map<string, number>();
  return (values, name, entry, ...rest) => {
    const key = `${name} ${entry}`;
    const derivative = known.get(key) ?? measure(values, name, entry, ...rest);
    known.set(key, derivative);
    return derivative;
  };
}
