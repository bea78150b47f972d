/** The kernels of a command, on the threads that it may use. */
import type { CreateBackend } from '../backend/backend.js';
import { wholeNumberOr } from '../core/kinds.js';
import type { OptionRow } from '../core/optionRow.js';
import { showText } from '../core/text.js';
import { availableCores } from '../node/cores.js';
import { createThreadedBackend, type ThreadedBackend } from '../node/threads.js';
import { formatCountOf } from './terminal/format.js';
import type { IO } from './terminal/io.js';

/** The option of the commands that use the kernels for long. */
export const THREADS_OPTION = {
  key: 'threads',
  flag: '--threads <count>',
  description: 'threads that compute together; auto: as many as help, up to the number of cores. Any number gives the same bytes',
  kind: wholeNumberOr('auto', 1, 1024),
  default: 'auto' as number | 'auto',
  commands: ['train'],
} as const satisfies OptionRow;

/**
 * Does work with the kernels. Their threads start with the first network, and end with the work.
 * @param threads the value of --threads; the machine has at least one core for each
 */
export async function withKernels<T>(threads: number | 'auto', io: IO, work: (createBackend: CreateBackend) => T | Promise<T>): Promise<T> {
  const missing: Error[] = [];
  const onMissing = (error: Error) => void missing.push(error);
  let opened: ThreadedBackend | undefined;
  const open = () => createThreadedBackend({ threads: threads === 'auto' ? 'auto' : limitedThreads(threads, io), onMissing });
  try {
    return await work((size) => {
      opened ??= open();
      return opened.createBackend(size);
    });
  } finally {
    opened?.close();
    // Helpers that were not asked for are not missed.
    if (threads !== 'auto' && missing.length > 0) io.stderr.write(`note: ${describeMissing(missing, opened?.threads ?? 1)}\n`);
  }
}

/** As many threads as were asked for, but at most one per core; a note says so. */
function limitedThreads(threads: number, io: IO): number {
  const cores = availableCores();
  if (threads <= cores) return threads;
  io.stderr.write(
    `note: --threads ${threads}: there ${cores === 1 ? 'is' : 'are'} ${formatCountOf(cores, 'core')}, so ${cores} ${cores === 1 ? 'thread computes' : 'threads compute'}\n`,
  );
  return cores;
}

function describeMissing(missing: readonly Error[], threads: number): string {
  const were = missing.length === 1 ? 'was' : 'were';
  return `${missing.length} of ${formatCountOf(threads, 'thread')} ${were} missing: ${showText(missing[0].message)}; the results are the same`;
}
