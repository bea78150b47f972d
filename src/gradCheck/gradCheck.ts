import { createWasmBackend } from '../backend/wasm.js';
import { checkEndToEnd, checkLocally } from './atomic.js';
import { checkBackend, FLOAT32_VARIANCE } from './backendCheck.js';
import { createCase, type GradCheckCase, LESSON_CONFIG } from './case.js';
import { checkClosedForms } from './closedForms.js';
import { checkModel } from './modelCheck.js';
import type { CheckOptions, Part } from './options.js';
import type { CheckRow } from './row.js';

/** n = 2 shows a wrong Bessel factor best, 3 is the least without cancellation, 32 is the lesson's. */
export const BATCH_SIZES: readonly number[] = [2, 3, 32];

const CHECKS: Record<Part, (given: GradCheckCase, options: CheckOptions) => CheckRow[]> = {
  atomic: (given, options) => [...checkLocally(given, options), ...checkEndToEnd(given, options)],
  'closed-forms': checkClosedForms,
  model: checkModel,
  backend: (given) => checkBackend(given, createWasmBackend),
};

/** All rows of one part, over the batch sizes. */
export function checkPart(part: Part, options: CheckOptions): CheckRow[] {
  const leastVariance = part === 'backend' ? FLOAT32_VARIANCE : 0;
  return BATCH_SIZES.flatMap((n) => CHECKS[part](createCase(LESSON_CONFIG, n, options.seed, leastVariance), options));
}
