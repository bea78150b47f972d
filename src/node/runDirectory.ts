/**
 * A run's directory: checkpoint.safetensors (the last save), best.safetensors (the smallest validation loss), metrics.jsonl, run.json,
 * init.safetensors (the parameters that it began with, if they were not drawn),
 * and lock while a process trains there. runs/latest links to the newest run under runs/.
 */

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { FileContentError, SystemError, UsageError } from '../core/errors.js';
import { quoteText, shellWord, showPath } from '../core/text.js';
import { atomicWrite, randomId, removeLeftovers, removeQuietly } from './atomicWrite.js';
import { NAMES_FILE } from './keptNames.js';
import { isLockFile } from './lock.js';
import { makeDirectory } from './makeDirectory.js';
import { readIfThere, SETTINGS_LIMIT, specialKind } from './readFile.js';
import type { RunFiles } from './runFiles.js';
import { createsNew, withSystemErrors } from './systemErrors.js';

export const CHECKPOINT_FILE = 'checkpoint.safetensors';
export const BEST_FILE = 'best.safetensors';
export const METRICS_FILE = 'metrics.jsonl';
export const RUN_FILE = 'run.json';
/** The plan in a sweep's directory. */
export const SWEEP_FILE = 'sweep.json';
/** The parameters that a run began with, if they were not drawn. */
export const INIT_FILE = 'init.safetensors';
const RUNS = 'runs';
const LATEST = 'latest';

/** The part of run.json that the program reads: the place of the data set. The rest is for people. */
export interface RunFile {
  /** Absolute path of the data file, and the SHA-256 of its bytes. */
  data: { path: string; sha256: string };
  [key: string]: unknown;
}
const RunFileSchema = v.looseObject({ data: v.object({ path: v.string(), sha256: v.string() }) });

const loss = v.number();
const EndSchema = v.object({
  config: v.unknown(),
  result: v.optional(v.looseObject({ seconds: v.number(), trainLoss: loss, valLoss: loss })),
  trained: v.optional(v.object({ steps: v.number() })),
  diverged: v.optional(v.object({ step: v.number(), message: v.string() })),
});
/** How a run ended, as its run.json says: with a result, or with numbers that blew up. */
export interface RunEnd {
  config: unknown;
  result?: { seconds: number; trainLoss: number; valLoss: number; [other: string]: unknown } | undefined;
  trained?: { steps: number } | undefined;
  diverged?: { step: number; message: string } | undefined;
}

/** How the run in a directory ended; undefined if run.json is missing or says nothing of the kind. @throws SystemError if it cannot be read */
export function readRunEnd(directory: string): RunEnd | undefined {
  const text = readIfThere(join(directory, RUN_FILE), SETTINGS_LIMIT)?.toString('utf8');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), EndSchema), text);
  return parsed.success && (parsed.output.result || parsed.output.diverged) ? parsed.output : undefined;
}

/** Longer numbers are the names of something else, such as a time. */
const RUN_NUMBER = /^\d{4,9}$/;

/** Creates the next free runs/NNNN below a directory, and returns its path. */
export function createNumberedRun(cwd: string): string {
  const runs = join(cwd, RUNS);
  return withSystemErrors('create a run in', runs, () => {
    makeDirectory(runs);
    const last = readdirSync(runs).reduce((most, name) => (RUN_NUMBER.test(name) ? Math.max(most, Number(name)) : most), 0);
    for (let number = last + 1; ; number++) {
      const directory = join(runs, String(number).padStart(4, '0'));
      if (createsNew(() => mkdirSync(directory))) return directory;
    }
  });
}

/**
 * Creates the directory of --out, or accepts it if it is empty. With `force` it may contain files: the new run replaces an older run's
 * files one by one as it writes them, and touches no others.
 * @param data the data file, which must not be one of the replaced files; undefined for a pipe
 * @param weights a file that the run begins with, the same
 * @returns the directory
 * @throws UsageError if the directory is not empty, or holds one of these files
 * @throws SystemError if it cannot be created or written
 */
export function createNamedRun(directory: string, force: boolean, data: string | undefined, weights?: string): string {
  return createRun(directory, { data, weights }, (files) => {
    if (files.length > 0 && !force) {
      throw new UsageError(`--out ${showPath(directory)} exists and is not empty`, { hint: '--force replaces the run in it' });
    }
  });
}

