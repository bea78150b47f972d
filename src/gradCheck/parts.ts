/** The parts of the gradient check: (a) to (d). */
export const PARTS = ['atomic', 'closed-forms', 'model', 'backend'] as const;
export type Part = (typeof PARTS)[number];
