/**
 * Names a mistake. It explains a wrong result as the sum of the line's branches, possibly with one of them exchanged for a common wrong
 * variant, each times a coefficient. It fits the coefficients and accepts them only if they are the same simple expression (-1, 0, 2,
 * n, 1/n, …) at every batch size. A name must explain more than 99.9 % of the squared difference at every batch size.
 */
import { type Shape, sameShape, Tensor } from '../core/tensor.js';
import { COEFFICIENTS, type Coefficient, type Dimension, type Mistake, type ShapeMistake, type ValueMistake } from './findings.js';
import type { Branch, LineKnowledge, Value } from './knowledge.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { combination, leastSquares, residual, squares } from './leastSquares.js';

/** The input of a line, its right result, and its actual result. */
export interface Observation {
  at: ValuesAndGradients;
  expected: Tensor;
  found: Tensor;
}

/** The share of the squared difference that a name must explain. */
const EXPLAINED = 0.999;
/** Squared differences up to this share of the squares are rounding. */
const ROUNDING = 1e-18;

/** The mistakes in a line: of its values first, then of its shape. Undefined if no hypothesis explains the result. */
export function nameMistakes(line: LineKnowledge, observations: readonly Observation[]): Mistake[] | undefined {
  if (observations.length === 0) return undefined;
  return haveRightShape(observations) ? nameValues(line, observations) : nameShape(line, observations);
}

function haveRightShape(observations: readonly Observation[]): boolean {
  return observations.every(({ expected, found }) => sameShape(expected.shape, found.shape));
}

// Shapes -------------------------------------------------------------------------------------------------------------

/** A mistake in the shape that can be undone. */
interface Reshaping {
  /** The result in the right shape; undefined if this mistake cannot have led to it. */
  undo: (line: LineKnowledge, observation: Observation) => Tensor | undefined;
  mistake: (line: LineKnowledge, found: Shape, expected: Shape) => ShapeMistake;
}

const RESHAPINGS: readonly Reshaping[] = [
  {
    undo: (_, { found, expected }) => (found.size === expected.size ? found.view(expected.shape) : undefined),
    mistake: (line, found, expected) => ({ id: 'reshaped', found, expected, ...keepdimOf(line, found, expected) }),
  },
  {
    undo: (_, { found, expected }) =>
      found.shape.length === 2 && sameShape([found.shape[1], found.shape[0]], expected.shape) ? found.T : undefined,
    mistake: (_, found, expected) => ({ id: 'transposed', found, expected }),
  },
  {
    undo: (line, { at, found }) => (line.sum && sameShape(found.shape, line.branches[0].value(at).shape) ? reduce(line, found) : undefined),
    mistake: ({ sum }, found, expected) => ({ id: 'not-summed', over: dimensionOf(sum?.dim), found, expected }),
  },
  {
    undo: (_, { found, expected }) => broadcast(found, expected),
    // A column [n,1] repeats along the row, a row [1,H] over the batch.
    mistake: (_, found, expected) => ({ id: 'not-broadcast', over: found.at(-1) === 1 ? 'row' : 'batch', found, expected }),
  },
];

function nameShape(line: LineKnowledge, observations: readonly Observation[]): Mistake[] | undefined {
  // The last one is on the lesson's batch: its shapes are those that the learner sees.
  const { expected, found } = observations[observations.length - 1];
  for (const { undo, mistake } of RESHAPINGS) {
    const undone = observations.map((observation) => ({ ...observation, found: undo(line, observation) }));
    if (!isComplete(undone)) continue;
    const shape = mistake(line, found.shape, expected.shape);
    if (undone.every((observation) => isClose(observation.found, observation.expected))) return [shape];
    const values = haveRightShape(undone) ? nameValues(line, undone) : undefined;
    if (values) return [...values, shape];
  }
  return nameOtherSum(line, observations, { found: found.shape, expected: expected.shape });
}

function isComplete(undone: readonly (Omit<Observation, 'found'> & { found: Tensor | undefined })[]): undone is Observation[] {
  return undone.every(({ found }) => found !== undefined);
}

