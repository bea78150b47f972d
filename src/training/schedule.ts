/** The lesson's learning rate at a step counted from 0: the given rate, and a tenth of it from the switch step on. */
export function stepRate(step: number, switchStep: number, rate: number): number {
  return step < switchStep ? rate : rate / 10;
}

/** The lesson's switch step: half of the steps. */
export function defaultSwitchStep(steps: number): number {
  return Math.floor(steps / 2);
}

export const SCHEDULES = ['step', 'constant', 'linear', 'cosine'] as const;

/** How the rate goes down: to a tenth from the switch step on, not at all, or along a line or half a cosine to 0 after the last step. */
export type Schedule = { name: 'step'; switchStep: number } | { name: 'constant' | 'linear' | 'cosine' };

/** All that decides the learning rate of a step. */
export interface RateOptions {
  steps: number;
  learningRate: number;
  schedule: Schedule;
  /** Steps over which the rate goes up: a first share of it in the first step, all of it in the last of them. */
  warmup: number;
}

/** The learning rate at a step counted from 0. */
export function scheduledRate(step: number, { steps, learningRate, schedule, warmup }: RateOptions): number {
  const rising = step < warmup ? (step + 1) / warmup : 1;
  if (schedule.name === 'step') return rising * stepRate(step, schedule.switchStep, learningRate);
  if (schedule.name === 'constant' || step < warmup) return rising * learningRate;
  const gone = (step - warmup) / (steps - warmup);
  return schedule.name === 'linear' ? learningRate * (1 - gone) : learningRate * (0.5 + 0.5 * cosineOfPi(gone));
}

/**
 * cos(π·t) for t from 0 to 1, within 2e-16, by its series about the nearest quarter turn. Math.cos is not the same to the last bit in
 * every Node, and what trains must be.
 */
export function cosineOfPi(t: number): number {
  if (t > 0.5) return -cosineOfPi(1 - t);
  return t <= 0.25 ? cosineSeries(Math.PI * t) : sineSeries(Math.PI * (0.5 - t));
}

/** 1 - x²/2! + x⁴/4! - …: what is left out behind x¹⁶ is below 3e-18 for |x| <= π/4. */
function cosineSeries(x: number): number {
  let sum = 1;
  for (let k = 16; k > 0; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return sum;
}

/** x - x³/3! + x⁵/5! - …, to x¹⁷. */
function sineSeries(x: number): number {
  let sum = 1;
  for (let k = 17; k > 1; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return x * sum;
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
