import alea from 'seedrandom/lib/alea.js';

/** The purposes of randomness. Each has its own stream, so that drawing more numbers for one never changes another. */
export type StreamName = 'split' | 'initialisation' | 'batches' | 'sampling' | 'grad-check' | 'hunt' | 'sweep';

/** The state of a stream: the state of Baagøe's Alea generator. */
export interface StreamState {
  c: number;
  s0: number;
  s1: number;
  s2: number;
}

/** A stream of uniform random numbers in [0, 1), determined by its name and seed. */
export interface RandomStream {
  (): number;
  /** The current state, for {@link restoreStream}. */
  state(): StreamState;
}

/** A new stream. Streams with different names or seeds are unrelated. */
export function randomStream(name: StreamName, seed: number | string): RandomStream {
  return alea(`${name} ${seed}`, { state: true });
}

/** A stream that continues from a state. `isStreamState` must hold for the state. */
export function restoreStream(state: StreamState): RandomStream {
  return alea('', { state: { ...state } });
}

/** Alea's carry is below its multiplier, and its three lags are multiples of 2^-32 in [0, 1). From other states it yields NaN or no random numbers. */
const MULTIPLIER = 2_091_639;

/** Whether Alea can be in this state. */
export function isStreamState({ c, s0, s1, s2 }: StreamState): boolean {
  const isLag = (lag: number) => lag >= 0 && lag < 1 && Number.isInteger(lag * 2 ** 32);
  return Number.isInteger(c) && c >= 0 && c < MULTIPLIER && [s0, s1, s2].every(isLag);
}

/** Draws a standard normal number with Marsaglia's polar method. It drops the second number of each pair: the stream is the only state. */
export function normal(random: RandomStream): number {
  for (;;) {
    const x = 2 * random() - 1;
    const y = 2 * random() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** A random integer from 0 to limit - 1; limit is at most 2^32. */
export function randomInteger(random: RandomStream, limit: number): number {
  return (random() * limit) >>> 0;
}

/** A shuffled copy. */
export function shuffled<T>(values: readonly T[], random: RandomStream): T[] {
  const out = [...values];
  shuffle(out, random);
  return out;
}

/** Shuffles in place with the Fisher-Yates algorithm. */
export function shuffle<T>(values: { readonly length: number; [index: number]: T }, random: RandomStream): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = randomInteger(random, i + 1);
    const other = values[j];
    values[j] = values[i];
    values[i] = other;
  }
}