/** A sum over the wrong dimension, or over all dimensions. */
function nameOtherSum(
  { sum, branches }: LineKnowledge,
  observations: readonly Observation[],
  shapes: { found: Shape; expected: Shape },
): Mistake[] | undefined {
  if (!sum) return undefined;
  const [{ value }] = branches;
  const over = dimensionOf(sum.dim);
  if (observations.every(({ at, found }) => isClose(found, value(at).sum(1 - sum.dim))))
    return [{ id: 'summed-over-other', over, ...shapes }];
  const ofAll = observations.every(({ at, found }) => found.size === 1 && isClose(found, value(at).sum()));
  return ofAll ? [{ id: 'summed-over-all', over, ...shapes }] : undefined;
}

function dimensionOf(dim: 0 | 1 | undefined): Dimension {
  return dim === 0 ? 'batch' : 'row';
}

function keepdimOf({ sum }: LineKnowledge, found: Shape, expected: Shape): { keepdim?: 'missing' | 'extra' } {
  if (!sum) return {};
  const ones = (shape: Shape) => shape.filter((size) => size === 1).length;
  if (ones(expected) === ones(found)) return {};
  return { keepdim: ones(expected) > ones(found) ? 'missing' : 'extra' };
}

/** The tensor broadcast to the shape of the other one; undefined if it does not broadcast to it. */
function broadcast(found: Tensor, whole: Tensor): Tensor | undefined {
  const offset = whole.shape.length - found.shape.length;
  const fits = offset >= 0 && found.size > 1 && found.shape.every((size, dim) => size === 1 || size === whole.shape[dim + offset]);
  return fits ? Tensor.onesLike(whole).mul(found) : undefined;
}

/** Whether two tensors have the same entries in the same order, whatever their shapes. */
function isClose(a: Tensor, b: Tensor): boolean {
  return a.size === b.size && residual(a.data, b.data) <= ROUNDING * squares(b.data);
}

// Values -------------------------------------------------------------------------------------------------------------

interface Hypothesis {
  values: readonly Value[];
  /** Undefined for the line's own branches. */
  mistake?: ValueMistake;
}

function nameValues(line: LineKnowledge, observations: readonly Observation[]): ValueMistake[] | undefined {
  for (const hypothesis of hypotheses(line)) {
    const coefficients = fitCoefficients(line, hypothesis, observations);
    if (coefficients) return mistakesOf(line, hypothesis, coefficients);
  }
  return undefined;
}

/** The line's own branches; then the branches with one of them exchanged, all of them scaled, or two multiplied. */
function hypotheses({ branches, scaled = [] }: LineKnowledge): Hypothesis[] {
  const own = branches.map(({ value }) => value);
  const exchanged = branches.flatMap(({ variants }, k) =>
    variants.map(({ mistake, value }) => ({ mistake, values: own.map((other, i) => (i === k ? value : other)) })),
  );
  const together = scaled.map(({ mistake, by }) => ({
    mistake,
    values: own.map(
      (value): Value =>
        (at) =>
          value(at).mul(by(at)),
    ),
  }));
  const multiplied: Hypothesis = { mistake: { id: 'branches-multiplied' }, values: [(at) => own[0](at).mul(own[1](at))] };
  return [{ values: own }, ...exchanged, ...together, ...(branches.length === 2 ? [multiplied] : [])];
}

interface Sizes {
  n: number;
  V: number;
  H: number;
}

/** 1, or a known coefficient. */
type Fitted = '1' | Coefficient;

const VALUES: Record<Fitted, (sizes: Sizes) => number> = {
  '1': () => 1,
  '-1': () => -1,
  '0': () => 0,
  '2': () => 2,
  '1/2': () => 0.5,
  '-2': () => -2,
  '4': () => 4,
  '-1/2': () => -0.5,
  n: ({ n }) => n,
  '-n': ({ n }) => -n,
  '1/n': ({ n }) => 1 / n,
  '-1/n': ({ n }) => -1 / n,
  '1/n²': ({ n }) => 1 / n ** 2,
  '(n-1)/n': ({ n }) => (n - 1) / n,
  'n/(n-1)': ({ n }) => n / (n - 1),
  '-n/(n-1)': ({ n }) => -n / (n - 1),
  '-(n-1)/n': ({ n }) => -(n - 1) / n,
  '((n-1)/n)²': ({ n }) => ((n - 1) / n) ** 2,
  'n-1': ({ n }) => n - 1,
  '1/(n-1)': ({ n }) => 1 / (n - 1),
  '(n-1)/(n+1)': ({ n }) => (n - 1) / (n + 1),
  'n/(n+1)': ({ n }) => n / (n + 1),
  '1/V': ({ V }) => 1 / V,
  '-1/V': ({ V }) => -1 / V,
  V: ({ V }) => V,
  '1/H': ({ H }) => 1 / H,
};

