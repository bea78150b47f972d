import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileContentError, fullMessage, UsageError } from '../../core/errors.js';
import { showText } from '../../core/text.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { checkDiskSpace } from '../../node/diskSpace.js';
import { createWasmBackend } from '../../node/kernels.js';
import { acquireLock } from '../../node/lock.js';
import { BEST_FILE, findCheckpoint, findRunDirectory, type RunFile, readRunFile, writeRunFile } from '../../node/runDirectory.js';
import { type Checkpoint, restoreModel } from '../../run/checkpoint.js';
import { runBytes } from '../../run/size.js';
import { flatConfig, modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { showDecay, type WeightDecay } from '../../training/updater.js';
import { loadRunData } from '../data.js';
import { type IO, shortPath } from '../terminal/io.js';
import { checkMemory, INFERENCE, type PreparedRun, programName, type TrainCommandOptions } from './startRun.js';

/**
 * A run that goes on where its checkpoint stands.
 * @throws UsageError that lists every option that differs from the stored one
 * @throws FileContentError if the checkpoint is damaged, or the data set is another
 */
export function resumeRun(options: TrainCommandOptions, given: (option: string) => boolean, io: IO): PreparedRun {
  const directory = findRunDirectory(io.cwd, options.resume === true ? undefined : options.resume);
  for (const option of ['out', 'force']) {
    if (given(option)) throw new UsageError(`--${option} has no meaning with --resume: a run goes on in its own directory`);
  }
  const path = findCheckpoint(io.cwd, directory);
  const unlock = acquireLock(directory, io.date().toISOString());
  try {
    const from = loadResumable(path, directory, io);
    const config = resumedConfig(from, options, given, shortPath(directory, io));
    const data = loadRunData(path, from, options.data, 'must be the same', io);
    const { dataset } = data;
    checkMemory(modelConfig(config, dataset.vocabulary), config, data);
    checkDiskSpace(directory, runBytes(modelConfig(config, dataset.vocabulary), config));
    const model = restoreModel(from, createWasmBackend, trainingCapacity(config, INFERENCE));
    const { finishedAt, result, ...stored }: Record<string, unknown> & Partial<RunFile> = readRunFile(path) ?? { program: programName() };
    const goesOn = from.state.step < config.steps;
    const about = {
      ...stored,
      ...(goesOn ? {} : { finishedAt, result }),
      data: { path: data.path, sha256: data.sha256, names: data.names },
      config,
    };
    const onBegun = () => {
      if (goesOn || stored.data?.path !== data.path) writeRunFile(directory, about);
    };
    return { directory, config, data, dataset, dataSha256: data.sha256, model, program: programName(), from, about, onBegun, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A damaged checkpoint is never passed over in silence; if the best one is whole, that is said. */
function loadResumable(path: string, directory: string, io: IO): Checkpoint {
  try {
    return loadCheckpoint(path);
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    throw new FileContentError(fullMessage(error), { cause: error, ...wayOut(join(directory, BEST_FILE), io) });
  }
}

function wayOut(best: string, io: IO): { hint?: string } {
  if (!existsSync(best)) return {};
  try {
    const { step } = loadCheckpoint(best).state;
    return {
      hint: `${shortPath(best, io)}, of step ${step}, is whole: sample and eval can use it, and copied in its place it can be resumed`,
    };
  } catch {
    return {};
  }
}

/** Options that shape a run, and their names among its {@link flatConfig}. */
const STORED_OPTIONS: readonly (readonly [option: keyof TrainCommandOptions, flag: string, key: string])[] = [
  ['context', '--context', 'context'],
  ['embedding', '--embedding', 'embedding'],
  ['hidden', '--hidden', 'hidden'],
  ['batchSize', '--batch-size', 'batchSize'],
  ['lr', '--lr', 'learningRate'],
  ['optimizer', '--optimizer', 'optimizer'],
  ['momentum', '--momentum', 'momentum'],
  ['beta1', '--beta1', 'beta1'],
  ['beta2', '--beta2', 'beta2'],
  ['weightDecay', '--weight-decay', 'weightDecay'],
  ['clip', '--clip', 'clip'],
  ['schedule', '--schedule', 'schedule'],
  ['warmup', '--warmup', 'warmup'],
  ['sampling', '--sampling', 'sampling'],
  ['seed', '--seed', 'seed'],
  ['splitSeed', '--split-seed', 'splitSeed'],
  ['unique', '--unique', 'unique'],
  ['evalEvery', '--eval-every', 'evalEvery'],
];

/** The stored configuration, with more steps if --steps asks for more. */
function resumedConfig({ config }: Checkpoint, options: TrainCommandOptions, given: (option: string) => boolean, run: string): RunConfig {
  const stored = flatConfig(config);
  const differences = STORED_OPTIONS.filter(([option, , key]) => given(option) && show(options[option]) !== show(stored[key])).map(
    ([option, flag, key]) => `${flag} is ${show(stored[key])} there, ${show(options[option])} given`,
  );
  const steps = given('steps') ? options.steps : config.steps;
  if (steps < config.steps) differences.push(`--steps is ${config.steps} there, ${steps} given, and can only be raised`);
  if (steps > config.steps && (config.schedule.name === 'linear' || config.schedule.name === 'cosine')) {
    differences.push(`--steps is ${config.steps} there, ${steps} given, and its ${config.schedule.name} rate comes down to 0 at the end`);
  }
  if (differences.length > 0) {
    throw new UsageError(`${showText(run)} was begun otherwise: ${differences.join('; ')}; leave them out, or start a new run`);
  }
  return { ...config, steps };
}

/** A value as it is given on the command line. */
function show(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'object' && !Array.isArray(value) ? showDecay(value as WeightDecay) : String(value);
}
