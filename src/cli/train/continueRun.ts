/** train --continue: whatever is in the directory, the run there is brought to its end once, and by one process. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CreateBackend } from '../../backend/backend.js';
import { FileContentError, NumericalError, UsageError } from '../../core/errors.js';
import { DirectoryInUseError, type DirectoryLock } from '../../node/lock.js';
import { CHECKPOINT_FILE, createContinuedRun, type RunEnd, readRunEnd } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { settingDifferences } from '../../run/compareCheckpoints.js';
import { refuseImported } from '../imported.js';
import { type IO, shellPath, shortPath } from '../terminal/io.js';
import { loadResumable, resumeFrom } from './resumeRun.js';
import { type AskedRun, askedRun, beginRun, inputsOf, lockDirectory, newModel, type PreparedRun } from './startRun.js';
import type { GivenTrainOptions } from './trainOptions.js';

/** A run with nothing left to do here. */
export interface LeftAlone {
  directory: string;
  /** The result of a run that is done. */
  result?: NonNullable<RunEnd['result']>;
  /** The process that trains it, in words. */
  inUse?: string;
}

/**
 * Begins the run in --out, or resumes it, unless it is done or in use.
 * @throws UsageError if another run is there, or other files
 * @throws FileContentError if the run there has other data, or its checkpoint is damaged
 * @throws NumericalError if the run has diverged: it would again
 */
export async function continueRun(given: GivenTrainOptions, createBackend: CreateBackend, io: IO): Promise<PreparedRun | LeftAlone> {
  const { out, force } = given;
  if (out === undefined) {
    throw new UsageError('--continue needs --out, which names the directory of the run', {
      hint: 'to resume the newest run',
      command: 'train --resume',
    });
  }
  if (force) throw new UsageError('--force cannot be used with --continue, which keeps the run that is there');
  const asked = askedRun(given, createBackend, io);
  const named = resolve(io.cwd, out);
  const path = join(named, CHECKPOINT_FILE);
  // What does not fit into memory is refused before anything is written.
  const model = existsSync(path) ? undefined : newModel(asked);
  const directory = createContinuedRun(named, inputsOf(asked));
  let lock: DirectoryLock;
  try {
    lock = await lockDirectory(directory, io.date().toISOString(), io);
  } catch (error) {
    if (error instanceof DirectoryInUseError) return { directory, inUse: error.by };
    throw error;
  }
  try {
    // Another process may have begun or ended the run since.
    if (!existsSync(path)) return beginRun(asked, model ?? newModel(asked), { directory, lock }, io);
    const from = loadResumable(path, directory, io);
    checkSame(from, asked, directory, io);
    const result = resultOf(from, directory, io);
    if (!result) return resumeFrom(from, asked, { directory, lock }, io);
    lock.release();
    return { directory, result };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @throws UsageError or FileContentError unless a run with the same settings and data is there */
function checkSame(from: Checkpoint, { given, config, data }: AskedRun, directory: string, io: IO): void {
  const shown = shortPath(directory, io);
  const hint = 'name another directory with --out';
  refuseImported(join(directory, CHECKPOINT_FILE), from, 'resume', io);
  // Another version of the program may have had another default for --eval-every, which shapes no weights.
  const differing = settingDifferences(from.config, config).filter(({ key }) => key !== 'evalEvery' || given.evalEvery !== undefined);
  if (differing.length > 0) {
    // The step at which the rate drops follows from --steps, unless the run was extended.
    const typed = differing.filter(({ option }) => option.startsWith('--'));
    const list = (typed.length > 0 ? typed : differing).map(
      ({ option, values: [there, here] }) => `${option} is ${there ?? 'none'} there, but ${here ?? 'none'} here`,
    );
    throw new UsageError(`${shown} holds a run with other settings: ${list.join('; ')}`, { hint });
  }
  if (data.sha256 !== from.dataSha256) {
    throw new FileContentError(
      `${data.shownAs} is not the data set of the run in ${shown}: SHA-256 ${data.sha256}, expected ${from.dataSha256}`,
      { hint: `restore it, or ${hint}` },
    );
  }
}

/** The result of a run that is done; undefined if it is not. @throws NumericalError if it diverged */
function resultOf({ config, state }: Checkpoint, directory: string, io: IO): RunEnd['result'] {
  const end = readRunEnd(directory);
  if (state.step === config.steps) return end?.result;
  // The run.json of an older run stays until the first checkpoint of a new one is written, and a moment longer.
  if (!end?.diverged || JSON.stringify(end.config) !== JSON.stringify(config)) return undefined;
  throw new NumericalError(`the run in ${shortPath(directory, io)} has diverged: ${end.diverged.message}`, {
    hint: 'a lower --lr may avoid it. Try again from its checkpoint with',
    command: `train --resume ${shellPath(directory, io)}`,
  });
}