/** The files in a directory of a run before its first checkpoint. */
const FIRST_FILES: readonly string[] = [RUN_FILE, INIT_FILE, NAMES_FILE];

/**
 * Creates the directory of a run that is to be begun or resumed, or accepts it if it is empty, holds a checkpoint, or is of a run that was
 * killed before its first one.
 * @param inputs as in {@link createNamedRun}
 * @returns the directory
 * @throws as createNamedRun does
 */
export function createContinuedRun(directory: string, inputs: { data: string | undefined; weights: string | undefined }): string {
  return createRun(directory, inputs, (files) => {
    if (files.includes(CHECKPOINT_FILE) || files.every((name) => FIRST_FILES.includes(name) || isLockFile(name))) return;
    throw new UsageError(`--out ${showPath(directory)} contains files, but no checkpoint of a run`, { hint: 'name another directory' });
  });
}

/** @param checkFiles throws if the run must not be in a directory with these files */
function createRun(
  directory: string,
  { data, weights }: { data: string | undefined; weights: string | undefined },
  checkFiles: (files: readonly string[]) => void,
): string {
  const files = [CHECKPOINT_FILE, BEST_FILE, METRICS_FILE, RUN_FILE, INIT_FILE].map((name) => join(directory, name));
  const inputs = { '--data': data, 'the weights': weights };
  for (const [what, input] of Object.entries(inputs)) {
    if (input === undefined || ![directory, ...files].some((path) => realPath(path) === realPath(input))) continue;
    throw new UsageError(`--out ${showPath(directory)} would overwrite ${what} ${showPath(input)}`, { hint: 'name another directory' });
  }
  return withSystemErrors('write in', directory, () => {
    const found = statSync(directory, { throwIfNoEntry: false });
    if (!found && basename(directory) === LATEST && basename(dirname(directory)) === RUNS) {
      throw new UsageError(`--out ${showPath(directory)} is the link to the newest run`, { hint: 'name another directory' });
    }
    refuseNoDirectory(directory);
    if (found) checkFiles(readdirSync(directory));
    makeDirectory(directory);
    accessSync(directory, constants.W_OK);
    return directory;
  });
}

/** Removes a directory that was made for a run and got none of its files. Others stay. */
export function removeEmptyDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It is not empty, or not there.
  }
}

/** @throws SystemError if a directory cannot be created in this place, because something else is there */
export function refuseNoDirectory(path: string): void {
  const refuse = (kind: string): never => {
    throw new SystemError(`cannot write in ${showPath(path)}: it is ${kind}`, { hint: 'name a directory' });
  };
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) refuse(specialKind(found) ?? 'a file');
  if (!found && lstatSync(path, { throwIfNoEntry: false })) refuse('a symbolic link to a missing directory');
}

/** The path with all links resolved; if nothing exists there, the absolute path. */
function realPath(path: string): string {
  return withSystemErrors('read', path, () => (existsSync(path) ? realpathSync(path) : resolve(path)));
}

/**
 * Points runs/latest to this run, if the run is in runs/.
 * @throws SystemError if something other than a link has that name, which stays, or if the link cannot be made
 */
