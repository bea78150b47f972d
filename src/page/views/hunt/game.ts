/** The hunt that is played: its moves, and what the engine says they have shown. */
import { effect, signal } from '@preact/signals';
import { HUNT_SEEDS } from '../../../dojo/huntTexts.js';
import { ask } from '../../engine/client.js';
import type { HuntData, HuntMove } from '../../engine/hunt.js';
import { set, state } from '../../state.js';

/** The moves so far by seed: Back returns to a hunt as it was. */
const moves = new Map<number, readonly HuntMove[]>();
/** The hunt that is on the table, and its moves. */
let current: { seed: number; moves: readonly HuntMove[] } | undefined;

/** The latest answer of the engine. */
export const game = signal<HuntData | undefined>(undefined);
/** The last move, which the answer shows; undefined at the start. */
export const lastMove = signal<HuntMove | undefined>(undefined);

/** Follows the seed in the address while the view is open: another one is another hunt, none a new one. @returns a function that ends it */
export function followHunt(): () => void {
  return effect(() => {
    const { view, hunt } = state.value;
    if (view !== 'hunt') return;
    if (hunt === null) set({ hunt: newSeed() });
    else if (hunt !== current?.seed) send(hunt, moves.get(hunt) ?? []);
  });
}

export function play(move: HuntMove): void {
  if (current) send(current.seed, [...current.moves, move]);
}

/** Another hunt. */
export function playAgain(): void {
  set({ hunt: newSeed() }, 'push');
}

function send(seed: number, made: readonly HuntMove[]): void {
  const asked = { seed, moves: made };
  current = asked;
  moves.set(seed, made);
  ask('hunt', seed, made).then((data) => {
    if (current !== asked) return;
    lastMove.value = made.at(-1);
    game.value = data;
  });
}

function newSeed(): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % HUNT_SEEDS;
}
