/** Fits the branches of a wrong expression to a result. */
import { type Shape, sameShape, type Tensor } from '../../core/tensor.js';
import { broadcastTo, type Evaluator, type Expression, stripped } from '../expression.js';
import { isWithin, leastSquares, squares } from '../leastSquares.js';
import { describeTerms } from './constantFactors.js';
import type { Hypothesis } from './observations.js';

/** The branches of a wrong expression; undefined where its shapes do not fit. */
export function termsOf(evaluator: Evaluator, node: Expression): Tensor[] | undefined {
  try {
    return evaluator.terms(node);
  } catch {
    return undefined;
  }
}

export function shapeOf(terms: readonly Tensor[]): Shape {
  return terms.reduce((widest, { shape }) => (shape.length > widest.length || size(shape) > size(widest) ? shape : widest), terms[0].shape);
}

export const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** The branches in the shape of the result. */
export function laidOut(terms: readonly Tensor[], target: Tensor): Tensor[] | undefined {
  const shape = shapeOf(terms);
  const same = sameShape(stripped(shape), stripped(target.shape));
  const wanted = same ? shape : target.shape;
  const out: Tensor[] = [];
  for (const term of terms) {
    const whole = broadcastTo(term, wanted);
    if (!whole) return undefined;
    out.push(whole);
  }
  return out;
}

/** How branches give a result: each times a coefficient; only their sum times one; or only the branch with this index times one. */
export type Match = 'each' | 'sum' | number;

/** The ways in which the branches give the result. Branches that depend on each other have no coefficients of their own. */
export function matches(basis: readonly Tensor[], target: Tensor, rounding: number): Match[] {
  const free = leastSquares(basis, target);
  if (free) return isExact(basis, free, target, rounding) ? ['each'] : [];
  const ways: Match[] = basis.length === 1 ? [] : ['sum', ...basis.keys()];
  return ways.filter((way) => fits(basis, target, way, rounding));
}

export function fits(basis: readonly Tensor[], target: Tensor, way: Match, rounding: number): boolean {
  const bases = way === 'sum' ? [basis.reduce((a, b) => a.add(b))] : basis;
  const coefficients = coefficientsOf(bases, target, way);
  return coefficients !== undefined && isExact(bases, coefficients, target, rounding);
}

/** Whether a branch is missing that is said to have another mistake. */
export function isIdle({ node, mistakes }: Hypothesis, basis: readonly Tensor[], target: Tensor, rounding: number): boolean {
  const named = mistakes.flatMap(({ branch }) => branch ?? []);
  if (named.length === 0) return false;
  const coefficients = leastSquares(basis, target);
  const terms = describeTerms(node);
  if (!coefficients || terms.length !== basis.length) return false;
  return terms.some(
    ({ branch }, k) => branch !== undefined && named.includes(branch) && isNegligible(coefficients[k], basis[k], target, rounding),
  );
}

export function coefficientsOf(basis: readonly Tensor[], target: Tensor, match: Match): number[] | undefined {
  if (typeof match === 'string') return leastSquares(basis, target);
  const others = basis.filter((_, k) => k !== match).reduce((rest, term) => rest.sub(term.view(target.shape)), target);
  const one = leastSquares([basis[match]], others);
  return one && basis.map((_, k) => (k === match ? one[0] : 1));
}

function isExact(basis: readonly Tensor[], coefficients: readonly number[], target: Tensor, rounding: number): boolean {
  const scale = basis.reduce((sum, { data }, k) => sum + coefficients[k] ** 2 * squares(data), 0);
  return isWithin(rounding ** 2 * scale, basis, coefficients, target);
}

export function isNegligible(coefficient: number, term: Tensor, target: Tensor, rounding: number): boolean {
  return coefficient ** 2 * squares(term.data) <= rounding ** 2 * squares(target.data);
}
