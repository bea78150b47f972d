/** The lesson's learning rate at a step counted from 0: the given rate, and a tenth of it from the switch step on. */
export function stepRate(step: number, switchStep: number, rate: number): number {
  return step < switchStep ? rate : rate / 10;
}

/** The lesson's switch step: half of the steps. */
export function defaultSwitchStep(steps: number): number {
  return Math.floor(steps / 2);
}

/** What an example costs to calibrate on and to evaluate, in trainings on it: 0.19 and 0.74 of 2.03 us at H 200, n 32. */
const CALIBRATION_COST = 0.09;
/** What calibration costs more for each block above the first, through all below it: 0.29 at H 200,200, 0.47 at H 64,64,64 in all. */
const BLOCK_CALIBRATION_COST = 0.19;
const EVALUATION_COST = 0.37;
/** One part in so many of the training time may go into evaluations. */
const SHARE = 50;

/** Steps between two evaluations that keep them under 2 % of the training time: 1, 2 or 5 times a power of ten, at least 100. */
export function defaultEvalEvery(trainExamples: number, valExamples: number, batchSize: number, blocks: number): number {
  const calibration = CALIBRATION_COST + BLOCK_CALIBRATION_COST * (blocks - 1);
  const steps = (SHARE * (calibration * trainExamples + EVALUATION_COST * valExamples)) / batchSize;
  for (let ten = 100; ; ten *= 10) {
    for (const every of [ten, 2 * ten, 5 * ten]) if (every >= steps) return every;
  }
}
