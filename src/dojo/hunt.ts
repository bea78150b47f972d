/** The hunt: a backward pass with one mistake. The player finds it by comparing as few gradients as possible. */

import { type RandomStream, randomInteger, randomStream, shuffled } from '../core/random.js';
import { type Shape, sameShape, type Tensor } from '../core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../lesson/case.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName, LessonGradients } from '../lesson/values.js';
import { agrees } from './agreement.js';
import { LINE_MUTANTS, type Mutant, plant } from './mutants.js';
import { type WorstEntry, worstEntry } from './worstEntry.js';

/** A comparison of a gradient of the wrong pass with the right one. */
export interface Probe {
  name: GradientName;
  shape: Shape;
  agrees: boolean;
  /** Set where the shapes agree and the values do not. */
  worst?: WorstEntry;
}

/** The gradient of the wrong pass, and the right one. */
export interface Probed extends Probe {
  found: Tensor;
  right: Tensor;
}

export const FULL_SCORE = 100;
export const PROBE_COST = 5;
export const WRONG_COST = 20;

/** The state of a hunt. It hides the mistake until the line is {@link found}. */
export class Hunt {
  readonly #mutant: Mutant;
  readonly #wrong: LessonGradients;
  readonly #right: LessonGradients;
  /** The mistakes that the bank has for the line, shuffled. */
  readonly #choices: readonly Mutant[];
  readonly probes: GradientName[] = [];
  readonly guesses: GradientName[] = [];
  #line: 'hidden' | 'found' = 'hidden';
  #wrongAnswers = 0;
  #named = false;

  constructor(seed: number) {
    const random = randomStream('hunt', seed);
    const { values } = createLessonCase(LESSON_CONFIG, 32, `hunt ${seed}`);
    this.#right = backward(values);
    [this.#mutant, this.#wrong] = hide(random, (mutant) => backward(values, plant(mutant)), this.#right);
    this.#choices = shuffled(
      LINE_MUTANTS.filter(({ line }) => line === this.#mutant.line),
      random,
    );
  }

  /** Whether the player has found the line. */
  get found(): boolean {
    return this.#line === 'found';
  }

  /** Whether the player has chosen the right mistake of the line. */
  get named(): boolean {
    return this.#named;
  }

  get score(): number {
    return Math.max(0, FULL_SCORE - PROBE_COST * this.probes.length - WRONG_COST * this.#wrongAnswers);
  }

  /** Compares a gradient of the pass with the right one. Probing it again is free. */
  probe(name: GradientName): Probed {
    if (!this.probes.includes(name)) this.probes.push(name);
    return { ...compare(name, this.#right, this.#wrong), found: this.#wrong[name], right: this.#right[name] };
  }

  /** Whether this is the wrong line. Guessing it again is free. */
  guess(name: GradientName): boolean {
    const again = this.guesses.includes(name);
    if (!again) this.guesses.push(name);
    if (name === this.#mutant.line) this.#line = 'found';
    else if (!again) this.#wrongAnswers++;
    return this.found;
  }

  /** The mistakes to choose from once the line is found. */
  get choices(): string[] {
    return this.#choices.map(({ mistake }) => mistake);
  }

  /** Whether this choice is the mistake. */
  choose(index: number): boolean {
    if (this.#choices[index] === this.#mutant) this.#named = true;
    else this.#wrongAnswers++;
    return this.#named;
  }

  /** The hidden mistake. */
  reveal(): Mutant {
    return this.#mutant;
  }
}

/** Draws a mistake that a probe can see: the pass runs, and the line returns a wrong gradient. */
function hide(random: RandomStream, run: (mutant: Mutant) => LessonGradients, right: LessonGradients): [Mutant, LessonGradients] {
  for (;;) {
    const mutant = LINE_MUTANTS[randomInteger(random, LINE_MUTANTS.length)];
    let wrong: LessonGradients;
    try {
      wrong = run(mutant);
    } catch {
      continue;
    }
    if (!compare(mutant.line, right, wrong).agrees) return [mutant, wrong];
  }
}

function compare(name: GradientName, right: LessonGradients, wrong: LessonGradients): Probe {
  const [expected, found] = [right[name], wrong[name]];
  if (!sameShape(expected.shape, found.shape)) return { name, shape: found.shape, agrees: false };
  const alike = agrees(name, found, right);
  return { name, shape: found.shape, agrees: alike, ...(alike ? {} : { worst: worstEntry(found, expected) }) };
}

export function isGradientName(text: string): text is GradientName {
  return (GRADIENT_NAMES as readonly string[]).includes(text);
}
