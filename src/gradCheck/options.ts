/** The parts of the gradient check: (a) to (d). */
export const PARTS = ['atomic', 'closed-forms', 'model', 'backend'] as const;
export type Part = (typeof PARTS)[number];

export interface CheckOptions {
  /** Step of the differences, relative to the length over which the network bends. */
  eps: number;
  /** Largest max|a-b| / max(|a|,|b|) that a float64 row may have. */
  tolerance: number;
  /** How many entries of each tensor are moved. */
  entries: number | 'all';
  seed: number | string;
}

/** Step of the differences (relative to the length over which the network bends), limit of a row, entries of each tensor. */
export const CHECK_DEFAULTS = { eps: 1e-3, tolerance: 1e-6, entries: 100 } as const;
