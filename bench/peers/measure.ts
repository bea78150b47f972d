/** Measures the peers on one problem: compares their results first, then times them in turns. */
import { join } from 'node:path';
import { SystemError } from '../../src/core/errors.js';
import { difference, type FirstBatch, LeftOut, Peer } from './peer.js';
import { type Size, writeProblem } from './problem.js';
import { type PeerName, PROGRAMS, type Programs } from './programs.js';

/** A peer with a number of threads. */
export interface Entry {
  name: PeerName;
  threads: number;
}

/** The microseconds per step of an entry at one size, one for each round. */
export interface Timing extends Entry {
  size: Size;
  first: FirstBatch;
  microseconds: number[];
}

export interface MeasureOptions {
  rounds: number;
  /** The time of an entry in a round: the best of three runs of a third of it. */
  seconds: number;
  programs: Programs;
  /** Called for each entry that is left out. */
  onLeftOut(entry: Entry, size: Size, reason: string): void;
}

const RUNS = 3;

interface Measured extends Timing {
  peer: Peer;
  /** Steps of one run. */
  steps: number;
}

/**
 * The timings of the entries, the first of which is ours.
 * @throws SystemError if ours fails
 */
export async function measure(entries: readonly Entry[], size: Size, options: MeasureOptions): Promise<Timing[]> {
  const { rounds, programs } = options;
  const problem = join(programs.directory, `problem-${size.join('x')}`);
  writeProblem(problem, size);
  let running: Measured[] = [];
  const attempt = async <T>(entry: Entry, act: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      if (entry === entries[0]) throw new SystemError(`ours fails: ${error.message}`, { hint: "run 'npm run build' first", cause: error });
      options.onLeftOut(entry, size, error.message);
      return undefined;
    }
  };
  try {
    for (const entry of entries) {
      const started = await attempt(entry, () => start(entry, size, problem, options, running[0]?.first));
      if (started) running.push(started);
    }
    // In turns, so that a change in the machine's speed affects all of them.
    for (let round = 0; round < rounds; round++) {
      for (const timing of [...running]) {
        const best = await attempt(timing, () => bestOf(timing));
        if (best !== undefined) timing.microseconds.push(best);
        else running = running.filter((other) => other !== timing);
      }
    }
    return running.map(({ name, threads, first, microseconds }) => ({ name, threads, size, first, microseconds }));
  } finally {
    for (const { peer } of running) peer.end();
  }
}

/** Starts an entry, compares its results with ours, and warms it up. */
async function start(
  entry: Entry,
  size: Size,
  problem: string,
  { programs, seconds }: MeasureOptions,
  ours?: FirstBatch,
): Promise<Measured> {
  const peer = new Peer(PROGRAMS[entry.name].command(programs, problem, size, entry.threads));
  try {
    const first = await peer.firstBatch();
    const different = ours && difference(first, ours);
    if (different) throw new LeftOut(`refused: ${different}`);
    return { ...entry, size, first, microseconds: [], peer, steps: await stepsFor(peer, seconds / RUNS) };
  } catch (error) {
    peer.end();
    throw error;
  }
}

/** The steps that take about that long, found by longer and longer runs, which also warm the peer up. */
async function stepsFor(peer: Peer, seconds: number): Promise<number> {
  for (let steps = 2; ; steps *= 4) {
    const microseconds = await peer.time(steps);
    if (steps * microseconds >= 0.25e6 * seconds) return Math.max(1, Math.round((1e6 * seconds) / microseconds));
  }
}

async function bestOf({ peer, steps }: Measured): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) best = Math.min(best, await peer.time(steps));
  return best;
}
