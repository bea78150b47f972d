/** A run directory's lock: only one process at a time trains in it. */
import { linkSync, readFileSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { SystemError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';
import { removeQuietly, writeFileWhole } from './atomicWrite.js';
import { createsNew, isSystemError, withSystemErrors } from './systemErrors.js';

/** Name of the lock file in a run's directory: JSON that names the process. */
export const LOCK_FILE = 'lock';

const OwnerSchema = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  host: v.string(),
  startedAt: v.string(),
  /** Start time of the process in the system's own unit, or null if the system has none. A process ID alone may be reused. */
  processStart: v.nullable(v.string()),
});
type Owner = v.InferOutput<typeof OwnerSchema>;

/**
 * Locks a run's directory. A lock whose process has ended is taken over.
 * @param startedAt time, shown to other processes that want the lock
 * @returns a function that releases the lock
 * @throws SystemError if another process, which the message names, holds the lock, or if the directory cannot be written
 */
export function acquireLock(directory: string, startedAt: string): () => void {
  const path = join(directory, LOCK_FILE);
  const own: Owner = { pid: process.pid, host: hostname(), startedAt, processStart: processStart(process.pid) };
  return withSystemErrors('lock', directory, () => {
    const temporary = writeFileWhole(directory, Buffer.from(`${JSON.stringify(own)}\n`));
    try {
      // The link points to a complete file, so other processes see no lock or a whole one.
      while (!createsNew(() => linkSync(temporary, path))) removeStale(path, directory);
    } finally {
      removeQuietly(temporary);
    }
    return () => removeQuietly(path);
  });
}

/** Removes the lock of a process that has ended. @throws SystemError if the process is running */
function removeStale(path: string, directory: string): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  refuseIfAlive(text, path, directory);
  // Another process may have taken the stale lock over in the meantime, so the file is moved aside and read again.
  const aside = join(directory, `.${process.pid}.stale.tmp`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readFileSync(aside, 'utf8');
  if (moved !== text) createsNew(() => linkSync(aside, path));
  removeQuietly(aside);
  if (moved !== text) refuseIfAlive(moved, path, directory);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function refuseIfAlive(text: string, path: string, directory: string): void {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), OwnerSchema), text);
  const hint = `if nothing trains there, delete ${showPath(path)}`;
  if (!parsed.success) throw new SystemError(`${showPath(directory)} is locked, but the lock names no process`, { hint });
  const owner = parsed.output;
  const since = `since ${showText(owner.startedAt)}`;
  if (owner.host !== hostname()) {
    throw new SystemError(`${showPath(directory)} is locked by process ${owner.pid} on another host, ${showText(owner.host)}, ${since}`, {
      hint,
    });
  }
  if (isAlive(owner)) throw new SystemError(`${showPath(directory)} is in use: process ${owner.pid} has been training there ${since}`);
}

function isAlive({ pid, processStart: start }: Owner): boolean {
  return isRunning(pid) && (start === null || [null, start].includes(processStart(pid)));
}

/** Whether a process with this ID is running on this host. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
  }
  return !readProcess(pid)?.ended;
}

function processStart(pid: number): string | null {
  return readProcess(pid)?.start ?? null;
}

/** From /proc/PID/stat on Linux: the state (field 3) and the start of the process in clock ticks after boot (field 22). */
function readProcess(pid: number): { ended: boolean; start: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended, but its parent has not collected its exit status.
    return { ended: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] };
  } catch {
    return undefined;
  }
}
