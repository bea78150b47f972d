import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FileContentError, UsageError } from '../../core/errors.js';
import { showPath } from '../../core/text.js';
import { countExamples, type Dataset } from '../../data/dataset.js';
import { EVALUATION_BATCH } from '../../evaluation/evaluator.js';
import { allocateModel, arenaBytes, arenaSize, type Model } from '../../network/arrays.js';
import type { ModelConfig } from '../../network/parameters.js';
import { checkDiskSpace } from '../../node/diskSpace.js';
import { createWasmBackend } from '../../node/kernels.js';
import { acquireLock } from '../../node/lock.js';
import { CHECKPOINT_FILE, createNamedRun, createNumberedRun, linkLatest, type RunFile, writeRunFile } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { runBytes } from '../../run/size.js';
import { defaultEvalEvery } from '../../training/evaluationCost.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { type LoadedData, loadData } from '../data.js';
import { formatBytes, formatCount } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import { programVersion } from '../version.js';
import type { PresetName } from './presets.js';
import { type NetworkOptions, type RecipeOptions, recipeOf } from './recipe.js';

export interface TrainCommandOptions extends NetworkOptions, RecipeOptions {
  preset: PresetName;
  /** A run, or true for the newest. */
  resume?: string | true;
  data?: string;
  out?: string;
  force?: boolean;
  seed: number;
  splitSeed: number;
  unique: boolean;
  evalEvery?: number;
  saveEvery?: number;
  checkEvery?: number;
  /** A mistake of the bank, to be trained beside the right gradients. */
  mutant?: string;
  json?: boolean;
  color: boolean;
}

/** A run that is ready to be trained: new, or from a checkpoint. */
export interface PreparedRun {
  directory: string;
  config: RunConfig;
  data: LoadedData;
  dataset: Dataset;
  dataSha256: string;
  model: Model;
  program: string;
  from?: Checkpoint;
  /** What run.json holds. */
  about: RunFile & Record<string, unknown>;
  /** To be called when the run's first checkpoint stands. */
  onBegun: () => void;
  /** Gives the directory's lock back. */
  unlock: () => void;
}

/** What one WebAssembly memory can hold, and so the largest network. */
const MEMORY_LIMIT = 2 ** 32 - 2 ** 20;

/** A new run in a directory of its own. */
export function startRun(options: TrainCommandOptions, io: IO): PreparedRun {
  const data = loadData(options.data, options, io);
  const { dataset } = data;
  const config = runConfig(options, dataset);
  const shape = modelConfig(config, dataset.vocabulary);
  checkMemory(shape, config, data);
  const directory =
    options.out === undefined ? createNumberedRun(io.cwd) : createNamedRun(resolve(io.cwd, options.out), options.force ?? false, data.path);
  const startedAt = io.date().toISOString();
  const unlock = acquireLock(directory, startedAt);
  try {
    checkDiskSpace(directory, runBytes(shape, config));
    const program = programName();
    const about = {
      program,
      node: process.version,
      startedAt,
      data: { path: data.path, sha256: data.sha256, names: data.names },
      config,
    };
    // Beside an older run's checkpoint, run.json waits until the new one stands.
    const replaces = existsSync(join(directory, CHECKPOINT_FILE));
    if (!replaces) writeRunFile(directory, about);
    const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, INFERENCE));
    const onBegun = () => {
      if (replaces) writeRunFile(directory, about);
      linkLatest(io.cwd, directory);
    };
    return { directory, config, data, dataset, dataSha256: data.sha256, model, program, about, onBegun, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

export function programName(): string {
  return `backprop-ninja ${programVersion()}`;
}

function runConfig(options: TrainCommandOptions, { parts }: Dataset): RunConfig {
  const { context, embedding, hidden, batchSize, steps, seed, splitSeed, unique } = options;
  const evalEvery = options.evalEvery ?? defaultEvalEvery(countExamples(parts.train), countExamples(parts.val), batchSize, hidden.length);
  return { context, embedding, hidden, batchSize, steps, ...recipeOf(options), evalEvery, seed, splitSeed, unique };
}

/** Training, then evaluation, then sampling. */
export const INFERENCE = [EVALUATION_BATCH, 1];

/** Refuses a network that cannot be held, before any of it is allocated, and says whose doing it is. */
export function checkMemory(config: ModelConfig, run: RunConfig, { path }: LoadedData): void {
  const bytesOf = (shape: ModelConfig) => arenaBytes(arenaSize(shape, trainingCapacity(run, INFERENCE)));
  const needed = bytesOf(config);
  if (needed <= MEMORY_LIMIT) return;
  const sizes = `the network needs ${formatBytes(needed)} of memory, at most ${formatBytes(MEMORY_LIMIT)} can be had`;
  if (bytesOf({ ...config, vocabulary: 27 }) <= MEMORY_LIMIT) {
    throw new FileContentError(`${showPath(path)}: its vocabulary has ${formatCount(config.vocabulary)} characters, with which ${sizes}`);
  }
  throw new UsageError(`${sizes}; lower --hidden, --embedding, --context or --batch-size`);
}
