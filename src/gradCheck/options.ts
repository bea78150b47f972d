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
