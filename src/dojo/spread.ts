/** How a planted mistake spreads: each gradient of the wrong backward pass beside the right one. */
import { allFinite, difference } from '../core/numbers.js';
import { type Shape, sameShape, type Tensor } from '../core/tensor.js';
import { countOf } from '../core/text.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import type { GradientName } from '../lesson/values.js';
import { agrees } from './agreement.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { type Mutant, plant } from './mutants.js';

/** One gradient of the wrong pass. */
export interface SpreadRow {
  name: GradientName;
  /**
   * wrong: the line with the mistake. reached: wrong because it reads a wrong one. failed: it threw, or reads one that failed. unknown: the right
   * gradient is NaN or infinite somewhere, so nothing can be compared.
   */
  state: 'right' | 'wrong' | 'reached' | 'failed' | 'unknown';
  /** The gradient without the mistake. */
  right: Tensor;
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
  /** The first that is wrong or fails. Undefined if none does: the mistake does not show on these values. */
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
      return { name, state: 'failed', right: at[name], found: undefined, difference: undefined, maxDiff: Number.NaN, problem };
    }
  });
  return { gradients, first: gradients.find(({ state }) => state !== 'right' && state !== 'unknown')?.name };
}

/** Which gradient is wrong first, and what becomes of the others. */
export function spreadText({
  gradients,
  first,
}: Pick<Spread, 'first'> & { gradients: readonly Pick<SpreadRow, 'name' | 'state'>[] }): string {
  const count = (state: SpreadRow['state']) => gradients.filter((row) => row.state === state).length;
  const [reached, unknown, right] = [count('reached'), count('unknown'), count('right')];
  const nothing = 'are NaN or infinite even without the mistake: nothing can be said about them';
  if (first === undefined) {
    if (unknown === 0) return `On this batch, all ${right} gradients are right: the mistake does not show.`;
    const others = right === 0 ? '' : ` The other ${right === 1 ? 'one is' : `${right} are`} right.`;
    return `On this batch, ${unknown} of the ${gradients.length} gradients ${nothing}.${others}`;
  }
  const itFails = gradients.find(({ name }) => name === first)?.state === 'failed';
  const failed = count('failed') - (itFails ? 1 : 0);
  const others = [
    ...(reached > 0 ? [`${countOf(reached, 'gradient')} computed from it ${isOrAre(reached)} also wrong`] : []),
    ...(failed > 0 ? [`${countOf(failed, 'other')} cannot be computed`] : []),
    ...(unknown > 0 ? [`${countOf(unknown, 'other')} ${nothing}`] : []),
    ...(right > 0 ? [`${right} ${isOrAre(right)} right`] : []),
  ];
  const last = others.pop();
  const rest = others.length > 0 ? `${others.join(', ')}, and ${last}` : right > 0 ? `The other ${last}` : last;
  return `${first} is wrong first${itFails ? ': it fails' : ''}.${rest === undefined ? '' : ` ${rest}.`}`;
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}

function rowOf(name: GradientName, found: Tensor, at: ValuesAndGradients, { line }: Mutant): SpreadRow {
  const right = at[name];
  const wrong = name === line ? 'wrong' : 'reached';
  if (!sameShape(found.shape, right.shape)) {
    return { name, state: wrong, right, found, difference: undefined, maxDiff: Number.NaN, shape: found.shape };
  }
  const state = !allFinite(right.data) ? 'unknown' : agrees(name, found, at) ? 'right' : wrong;
  return { name, state, right, found, difference: found.sub(right), maxDiff: difference(found.data, right.data).maxAbs };
}

function throwOn(name: GradientName): never {
  throw new Error(`it reads ${name}, which failed`);
}
