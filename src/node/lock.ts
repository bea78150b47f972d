/** A run directory's lock: one process at a time trains in it. */
import { linkSync, readFileSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { SystemError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';
import { removeQuietly, writeFileWhole } from './atomicWrite.js';
import { withSystemErrors } from './systemErrors.js';

export const LOCK_FILE = 'lock';

const OwnerSchema = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  host: v.string(),
  startedAt: v.string(),
  /** When the process started, as the system counts it, where it says so: a pid alone may be somebody else's by now. */
  processStart: v.nullable(v.string()),
});
type Owner = v.InferOutput<typeof OwnerSchema>;

/**
 * Takes the lock, also from a process that has died. Returns what gives it back.
 * @param startedAt for the message that others get
 * @throws SystemError that names the process that holds it
 */
export function acquireLock(directory: string, startedAt: string): () => void {
  const path = join(directory, LOCK_FILE);
  const own: Owner = { pid: process.pid, host: hostname(), startedAt, processStart: processStart(process.pid) };
  return withSystemErrors('lock', directory, () => {
    const temporary = writeFileWhole(directory, Buffer.from(`${JSON.stringify(own)}\n`));
    try {
      // A link to a file that is already whole: others see no lock or all of it.
      while (!tryLink(temporary, path)) removeStale(path, directory);
    } finally {
      removeQuietly(temporary);
    }
    return () => removeQuietly(path);
  });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws SystemError unless the lock's owner has died */
function removeStale(path: string, directory: string): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  refuseIfAlive(text, path, directory);
  // Another may have taken the stale lock over in the meantime: what is moved aside is looked at again.
  const aside = join(directory, `.${process.pid}.stale.tmp`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readFileSync(aside, 'utf8');
  if (moved !== text) tryLink(aside, path);
  removeQuietly(aside);
  if (moved !== text) refuseIfAlive(moved, path, directory);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function refuseIfAlive(text: string, path: string, directory: string): void {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), OwnerSchema), text);
  const way = `if it is not, delete ${showPath(path)}`;
  if (!parsed.success)
    throw new SystemError(
      `${showPath(directory)} is locked by a file that names no process; if nothing trains there, delete ${showPath(path)}`,
    );
  const owner = parsed.output;
  const since = `since ${showText(owner.startedAt)}`;
  if (owner.host !== hostname()) {
    throw new SystemError(
      `${showPath(directory)} is in use by process ${owner.pid} on ${showText(owner.host)} ${since}, as far as can be told from here; ${way}`,
    );
  }
  if (isAlive(owner)) throw new SystemError(`${showPath(directory)} is in use: process ${owner.pid} has been training there ${since}`);
}

function isAlive({ pid, processStart: start }: Owner): boolean {
  return isRunning(pid) && (start === null || [null, start].includes(processStart(pid)));
}

/** Whether there is a process of that number, as far as the system says. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return !readProcess(pid)?.ended;
}

function processStart(pid: number): string | null {
  return readProcess(pid)?.start ?? null;
}

/** From /proc/PID/stat, which Linux has: the state (field 3) and the clock ticks from boot to the start of the process (field 22). */
function readProcess(pid: number): { ended: boolean; start: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended, and waits for a parent that asks how.
    return { ended: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] };
  } catch {
    return undefined;
  }
}
