/** The parts of the gradient check: (a) to (d). */
export const PARTS = ['atomic', 'closed-forms', 'model', 'backend'] as const;
export type Part = (typeof PARTS)[number];

/** Step of the differences (relative to the length over which the network bends), limit of a row, entries of each tensor. */
export const CHECK_DEFAULTS = { eps: 1e-3, tolerance: 1e-6, entries: 100 } as const;
