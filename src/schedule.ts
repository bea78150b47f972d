/** The lesson's learning rate at a step counted from 0: the given rate, and a tenth of it from half of the steps on. */
export function stepRate(step: number, steps: number, rate: number): number {
  return step < Math.floor(steps / 2) ? rate : rate / 10;
}
