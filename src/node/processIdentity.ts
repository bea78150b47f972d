/** Which process this is, and whether another one is still the process it was. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isSystemError } from './systemErrors.js';

/** A process, told from all others: a process ID alone means little in another container, and may be reused. */
export interface ProcessIdentity {
  pid: number;
  host: string;
  /** The boot of the system, and the namespace that counts process IDs; null where the system has none. */
  boot: string | null;
  pidNamespace: string | null;
  /** Start time of the process in the system's own unit; null if it is unknown. */
  processStart: string | null;
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    boot: quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    pidNamespace: quietly(() => readlinkSync('/proc/self/ns/pid')),
    processStart: readProcess(process.pid)?.start ?? null,
  };
}

/** Whether both count process IDs in the same way, so that {@link isSameRunning} can decide. */
export function sharesProcessIds(one: ProcessIdentity, other: ProcessIdentity): boolean {
  if (one.boot === null || other.boot === null) return one.boot === other.boot && one.host === other.host;
  return one.boot === other.boot && one.pidNamespace === other.pidNamespace;
}

/** Whether the process is still running, on this system: not only another one with its ID. */
export function isSameRunning({ pid, processStart }: Pick<ProcessIdentity, 'pid' | 'processStart'>): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
  }
  const found = readProcess(pid);
  return !found || (!found.ended && (processStart === null || processStart === found.start));
}

/** From /proc/PID/stat on Linux: the state (field 3) and the start of the process in clock ticks after boot (field 22). */
function readProcess(pid: number): { ended: boolean; start: string } | undefined {
  const self = quietly(() => readFileSync('/proc/self/stat', 'latin1'));
  // In a new process namespace with the old /proc, its IDs are those of other processes.
  if (self === null || Number.parseInt(self, 10) !== process.pid) return undefined;
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === null) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, but its parent has not collected its exit status.
  return { ended: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] };
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
