import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CreateBackend } from '../../backend/backend.js';
import { fullMessage, SystemError } from '../../core/errors.js';
import { withDefaults } from '../../core/optionRow.js';
import { showText } from '../../core/text.js';
import { allocateModel, type Model } from '../../network/arrays.js';
import { checkDiskSpace } from '../../node/diskSpace.js';
import { keepNames } from '../../node/keptNames.js';
import { acquireLock, type DirectoryLock } from '../../node/lock.js';
import {
  CHECKPOINT_FILE,
  createNamedRun,
  createNumberedRun,
  INIT_FILE,
  linkLatest,
  RUN_FILE,
  type RunFile,
  readRunFile,
  replaceRunFile,
  writeInitFile,
  writeRunFile,
} from '../../node/runDirectory.js';
import type { RunFiles } from '../../node/runFiles.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { INFERENCE, limitedBackend } from '../../run/limitedBackend.js';
import { runBytes } from '../../run/size.js';
import { defaultDiagnoseEvery } from '../../training/evaluationCost.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import { createRunConfig, sizesOf, withPreset } from '../../training/recipe.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { type LoadedData, loadData } from '../data.js';
import type { IO } from '../terminal/io.js';
import { programVersion } from '../version.js';
import { type InitialWeights, initialWeights, openWeights, sourceEntry, type WeightsSource } from '../weights.js';
import type { GivenTrainOptions } from './trainOptions.js';

/** A run that is ready to be trained: new, or from a checkpoint. */
export interface PreparedRun {
  directory: string;
  config: RunConfig;
  data: LoadedData;
  model: Model;
  program: string;
  /** Steps between two diagnoses; 0: never. */
  diagnoseEvery: number;
  from?: Checkpoint;
  /** The content of run.json. */
  runFile: RunFile & Record<string, unknown>;
  /** Call it with the session's files once the run's first checkpoint is written. */
  onBegun: (files: RunFiles) => void;
  /** The directory's lock, to be released at the end. */
  lock: DirectoryLock;
}

/** A run as the options describe it: its data, its configuration, and the parameters that it begins with. */
export interface AskedRun {
  given: GivenTrainOptions;
  data: LoadedData;
  config: RunConfig;
  /** The file of --init, and its parameters. */
  source: WeightsSource | undefined;
  init: InitialWeights | undefined;
  createBackend: CreateBackend;
}

/** Reads what a run begins with. */
export function askedRun(given: GivenTrainOptions, createBackend: CreateBackend, io: IO): AskedRun {
  const asked = withPreset(TRAINING_OPTIONS, given.preset ?? 'lesson', given);
  const source = given.init === undefined ? undefined : openWeights(given.init, io);
  const data = loadData(given.data, withDefaults(TRAINING_OPTIONS, asked), io);
  const init = source && initialWeights(source, data, given, io);
  const config = createRunConfig({ ...asked, ...init?.settings }, sizesOf(data.dataset));
  return { given, data, config, source, init, createBackend };
}

/** The model of a new run. @throws UsageError if it does not fit into the memory of the kernels */
export function newModel({ data, config, init, createBackend }: AskedRun): Model {
  const shape = modelConfig(config, data.dataset.vocabulary);
  const model = allocateModel(kernelsFor(config, data, createBackend), shape, trainingCapacity(config, INFERENCE));
  init?.copyTo(model);
  return model;
}

/** The files that a run begins with, which its directory must not hold. */
export function inputsOf({ data, source }: AskedRun): { data: string | undefined; weights: string | undefined } {
  return { data: data.bytes ? undefined : data.path, weights: source?.path };
}

/** A new run in its own directory. */
export async function startRun(given: GivenTrainOptions, createBackend: CreateBackend, io: IO): Promise<PreparedRun> {
  const { out, force = false } = given;
  const asked = askedRun(given, createBackend, io);
  const model = newModel(asked);
  const { data, weights } = inputsOf(asked);
  const directory = out === undefined ? createNumberedRun(io.cwd) : createNamedRun(resolve(io.cwd, out), force, data, weights);
  const lock = await lockDirectory(directory, io.date().toISOString(), io);
  try {
    return beginRun(asked, model, { directory, lock }, io);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A new run in a directory that is locked for it. */
export function beginRun(
  { given, data, config, source, init }: AskedRun,
  model: Model,
  { directory, lock }: Pick<PreparedRun, 'directory' | 'lock'>,
  io: IO,
): PreparedRun {
  const diagnoseEvery = given.diagnoseEvery ?? defaultDiagnoseEvery(config.steps, config.batchSize);
  checkDiskSpace(directory, runBytes(model.config, config, diagnoseEvery));
  const program = programName();
  const runFile = {
    program,
    node: process.version,
    startedAt: io.date().toISOString(),
    data: dataEntry(data, directory),
    config,
    ...keptOptions(given),
    ...(source && { source: sourceEntry(source) }),
  };
  // An older run's run.json stays until the new checkpoint replaces the old one.
  const replaces = existsSync(join(directory, CHECKPOINT_FILE));
  if (!replaces) {
    if (init) writeInitFile(directory, init.bytes);
    writeRunFile(directory, runFile);
  }
  const onBegun = (files: RunFiles) => {
    files.adopt(RUN_FILE);
    files.adopt(INIT_FILE);
    if (replaces) {
      if (init) files.replace(INIT_FILE, init.bytes);
      else files.remove(INIT_FILE);
      replaceRunFile(files, runFile);
    }
    tryLinkLatest(directory, io);
  };
  return { directory, config, data, model, program, diagnoseEvery, runFile, onBegun, lock };
}

/** The options that shape no weights but the records, as run.json keeps them for --resume. */
export function keptOptions({ diagnoseEvery }: GivenTrainOptions): { diagnoseEvery?: number } {
  return diagnoseEvery === undefined ? {} : { diagnoseEvery };
}

/** Locks a directory; a note on stderr says why that takes long. */
export function lockDirectory(directory: string, startedAt: string, io: IO): Promise<DirectoryLock> {
  return acquireLock(directory, startedAt, (reason) => io.stderr.write(`note: ${reason}\n`));
}

/** Points runs/latest to the run. Where that fails, a note says so, and the run continues. */
export function tryLinkLatest(directory: string, io: IO): void {
  try {
    linkLatest(io.cwd, directory);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    io.stderr.write(`note: ${showText(fullMessage(error))}; to use this run, name its directory\n`);
  }
}

/** A data set's entry in run.json. Names from a pipe are kept in the run's directory. */
export function dataEntry({ path, sha256, names, bytes }: LoadedData, directory: string): RunFile['data'] & { names: number } {
  const isOwn = (kept: string) => readRunFile(join(directory, CHECKPOINT_FILE))?.data.path === kept;
  return { path: bytes ? keepNames(directory, bytes, isOwn) : path, sha256, names };
}

export function programName(): string {
  return `backprop-ninja ${programVersion()}`;
}

/** The backend, for a network that fits into their memory. */
export function kernelsFor(config: RunConfig, { shownAs, dataset }: LoadedData, createBackend: CreateBackend): CreateBackend {
  return limitedBackend(createBackend, config, { shownAs, vocabulary: dataset.vocabulary });
}
