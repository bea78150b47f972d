import { join } from 'node:path';
import { createDataset } from '../../src/data/dataset.js';
import { EVALUATION_BATCH } from '../../src/evaluation/evaluator.js';
import { allocateModel, type Model } from '../../src/network/arrays.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { readMetrics } from '../../src/node/metricsFile.js';
import { Session } from '../../src/node/session.js';
import { type Checkpoint, restoreModel } from '../../src/run/checkpoint.js';
import type { MetricsRecord } from '../../src/run/records.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { NAMES } from './fakeIO.js';
import type { Recipe } from './recipes.js';
import { RUN_CONFIG } from './runConfig.js';
import { makeDirectory, removeDirectory, snapshot, tempDirectory } from './tempDirectory.js';

/** A run of 24 steps; the rate falls after step 12. */
export const SESSION_CONFIG: RunConfig = {
  ...RUN_CONFIG,
  context: 3,
  embedding: 4,
  hidden: [8],
  batchSize: 32,
  steps: 24,
  schedule: { name: 'step', switchStep: 12 },
};
export const SAVE_EVERY = 7;
export const DIAGNOSE_EVERY = 4;
export const SESSION_DATASET = createDataset(NAMES, SESSION_CONFIG);
/** Batch sizes of evaluation. */
export const INFERENCE = [EVALUATION_BATCH];

export function openSession(
  directory: string,
  config: RunConfig,
  model: Model,
  from?: Checkpoint,
  saveEvery: number = SAVE_EVERY,
  diagnoseEvery: number = DIAGNOSE_EVERY,
): Session {
  const data = { dataset: SESSION_DATASET, dataSha256: '0'.repeat(64) };
  return new Session({ directory, config, model, ...data, program: 'test', saveEvery, diagnoseEvery, ...(from ? { from } : {}) });
}

/** Starts a new run. */
export function start(directory: string, config: RunConfig = SESSION_CONFIG, saveEvery?: number, diagnoseEvery?: number): Session {
  const shape = modelConfig(config, SESSION_DATASET.vocabulary);
  const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, INFERENCE));
  return openSession(directory, config, model, undefined, saveEvery, diagnoseEvery);
}

/** Resumes a run from its checkpoint. */
export function resume(directory: string, saveEvery?: number): Session {
  const from = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
  const model = restoreModel(from, createWasmBackend, trainingCapacity(from.config, INFERENCE));
  return openSession(directory, from.config, model, from, saveEvery);
}

/** Trains until this many steps are done. */
export function advanceTo(session: Session, step: number): Session {
  while (session.step < step) session.advance();
  return session;
}

/** Trains to the last step, and closes the session. */
export function finish(session: Session): void {
  while (!session.done) session.advance();
  session.close();
}

/** A run of a recipe. 32 of about 330 examples: an epoch ends inside a batch. */
export function recipeConfig(recipe: Recipe): RunConfig {
  return { ...SESSION_CONFIG, ...recipe, learningRate: 0.02 };
}

/** The files of a run that was killed after a step, and then resumed. */
export function killedAndFinished(config: RunConfig, step: number): Record<string, string> {
  const directory = tempDirectory();
  // Neither closed nor saved, like a killed process.
  const killed = advanceTo(start(directory, config), step);
  finish(resume(directory));
  killed.close();
  return snapshot(directory);
}

/** The files of an uninterrupted run. */
export function wholeRun(config: RunConfig = SESSION_CONFIG): Record<string, string> {
  const directory = makeDirectory();
  finish(start(directory, config));
  const files = snapshot(directory);
  removeDirectory(directory);
  return files;
}

export function metricsOf(directory: string): MetricsRecord[] {
  return readMetrics(join(directory, 'metrics.jsonl')).records;
}

/** Step and kind of each record in metrics.jsonl but the diagnoses: '5 evaluation'. */
export function recordsIn(directory: string): string[] {
  const records = metricsOf(directory).filter((record) => !('diagnostics' in record));
  return records.map((record) => {
    const kind = 'loss' in record ? 'loss' : 'valLoss' in record ? 'evaluation' : 'hashes';
    return `${record.step} ${kind}`;
  });
}
