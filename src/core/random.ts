import alea from 'seedrandom/lib/alea.js';

/** What randomness is used for. Each purpose has a stream of its own, so that drawing more in one never shifts another. */
export type StreamName = 'split' | 'initialisation' | 'batches' | 'sampling' | 'grad-check' | 'hunt' | 'sweep';

/** Where a stream stands: the state of Baagøe's Alea generator. */
export interface StreamState {
  c: number;
  s0: number;
  s1: number;
  s2: number;
}

/** Uniform numbers in [0, 1), reproducible from name and seed. */
export interface RandomStream {
  (): number;
  /** Where the stream stands, to be stored and restored. */
  state(): StreamState;
}

/** The stream of that name for a seed; streams of different names or seeds are unrelated. */
export function randomStream(name: StreamName, seed: number | string): RandomStream {
  return alea(`${name} ${seed}`, { state: true });
}

/** The stream that stands where another stood; the state must satisfy {@link isStreamState}. */
export function restoreStream(state: StreamState): RandomStream {
  return alea('', { state: { ...state } });
}

/** Alea's carry is below its multiplier; its three lags are multiples of 2^-32 in [0, 1). Of any other state it makes NaN, or no random numbers. */
const MULTIPLIER = 2_091_639;

export function isStreamState({ c, s0, s1, s2 }: StreamState): boolean {
  const isLag = (lag: number) => lag >= 0 && lag < 1 && Number.isInteger(lag * 2 ** 32);
  return Number.isInteger(c) && c >= 0 && c < MULTIPLIER && [s0, s1, s2].every(isLag);
}

/** Standard normal, by Marsaglia's polar method. The second value of a pair is not kept: the state is the stream's alone. */
export function normal(random: RandomStream): number {
  for (;;) {
    const x = 2 * random() - 1;
    const y = 2 * random() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** A whole number from 0 to below the limit. */
export function randomInteger(random: RandomStream, limit: number): number {
  return Math.floor(random() * limit);
}

/** A shuffled copy. */
export function shuffled<T>(values: readonly T[], random: RandomStream): T[] {
  const out = [...values];
  shuffle(out, random);
  return out;
}

/** Shuffles in place (Fisher-Yates). */
export function shuffle<T>(values: { readonly length: number; [index: number]: T }, random: RandomStream): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = randomInteger(random, i + 1);
    const other = values[j];
    values[j] = values[i];
    values[i] = other;
  }
}
