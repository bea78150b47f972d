/** Gradient checks: of any layer against finite differences, and of the lesson's gradients, also against the atomic chain and a float64 reference. */

export { checkAgainst } from './dojo/against/checkAgainst.js';
export type { FileRemark, HarmlessCause, Remark, TensorRemark } from './dojo/against/remarks.js';
export { remarkText } from './dojo/against/remarks.js';
export type {
  AgainstReport,
  AgainstRow,
  AgainstVerdict,
  ErrorFigures,
  ForwardDifference,
  ForwardReport,
  NamedMistake,
} from './dojo/against/report.js';
export {
  type ActivationOptions,
  type ClassSpecification,
  fromActivation,
  fromClass,
  fromLoss,
  type LossResult,
  type LossSpecification,
  type MemberPath,
} from './gradCheck/anyLayer/adapters.js';
export { checkLayer, type LayerCheckOptions } from './gradCheck/anyLayer/checkLayer.js';
export {
  type Draw,
  defineLayer,
  type Float64Tensor,
  type Layer,
  type LayerContext,
  type LayerOptions,
  type LayerSpecification,
  type SizeChoices,
  type Sizes,
  type SizesOf,
} from './gradCheck/anyLayer/layer.js';
export {
  assertGradients,
  type GradientMatchers,
  gradientMatchers,
  type MatcherContext,
  type MatcherResult,
} from './gradCheck/anyLayer/matchers.js';
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
export { reportText } from './gradCheck/anyLayer/sentences.js';
export { checkPart } from './gradCheck/gradCheck.js';
export { CHECK_DEFAULTS, type CheckOptions, PARTS, type Part } from './gradCheck/options.js';
export type { CheckRow, Witness } from './gradCheck/row.js';
