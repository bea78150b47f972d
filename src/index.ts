/** The public API: the tensor and the lesson, the network and its training, the gradient check, files and sampling. */

export type { ArenaSize, Backend } from './backend/backend.js';
export { createReferenceBackend } from './backend/reference.js';
export { MAX_BLOCKS, OPTIMIZERS, type OptimizerName, SAMPLINGS, type Sampling, SCHEDULES } from './core/choices.js';
export { FileContentError, NumericalError, SystemError, UsageError } from './core/errors.js';
export { type RandomStream, randomStream } from './core/random.js';
export { type DType, type FloatArray, type Indices, type Shape, ShapeError, Tensor } from './core/tensor.js';
export { drawBatch, Epochs } from './data/batch.js';
export { createDataset, createExamples, type Dataset, type DatasetOptions, type Examples, type Split } from './data/dataset.js';
export { type Exercise1, type Exercise2, type Exercise3, type Exercise4, type Line, TodoError, todo } from './dojo/exercises.js';
export { CHUNK, Evaluator } from './evaluation/evaluator.js';
export { NGram } from './evaluation/ngram.js';
export { type Sample, type SampleOptions, Sampler } from './evaluation/sampler.js';
export { type AgainstRow, checkAgainst } from './gradCheck/against.js';
export { checkPart } from './gradCheck/gradCheck.js';
export { type CheckOptions, PARTS, type Part } from './gradCheck/options.js';
export type { CheckRow } from './gradCheck/row.js';
export { backward as lessonBackward, exercise1 } from './lesson/exercise1.js';
export { exercise2, softmax } from './lesson/exercise2.js';
export { exercise3 } from './lesson/exercise3.js';
export * as exercise4 from './lesson/exercise4.js';
export { forward as lessonForward } from './lesson/forward.js';
export type { LessonBatch, LessonGradients, LessonParameters, LessonValues } from './lesson/values.js';
export {
  arenaSize,
  backward,
  createModel,
  createTrainingActivations,
  forward,
  initialise,
  type Model,
  type TrainingActivations,
  type Work,
} from './network/model.js';
export {
  LESSON_PARAMETER_NAMES,
  type ModelConfig,
  type ParameterName,
  parameterCount,
  parameterNames,
  parameterShapes,
} from './network/parameters.js';
export { loadCheckpoint, saveCheckpoint } from './node/checkpointFile.js';
export { createWasmBackend } from './node/kernels.js';
export { readMetrics } from './node/metricsFile.js';
export { type NamesFile, readNamesFile } from './node/namesFile.js';
export { type Best, type Checkpoint, restoreModel } from './run/checkpoint.js';
export type { MetricsRecord } from './run/records.js';
export { loadFloats, loadIndices, readSafetensors, type Safetensors, storeFloats, writeSafetensors } from './run/safetensors.js';
export { type Diagnosis, NonFiniteError } from './training/diagnose.js';
export { type ScanOptions, type ScanPoint, scanRates } from './training/lrFind.js';
export { type RunConfig, trainingWork } from './training/runConfig.js';
export { type RateOptions, type Schedule, scheduledRate } from './training/schedule.js';
export { type LossRecord, Training, type TrainingHooks, type TrainingOptions, type TrainingState } from './training/training.js';
export { OPTIMIZER_TENSORS, type OptimizerConfig, type OptimizerState, Updater, type WeightDecay } from './training/updater.js';
