/** The hunt: a backward pass with one mistake in it, to be found by comparing as few of its gradients as possible. */

import { difference } from '../core/numbers.js';
import { type RandomStream, randomInteger, randomStream, shuffled } from '../core/random.js';
import { type Shape, sameShape } from '../core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../lesson/case.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName, LessonGradients } from '../lesson/values.js';
import { LINE_MUTANTS, type Mutant, plant } from './mutants.js';
import { type WorstEntry, worstEntry } from './worstEntry.js';

/** What a gradient of the wrong pass looks like beside the right one. */
export interface Probe {
  name: GradientName;
  shape: Shape;
  agrees: boolean;
  /** Where the shapes are alike and the numbers are not. */
  worst?: WorstEntry;
}

export const FULL_SCORE = 100;
export const PROBE_COST = 5;
export const WRONG_COST = 20;

/** Of float64, in shares of the largest entry: the same line on the same numbers gives the same bits, but for signs of 0. */
const ALIKE = 1e-12;

/** A hunt's state. It never tells, before {@link found}, which mistake it is. */
export class Hunt {
  readonly #mutant: Mutant;
  readonly #wrong: LessonGradients;
  readonly #right: LessonGradients;
  /** The mistakes that the bank has for the line, in an order of their own. */
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

  /** Whether the line is found. */
  get found(): boolean {
    return this.#line === 'found';
  }

  /** Whether the mistake is told from the others that the line may have. */
  get named(): boolean {
    return this.#named;
  }

  get score(): number {
    return Math.max(0, FULL_SCORE - PROBE_COST * this.probes.length - WRONG_COST * this.#wrongAnswers);
  }

  /** Compares a gradient, computed with all above it, with the right one. The same again costs nothing. */
  probe(name: GradientName): Probe {
    if (!this.probes.includes(name)) this.probes.push(name);
    return compare(name, this.#right, this.#wrong);
  }

  /** Whether that is the wrong line. The same again costs nothing. */
  guess(name: GradientName): boolean {
    const again = this.guesses.includes(name);
    if (!again) this.guesses.push(name);
    if (name === this.#mutant.line) this.#line = 'found';
    else if (!again) this.#wrongAnswers++;
    return this.found;
  }

  /** What may be wrong with the line, once it is found. */
  get choices(): string[] {
    return this.#choices.map(({ mistake }) => mistake);
  }

  /** Whether that choice is the mistake. */
  choose(index: number): boolean {
    if (this.#choices[index] === this.#mutant) this.#named = true;
    else this.#wrongAnswers++;
    return this.#named;
  }

  /** What it was. */
  reveal(): Mutant {
    return this.#mutant;
  }
}

/** Draws a mistake that can be seen from outside: one whose pass runs, and gives another gradient. */
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
  const { maxAbs, largest } = difference(found.data, expected.data);
  const agrees = maxAbs <= ALIKE * Math.max(largest, scaleAbove(name, right));
  return agrees ? { name, shape: found.shape, agrees } : { name, shape: found.shape, agrees, worst: worstEntry(found, expected) };
}

/** db1 and dlogit_maxes are sums that cancel: there, rounding is a share of what is summed. */
function scaleAbove(name: GradientName, right: LessonGradients): number {
  const summed = { db1: right.dhprebn, dlogit_maxes: right.dnorm_logits }[name as string];
  return summed ? difference(summed.data, summed.data).largest * summed.shape[0] : 0;
}

export function isGradientName(text: string): text is GradientName {
  return (GRADIENT_NAMES as readonly string[]).includes(text);
}
