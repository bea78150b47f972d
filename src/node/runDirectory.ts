/**
 * A run's directory: checkpoint.safetensors, where the run stands; best.safetensors, where its validation loss was smallest;
 * metrics.jsonl, run.json, and while somebody trains there, lock. runs/latest points to the newest run under runs/.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { FileContentError, SystemError, UsageError } from '../core/errors.js';
import { quoteText, showPath } from '../core/text.js';
import { atomicWrite, removeLeftovers } from './atomicWrite.js';
import { isRunning } from './lock.js';
import { withSystemErrors } from './systemErrors.js';

export const CHECKPOINT_FILE = 'checkpoint.safetensors';
export const BEST_FILE = 'best.safetensors';
export const METRICS_FILE = 'metrics.jsonl';
const RUN_FILE = 'run.json';
const RUNS = 'runs';
const LATEST = 'latest';

/** The part of run.json that finds a run's data set again. The file holds more, for people. */
export interface RunFile {
  data: { path: string; sha256: string };
  [key: string]: unknown;
}
const RunFileSchema = v.looseObject({ data: v.object({ path: v.string(), sha256: v.string() }) });

/** The next free runs/NNNN below a directory, created. */
export function createNumberedRun(cwd: string): string {
  const runs = join(cwd, RUNS);
  return withSystemErrors('create a run in', runs, () => {
    mkdirSync(runs, { recursive: true });
    const numbers = readdirSync(runs).map((name) => (/^\d{4,}$/.test(name) ? Number(name) : 0));
    for (let number = Math.max(0, ...numbers) + 1; ; number++) {
      const directory = join(runs, String(number).padStart(4, '0'));
      if (tryMkdir(directory)) return directory;
    }
  });
}

function tryMkdir(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Creates the directory that --out names. One that holds anything is refused, but with force: a run in it is then replaced
 * file by file when the new one is written, and nothing else is touched.
 * @param input the data file, which must not be one of the files that are replaced
 */
export function createNamedRun(directory: string, force: boolean, input: string): string {
  const files = [CHECKPOINT_FILE, BEST_FILE, METRICS_FILE, RUN_FILE].map((name) => join(directory, name));
  if ([directory, ...files].some((path) => realPath(path) === realPath(input))) {
    throw new UsageError(`--out ${showPath(directory)} would overwrite --data ${showPath(input)}; name another directory`);
  }
  return withSystemErrors('write in', directory, () => {
    const found = statSync(directory, { throwIfNoEntry: false });
    if (!found && basename(directory) === LATEST && basename(dirname(directory)) === RUNS) {
      throw new UsageError(`--out ${showPath(directory)} is where the newest run is linked from; name another directory`);
    }
    if (found && !found.isDirectory())
      throw new SystemError(`cannot write in ${showPath(directory)}: it is a file; --out names a directory`);
    if (found && readdirSync(directory).length > 0 && !force) {
      throw new UsageError(`--out ${showPath(directory)} exists and is not empty; --force replaces the run in it`);
    }
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return directory;
  });
}

/** The path behind all links; the path itself where nothing is. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

/** @throws SystemError unless the disk below a directory has room for so many bytes */
export function checkDiskSpace(directory: string, bytes: number): void {
  const { bavail, bsize } = withSystemErrors('look at', directory, () => statfsSync(directory));
  const free = bavail * bsize;
  const megabytes = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  if (free < bytes) {
    throw new SystemError(
      `no room in ${showPath(directory)}: the run needs ${megabytes(bytes)}, ${megabytes(free)} are free; name a directory on another disk with --out`,
    );
  }
}

/** Lets runs/latest name this run, if it is one of runs/. */
export function linkLatest(cwd: string, directory: string): void {
  const runs = join(cwd, RUNS);
  const target = realPath(directory);
  if (dirname(target) !== realPath(runs)) return;
  const temporary = join(runs, `.${process.pid}.tmp`);
  withSystemErrors('link', join(runs, LATEST), () => {
    // Others may be making runs beside this one.
    removeLeftovers(runs, (pid) => pid !== process.pid && isRunning(pid));
    symlinkSync(basename(target), temporary, 'junction');
    renameSync(temporary, join(runs, LATEST));
  });
}

export function writeRunFile(directory: string, content: RunFile): void {
  const path = join(directory, RUN_FILE);
  const bytes = new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

/**
 * The checkpoint that [RUN] means: a run directory, a checkpoint file, or runs/latest.
 * @throws SystemError if there is none
 */
export function findCheckpoint(cwd: string, run?: string): string {
  const { path, isDirectory } = findRun(cwd, run);
  const checkpoint = isDirectory ? join(path, CHECKPOINT_FILE) : path;
  if (!existsSync(checkpoint)) {
    throw new SystemError(
      `no checkpoint in ${showPath(run ?? path)}: it is no run, or one that was stopped before it saved anything; 'backprop-ninja train --out' with --force starts it again`,
    );
  }
  return checkpoint;
}

/**
 * The directory of the run that is to be resumed or looked at: named itself, or by its checkpoint.
 * @throws SystemError if there is none
 * @throws UsageError if it is another file
 */
export function findRunDirectory(cwd: string, run?: string): string {
  const { path, isDirectory } = findRun(cwd, run);
  if (isDirectory) return realPath(path);
  if (basename(path) === CHECKPOINT_FILE) return dirname(path);
  throw new UsageError(`${showPath(run ?? path)} is a file; name the run's directory`);
}

function findRun(cwd: string, run?: string): { path: string; isDirectory: boolean } {
  const path = resolve(cwd, run ?? join(RUNS, LATEST));
  const found = withSystemErrors('read', run ?? path, () => statSync(path, { throwIfNoEntry: false }));
  if (found) return { path, isDirectory: found.isDirectory() };
  throw run === undefined
    ? new SystemError(`no run yet: ${join(RUNS, LATEST)} does not exist; train one with 'backprop-ninja train', or name one`)
    : new SystemError(`cannot read ${showPath(run)}: no such run directory or checkpoint`);
}

/** run.json beside a checkpoint; undefined if there is none. */
export function readRunFile(checkpoint: string): RunFile | undefined {
  const path = join(dirname(checkpoint), RUN_FILE);
  if (!existsSync(path)) return undefined;
  const text = withSystemErrors('read', path, () => readFileSync(path, 'utf8'));
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), RunFileSchema), text);
  if (!parsed.success) {
    throw new FileContentError(`${showPath(path)}: ${quoteText(parsed.issues[0].message)}; name the data set with --data`);
  }
  return parsed.output;
}
