/**
 * Naming a mistake: what a wrong line computed is explained as the sum of the line's branches, one of them perhaps exchanged for a variant that
 * people write, each with a coefficient. Coefficients are fitted, and accepted only if they are the same simple expression (-1, 0, 2, n, 1/n, …) at
 * every batch size. A name is given only if it explains more than 99.9 % of the difference in every case.
 */
import { type Shape, sameShape, showShape, Tensor } from '../core/tensor.js';
import type { ValuesAndGradients } from './learnerFile.js';
import type { Branch, LineKnowledge } from './lines.js';

/** What a line was given, what it should return, and what it did. */
export interface Observation {
  at: ValuesAndGradients;
  expected: Tensor;
  found: Tensor;
}

const EXPLAINED = 0.999;

/** What the line did wrong, in words; undefined if no hypothesis explains it. */
export function nameMistake(line: LineKnowledge, observations: readonly Observation[]): string | undefined {
  if (observations.length === 0) return undefined;
  if (every(observations, ({ expected, found }) => sameShape(expected.shape, found.shape))) return nameValues(line, observations);
  return nameShape(line, observations);
}

function every(observations: readonly Observation[], holds: (observation: Observation) => boolean): boolean {
  return observations.every(holds);
}

// Shapes -------------------------------------------------------------------------------------------------------------

/** A way to another shape, which can be taken back. */
interface Reshaping {
  /** What was found, in the right shape; undefined where it cannot have come this way. */
  back: (line: LineKnowledge, observation: Observation) => Tensor | undefined;
  /** Of right values. */
  said: (line: LineKnowledge, found: Shape, expected: Shape) => string;
  /** Behind what is wrong with the values. */
  too: (line: LineKnowledge, found: Shape, expected: Shape) => string;
}

const RESHAPINGS: readonly Reshaping[] = [
  {
    back: (_, { found, expected }) => (found.size === expected.size ? found.view(expected.shape) : undefined),
    said: (line, found, expected) => `right values in the wrong shape, ${shapes(found, expected)}${keepdimHint(line, found, expected)}`,
    too: (line, found, expected) => `the shape is wrong, too, ${shapes(found, expected)}${keepdimHint(line, found, expected)}`,
  },
  {
    back: (_, { found, expected }) =>
      found.shape.length === 2 && sameShape([found.shape[1], found.shape[0]], expected.shape) ? found.T : undefined,
    said: (_, found, expected) => `the transpose of the right answer, ${shapes(found, expected)}`,
    too: (_, found, expected) => `it is transposed, too, ${shapes(found, expected)}`,
  },
  {
    back: (line, { at, found }) => (line.sum && sameShape(found.shape, line.branches[0].value(at).shape) ? reduce(line, found) : undefined),
    said: (line, found, expected) =>
      `the sum over ${summed(line)} is forgotten, ${shapes(found, expected)}: what was broadcast must be summed`,
    too: (line, found, expected) => `the sum over ${summed(line)} is forgotten, too, ${shapes(found, expected)}`,
  },
  {
    back: (_, { found, expected }) => broadcast(found, expected),
    said: (_, found, expected) =>
      `right values in one ${oneOf(found)}, ${shapes(found, expected)}: the gradient has the shape of its tensor, so it must be broadcast ${along(found)}`,
    too: (_, found, expected) => `it must be broadcast ${along(found)}, too, ${shapes(found, expected)}`,
  },
];

function nameShape(line: LineKnowledge, observations: readonly Observation[]): string | undefined {
  // Of the last, which is the lesson's own batch: the shapes that the learner sees.
  const { expected, found } = observations[observations.length - 1];
  for (const { back, said, too } of RESHAPINGS) {
    const seen = observations.map((observation) => ({ ...observation, found: back(line, observation) }));
    if (!isWhole(seen)) continue;
    if (every(seen, (o) => isCloseTo(o.found, o.expected))) return said(line, found.shape, expected.shape);
    const values = nameValues(line, seen);
    if (values !== undefined) return `${values}; ${too(line, found.shape, expected.shape)}`;
  }
  return nameOtherSum(line, observations, shapes(found.shape, expected.shape));
}

function isWhole(seen: readonly (Omit<Observation, 'found'> & { found: Tensor | undefined })[]): seen is Observation[] {
  return seen.every(({ found }) => found !== undefined);
}

/** A sum over what is not to be summed. */
function nameOtherSum({ sum, branches }: LineKnowledge, observations: readonly Observation[], where: string): string | undefined {
  if (!sum) return undefined;
  const [{ value }] = branches;
  const [what, other] = sum.dim === 0 ? ['the batch', 'the row'] : ['the row', 'the batch'];
  if (every(observations, (o) => isCloseTo(o.found, value(o.at).sum(1 - sum.dim))))
    return `it is summed over ${other}, not over ${what}, ${where}`;
  if (every(observations, (o) => o.found.size === 1 && isCloseTo(o.found, value(o.at).sum())))
    return `it is summed over everything, not over ${what} alone, ${where}`;
  return undefined;
}

function shapes(found: Shape, expected: Shape): string {
  return `${showShape(found)} for ${showShape(expected)}`;
}

