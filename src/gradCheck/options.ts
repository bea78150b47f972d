/** The parts of the gradient check, (a) to (d). */
export const PARTS = ['atomic', 'closed-forms', 'model', 'backend'] as const;
export type Part = (typeof PARTS)[number];

/** The settings of a check; {@link CHECK_DEFAULTS} has the defaults of the command line. */
export interface CheckOptions {
  /** Largest step of the finite differences. It is halved until two steps agree. */
  eps: number;
  /** Largest difference |a-b| that passes, as a share of the tensor's largest entry, besides the measured error of the differences. */
  tolerance: number;
  /** The number of entries to compare in each tensor. */
  entries: number | 'all';
  /** Seed of the test cases, of random upstream gradients and of the sample of entries. */
  seed: number | string;
}

/** The defaults of the command line. */
export const CHECK_DEFAULTS = { eps: 1e-3, tolerance: 1e-6, entries: 100 } as const;

/** Steps outside would only cost time: steps are halved from here until two agree. */
export const EPS_RANGE = [1e-5, 0.1] as const;
/**
 * Below, correct gradients could fail: two derivations of dhprebn differ by up to 3e-12 at n = 2. Above, a gradient that is wrong by a visible
 * factor would pass: at 1, even zeros pass.
 */
export const TOLERANCE_RANGE = [1e-9, 0.01] as const;
