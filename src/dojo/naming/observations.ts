/** What naming a mistake works on: the results of a line, how they may be read, and what may explain them. */
import type { Tensor } from '../../core/tensor.js';
import type { Expression } from '../expression.js';
import type { ShapeMistake, ValueMistake } from '../findings.js';
import type { ValuesAndGradients } from '../learnerFile.js';

/** The input of a line, its right result, and its actual result. */
export interface Observation {
  at: ValuesAndGradients;
  expected: Tensor;
  found: Tensor;
}

/** A wrong version of the line. */
export interface Hypothesis {
  node: Expression;
  mistakes: readonly ValueMistake[];
  cost: number;
  reshapes: boolean;
  /** Whether the last branch is one that does not belong to the line. */
  extra?: boolean;
}

export interface Explanation {
  mistakes: readonly (ValueMistake | ShapeMistake)[];
  cost: number;
  /** The part of the result that it leaves open. */
  rest: number;
}

/** The learner's results in a shape that can be compared with the line's, and the mistake that led to another one. */
export interface Reading {
  found: readonly Tensor[];
  mistake?: ShapeMistake;
}
