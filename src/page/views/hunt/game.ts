/** The hunt that is played: its moves, and what the engine says they have shown. */
import { effect, signal } from '@preact/signals';
import { HUNT_SEEDS } from '../../../dojo/huntTexts.js';
import { ask } from '../../engine/client.js';
import type { HuntData, HuntMove } from '../../engine/hunt.js';
import { set, state } from '../../state.js';

/** The moves so far, and the hunt that they belong to. */
const played = signal<{ seed: number | null; moves: readonly HuntMove[] }>({ seed: null, moves: [] });

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
    else if (hunt !== played.peek().seed) send(hunt, []);
  });
}

export function play(move: HuntMove): void {
  const { seed, moves } = played.peek();
  if (seed !== null) send(seed, [...moves, move]);
}

/** Another hunt. */
export function playAgain(): void {
  set({ hunt: newSeed() }, 'push');
}

function send(seed: number, moves: readonly HuntMove[]): void {
  const asked = { seed, moves };
  played.value = asked;
  ask('hunt', seed, moves).then((data) => {
    if (played.peek() !== asked) return;
    lastMove.value = moves.at(-1);
    game.value = data;
  });
}

function newSeed(): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % HUNT_SEEDS;
}
