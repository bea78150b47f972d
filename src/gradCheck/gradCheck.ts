import { createReferenceBackend } from '../backend/reference.js';
import { checkEndToEnd, checkLocally } from './atomic.js';
import { checkBackend } from './backendCheck.js';
import { createCase, LESSON_CONFIG } from './case.js';
import { checkClosedForms } from './closedForms.js';
import { checkModel } from './modelCheck.js';
import type { CheckRow, Part } from './row.js';

export interface CheckOptions {
  /** Step of the differences, relative to the length over which the network bends. */
  eps: number;
  /** Largest max|a-b| / max(|a|,|b|) that a float64 row may have. */
  tolerance: number;
  /** How many entries of each tensor are moved. */
  entries: number | 'all';
  seed: number | string;
}

/** n = 2 shows a wrong Bessel factor best, 3 is the least without cancellation, 32 is the lesson's. */
export const BATCH_SIZES: readonly number[] = [2, 3, 32];

/** All rows of one part, over the batch sizes. */
export function checkPart(part: Part, options: CheckOptions): CheckRow[] {
  return BATCH_SIZES.flatMap((n) => {
    const given = createCase(LESSON_CONFIG, n, options.seed);
    switch (part) {
      case 'atomic':
        return [...checkLocally(given, options), ...checkEndToEnd(given, options)];
      case 'closed-forms':
        return checkClosedForms(given, options);
      case 'model':
        return checkModel(given, options);
      case 'backend':
        return checkBackend(given, createReferenceBackend('float32'));
    }
  });
}
