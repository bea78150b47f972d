/** How a planted mistake spreads: each gradient of the wrong backward pass beside the right one. */
import { difference } from '../core/numbers.js';
import { type Shape, sameShape, type Tensor } from '../core/tensor.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName } from '../lesson/values.js';
import { agrees } from './agreement.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { type Mutant, plant } from './mutants.js';

/** One gradient of the wrong pass. */
export interface SpreadRow {
  name: GradientName;
  /** wrong: the line with the mistake. reached: wrong because it reads a wrong one. failed: it threw, or reads one that failed. */
  state: 'right' | 'wrong' | 'reached' | 'failed';
  /** What the line returned; undefined if it failed. */
  found: Tensor | undefined;
  /** found - right, in the shape of the gradient; undefined if it failed or has another shape. */
  difference: Tensor | undefined;
  /** Largest magnitude of the difference; NaN where there is none. */
  maxDiff: number;
  /** Set where `found` has another shape than the gradient. */
  shape?: Shape;
  /** Set where the line failed: the reason. */
  problem?: string;
}

/** A wrong backward pass. */
export interface Spread {
  /** The 26 gradients, in backward order. */
  gradients: SpreadRow[];
  /** The first that is not right. Undefined if none is: the mistake does not show on these values. */
  first: GradientName | undefined;
}

/**
 * Runs the backward pass with the mistake in it.
 * @param at a forward pass and its right backward pass
 */
export function spreadOf(mutant: Mutant, at: ValuesAndGradients): Spread {
  const lines = plant(mutant);
  const wrong = { ...at };
  const gradients = GRADIENT_NAMES.map((name): SpreadRow => {
    try {
      const found = lines[name](wrong);
      wrong[name] = found;
      return rowOf(name, found, at, mutant);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      Object.defineProperty(wrong, name, { get: () => throwOn(name) });
      return { name, state: 'failed', found: undefined, difference: undefined, maxDiff: Number.NaN, problem };
    }
  });
  return { gradients, first: gradients.find(({ state }) => state !== 'right')?.name };
}

function rowOf(name: GradientName, found: Tensor, at: ValuesAndGradients, { line }: Mutant): SpreadRow {
  const right = at[name];
  const wrong = name === line ? 'wrong' : 'reached';
  if (!sameShape(found.shape, right.shape)) {
    return { name, state: wrong, found, difference: undefined, maxDiff: Number.NaN, shape: found.shape };
  }
  const state = agrees(name, found, at) ? 'right' : wrong;
  return { name, state, found, difference: found.sub(right), maxDiff: difference(found.data, right.data).maxAbs };
}

function throwOn(name: GradientName): never {
  throw new Error(`it reads ${name}, which failed`);
}
