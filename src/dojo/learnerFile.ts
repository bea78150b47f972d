/** The contents of a learner's file: a function per gradient, and todo() for those that are not written yet. */
import type { Tensor } from '../core/tensor.js';
import type { GradientName, LessonGradients, LessonValues } from '../lesson/values.js';

/** The forward values, the batch and all gradients: the input of every line. A line reads only the gradients above it. */
export type ValuesAndGradients = LessonValues & LessonGradients;

/** The input of one line, as it is: the forward values, the batch and the gradients above the line. */
export type GivenValues = LessonValues & Partial<LessonGradients>;

/** A gradient as a learner writes it: a function of the forward values and the gradients above it. The result has the shape of its tensor. */
export type Line = (given: ValuesAndGradients) => Tensor;

/** The gradients of Exercise 4, in backward order. */
export const EXERCISE_4_NAMES = [
  'dlogits',
  'dh',
  'dW2',
  'db2',
  'dhpreact',
  'dbngain',
  'dbnbias',
  'dhprebn',
  'dembact',
  'dW1',
  'db1',
  'demb',
  'dC',
] as const satisfies readonly GradientName[];

/** The default export of exercise1.ts: a line for each of the 26 gradients. */
export type Exercise1 = Record<GradientName, Line>;
/** The default export of exercise2.ts: dlogits [n,V] in one expression. */
export type Exercise2 = Record<'dlogits', Line>;
/** The default export of exercise3.ts: dhprebn [n,H] in one expression. */
export type Exercise3 = Record<'dhprebn', Line>;
/** The default export of exercise4.ts: the 13 lines of the backward pass that trains the network. */
export type Exercise4 = Record<(typeof EXERCISE_4_NAMES)[number], Line>;

/** Thrown by a line that is not written yet. */
export class TodoError extends Error {
  override name = 'TodoError';
}

/**
 * The placeholder of a line that is not written yet.
 * @throws TodoError always
 */
export function todo(): never {
  throw new TodoError('not written yet');
}
