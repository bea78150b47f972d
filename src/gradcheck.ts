/** Gradient checks: hand-written gradients against finite differences, the atomic chain and a float64 reference. */

export { type AgainstReport, type AgainstRow, checkAgainst, type UncomparedTensor } from './gradCheck/against.js';
export { checkLayer, type LayerCheckOptions } from './gradCheck/anyLayer/checkLayer.js';
export {
  type Draw,
  defineLayer,
  type Float64Tensor,
  type Layer,
  type LayerContext,
  type LayerSpecification,
  type SizeChoices,
  type Sizes,
} from './gradCheck/anyLayer/layer.js';
export type {
  InputRow,
  LayerReport,
  Mistake,
  MistakeId,
  Precision,
  PropertyName,
  PropertyRow,
  Refusal,
  Tried,
} from './gradCheck/anyLayer/report.js';
export { checkPart } from './gradCheck/gradCheck.js';
export { CHECK_DEFAULTS, type CheckOptions, PARTS, type Part } from './gradCheck/options.js';
export type { CheckRow, Witness } from './gradCheck/row.js';
