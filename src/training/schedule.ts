/** Learning-rate schedules. */

/** The lesson's learning rate at a step, counted from 0: the full rate before the switch step, a tenth of it afterwards. */
export function stepRate(step: number, switchStep: number, rate: number): number {
  return step < switchStep ? rate : rate / 10;
}

/** The lesson's switch step: halfway. */
export function defaultSwitchStep(steps: number): number {
  return Math.floor(steps / 2);
}

/** The names of the schedules. */
export const SCHEDULES = ['step', 'constant', 'linear', 'cosine'] as const;

/** The decay of the learning rate: to a tenth at the switch step; none; or to 0 after the last step, along a line or half a cosine. */
export type Schedule = { name: 'step'; switchStep: number } | { name: 'constant' | 'linear' | 'cosine' };

/** Everything that determines the learning rate of a step. */
export interface RateOptions {
  steps: number;
  learningRate: number;
  schedule: Schedule;
  /** Warm-up steps: the rate rises linearly from learningRate/warmup in the first step to learningRate in the last of them. */
  warmup: number;
}

/** The learning rate at a step, counted from 0. */
export function scheduledRate(step: number, { steps, learningRate, schedule, warmup }: RateOptions): number {
  const rising = step < warmup ? (step + 1) / warmup : 1;
  if (schedule.name === 'step') return rising * stepRate(step, schedule.switchStep, learningRate);
  if (schedule.name === 'constant' || step < warmup) return rising * learningRate;
  const elapsed = (step - warmup) / (steps - warmup);
  return schedule.name === 'linear' ? learningRate * (1 - elapsed) : learningRate * (0.5 + 0.5 * cosineOfPi(elapsed));
}

/**
 * cos(π·t) for t from 0 to 1, within 2e-16, by its series around the nearest quarter turn. The last bit of Math.cos differs between Node
 * versions, which would change the trained weights.
 */
export function cosineOfPi(t: number): number {
  if (t > 0.5) return -cosineOfPi(1 - t);
  return t <= 0.25 ? cosineSeries(Math.PI * t) : sineSeries(Math.PI * (0.5 - t));
}

/** 1 - x²/2! + x⁴/4! - … up to x¹⁶: the truncation error is below 3e-18 for |x| <= π/4. */
function cosineSeries(x: number): number {
  let sum = 1;
  for (let k = 16; k > 0; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return sum;
}

/** x - x³/3! + x⁵/5! - … up to x¹⁷. */
function sineSeries(x: number): number {
  let sum = 1;
  for (let k = 17; k > 1; k -= 2) sum = 1 - (sum * x * x) / (k * (k - 1));
  return x * sum;
}
