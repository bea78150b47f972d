/** Gradient checks: hand-written gradients against finite differences, the atomic chain and a float64 reference. */

export { type AgainstReport, type AgainstRow, checkAgainst, type UncomparedTensor } from './gradCheck/against.js';
export { checkPart } from './gradCheck/gradCheck.js';
export { CHECK_DEFAULTS, type CheckOptions, PARTS, type Part } from './gradCheck/options.js';
export type { CheckRow, Witness } from './gradCheck/row.js';
