import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Job } from '../../core/job.js';
import type { IO, StopSignal } from './io.js';

/** The longest time for which work may block the event loop, which notices signals, the terminal and closed pipes. */
const TURN_MS = 50;

/** Work that listens for a signal to stop, and lets the event loop run every 50 ms. */
export interface Turns {
  /** The signal that came, if one did. */
  readonly signal: StopSignal | undefined;
  /**
   * Runs a job whose parts are much shorter than a second.
   * @param afterTurn called after each turn of parts, for showing progress
   * @returns its result; undefined if a signal came first, and the job was abandoned
   */
  run<T>(job: Job<T>, afterTurn?: () => void): Promise<T | undefined>;
}

/** Runs work that a signal ends early: {@link Turns.run} returns then. The listener is removed in any case. */
export async function inTurns<T>(io: IO, work: (turns: Turns) => Promise<T>): Promise<T> {
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
  });
  const turns: Turns = {
    get signal() {
      return signal;
    },
    run: async <R>(job: Job<R>, afterTurn?: () => void) => {
      while (!signal) {
        const turnEnds = io.now() + TURN_MS;
        let part = job.next();
        while (!part.done && io.now() < turnEnds) part = job.next();
        // A signal that the process continues after a stop is handled before anything is drawn.
        await nextTurn();
        afterTurn?.();
        if (part.done) return part.value;
      }
      // A second signal that came together with the first one ends the process now, before any more work.
      await nextTurn();
      job.return(undefined as R);
      return undefined;
    },
  };
  try {
    return await work(turns);
  } finally {
    stopListening();
  }
}
