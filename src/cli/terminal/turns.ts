import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IO, StopSignal } from './io.js';

/** The longest time for which work may block the event loop, which notices signals, the terminal and closed pipes. */
const TURN_MS = 50;

/** Work that listens for a signal to stop, and lets the event loop run every 50 ms. */
export interface Turns {
  /** The signal that came, if one did. */
  readonly signal: StopSignal | undefined;
  repeat(work: RepeatedWork): Promise<void>;
}

export interface RepeatedWork {
  /** Whether there is more to do. */
  more(): boolean;
  /** One piece, much shorter than 50 ms. */
  step(): void;
  /** Called after each turn of pieces, for showing progress. */
  afterTurn?(): void;
}

/** Runs work that a signal ends early: {@link Turns.repeat} returns then. The listener is removed in any case. */
export async function inTurns<T>(io: IO, work: (turns: Turns) => Promise<T>): Promise<T> {
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
  });
  const turns: Turns = {
    get signal() {
      return signal;
    },
    repeat: async ({ more, step, afterTurn }) => {
      while (more() && !signal) {
        const turnEnds = io.now() + TURN_MS;
        do step();
        while (more() && io.now() < turnEnds);
        afterTurn?.();
        await nextTurn();
      }
    },
  };
  try {
    return await work(turns);
  } finally {
    stopListening();
  }
}
