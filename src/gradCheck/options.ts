import { UsageError } from '../core/errors.js';

/** The parts of the gradient check, (a) to (d). */
export const PARTS = ['atomic', 'closed-forms', 'model', 'backend'] as const;
export type Part = (typeof PARTS)[number];

/** The settings of a check; {@link CHECK_DEFAULTS} has the defaults of the command line. */
export interface CheckOptions {
  /** Step of the finite differences, as a share of the distance over which the loss bends. */
  eps: number;
  /** Largest relative difference max|a-b| / max(|a|,|b|) that passes, in float64. */
  tolerance: number;
  /** The number of entries to compare in each tensor. */
  entries: number | 'all';
  /** Seed of the test cases, of random upstream gradients and of the sample of entries. */
  seed: number | string;
}

/** The defaults of the command line. */
export const CHECK_DEFAULTS = { eps: 1e-3, tolerance: 1e-6, entries: 100 } as const;

/**
 * Below, the rounding error of a gradient that is zero by structure comes near its limit of 1e-9: measured, up to 6e-16 / eps. Above, no
 * tolerance fits.
 */
export const EPS_RANGE = [1e-5, 0.1] as const;
/** Above, a gradient that is wrong by a visible factor would pass: at 1, even zeros pass. */
export const MOST_TOLERANCE = 0.01;

/**
 * How far a correct gradient may be off its differences, relative to the largest entry: rounding of the loss, about 2^-52·|loss|/eps, and the
 * error of fourth-order differences. Measured over 30 entries of each tensor, all batch sizes and three seeds: at most 6e-12/eps + 800·eps⁴;
 * the bound leaves a factor of three.
 */
function stepError(eps: number): number {
  return 2e-11 / eps + 2500 * eps ** 4;
}

/**
 * Refuses a step with which correct gradients would fail.
 * @throws UsageError that says which steps fit the tolerance, or which tolerance the step
 */
export function checkStep({ eps, tolerance }: Pick<CheckOptions, 'eps' | 'tolerance'>): void {
  const error = stepError(eps);
  if (error <= tolerance) return;
  const fitting = STEPS.filter((step) => stepError(step) <= tolerance);
  const steps = fitting.length > 0 ? [`an --eps from ${fitting[0]} to ${fitting[fitting.length - 1]}`] : [];
  const [digits, power] = error.toExponential(1).split('e');
  const enough = Number(`${Math.ceil(Number(digits) + 0.1)}e${power}`);
  const tolerances = enough <= MOST_TOLERANCE ? [`a --tolerance of at least ${enough}`] : [];
  throw new UsageError(
    `--eps ${eps} and --tolerance ${tolerance}: differences with this step are off by up to ${error.toExponential(0)} themselves, so correct gradients would fail`,
    { hint: `choose ${[...steps, ...tolerances].join(', or ')}` },
  );
}

/** Steps to suggest: 1, 2 and 5 times the powers of ten. */
const STEPS = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2];
