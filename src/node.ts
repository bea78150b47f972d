/** Node only: files, run directories, resumable training, the kernels from disk, and the check of a learner's file in its own process. */

export type { LineReport, Verdict } from './dojo/check.js';
export type { ExerciseReport } from './dojo/exerciseReport.js';
export type {
  BatchSizes,
  BranchName,
  Coefficient,
  Confusion,
  Dimension,
  Fault,
  Finding,
  Mistake,
  Place,
  Role,
  ShapeMistake,
  Thrown,
  ValueMistake,
} from './dojo/findings.js';
export type { TrainingReport } from './dojo/training.js';
export type { WorstEntry } from './dojo/worstEntry.js';
export { loadCheckpoint, saveCheckpoint } from './node/checkpointFile.js';
export { checkDiskSpace } from './node/diskSpace.js';
export { createWasmBackend } from './node/kernels.js';
export { type CheckFileOptions, type CheckSignal, checkFile } from './node/learner/run.js';
export { acquireLock, type DirectoryLock, LostDirectoryError } from './node/lock.js';
export { type Metrics, readMetrics } from './node/metricsFile.js';
export { type NamesFile, readNamesFile } from './node/namesFile.js';
export { BUNDLED_NAMES } from './node/paths.js';
export {
  createNamedRun,
  createNumberedRun,
  findCheckpoint,
  findRunDirectory,
  linkLatest,
  type RunFile,
  readRunFile,
  writeRunFile,
} from './node/runDirectory.js';
export { readSafetensorsFile } from './node/safetensorsFile.js';
export { Session, type SessionOptions } from './node/session.js';
export { sha256 } from './node/sha256.js';
export { createThreadedBackend, type ThreadedBackend, type ThreadsOptions } from './node/threads.js';