function summed({ sum }: LineKnowledge): string {
  return sum?.dim === 0 ? 'the batch' : 'the row';
}

/** In the shape of the other, which it is broadcast to; undefined where it is not. */
function broadcast(found: Tensor, whole: Tensor): Tensor | undefined {
  const offset = whole.shape.length - found.shape.length;
  const fits = offset >= 0 && found.size > 1 && found.shape.every((size, dim) => size === 1 || size === whole.shape[dim + offset]);
  return fits ? Tensor.onesLike(whole).mul(found) : undefined;
}

/** A row [1,H] stands in every row, a column [n,1] in every column. */
function oneOf(found: Shape): string {
  return found.at(-1) === 1 ? 'column' : 'row';
}

function along(found: Shape): string {
  return found.at(-1) === 1 ? 'along the row' : 'over the batch';
}

function keepdimHint({ sum }: LineKnowledge, found: Shape, expected: Shape): string {
  if (!sum) return '';
  const ones = (shape: Shape) => shape.filter((size) => size === 1).length;
  if (ones(expected) > ones(found)) return ': sum with { keepdim: true }';
  return ones(expected) < ones(found) ? ': sum without keepdim' : '';
}

/** Whether the same numbers stand in both, whatever the shapes. */
function isCloseTo(a: Tensor, b: Tensor): boolean {
  return a.size === b.size && residual(a.data, b.data) <= CLOSE * squares(b.data);
}

const CLOSE = 1e-18;

// Values -------------------------------------------------------------------------------------------------------------

interface Hypothesis {
  values: readonly Branch['value'][];
  /** What a variant does; empty for the line's own branches. */
  mistake: string;
}

function nameValues(line: LineKnowledge, observations: readonly Observation[]): string | undefined {
  if (!every(observations, ({ expected, found }) => sameShape(expected.shape, found.shape))) return undefined;
  for (const hypothesis of hypotheses(line)) {
    const coefficients = fitAll(line, hypothesis, observations);
    if (coefficients) return describe(line, hypothesis, coefficients);
  }
  return undefined;
}

/** The line's own branches; then with one of them exchanged, or all of them scaled. */
function hypotheses({ branches, scaled = [] }: LineKnowledge): Hypothesis[] {
  const own = branches.map(({ value }) => value);
  const exchanged = branches.flatMap(({ variants }, k) =>
    variants.map(({ mistake, value }) => ({ mistake, values: own.map((other, i) => (i === k ? value : other)) })),
  );
  const together = scaled.map(({ mistake, by }) => ({
    mistake,
    values: own.map((value) => (at: ValuesAndGradients) => value(at).mul(by(at))),
  }));
  const multiplied = {
    mistake: 'the two branches are multiplied, not added',
    values: [(at: ValuesAndGradients) => own[0](at).mul(own[1](at))],
  };
  return [{ mistake: '', values: own }, ...exchanged, ...together, ...(branches.length === 2 ? [multiplied] : [])];
}

/** A coefficient that people produce, as an expression in the sizes. */
interface Coefficient {
  value: (sizes: { n: number; V: number; H: number }) => number;
  mistake: string;
}

const MISSING = 'it is missing';
const TWICE = 'it is twice too large';
const MINUS_TWICE = 'the sign is wrong, and it is twice too large';

const COEFFICIENTS: readonly Coefficient[] = [
  { value: () => 1, mistake: '' },
  { value: () => -1, mistake: 'the sign is wrong' },
  { value: () => 0, mistake: MISSING },
  { value: () => 2, mistake: TWICE },
  { value: () => 0.5, mistake: 'a factor 2 is missing' },
  { value: () => -2, mistake: MINUS_TWICE },
  { value: () => 4, mistake: 'there are two factors 2 too many' },
  { value: () => -0.5, mistake: 'the sign is wrong and a factor 2 is missing' },
  { value: ({ n }) => n, mistake: 'it is n times too large' },
  { value: ({ n }) => -n, mistake: 'the sign is wrong, and it is n times too large' },
  { value: ({ n }) => 1 / n, mistake: 'it is divided by n once too often' },
  { value: ({ n }) => -1 / n, mistake: 'the sign is wrong, and it is divided by n once too often' },
  { value: ({ n }) => 1 / n ** 2, mistake: 'it is divided by n twice too often' },
  { value: ({ n }) => (n - 1) / n, mistake: "n stands where n - 1 belongs: Bessel's correction" },
  { value: ({ n }) => n / (n - 1), mistake: 'n - 1 stands where n belongs' },
  { value: ({ n }) => -n / (n - 1), mistake: 'the sign is wrong, and n - 1 stands where n belongs' },
  { value: ({ n }) => -(n - 1) / n, mistake: "the sign is wrong, and n stands where n - 1 belongs: Bessel's correction" },
  { value: ({ n }) => ((n - 1) / n) ** 2, mistake: 'the factor n/(n-1) is the other way up' },
  { value: ({ n }) => n - 1, mistake: 'the division by n - 1 is missing' },
  { value: ({ n }) => 1 / (n - 1), mistake: 'it is divided by n - 1 once too often' },
  { value: ({ n }) => (n - 1) / (n + 1), mistake: 'n + 1 stands where n - 1 belongs' },
  { value: ({ n }) => n / (n + 1), mistake: 'n + 1 stands where n belongs' },
  { value: ({ V }) => 1 / V, mistake: 'it is divided by the length of the row once too often' },
  { value: ({ V }) => -1 / V, mistake: 'the sign is wrong, and it is divided by the length of the row once too often' },
  { value: ({ V }) => V, mistake: 'it is too large by the length of the row' },
  { value: ({ H }) => 1 / H, mistake: 'it is divided by the number of hidden units' },
];

