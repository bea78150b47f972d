import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateBackend } from '../../backend/backend.js';
import { FileContentError, fullMessage, UsageError } from '../../core/errors.js';
import { quoteText, showText } from '../../core/text.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { checkDiskSpace } from '../../node/diskSpace.js';
import {
  BEST_FILE,
  CHECKPOINT_FILE,
  findCheckpoint,
  findRunDirectory,
  INIT_FILE,
  RUN_FILE,
  type RunFile,
  readRunFile,
  replaceRunFile,
} from '../../node/runDirectory.js';
import type { RunFiles } from '../../node/runFiles.js';
import { type Checkpoint, restoreModel } from '../../run/checkpoint.js';
import { INFERENCE } from '../../run/limitedBackend.js';
import { resumedConfig } from '../../run/resume.js';
import { runBytes } from '../../run/size.js';
import { defaultDiagnoseEvery } from '../../training/evaluationCost.js';
import { trainingCapacity } from '../../training/runConfig.js';
import { loadRunData } from '../data.js';
import { refuseImported } from '../imported.js';
import { type IO, shortPath } from '../terminal/io.js';
import { type AskedRun, dataEntry, keptOptions, kernelsFor, lockDirectory, type PreparedRun, programName } from './startRun.js';
import type { GivenTrainOptions } from './trainOptions.js';

const NOT_WITH_RESUME = {
  preset: 'which keeps the recipe of the run',
  out: 'which continues in the directory of the run',
  force: 'which continues in the directory of the run',
  init: 'which continues with the weights of the run',
  continue: 'which resumes a run that is there',
} as const;

/**
 * Resumes a run from its checkpoint.
 * @throws UsageError that lists every option that differs from the stored one
 * @throws FileContentError if the checkpoint is damaged, or the data set has changed
 */
export async function resumeRun(given: GivenTrainOptions, createBackend: CreateBackend, io: IO): Promise<PreparedRun> {
  for (const [option, reason] of Object.entries(NOT_WITH_RESUME)) {
    if (option in given) throw new UsageError(`--${option} cannot be used with --resume, ${reason}`);
  }
  const directory = findRunDirectory(io.cwd, given.resume === true ? undefined : given.resume);
  const path = findCheckpoint(io.cwd, directory);
  const lock = await lockDirectory(directory, io.date().toISOString(), io);
  try {
    const from = loadResumable(path, directory, io);
    refuseImported(path, from, 'resume', io);
    const config = resumedConfig(from, given, shortPath(directory, io));
    const data = loadRunData(path, from, given.data, 'must be the same', io);
    return resumeFrom(from, { config, data, given, createBackend }, { directory, lock }, io);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A run at a checkpoint, in a directory that is locked for it. */
export function resumeFrom(
  from: Checkpoint,
  { config, data, given, createBackend }: Pick<AskedRun, 'config' | 'data' | 'given' | 'createBackend'>,
  { directory, lock }: Pick<PreparedRun, 'directory' | 'lock'>,
  io: IO,
): PreparedRun {
  const model = restoreModel(from, kernelsFor(config, data, createBackend), trainingCapacity(config, INFERENCE));
  const program = programName();
  const { finishedAt, result, diverged, ...stored }: Record<string, unknown> & Partial<RunFile> = readRunFile(
    join(directory, CHECKPOINT_FILE),
  ) ?? { program };
  const diagnoseEvery = given.diagnoseEvery ?? keptInterval(stored, directory, io) ?? defaultDiagnoseEvery(config.steps, config.batchSize);
  checkDiskSpace(directory, runBytes(model.config, config, diagnoseEvery));
  const hasMore = from.state.step < config.steps;
  const runFile = {
    ...stored,
    ...(hasMore ? {} : { finishedAt, result }),
    data: dataEntry(data, directory),
    config,
    ...keptOptions(given),
  };
  const onBegun = (files: RunFiles) => {
    files.adopt(RUN_FILE);
    files.adopt(INIT_FILE);
    if (hasMore || stored.data?.path !== runFile.data.path) replaceRunFile(files, runFile);
  };
  return { directory, config, data, model, program, from, diagnoseEvery, runFile, onBegun, lock };
}

/** --diagnose-every as an earlier session was given it. @throws FileContentError if it is no such number */
function keptInterval({ diagnoseEvery: kept }: Partial<RunFile>, directory: string, io: IO): number | undefined {
  if (kept === undefined || (typeof kept === 'number' && Number.isSafeInteger(kept) && kept >= 0)) return kept;
  const file = showText(shortPath(join(directory, RUN_FILE), io));
  throw new FileContentError(`${file}: diagnoseEvery is ${quoteText(JSON.stringify(kept))}, expected a whole number from 0`, {
    hint: 'give the number with --diagnose-every',
  });
}

/** @throws FileContentError if the checkpoint is damaged; the hint names the best checkpoint if that is intact */
export function loadResumable(path: string, directory: string, io: IO): Checkpoint {
  try {
    return loadCheckpoint(path);
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    const hint = hintAt(join(directory, BEST_FILE), io);
    if (hint === undefined) throw error;
    // The message keeps the error's own hint, such as to update the program.
    throw new FileContentError(fullMessage(error), { cause: error, hint });
  }
}

/** A hint that names the best checkpoint, if it is intact. */
function hintAt(best: string, io: IO): string | undefined {
  if (!existsSync(best)) return undefined;
  try {
    const { step } = loadCheckpoint(best).state;
    return `${shortPath(best, io)}, of step ${step}, is intact: sample and eval can read it; copied to this file, it can be resumed`;
  } catch {
    return undefined;
  }
}
