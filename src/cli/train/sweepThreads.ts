import { formatCountOf } from '../terminal/format.js';

/** How a sweep shares the cores. */
export interface SharedCores {
  /** Runs at a time. */
  width: number;
  /** The threads of each run, as --threads takes them. */
  threads: number | 'auto';
  /** What was asked for and cannot be, if there are too few cores. */
  note?: string;
}

/**
 * Shares the cores between the runs: runs at a time times threads of each are at most as many. Without --jobs, there is one run per core, or per as
 * many cores as each run has threads.
 * @param runs those that are to be trained
 */
export function shareCores(
  { jobs, threads }: { jobs?: number | undefined; threads: number | 'auto' },
  runs: number,
  cores: number,
): SharedCores {
  const asked = threads === 'auto' ? 1 : threads;
  const wanted = Math.max(1, Math.min(jobs ?? Math.floor(cores / asked), runs));
  const width = Math.min(wanted, cores);
  const most = Math.floor(cores / width);
  // A run that has the machine for itself may find out how many threads help.
  if (threads === 'auto' && wanted === 1) return { width, threads };
  const given = threads === 'auto' ? most : Math.min(threads, most);
  if (width === wanted && given >= asked) return { width, threads: given };
  const each = asked > 1 ? ` with ${asked} threads each` : '';
  const instead = asked > 1 ? `, with ${formatCountOf(given, 'thread')} each` : '';
  return {
    width,
    threads: given,
    note: `${formatCountOf(wanted, 'run')} at a time${each} would need ${formatCountOf(wanted * asked, 'core')}, and there ${
      cores === 1 ? 'is' : 'are'
    } ${cores}: ${width} at a time${instead}`,
  };
}
