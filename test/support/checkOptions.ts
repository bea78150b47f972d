import type { CheckOptions } from '../../src/gradCheck/options.js';
import type { CheckRow } from '../../src/gradCheck/row.js';
import type { LessonConfig } from '../../src/lesson/case.js';
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