/** One coefficient per branch that fits every observation, or undefined. */
function fitAll(line: LineKnowledge, { values }: Hypothesis, observations: readonly Observation[]): Coefficient[] | undefined {
  let candidates: Coefficient[][] | undefined;
  const bases: { basis: Tensor[]; observation: Observation; sizes: { n: number; V: number; H: number } }[] = [];
  for (const observation of observations) {
    const { at, found, expected } = observation;
    const basis = values.map((value) => laidOut(line, value(at), expected));
    if (basis.some((tensor) => !sameShape(tensor.shape, expected.shape))) return undefined;
    const fitted = leastSquares(basis, found);
    if (!fitted) return undefined;
    const sizes = { n: at.n, V: at.logits.shape[1], H: at.h.shape[1] };
    candidates = fitted.map((number, k) =>
      (candidates?.[k] ?? COEFFICIENTS).filter(({ value }) => Math.abs(value(sizes) - number) <= 1e-4 * Math.max(1, Math.abs(number))),
    );
    if (candidates.some((list) => list.length === 0)) return undefined;
    bases.push({ basis, observation, sizes });
  }
  const chosen = candidates?.map(([first]) => first);
  if (!chosen) return undefined;
  const holds = bases.every(
    ({ basis, observation, sizes }) =>
      explainedShare(
        basis,
        chosen.map(({ value }) => value(sizes)),
        observation,
      ) > EXPLAINED,
  );
  return holds ? chosen : undefined;
}

function reduce({ sum }: LineKnowledge, value: Tensor): Tensor {
  return sum ? value.sum(sum.dim, { keepdim: sum.keepdim }) : value;
}

/** As a part of the line's value: summed as it is, or, where a factor that is left out had the shape, broadcast to it. */
function laidOut(line: LineKnowledge, value: Tensor, expected: Tensor): Tensor {
  return line.sum ? reduce(line, value) : (broadcast(value, expected) ?? value);
}

/** How much of found - expected the combination explains: 1 is all of it. */
function explainedShare(basis: readonly Tensor[], coefficients: readonly number[], { found, expected }: Observation): number {
  const predicted = Array.from(found.data, (_, i) => basis.reduce((sum, { data }, k) => sum + coefficients[k] * data[i], 0));
  const unexplained = residual(predicted, found.data);
  // At n = 2 a factor n - 1 makes no difference: nothing is left to be explained.
  return unexplained <= CLOSE * squares(expected.data) ? 1 : 1 - unexplained / residual(expected.data, found.data);
}

/** The coefficients of the tensors whose sum is nearest to the target; undefined if they depend on each other. */
function leastSquares(basis: readonly Tensor[], target: Tensor): number[] | undefined {
  const size = basis.length;
  const rows = basis.map((a) => [...basis.map((b) => dot(a.data, b.data)), dot(a.data, target.data)]);
  for (let k = 0; k < size; k++) {
    const pivot = rows[k][k];
    if (!(Math.abs(pivot) > 1e-12 * dot(basis[k].data, basis[k].data))) return undefined;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / pivot;
      for (let j = k; j <= size; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[size] / row[k]);
}

function describe(line: LineKnowledge, { mistake }: Hypothesis, coefficients: readonly Coefficient[]): string {
  const wrong = coefficients.flatMap((coefficient, k) => (coefficient.mistake === '' ? [] : [{ coefficient, k }]));
  const all = wrong.length === coefficients.length && new Set(coefficients).size === 1;
  const words = all
    ? [wholeLine(line, coefficients[0])]
    : wrong.map(({ coefficient, k }) => oneBranch(line.branches[k].through, coefficient));
  return [...(mistake === '' ? [] : [mistake]), ...words].join('; ');
}

function wholeLine({ formula }: LineKnowledge, { mistake }: Coefficient): string {
  if (mistake === MISSING) return 'it is 0 everywhere';
  if (formula.includes('1/2') && mistake === TWICE) return 'a factor 1/2 is missing';
  if (formula.includes('1/2') && mistake === MINUS_TWICE) return 'the factor -1/2 is missing';
  return mistake === TWICE ? 'there is a factor 2 too many' : mistake;
}

function oneBranch(through: string, { mistake }: Coefficient): string {
  const branch = `the branch through ${through}`;
  return mistake.startsWith('it is ') ? `${branch} ${mistake.slice('it '.length)}` : `in ${branch}, ${mistake}`;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function squares(a: ArrayLike<number>): number {
  return dot(a, a);
}

function residual(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}
