/** The timings as tables in Markdown. */
import type { Entry, Timing } from './measure.js';
import type { Size } from './problem.js';
import { PEER_NAMES, PROGRAMS } from './programs.js';

/** The name of an entry: C ×2 is C with 2 threads. */
export function labelOf({ name, threads }: Entry): string {
  const { label, threaded } = PROGRAMS[name];
  return threaded ? `${label} ×${threads}` : label;
}

/** The times of two entries as a quotient. */
interface Ratio {
  over: Entry;
  under: Entry;
}

/** What is compared: one thread with several, ours with C, and the others with ours; on as many threads if the peer can. */
function ratiosOf(entries: readonly Entry[]): Ratio[] {
  const threadsOf = (name: Entry['name']) => entries.filter((entry) => entry.name === name).map(({ threads }) => threads);
  const several = threadsOf('ours').filter((threads) => threads > 1);
  return PEER_NAMES.flatMap((name) => {
    const own = threadsOf(name);
    const speedUps =
      name === 'ours' || name === 'c' ? several.map((threads) => ({ over: { name, threads: 1 }, under: { name, threads } })) : [];
    if (name === 'ours') return speedUps;
    const against = threadsOf('ours').map((threads) => {
      const peer: Entry = { name, threads: PROGRAMS[name].threaded ? threads : 1 };
      const ours: Entry = { name: 'ours', threads };
      return name === 'c' ? { over: ours, under: peer } : { over: peer, under: ours };
    });
    return own.length > 0 ? [...speedUps, ...against] : [];
  });
}

export interface Tables {
  /** Microseconds per step: medians of the rounds. */
  times: string;
  /** Medians of the rounds' ratios. */
  ratios: string;
}

/** @param entries the columns; an entry without a timing at a size has a dash there */
export function tables(entries: readonly Entry[], sizes: readonly Size[], timings: readonly Timing[]): Tables {
  const find = (size: Size, { name, threads }: Entry) =>
    timings.find((timing) => timing.size === size && timing.name === name && timing.threads === threads)?.microseconds;
  const ratios = ratiosOf(entries);
  const time = (size: Size, entry: Entry) => {
    const microseconds = find(size, entry);
    return microseconds ? median(microseconds).toFixed(1) : '-';
  };
  const ratio = (size: Size, { over, under }: Ratio) => {
    const [above, below] = [find(size, over), find(size, under)];
    return above && below ? threeDigits(median(above.map((x, round) => x / (below[round] as number)))) : '-';
  };
  const rows = (cells: (size: Size) => string[]) => sizes.map((size) => [...size.map(String), ...cells(size)]);
  return {
    times: markdown([['H', 'n', ...entries.map(labelOf)], ...rows((size) => entries.map((entry) => time(size, entry)))]),
    ratios: markdown([
      ['H', 'n', ...ratios.map(({ over, under }) => `${labelOf(over)} / ${labelOf(under)}`)],
      ...rows((size) => ratios.map((each) => ratio(size, each))),
    ]),
  };
}

function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

const threeDigits = (x: number) => x.toFixed(x < 10 ? 2 : x < 100 ? 1 : 0);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
