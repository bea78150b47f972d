/** The hunt. The page sends its moves so far, and learns what they have shown: it does not hold the mistake before it is found. */
import { sameShape } from '../../core/tensor.js';
import { Hunt, type Probe } from '../../dojo/hunt.js';
import type { GradientName } from '../../lesson/values.js';
import { type TensorData, tensorData } from './pass.js';

/** What a player does. */
export type HuntMove =
  | { kind: 'probe' | 'guess'; name: GradientName }
  /** A mistake of the list, once the line is found. */
  | { kind: 'choose'; index: number }
  | { kind: 'give-up' };

/** A gradient that was probed. */
export interface ProbedData extends Probe {
  found: TensorData;
  right: TensorData;
  /** found - right; undefined if the shapes differ. */
  difference: TensorData | undefined;
}

/** What the moves have shown. */
export interface HuntData {
  seed: number;
  score: number;
  probes: ProbedData[];
  /** Lines that were guessed and are right. */
  rightLines: GradientName[];
  /** The wrong line, once it is found. */
  line: GradientName | undefined;
  /** The mistakes to choose from, once the line is found. */
  choices: string[];
  /** Choices that were wrong. */
  wrongChoices: number[];
  /** Whether the player has chosen the right mistake. */
  named: boolean;
  /** The mistake, at the end: named, or given up. */
  answer: { line: GradientName; name: string; mistake: string } | undefined;
}

export const huntMethods = {
  /** The hunt with this seed after these moves. A move that is not possible, such as one after the end, changes nothing. */
  hunt(seed: number, moves: readonly HuntMove[]): HuntData {
    const hunt = new Hunt(seed);
    const wrongChoices: number[] = [];
    let givenUp = false;
    for (const move of moves) {
      if (givenUp || hunt.named) break;
      if (move.kind === 'give-up') givenUp = true;
      else if (move.kind !== 'choose') {
        if (!hunt.found) hunt[move.kind](move.name);
      } else if (hunt.found && !wrongChoices.includes(move.index) && !hunt.choose(move.index)) wrongChoices.push(move.index);
    }
    const { score, found, named, guesses, choices } = hunt;
    const { line, name, mistake } = hunt.reveal();
    return {
      seed,
      score,
      probes: hunt.probes.map((probed) => probedData(hunt, probed)),
      rightLines: guesses.filter((guess) => guess !== line),
      line: found ? line : undefined,
      choices: found ? choices : [],
      wrongChoices,
      named,
      answer: named || givenUp ? { line, name, mistake } : undefined,
    };
  },
};

function probedData(hunt: Hunt, name: GradientName): ProbedData {
  const { found, right, ...probe } = hunt.probe(name);
  const comparable = sameShape(found.shape, right.shape);
  return {
    ...probe,
    found: tensorData(found),
    right: tensorData(right),
    difference: comparable ? tensorData(found.sub(right)) : undefined,
  };
}
