/** Chooses how often to evaluate and to diagnose. */
import type { Norm } from '../network/parameters.js';

// Costs of an evaluation are per example, relative to training on one example.

/** Calibration of the first block: 0.19 of 2.03 us at H 200, n 32. */
const CALIBRATION_COST = 0.09;
/** Calibration of each further block, through all blocks below: 0.29 in all at H 200,200, 0.47 at H 64,64,64. */
const BLOCK_CALIBRATION_COST = 0.19;
/** The validation loss: 0.74 of 2.03 us at H 200, n 32. */
const EVALUATION_COST = 0.37;

/** Training takes at least this many times as long as the evaluations. */
const TRAINING_PER_EVALUATION = 50;

/**
 * Steps between two evaluations, so that they take at most 2 % of the training time: 1, 2 or 5 times a power of ten, at least 100.
 * @param blocks the number of blocks of the network
 * @param norm without batch norm, there is nothing to calibrate
 */
export function defaultEvalEvery(
  trainExamples: number,
  valExamples: number,
  batchSize: number,
  blocks: number,
  norm: Norm = 'batch',
): number {
  const calibration = norm === 'none' ? 0 : CALIBRATION_COST + BLOCK_CALIBRATION_COST * (blocks - 1);
  const steps = (TRAINING_PER_EVALUATION * (calibration * trainExamples + EVALUATION_COST * valExamples)) / batchSize;
  for (let ten = 100; ; ten *= 10) {
    for (const every of [ten, 2 * ten, 5 * ten]) if (every >= steps) return every;
  }
}

/** A diagnosis takes at most as long as this many steps, and this many more divided by n: 2.8 at n 32, 1.4 at n 256, 1.1 at n 512. */
const DIAGNOSIS_COST = { steps: 2, perExample: 64 };
/** Training takes at least this many times as long as the diagnoses. */
const TRAINING_PER_DIAGNOSIS = 100;
/** More diagnoses do not show better how a run developed. */
const MOST_DIAGNOSES = 100;

/** Steps between two diagnoses, so that they take less than 1 % of the training time: 1, 2, 2.5 or 5 times a power of ten, at least 100. */
export function defaultDiagnoseEvery(steps: number, batchSize: number): number {
  const cost = DIAGNOSIS_COST.steps + DIAGNOSIS_COST.perExample / batchSize;
  const least = Math.max(TRAINING_PER_DIAGNOSIS * cost, steps / MOST_DIAGNOSES);
  for (let ten = 100; ; ten *= 10) {
    for (const every of [ten, 2 * ten, 2.5 * ten, 5 * ten]) if (every >= least) return every;
  }
}