const CANDIDATES: readonly Fitted[] = ['1', ...COEFFICIENTS];

/** One coefficient per branch that fits every observation, or undefined. */
function fitCoefficients(line: LineKnowledge, { values }: Hypothesis, observations: readonly Observation[]): Fitted[] | undefined {
  let candidates = values.map(() => CANDIDATES);
  const bases: Tensor[][] = [];
  for (const observation of observations) {
    const { at, found, expected } = observation;
    const basis = values.map((value) => laidOut(line, value(at), expected));
    if (basis.some((tensor) => !sameShape(tensor.shape, expected.shape))) return undefined;
    const fitted = leastSquares(basis, found);
    if (!fitted) return undefined;
    const sizes = sizesOf(at);
    candidates = fitted.map((number, k) =>
      candidates[k].filter((name) => Math.abs(VALUES[name](sizes) - number) <= 1e-4 * Math.max(1, Math.abs(number))),
    );
    if (candidates.some((list) => list.length === 0)) return undefined;
    bases.push(basis);
  }
  const chosen = candidates.map(([first]) => first);
  const explains = observations.every((observation, i) => {
    const sizes = sizesOf(observation.at);
    const predicted = combination(
      bases[i],
      chosen.map((name) => VALUES[name](sizes)),
    );
    return explainedShare(predicted, observation) > EXPLAINED;
  });
  return explains ? chosen : undefined;
}

function sizesOf({ n, logits, h }: ValuesAndGradients): Sizes {
  return { n, V: logits.shape[1], H: h.shape[1] };
}

function reduce({ sum }: LineKnowledge, value: Tensor): Tensor {
  return sum ? value.sum(sum.dim, { keepdim: sum.keepdim }) : value;
}

/** A branch as part of the result: summed, or broadcast if the factor that had the full shape is missing. */
function laidOut(line: LineKnowledge, value: Tensor, expected: Tensor): Tensor {
  return line.sum ? reduce(line, value) : (broadcast(value, expected) ?? value);
}

/** The share of the squared difference between found and expected that the prediction explains: 1 is all of it. */
function explainedShare(predicted: readonly number[], { found, expected }: Observation): number {
  const unexplained = residual(predicted, found.data);
  // At n = 2 a factor n - 1 makes no difference: there is nothing left to explain.
  return unexplained <= ROUNDING * squares(expected.data) ? 1 : 1 - unexplained / residual(expected.data, found.data);
}

function mistakesOf(line: LineKnowledge, { mistake }: Hypothesis, coefficients: readonly Fitted[]): ValueMistake[] {
  const own = mistake ? [mistake] : [];
  const [first] = coefficients;
  if (first !== '1' && coefficients.every((one) => one === first)) return [...own, wholeLine(line, first)];
  return [...own, ...coefficients.flatMap((by, k) => (by === '1' ? [] : [oneBranch(line.branches[k], by)]))];
}

/** The same coefficient on every branch. */
function wholeLine({ missingFactors }: LineKnowledge, by: Coefficient): ValueMistake {
  const factor = missingFactors?.[by];
  if (factor !== undefined) return { id: 'factor-missing', factor };
  return by === '0' ? { id: 'zero' } : { id: 'scaled', by };
}

function oneBranch({ name }: Branch, by: Coefficient): ValueMistake {
  if (name === undefined) return { id: 'scaled', by };
  return by === '0' ? { id: 'branch-missing', branch: name } : { id: 'scaled', by, branch: name };
}
