/** The `lesson` namespace: the forward pass in atomic steps, the four exercises solved, a test case to try them on, and why an entry has its value. */

export {
  type BlockValues,
  createLessonCase,
  LESSON_CONFIG,
  type LessonCase,
  type LessonConfig,
  type NetworkCase,
} from './case.js';
export { entryText, isTensorName, readEntry, type Shapes, TENSOR_NAMES, type TensorName } from './entry.js';
export { backward, exercise1, GRADIENT_NAMES, type GradientLine, type GradientLines } from './exercise1.js';
export { exercise2 } from './exercise2.js';
export { exercise3 } from './exercise3.js';
export * as exercise4 from './exercise4.js';
export { forward } from './forward.js';
export { softmax } from './softmax.js';
export {
  type GradientName,
  INTERMEDIATE_NAMES,
  type IntermediateName,
  type LessonBatch,
  type LessonGradients,
  type LessonParameters,
  type LessonValues,
  type StepName,
  type ValueName,
} from './values.js';
export { type Explanation, type Factor, type Term, why } from './why.js';
export type { Pass } from './whyLines.js';
export { showValue } from './whyText.js';
