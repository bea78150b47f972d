/** A file that a command writes where the user says. */
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SystemError, UsageError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { atomicWrite } from './atomicWrite.js';
import { specialKind } from './readFile.js';
import { BEST_FILE, CHECKPOINT_FILE, INIT_FILE, METRICS_FILE, RUN_FILE } from './runDirectory.js';
import { withSystemErrors } from './systemErrors.js';

export interface OutputOptions {
  /** The option that names the file, for messages. */
  option: string;
  /** Whether a file that is already there may be replaced. */
  force: boolean;
  /** Files that the output is made from. They are never replaced. */
  inputs: readonly string[];
}

/** The files of a run, which other commands read. */
const RUN_FILES: readonly string[] = [CHECKPOINT_FILE, BEST_FILE, INIT_FILE, METRICS_FILE, RUN_FILE];

/**
 * Checks, before the work begins, that a file can be written.
 * @throws UsageError if it exists and may not be replaced
 * @throws SystemError if its directory is missing, or something other than a file is there
 */
export function checkOutput(path: string, { option, force, inputs }: OutputOptions): void {
  const shown = `${option} ${showPath(path)}`;
  withSystemErrors('write', path, () => {
    checkDirectory(path);
    if (!lstatSync(path, { throwIfNoEntry: false })) return;
    const found = statSync(path, { throwIfNoEntry: false });
    const kind = found && specialKind(found);
    if (kind !== undefined) throw new SystemError(`cannot write ${showPath(path)}: it is ${kind}`, { hint: 'name a file' });
    if (found && inputs.some((input) => isSame(path, input))) {
      throw new UsageError(`${shown} would overwrite what it is made from`, { hint: 'name another file' });
    }
    if (isOfRun(path)) throw new UsageError(`${shown} would overwrite a file of a run`, { hint: 'name another file' });
    if (!force) throw new UsageError(`${shown} exists`, { hint: '--force replaces it' });
  });
}

/** Writes the file as a whole: the path holds the old bytes or all of the new ones. @throws SystemError if it cannot be written */
export function writeOutput(path: string, bytes: Uint8Array): void {
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

function checkDirectory(path: string): void {
  const directory = dirname(path);
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    accessSync(directory, constants.W_OK);
    return;
  }
  const problem = found ? `${showPath(directory)} is ${specialKind(found) ?? 'a file'}` : `there is no directory ${showPath(directory)}`;
  throw new SystemError(`cannot write ${showPath(path)}: ${problem}`, { hint: found ? 'name another directory' : 'create it first' });
}

/** Whether both paths lead to one file, through any links. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** Whether it is named as a file of a run, and lies beside a checkpoint or a run.json. */
function isOfRun(path: string): boolean {
  const directory = realpathSync(dirname(path));
  if (!RUN_FILES.includes(basename(path))) return false;
  return [CHECKPOINT_FILE, RUN_FILE].some((name) => statSync(join(directory, name), { throwIfNoEntry: false }) !== undefined);
}
