/** Maps of a normal number into the domain of a function. */
export const DOMAINS = {
  normal: (v: number) => v,
  positive: (v: number) => 0.3 + Math.abs(v),
  unit: (v: number) => 0.9 * Math.tanh(v),
  aboveOne: (v: number) => 1.3 + Math.abs(v),
};
export type Domain = keyof typeof DOMAINS;
