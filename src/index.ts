/**
 * The core: the tensor and the lesson, the network and its training, evaluation, and a run as bytes. It runs unchanged in Node, in a browser and in a worker.
 * It reads no file, no clock and no environment: names, kernels, hash function and seeds are arguments.
 */

export type { ArenaSize, Backend, CreateBackend, Threads } from './backend/backend.js';
export type { Pace } from './backend/pace.js';
export { createReferenceBackend } from './backend/reference.js';
export { type WasmModule, wasmBackend } from './backend/wasm.js';
export { type ErrorDetails, FileContentError, fullMessage, NumericalError, SystemError, UsageError } from './core/errors.js';
export { type RandomStream, randomStream, restoreStream, type StreamName, type StreamState } from './core/random.js';
export type { Sha256 } from './core/sha256.js';
export { drawBatch, Epochs, SAMPLINGS, type Sampling } from './data/batch.js';
export { type Batch, createDataset, createExamples, type Dataset, type DatasetOptions, type Examples, type Split } from './data/dataset.js';
export { NameList } from './data/nameList.js';
export type { EncodedNames } from './data/nameListBuilder.js';
export { type ParsedNames, parseNames } from './data/parseNames.js';
export type { Indices } from './data/vocabulary.js';
export * from './dojo.js';
export { EVALUATION_BATCH, Evaluator } from './evaluation/evaluator.js';
export { NGram } from './evaluation/ngram.js';
export { MAX_NAME_LENGTH, type Sample, type SampleOptions, Sampler } from './evaluation/sampler.js';
export * as gradCheck from './gradcheck.js';
export type { CharacterGroups, TableSizes } from './layers/embeddingTable.js';
export * as lesson from './lesson/index.js';
export {
  type Activations,
  allocateModel,
  arenaSize,
  type BatchNormBlock,
  type Block,
  type BlockActivations,
  type Capacity,
  createModel,
  createTrainingActivations,
  type EmbeddingInput,
  type LinearBlock,
  type Model,
  type NamedTensor,
  type TableInput,
  type TrainingActivations,
  type TrainingBlockActivations,
} from './network/arrays.js';
export { initialise } from './network/initialise.js';
export {
  type BlockParameter,
  type BlockStatistic,
  type InitialScales,
  LESSON_PARAMETER_NAMES,
  type LessonParameterName,
  type LinearParameter,
  MAX_BLOCKS,
  type ModelConfig,
  type Norm,
  type ParameterArrays,
  type ParameterName,
  parameterCount,
  parameterNames,
  parameterShapes,
  type StatisticArrays,
  type StatisticName,
} from './network/parameters.js';
export { backward, forward } from './network/passes.js';
export {
  type BestEvaluation,
  type Checkpoint,
  checkpointBytes,
  parseCheckpoint,
  type RunSnapshot,
  restoreModel,
} from './run/checkpoint.js';
export { type EvaluationRecord, type Hashes, type HashRecord, type MetricsRecord, parameterHashes } from './run/records.js';
export { type RunOptions, RunTraining, type RunTrainingOptions } from './run/runTraining.js';
export * as safetensors from './run/safetensorsFormat.js';
export { runBytes } from './run/size.js';
export { type Diagnosis, NonFiniteError, type TensorEntry } from './training/diagnose.js';
export {
  type BlockDiagnostics,
  type Diagnostics,
  type DiagnosticsRecord,
  type Histogram,
  measure,
  type ParameterDiagnostics,
  SATURATED,
  type Spread,
} from './training/diagnostics.js';
export { type ScanOptions, type ScanPoint, scanRates } from './training/lrFind.js';
export type { RecipeOptions } from './training/options.js';
export { PRESET_NAMES, type PresetName } from './training/presets.js';
export { type Recipe, recipe } from './training/recipe.js';
export { modelConfig, type RunConfig, trainingCapacity } from './training/runConfig.js';
export { type RateOptions, SCHEDULES, type Schedule, scheduledRate } from './training/schedule.js';
export {
  type DoneStep,
  type LossRecord,
  Training,
  type TrainingHooks,
  type TrainingOptions,
  type TrainingState,
} from './training/training.js';
export {
  type BetaPowers,
  OPTIMIZERS,
  type OptimizerConfig,
  type OptimizerName,
  type OptimizerState,
  type WeightDecay,
} from './training/updater.js';
