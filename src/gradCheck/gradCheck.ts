import type { CreateBackend } from '../backend/backend.js';
import { createCase, createLessonCase, DEEP_CONFIG, LESSON_CONFIG, type LessonCase } from '../lesson/case.js';
import type { ModelConfig } from '../network/parameters.js';
import { checkEndToEnd, checkLocally } from './atomic.js';
import { checkBackend, FLOAT32_VARIANCE } from './backendCheck.js';
import { checkClosedForms } from './closedForms.js';
import { checkModel } from './modelCheck.js';
import type { CheckOptions, Part } from './options.js';
import type { CheckRow } from './row.js';

/** n = 2 shows a wrong Bessel factor best, 3 is the least without cancellation, 32 is the lesson's. */
export const BATCH_SIZES: readonly number[] = [2, 3, 32];
/**
 * At n = 2 a deep network has next to no gradients to check below its last block: bnraw of two rows is ±0.707 whatever hprebn is,
 * but for the epsilon, and of the gradient that a block is given it hands down 3e-4 in the median (1 at n = 3). Three blocks
 * down, that is below the rounding of the loss. At n = 2 each layer is checked in the lesson's network, where one block is passed.
 */
export const DEEP_BATCH_SIZES: readonly number[] = BATCH_SIZES.filter((n) => n > 2);

/**
 * All rows of one part, over the batch sizes. Parts (c) and (d) also check a deep network.
 * @param createBackend makes the float32 backend that part (d) checks
 */
export function checkPart(part: Part, options: CheckOptions, createBackend: CreateBackend): CheckRow[] {
  const { seed } = options;
  const lesson = (check: (given: LessonCase) => CheckRow[]) => BATCH_SIZES.flatMap((n) => check(createLessonCase(LESSON_CONFIG, n, seed)));
  const both = (check: (config: ModelConfig, n: number) => CheckRow[]) => [
    ...BATCH_SIZES.flatMap((n) => check(LESSON_CONFIG, n)),
    ...DEEP_BATCH_SIZES.flatMap((n) => check(DEEP_CONFIG, n)),
  ];
  switch (part) {
    case 'atomic':
      return lesson((given) => [...checkLocally(given, options), ...checkEndToEnd(given, options)]);
    case 'closed-forms':
      return lesson((given) => checkClosedForms(given, options));
    case 'model':
      return both((config, n) => checkModel(createCase(config, n, seed), options));
    case 'backend':
      return both((config, n) => checkBackend(createCase(config, n, seed, FLOAT32_VARIANCE), createBackend));
  }
}
