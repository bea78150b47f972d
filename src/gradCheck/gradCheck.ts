import type { CreateBackend } from '../backend/backend.js';
import { createLessonCase, createNetworkCase, DEEP_CONFIG, LESSON_CONFIG, type LessonCase, PLAIN_CONFIG } from '../lesson/case.js';
import type { ModelConfig } from '../network/parameters.js';
import { checkEndToEnd, checkLocally } from './atomic.js';
import { checkBackend, FLOAT32_VARIANCE } from './backendCheck.js';
import { checkClosedForms } from './closedForms.js';
import { checkModel } from './modelCheck.js';
import type { CheckOptions, Part } from './options.js';
import type { CheckRow } from './row.js';

/** n = 2 shows a wrong Bessel factor best, 3 is the smallest batch without cancellation, and 32 is the lesson's batch. */
export const BATCH_SIZES: readonly number[] = [2, 3, 32];
/**
 * Batch sizes for the deep network. At n = 2 almost no gradient reaches the blocks below the last one: bnraw of two rows is ±0.707
 * for any hprebn (apart from the epsilon), so a block passes down a median of 3e-4 of its gradient, against 1 at n = 3. Three blocks down
 * that is below the rounding of the loss. The lesson's network, with one block, checks each layer at n = 2.
 */
export const DEEP_BATCH_SIZES: readonly number[] = BATCH_SIZES.filter((n) => n > 2);

/**
 * Checks one part of the lesson's gradients, at batch sizes 2, 3 and 32. Parts (c) and (d) also check a network of three blocks,
 * with and without batch norm.
 * @param part 'atomic': the 26 lines of Exercise 1, alone and in the chain. 'closed-forms': Exercises 2 and 3. 'model': the network's
 * backward pass in float64. 'backend': the float32 backend against the float64 reference.
 * @param createBackend makes the float32 backend that 'backend' checks
 * @returns a row per gradient, witness, batch size and network; every row is `ok` if all gradients are right
 */
export function checkPart(part: Part, options: CheckOptions, createBackend: CreateBackend): CheckRow[] {
  const { seed } = options;
  const lesson = (check: (lessonCase: LessonCase) => CheckRow[]) =>
    BATCH_SIZES.flatMap((n) => check(createLessonCase(LESSON_CONFIG, n, seed)));
  const networks = (check: (config: ModelConfig, n: number) => CheckRow[]) => [
    ...BATCH_SIZES.flatMap((n) => check(LESSON_CONFIG, n)),
    ...DEEP_BATCH_SIZES.flatMap((n) => check(DEEP_CONFIG, n)),
    ...BATCH_SIZES.flatMap((n) => check(PLAIN_CONFIG, n)),
  ];
  switch (part) {
    case 'atomic':
      return lesson((lessonCase) => [...checkLocally(lessonCase, options), ...checkEndToEnd(lessonCase, options)]);
    case 'closed-forms':
      return lesson((lessonCase) => checkClosedForms(lessonCase, options));
    case 'model':
      return networks((config, n) => checkModel(createNetworkCase(config, n, seed), options));
    case 'backend':
      return networks((config, n) => checkBackend(createNetworkCase(config, n, seed, FLOAT32_VARIANCE), createBackend));
  }
}