export function linkLatest(cwd: string, directory: string): void {
  const runs = join(cwd, RUNS);
  const target = realPath(directory);
  if (dirname(target) !== realPath(runs)) return;
  const latest = join(runs, LATEST);
  withSystemErrors('link', latest, () => {
    // Other processes may be creating runs at the same time.
    removeLeftovers(runs, 60_000);
    const kind = lstatSync(latest, { throwIfNoEntry: false });
    if (kind && !kind.isSymbolicLink()) {
      throw new SystemError(
        `${showPath(join(RUNS, LATEST))} is ${kind.isDirectory() ? 'a directory' : 'a file'}, not a link to the newest run`,
        {
          hint: 'rename it',
        },
      );
    }
    const temporary = join(runs, `.${randomId()}.tmp`);
    symlinkSync(basename(target), temporary, 'junction');
    try {
      renameSync(temporary, latest);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
  });
}

/** @throws SystemError if something other than a link is in the place of runs/latest */
function refuseNoLink(latest: string, hint: string): void {
  const found = lstatSync(latest, { throwIfNoEntry: false });
  const kind = found && !found.isSymbolicLink() ? (specialKind(found) ?? 'a file') : undefined;
  if (kind !== undefined) throw new SystemError(`${join(RUNS, LATEST)} is ${kind}, not a link to the newest run`, { hint });
}

/** Writes run.json, atomically. @throws SystemError if it cannot be written */
export function writeRunFile(directory: string, content: RunFile): void {
  const path = join(directory, RUN_FILE);
  withSystemErrors('write', path, () => atomicWrite(path, runFileBytes(content)));
}

/** Writes init.safetensors, atomically. @throws SystemError if it cannot be written */
export function writeInitFile(directory: string, bytes: Uint8Array): void {
  const path = join(directory, INIT_FILE);
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

/** Writes the run.json of a run that is being trained. @throws SystemError if it cannot be written */
export function replaceRunFile(files: RunFiles, content: RunFile): void {
  files.replace(RUN_FILE, runFileBytes(content));
}

function runFileBytes(content: RunFile): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
}

/** Creates a new directory beside one that was lost: run-saved, or the next free run-saved2. @throws SystemError if it cannot be created */
export function createSibling(directory: string): string {
  return withSystemErrors('create a directory beside', directory, () => {
    makeDirectory(dirname(directory));
    for (let number = 1; ; number++) {
      const sibling = `${directory}-saved${number === 1 ? '' : number}`;
      if (createsNew(() => mkdirSync(sibling))) return sibling;
    }
  });
}

/**
 * The path of a run's checkpoint.
 * @param run a run directory or a checkpoint file, relative to `cwd`; by default runs/latest
 * @throws SystemError if there is none
 */
export function findCheckpoint(cwd: string, run?: string): string {
  const { path, isDirectory } = findRun(cwd, run);
  const checkpoint = isDirectory ? join(path, CHECKPOINT_FILE) : path;
  if (!existsSync(checkpoint)) {
    if (existsSync(join(path, SWEEP_FILE))) {
      const shown = showPath(run ?? path);
      throw new SystemError(`no checkpoint in ${shown}: it is a sweep`, { hint: `name one of its runs, such as ${shown}/0001` });
    }
    const isOthers = !existsSync(join(path, RUN_FILE)) && withSystemErrors('read', path, () => readdirSync(path)).length > 0;
    // A run must not be started in a directory with other files.
    if (isOthers) throw new SystemError(`no checkpoint in ${showPath(run ?? path)}: not a run`);
    throw new SystemError(`no checkpoint in ${showPath(run ?? path)}: not a run, or a run that stopped before its first save`, {
      hint: 'start it again',
      command: `train --force --out ${shellWord(run ?? realPath(path), 'file')}`,
    });
  }
  return checkpoint;
}

/**
 * A run's directory, with links resolved.
 * @param run the directory or its checkpoint.safetensors, relative to `cwd`; by default runs/latest
 * @throws SystemError if it does not exist
 * @throws UsageError if it is another file
 */
export function findRunDirectory(cwd: string, run?: string): string {
  const { path, isDirectory } = findRun(cwd, run);
  if (isDirectory) return realPath(path);
  if (basename(path) === CHECKPOINT_FILE) return dirname(path);
  throw new UsageError(`${showPath(run ?? path)} is a file`, { hint: "name the run's directory" });
}

function findRun(cwd: string, run?: string): { path: string; isDirectory: boolean } {
  const path = resolve(cwd, run ?? join(RUNS, LATEST));
  const found = withSystemErrors('read', run ?? path, () => {
    if (run === undefined) refuseNoLink(path, 'rename it, and name a run');
    return statSync(path, { throwIfNoEntry: false });
  });
  if (found) return { path, isDirectory: found.isDirectory() };
  throw run === undefined
    ? new SystemError(`no run yet: ${join(RUNS, LATEST)} does not exist`, {
        hint: 'name one, or train one',
        command: 'train',
      })
    : new SystemError(`cannot read ${showPath(run)}: no such run directory or checkpoint`);
}

/**
 * Reads the run.json next to a checkpoint; undefined if there is none.
 * @throws FileContentError if it does not say where the data set is
 */
export function readRunFile(checkpoint: string): RunFile | undefined {
  const path = join(dirname(checkpoint), RUN_FILE);
  const text = readIfThere(path, SETTINGS_LIMIT)?.toString('utf8');
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), RunFileSchema), text);
  if (!parsed.success) {
    throw new FileContentError(`${showPath(path)}: ${quoteText(parsed.issues[0].message)}`, { hint: 'name the data set with --data' });
  }
  return parsed.output;
}
