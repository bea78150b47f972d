/**
 * Names a mistake. The mistakes of a line are derived from its tree (edits.ts). Each gives a wrong expression; this fits the constant
 * factors of its branches, and accepts it if the factors are the same simple scale (-1, 2, 1/n, …) at every batch size and the result is
 * the learner's. The simplest explanation is the name; two equally simple ones are both said.
 */
import { type Shape, sameShape, Tensor } from '../core/tensor.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import { type GradientName, VALUE_NAMES } from '../lesson/values.js';
import { type Edit, editsOf, isGradient, namesIn, withEdits } from './edits.js';
import { broadcastTo, Evaluator, type Expression, shapeWithout, splitNumber, stripped } from './expression.js';
import type { BranchName, Dimension, Mistake, ShapeMistake, ValueMistake } from './findings.js';
import { type LineKnowledge, scaleOf } from './knowledge.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { combination, isWithin, leastSquares, residual, squares } from './leastSquares.js';
import { extraTerms, type OtherExpression, otherResults, simpleResults } from './otherExpressions.js';
import { PairFilter } from './pairFilter.js';
import { type FittedScale, inverse, isOne, ONE, recognise, type Scale, scaleValue, textOf, times } from './scale.js';

/** The input of a line, its right result, and its actual result. */
export interface Observation {
  at: ValuesAndGradients;
  expected: Tensor;
  found: Tensor;
}

/** The share of the squared difference that a name must explain. */
const EXPLAINED = 0.999;
/** A prediction that is off by this share of its terms may be the same in float32. */
const ROUNDING = 1e-6;
/** The same in float64. */
const NOTHING = 1e-12;
const SAME = 1e-18;
/** Results with more entries are not looked at. */
const LARGEST = 1e6;
/** No mistake that is not a constant factor costs less. */
const SIMPLEST_EDIT = 0.9;
/** An explanation that costs more than this is given up for two simpler mistakes. */
const FAR_FETCHED = 2.05;
/** Mistakes up to this cost are combined with another one. */
const COMBINED = 1.5;
/** Mistakes after which terms may cancel, and their cost. */
const CANCELLING: Readonly<Record<string, number>> = {
  'factor-missing': 1,
  'sums-multiplied': 1,
  'sum-partial': 1.1,
  'summed-over': 1.2,
  'sum-extra': 2,
};
/** A constant result is one mistake, whatever its value. */
const CONSTANT = 1.05;
/** The cost of a name that is not in the learner's line, and of a missing one that is. */
const NOT_WRITTEN = 0.3;
const WRITTEN = 0.15;
/** On one batch, a gradient that the line does not read is its own formula: dbnraw is bngain · dhpreact. */
const BORROWED = 0.5;
/** Pairs of mistakes that are looked at, and those of them that cannot be rejected cheaply. */
const MOST_PAIRS = 80_000;
const MOST_TRIED = 15_000;

/** The mistakes in a line: of its values first, then of its shape. Undefined if nothing explains the result. */
export function nameMistakes(
  name: GradientName,
  line: LineKnowledge,
  observations: readonly Observation[],
  source: Source = {},
): Mistake[] | undefined {
  if (observations.length === 0 || observations.some(({ found }) => found.size > LARGEST)) return undefined;
  return new Naming(name, line, observations, source).mistakes();
}

/** What is known about the learner's line besides its results. */
export interface Source {
  /** The line as JavaScript, without comments. */
  text?: string;
  /** How far the results may be off by rounding alone, as a share of their terms. */
  rounding?: number;
  /** How many pairs of mistakes are looked at, at most. With 0, one that is far-fetched has no name. */
  pairs?: number;
}

/** The first gradient above that a line is given. */
function aboveOf({ expression }: LineKnowledge): GradientName | undefined {
  return namesIn(expression).find(isGradient);
}

/** Whether the results are the same with the true and with random gradients above. */
export function ignoresGradients(trials: readonly Observation[]): boolean {
  return trials.every(({ found: real }, i) => {
    if (i % 2 === 1) return true;
    const { found: random } = trials[i + 1];
    return real.size === random.size && residual(real.data, random.data) <= 1e-16 * squares(real.data);
  });
}

/** Below this, two results on nearly the same input have nothing to do with each other. */
const RELATED = 0.9;

/**
 * Recognises a result that no expression explains, but that is not computed from the input, or not from the gradient above.
 * @param trials pairs of the same batch, with the true and with random gradients above
 * @param shown the result on the batch of the last pair, in float32, with the true gradients
 */
export function unrelatedToInput(line: LineKnowledge, trials: readonly Observation[], shown: Tensor): ValueMistake | undefined {
  const [{ found: again }, { found: random }] = trials.slice(-2);
  // Some sums are 0 up to rounding, which differs in float32: of the true gradients, or of values such as bndiff. Values are of order 1.
  const isRounding = squares(again.data) < Math.max(1e-6 * squares(random.data), 1e-20 * again.size);
  if (!isRounding && again.size === shown.size && correlation(again, shown) < RELATED) return { id: 'random' };
  const above = aboveOf(line);
  return above !== undefined && ignoresGradients(trials) ? { id: 'independent', of: above } : undefined;
}

function correlation(a: Tensor, b: Tensor): number {
  let product = 0;
  for (let i = 0; i < a.size; i++) product += a.data[i] * b.data[i];
  const scale = Math.sqrt(squares(a.data) * squares(b.data));
  return scale === 0 ? 1 : product / scale;
}

/** A wrong version of the line. */
interface Hypothesis {
  node: Expression;
  mistakes: readonly ValueMistake[];
  cost: number;
  reshapes: boolean;
  /** Whether the last branch is one that does not belong to the line. */
  extra?: boolean;
}

interface Explanation {
  mistakes: readonly (ValueMistake | ShapeMistake)[];
  cost: number;
  /** The part of the result that it leaves open. */
  rest: number;
}

/** The learner's results in a shape that can be compared with the line's, and the mistake that led to another one. */
interface Reading {
  found: readonly Tensor[];
  mistake?: ShapeMistake;
}

class Naming {
  readonly #name: GradientName;
  readonly #line: LineKnowledge;
  readonly #observations: readonly Observation[];
  readonly #evaluators: readonly Evaluator[];
  /** Readings in the line's own shape, and as it was found. */
  readonly #readings: readonly Reading[];
  readonly #asFound: Reading;
  /** The observation that is tried first: small, with n of at least 3, because batch norm is degenerate at 2. */
  readonly #probe: number;

  readonly #rounding: number;
  /** Below this share of its terms, a sum is 0. */
  readonly #nothing: number;
  /** Below this share of squares, two results are the same. */
  readonly #same: number;
  readonly #mostPairs: number;

  /** The names in the learner's line; undefined where its text is not at hand. */
  readonly #written: ReadonlySet<string> | undefined;

  constructor(
    name: GradientName,
    line: LineKnowledge,
    observations: readonly Observation[],
    { text, rounding, pairs = MOST_PAIRS }: Source,
  ) {
    this.#name = name;
    this.#rounding = rounding ?? ROUNDING;
    this.#nothing = rounding ?? NOTHING;
    this.#same = rounding === undefined ? SAME : rounding ** 2;
    this.#mostPairs = pairs;
    this.#written = text === undefined ? undefined : new Set(text.match(/[A-Za-z_]\w*/g));
    this.#line = line;
    this.#observations = observations;
    this.#evaluators = observations.map(({ at }) => new Evaluator(at));
    this.#readings = readingsOf(observations, line.expression.op === 'sum', text !== undefined && !/\b(view|reshape)\b/.test(text));
    this.#asFound = { found: observations.map(({ found }) => found) };
    this.#probe = Math.max(
      0,
      observations.findIndex(({ at }) => at.n > 2),
    );
  }

  mistakes(): Mistake[] | undefined {
    if (this.#observations.every(({ found }) => found.size > 0 && squares(found.data) === 0)) return [this.#zero()];
    if (this.#isRounding()) return this.#chosen(this.#branchesAlone()) ?? this.#chosen(this.#cancelling());
    if (this.#line.expression.op === 'scattered' && this.#rowsAlike()) return [{ id: 'rows-alike' }];
    const scaled = this.#explain({ node: this.#line.expression, mistakes: [], cost: 0, reshapes: false });
    if (cheapest(scaled) < SIMPLEST_EDIT) return this.#chosen(scaled);
    const simple = [...scaled, ...this.#simple()];
    const isSimple = cheapest(simple) <= FAR_FETCHED;
    if (!isSimple && this.#mostPairs === 0) return undefined;
    const all = isSimple ? simple : [...simple, ...this.#pairs()];
    return this.#chosen(all) ?? this.#chosen(this.#results(otherResults(this.#name, this.#line.expression, this.#evaluators[this.#probe])));
  }

  /** The line with some of its branches, where the result is rounding: with the true gradients above, the branch through the maximum is. */
  #branchesAlone(): Explanation[] {
    if (this.#line.expression.op !== 'total') return [];
    const found = this.#explain({ node: this.#line.expression, mistakes: [], cost: 0, reshapes: false });
    return found.filter(({ mistakes }) => mistakes.every(({ id }) => id === 'branch-missing'));
  }

  #chosen(explanations: readonly Explanation[]): Mistake[] | undefined {
    const ranked =
      this.#observations.length > 1 ? explanations : explanations.map((one) => ({ ...one, cost: one.cost + this.#borrowed(one) }));
    return chosen(ranked, this.#nothing);
  }

  /** The cost of a gradient in place of a factor, where it may as well be an extra factor. */
  #borrowed({ mistakes }: Explanation): number {
    const reads: readonly string[] = namesIn(this.#line.expression);
    const isBorrowed = mistakes.some(
      (one) =>
        one.id === 'exchanged' &&
        one.confusion === undefined &&
        tensorsIn(one.found).some((name) => name.startsWith('d') && !reads.includes(name)),
    );
    return isBorrowed ? BORROWED : 0;
  }

  /** Whether all rows of each result are the same, but not all of its entries. */
  #rowsAlike(): boolean {
    return this.#observations.every(({ found, expected }) => {
      if (!sameShape(found.shape, expected.shape)) return false;
      const columns = found.shape[1];
      const alike = found.data.every((x, k) => Math.abs(x - found.data[k % columns]) <= 1e-12 * Math.abs(x));
      return alike && found.data.some((x) => x !== found.data[0]);
    });
  }

  #zero(): Mistake {
    return { id: 'zero', ...(this.#line.zeroEndToEnd && { endToEnd: true }) };
  }

  /** Explanations by one mistake, with constant factors. */
  #simple(): Explanation[] {
    const hypotheses = [...this.#edits().map((edit) => this.#edited(edit)), ...this.#extraTerms()];
    const edited = hypotheses.flatMap((one) => (one === undefined ? [] : this.#explain(one)));
    return [...edited, ...this.#results(simpleResults(this.#name, this.#line.expression, this.#evaluators[this.#probe]))];
  }

  #known: Edit[] | undefined;
  #edits(): Edit[] {
    this.#known ??= editsOf(this.#name, this.#line.expression, this.#evaluators[this.#probe]);
    return this.#known;
  }

  #edited(...edits: readonly Edit[]): Hypothesis | undefined {
    const node = withEdits(this.#line.expression, edits);
    if (!node) return undefined;
    return {
      node,
      mistakes: edits.map(({ mistake }) => mistake),
      cost: edits.reduce((sum, { cost }) => sum + cost, 0),
      reshapes: edits.some(({ reshapes }) => reshapes),
    };
  }

  /** Two mistakes at once. */
  #pairs(): Explanation[] {
    const edits = this.#edits()
      .filter(({ cost }) => cost <= COMBINED)
      .sort((a, b) => a.cost - b.cost);
    const found: Explanation[] = [];
    const { expected } = this.#observations[this.#probe];
    const targets = this.#readings.map((reading) => reading.found[this.#probe]);
    const filter = new PairFilter(this.#evaluators[this.#probe], this.#line.expression, targets);
    const comparable = targets.every((target) => target.size === expected.size);
    const parts = edits.map((edit) => (comparable ? filter.partOf(edit) : undefined));
    let pairs = 0;
    let tried = 0;
    for (let sum = 1; sum < 2 * edits.length && pairs < this.#mostPairs; sum++) {
      for (let i = Math.max(0, sum - edits.length + 1); 2 * i < sum && pairs < this.#mostPairs; i++, pairs++) {
        if (!filter.mayFit(parts[i], parts[sum - i])) continue;
        if (tried++ >= MOST_TRIED) continue;
        const hypothesis = this.#edited(edits[i], edits[sum - i]);
        if (hypothesis) found.push(...this.#explain(hypothesis));
      }
    }
    return found;
  }

  /** A tensor that is added to the line. */
  #extraTerms(): Hypothesis[] {
    const { expected } = this.#observations[this.#probe];
    return extraTerms(this.#name, this.#line.expression, this.#evaluators[this.#probe], expected.shape).map(({ node, mistake, cost }) => ({
      node: { op: 'total', terms: [this.#line.expression, node], branches: [] },
      mistakes: [mistake],
      cost,
      reshapes: false,
      extra: true,
    }));
  }

  /** The result as an expression that has little to do with the line. */
  #results(expressions: Iterable<OtherExpression>): Explanation[] {
    const found: Explanation[] = [];
    for (const { node, mistake, cost } of expressions) {
      found.push(...this.#explain({ node, mistakes: [mistake], cost, reshapes: true }));
    }
    return found.map((one) => this.#ofConstant(one));
  }

  /** A result whose entries are all alike: the factor is part of its value. */
  #ofConstant(one: Explanation): Explanation {
    const first = one.mistakes.find(({ id }) => id === 'constant' || id === 'entries-alike');
    if (!first) return one;
    const factor = one.mistakes.find(({ id }) => id === 'scaled');
    const by = factor?.id === 'scaled' ? factor.by : '1';
    const rest = one.mistakes.filter((other) => other !== factor && other !== first);
    const cost = Math.min(one.cost, CONSTANT);
    if (first.id === 'entries-alike') return { ...one, mistakes: [{ ...first, by }, ...rest], cost };
    const above = aboveOf(this.#line);
    return { ...one, mistakes: [{ id: 'constant', value: by, ...(above && { above }) }, ...rest], cost };
  }

  /** Whether the results are sums of terms that cancel. */
  #isRounding(): boolean {
    return this.#observations.every(({ at, found }) => {
      const scale = scaleOf(this.#line, at);
      return found.size > 0 && squares(found.data) <= (this.#nothing * scale) ** 2 * found.size;
    });
  }

  /** Mistakes after which the terms cancel. */
  #cancelling(): Explanation[] {
    return this.#edits().flatMap((edit): Explanation[] => {
      if (!(edit.mistake.id in CANCELLING) || 'mean' in edit.mistake) return [];
      const hypothesis = this.#edited(edit);
      if (!hypothesis) return [];
      const cancels = this.#evaluators.every((evaluator, i) => {
        const terms = termsOf(evaluator, hypothesis.node);
        const whole = terms?.map((term) => broadcastTo(term, shapeOf(terms)));
        if (!whole?.every((term) => term !== undefined)) return false;
        const total = whole.reduce((a, b) => a.add(b));
        const { found, expected, at } = this.#observations[i];
        const fits = sameShape(stripped(total.shape), stripped(found.shape)) || sameShape(found.shape, expected.shape);
        return fits && squares(total.data) <= (this.#nothing * scaleOf(this.#line, at)) ** 2 * total.size;
      });
      const cost = CANCELLING[edit.mistake.id] + this.#unwritten([edit.mistake]);
      return cancels ? [{ mistakes: [this.#withShapes(edit.mistake)], cost, rest: 0 }] : [];
    });
  }

  // One explanation --------------------------------------------------------------------------------------------------

  #explain(hypothesis: Hypothesis): Explanation[] {
    const i = this.#probe;
    if (this.#cannotFit(hypothesis.node)) return [];
    const terms = termsOf(this.#evaluators[i], hypothesis.node);
    if (!terms) return [];
    const shape = shapeOf(terms);
    for (const reading of this.#readingsFor(hypothesis, shape)) {
      const target = reading.found[i];
      const basis = laidOut(terms, target);
      if (!basis) continue;
      const ways = matches(basis, target, this.#rounding);
      if (ways.length === 0 || isIdle(hypothesis, basis, target, this.#rounding)) continue;
      const explanations = ways.flatMap((match) => this.#confirmed(hypothesis, reading, match) ?? []);
      // A branch that is all rounding has a coefficient that means nothing, or 0.
      if (explanations.every(({ mistakes }) => mistakes.some(({ id }) => id === 'branch-missing'))) {
        const whole = basis.length > 1 && !ways.includes('sum') && fits(basis, target, 'sum', this.#rounding);
        const one = whole ? this.#confirmed(hypothesis, reading, 'sum') : undefined;
        if (one && one.mistakes.length > 0) explanations.push(one);
      }
      if (explanations.length > 0) return explanations;
    }
    return [];
  }

  /** Whether the shape alone, which is cheap, shows that an expression is not the result in any reading. */
  #cannotFit(node: Expression): boolean {
    const shape = shapeWithout(node, this.#evaluators[this.#probe].at);
    if (shape === undefined) return false;
    return [...this.#readings, this.#asFound].every(({ found }) => {
      const wanted = found[this.#probe].shape;
      const offset = wanted.length - shape.length;
      const reaches = offset >= 0 && shape.every((length, dim) => length === 1 || length === wanted[dim + offset]);
      return !reaches && !sameShape(stripped(shape), stripped(wanted));
    });
  }

  #readingsFor({ reshapes }: Hypothesis, shape: Shape): readonly Reading[] {
    const { found, expected } = this.#observations[this.#probe];
    if (sameShape(found.shape, expected.shape)) return this.#readings;
    const direct = sameShape(stripped(shape), stripped(found.shape)) && (reshapes || size(shape) > expected.size);
    return direct ? [this.#asFound] : this.#readings;
  }

  /** The explanation, if the coefficients are simple scales and predict the result at every batch size. */
  #confirmed(hypothesis: Hypothesis, reading: Reading, match: Match): Explanation | undefined {
    const bases: Tensor[][] = [];
    const fits: (number[] | undefined)[] = [];
    for (const [i, evaluator] of this.#evaluators.entries()) {
      const terms = termsOf(evaluator, hypothesis.node);
      const basis = terms && laidOut(terms, reading.found[i]);
      if (!basis) return undefined;
      bases.push(match === 'sum' ? [basis.reduce((a, b) => a.add(b))] : basis);
      // At n = 2 the branches of batch norm depend on each other.
      fits.push(evaluator.sizes.n > 2 ? coefficientsOf(bases[i], reading.found[i], match) : undefined);
    }
    const sizes = this.#evaluators.map((evaluator) => evaluator.sizes);
    const fitted = fits.flatMap((coefficients, i) => (coefficients ? [{ coefficients, i }] : []));
    if (fitted.length === 0) return undefined;
    const scales: (FittedScale | undefined)[] = bases[0].map((_, k) => {
      const negligible = fitted.every(({ coefficients, i }) =>
        isNegligible(coefficients[k], bases[i][k], reading.found[i], this.#rounding),
      );
      if (negligible) return { scale: { number: 0, powers: {} }, cost: 1 };
      return recognise(
        fitted.map(({ coefficients }) => coefficients[k]),
        fitted.map(({ i }) => sizes[i]),
      );
    });
    if (!scales.every((one) => one !== undefined)) return undefined;
    const coefficients = scales.map(({ scale }) => scale);
    const rest = this.#unexplained(bases, coefficients, reading);
    return rest === undefined ? undefined : this.#explanation(hypothesis, reading, coefficients, rest);
  }

  /** The largest share of a result that the prediction leaves open; undefined if that is too much. */
  #unexplained(bases: readonly Tensor[][], coefficients: readonly Scale[], { found }: Reading): number | undefined {
    let largest = 0;
    for (const [i, basis] of bases.entries()) {
      const numbers = coefficients.map((scale) => scaleValue(scale, this.#evaluators[i].sizes));
      const open = residual(combination(basis, numbers), found[i].data);
      const scale = basis.reduce((sum, term, k) => sum + numbers[k] ** 2 * squares(term.data), 0);
      if (!(open <= this.#rounding ** 2 * scale)) return undefined;
      const { expected } = this.#observations[i];
      const difference = expected.size === found[i].size ? residual(expected.data, found[i].data) : Number.POSITIVE_INFINITY;
      // At n = 2 a factor n - 1 makes no difference: there is nothing left to explain.
      if (difference > this.#same * scale && open > (1 - EXPLAINED) * difference) return undefined;
      largest = Math.max(largest, Math.sqrt(open / scale));
    }
    return largest;
  }

  #explanation(hypothesis: Hypothesis, { mistake }: Reading, coefficients: readonly Scale[], rest: number): Explanation | undefined {
    const { mistakes, cost, node, extra } = hypothesis;
    const own = extra ? coefficients.slice(0, -1) : coefficients;
    const described = coefficientMistakes(node, own);
    if (!described) return undefined;
    const by = coefficients[coefficients.length - 1];
    if (extra && by.number === 0) return undefined;
    const named = extra ? mistakes.map((one) => (one.id === 'term-extra' ? { ...one, by: textOf(by) } : one)) : mistakes;
    const values = [...named, ...described.mistakes.map((one) => this.#relative(one))].map((one) => this.#withShapes(one));
    if (contradict(values)) return undefined;
    const shapes: ShapeMistake[] = mistake ? [mistake] : [];
    // Another tensor, or another expression, has its own shape.
    if (!mistake && this.#misshapen() && !values.some((one) => 'expected' in one && Array.isArray(one.expected))) {
      shapes.push({ id: 'other-shape', ...this.#shapes() });
    }
    return {
      mistakes: [...values, ...shapes],
      cost: cost + described.cost + (extra ? oddness(by) : 0) + (mistake?.id === 'result-viewed' ? 1 : 0) + this.#unwritten(values),
      rest,
    };
  }

  /** A factor relative to the right one, where its own value depends on the form in which the line is written. */
  #relative(mistake: ValueMistake): ValueMistake {
    if (!this.#line.hasOtherForms || mistake.id !== 'scaled' || !/[nHV]/.test(mistake.by)) return mistake;
    const { expected: _, mean: __, ...rest } = mistake;
    return rest;
  }

  /** The cost of names that the learner's line does not have, and of names that are missing though it has them. */
  #unwritten(mistakes: readonly ValueMistake[]): number {
    const written = this.#written;
    if (!written) return 0;
    let cost = 0;
    for (const mistake of mistakes) {
      if (tensorsIn(foundIn(mistake)).some((name) => !written.has(name))) cost += NOT_WRITTEN;
      if (mistake.id !== 'factor-missing') continue;
      const missing = tensorsIn(mistake.factor);
      if (missing.length > 0 && missing.every((name) => written.has(name))) cost += WRITTEN;
    }
    return cost;
  }

  #withShapes(mistake: ValueMistake): ValueMistake {
    if (!['not-summed', 'summed-over', 'sum-extra'].includes(mistake.id) || 'of' in mistake) return mistake;
    return this.#misshapen() ? ({ ...mistake, ...this.#shapes() } as ValueMistake) : mistake;
  }

  #shapes(): { found: Shape; expected: Shape } {
    const { found, expected } = this.#observations[this.#observations.length - 1];
    return { found: found.shape, expected: expected.shape };
  }

  #misshapen(): boolean {
    const { found, expected } = this.#shapes();
    return !sameShape(found, expected);
  }
}

// Fitting ------------------------------------------------------------------------------------------------------------

/** The branches of a wrong expression; undefined where its shapes do not fit. */
function termsOf(evaluator: Evaluator, node: Expression): Tensor[] | undefined {
  try {
    return evaluator.terms(node);
  } catch {
    return undefined;
  }
}

function shapeOf(terms: readonly Tensor[]): Shape {
  return terms.reduce((widest, { shape }) => (shape.length > widest.length || size(shape) > size(widest) ? shape : widest), terms[0].shape);
}

const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** The branches in the shape of the result. */
function laidOut(terms: readonly Tensor[], target: Tensor): Tensor[] | undefined {
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
type Match = 'each' | 'sum' | number;

/** The ways in which the branches give the result. Branches that depend on each other have no coefficients of their own. */
function matches(basis: readonly Tensor[], target: Tensor, rounding: number): Match[] {
  const free = leastSquares(basis, target);
  if (free) return isExact(basis, free, target, rounding) ? ['each'] : [];
  const ways: Match[] = basis.length === 1 ? [] : ['sum', ...basis.keys()];
  return ways.filter((way) => fits(basis, target, way, rounding));
}

function fits(basis: readonly Tensor[], target: Tensor, way: Match, rounding: number): boolean {
  const bases = way === 'sum' ? [basis.reduce((a, b) => a.add(b))] : basis;
  const coefficients = coefficientsOf(bases, target, way);
  return coefficients !== undefined && isExact(bases, coefficients, target, rounding);
}

/** Whether a branch is missing that is said to have another mistake. */
function isIdle({ node, mistakes }: Hypothesis, basis: readonly Tensor[], target: Tensor, rounding: number): boolean {
  const named = mistakes.flatMap(({ branch }) => branch ?? []);
  if (named.length === 0) return false;
  const coefficients = leastSquares(basis, target);
  const terms = describeTerms(node);
  if (!coefficients || terms.length !== basis.length) return false;
  return terms.some(
    ({ branch }, k) => branch !== undefined && named.includes(branch) && isNegligible(coefficients[k], basis[k], target, rounding),
  );
}

function coefficientsOf(basis: readonly Tensor[], target: Tensor, match: Match): number[] | undefined {
  if (typeof match === 'string') return leastSquares(basis, target);
  const others = basis.filter((_, k) => k !== match).reduce((rest, term) => rest.sub(term.view(target.shape)), target);
  const one = leastSquares([basis[match]], others);
  return one && basis.map((_, k) => (k === match ? one[0] : 1));
}

function isExact(basis: readonly Tensor[], coefficients: readonly number[], target: Tensor, rounding: number): boolean {
  const scale = basis.reduce((sum, { data }, k) => sum + coefficients[k] ** 2 * squares(data), 0);
  return isWithin(rounding ** 2 * scale, basis, coefficients, target);
}

function isNegligible(coefficient: number, term: Tensor, target: Tensor, rounding: number): boolean {
  return coefficient ** 2 * squares(term.data) <= rounding ** 2 * squares(target.data);
}

// Constant factors ---------------------------------------------------------------------------------------------------

/** What is known about a branch: its name, its own constant factor, and the sum that a mean would divide. */
interface Term {
  branch?: BranchName | undefined;
  scale: Scale;
  sums: Dimension | undefined;
}

function describeTerms(node: Expression, around: Term = { scale: ONE, sums: undefined }): Term[] {
  switch (node.op) {
    case 'total':
      return node.terms.flatMap((term, k) => describeTerms(term, { ...around, branch: node.branches[k] ?? around.branch }));
    case 'sum':
      return describeTerms(node.of, { ...around, sums: node.over === 'row' ? 'row' : 'batch' });
    case 'product': {
      const { scale, rest } = splitNumber(node);
      const inner = rest.find(({ op }) => op === 'total');
      const sums = rest.some((factor) => factor.op === 'sum' && factor.over === 'batch') ? 'batch' : around.sums;
      return inner ? describeTerms(inner, { ...around, sums }) : [{ ...around, scale, sums }];
    }
    default:
      return [{ ...around, scale: node.op === 'number' ? node.scale : ONE }];
  }
}

/** The mistakes that the coefficients of the branches mean, and their cost; undefined if they mean none. */
function coefficientMistakes(node: Expression, coefficients: readonly Scale[]): { mistakes: ValueMistake[]; cost: number } | undefined {
  const terms = describeTerms(node);
  const known = coefficients.filter(({ number }) => number !== 0);
  if (known.length === 0) return undefined;
  const options = [ONE, ...known].map((base) => {
    const parts = coefficients.map((scale) => (scale.number === 0 ? scale : times(scale, inverse(base))));
    const cost = costOf(base) + parts.reduce((sum, part) => sum + (part.number === 0 ? 1 : costOf(part)), 0);
    return { base, parts, cost };
  });
  const { base, parts, cost } = options.reduce((best, one) => (one.cost < best.cost - 1e-9 ? one : best));
  const several = coefficients.length > 1;
  const whole: Term = several ? { scale: commonScale(node), sums: undefined } : { ...terms[0], branch: undefined };
  const mistakes: ValueMistake[] = isOne(base) ? [] : [scaled(base, { ...whole, branch: undefined })];
  for (const [k, part] of parts.entries()) {
    if (isOne(part)) continue;
    const term = several ? terms[k] : whole;
    if (part.number !== 0) mistakes.push(scaled(part, term, commonScale(node)));
    else if (term.branch) mistakes.push({ id: 'branch-missing', branch: term.branch });
    else return undefined;
  }
  return { mistakes, cost };
}

/** The constant factor in front of all branches. */
function commonScale(node: Expression): Scale {
  return node.op === 'product' ? splitNumber(node).scale : ONE;
}

function costOf(scale: Scale): number {
  if (isOne(scale)) return 0;
  const sizes = { n: 5, T: 7, E: 11, H: 13, V: 17 };
  return recognise([scaleValue(scale, sizes)], [sizes])?.cost ?? 3;
}

/** The cost of a factor in front of an extra term that nobody writes, such as 1.001. */
function oddness({ number, powers }: Scale): number {
  const isShort = Math.abs(number - Number(number.toPrecision(2))) < 1e-5 * Math.abs(number);
  return isShort || costOf({ number, powers }) < 1.5 ? 0 : ODD;
}

const ODD = 0.8;

function scaled(by: Scale, { branch, scale, sums }: Term, common: Scale = ONE): ValueMistake {
  const magnitude = (one: Scale) => textOf({ ...one, number: Math.abs(one.number) });
  // The common factor does not reach a branch.
  const isCommon = branch !== undefined && magnitude(common) !== '1' && magnitude(times(common, by)) === '1';
  const own = isCommon ? common : scale;
  const expected = textOf(by) === '-1' || magnitude(own) === '1' ? undefined : textOf(own);
  const size = magnitude(by);
  const mean = (sums === 'batch' && size === '1/n') || (sums === 'row' && (size === '1/V' || size === '1/H')) ? sums : undefined;
  return {
    id: 'scaled',
    by: textOf(by),
    ...(expected !== undefined && { expected }),
    ...(mean && { mean }),
    ...(branch !== undefined && { branch }),
  };
}

/** Whether one mistake speaks of a branch that another one misses. */
function contradict(mistakes: readonly ValueMistake[]): boolean {
  const missing = mistakes.flatMap((one) => (one.id === 'branch-missing' ? [one.branch] : []));
  return mistakes.some((one) => {
    if (one.id === 'branch-missing') return false;
    const named = one.id === 'common-factor' ? one.on : one.id === 'branches-multiplied' ? (one.these ?? []) : [];
    const all = one.branch === undefined ? named : [...named, one.branch];
    return all.some((branch) => missing.includes(branch));
  });
}

/** The expressions that a mistake finds in the line. */
function foundIn(mistake: ValueMistake): string {
  switch (mistake.id) {
    case 'exchanged':
    case 'other-expression':
      return 'confusion' in mistake && mistake.confusion === 'function-for-derivative' ? '' : mistake.found.replace(/^your own.*/, '');
    case 'factor-extra':
    case 'factor-squared':
      return mistake.factor;
    case 'division-extra':
      return mistake.by;
    case 'sums-multiplied':
      return `${mistake.a} ${mistake.b}`;
    case 'term-extra':
      return mistake.term;
    default:
      return '';
  }
}

function tensorsIn(formula: string): string[] {
  return (formula.match(/[A-Za-z_]\w*/g) ?? []).filter((name) => NAMES.has(name));
}

const NAMES: ReadonlySet<string> = new Set<string>([...GRADIENT_NAMES, ...VALUE_NAMES]);

// Choosing -----------------------------------------------------------------------------------------------------------

function cheapest(explanations: readonly Explanation[]): number {
  return Math.min(...explanations.map(({ cost }) => cost));
}

/** The simplest explanation; two if they are equally simple. An explanation that leaves a thousand times less open is better. */
function chosen(explanations: readonly Explanation[], nothing: number): Mistake[] | undefined {
  if (explanations.length === 0) return undefined;
  const closest = Math.max(nothing, Math.min(...explanations.map(({ rest }) => rest)));
  const good = explanations.filter(({ rest }) => rest <= 100 * closest);
  const least = cheapest(good);
  const seen = new Set<string>();
  const equal = good.filter(({ cost, mistakes }) => {
    const key = JSON.stringify(mistakes);
    return cost <= least + 1e-6 && !seen.has(key) && seen.add(key);
  });
  return equal.length === 1 ? [...equal[0].mistakes] : [{ id: 'either', of: equal.slice(0, 2).map(({ mistakes }) => mistakes) }];
}

// Shapes -------------------------------------------------------------------------------------------------------------

/** The ways in which a result can be read in the line's shape. */
function readingsOf(observations: readonly Observation[], sums: boolean, indexed: boolean): Reading[] {
  // The last one is on the lesson's batch: its shapes are those that the learner sees.
  const shapes = observations[observations.length - 1];
  const [found, expected] = [shapes.found.shape, shapes.expected.shape];
  const read = (undo: (observation: Observation) => Tensor | undefined, mistake?: ShapeMistake): Reading[] => {
    const undone = observations.map(undo);
    return undone.every((tensor) => tensor !== undefined) ? [{ found: undone, ...(mistake && { mistake }) }] : [];
  };
  if (sameShape(found, expected)) {
    const viewed = expected.length === 2 && expected.every((length) => length > 1);
    return [
      ...read((one) => one.found),
      ...(viewed
        ? read(({ found: { shape }, found: one }) => one.view([shape[1], shape[0]]).T, {
            id: 'result-viewed',
            found,
            expected,
            ...(indexed && { indexed }),
          })
        : []),
    ];
  }
  const whole = { found, expected };
  return [
    ...read(
      (one) => (sameShape(stripped(one.found.shape), stripped(one.expected.shape)) ? one.found.view(one.expected.shape) : undefined),
      { id: 'reshaped', ...whole, ...(sums && keepdimOf(found, expected)) },
    ),
    ...read((one) => transposedBack(one), { id: 'transposed', ...whole }),
    ...read((one) => (one.found.size === one.expected.size && !isTurned(one) ? one.found.view(one.expected.shape) : undefined), {
      id: 'reshaped',
      ...whole,
    }),
    // A column [n,1] repeats along the row, a row [1,H] over the batch.
    ...read((one) => (one.found.size > 1 && one.found.size < one.expected.size ? broadcastTo(one.found, one.expected.shape) : undefined), {
      id: 'not-broadcast',
      over: found.at(-1) === 1 ? 'row' : 'batch',
      ...whole,
    }),
    ...(['batch', 'row'] as const).flatMap((over) => read((one) => unrepeated(one, over), { id: 'repeated', over, ...whole })),
  ];
}

function isTurned({ found, expected }: Observation): boolean {
  return sameShape(stripped(found.shape), stripped(expected.shape));
}

function transposedBack({ found, expected }: Observation): Tensor | undefined {
  const turned = found.shape.length === 2 && found.shape[0] !== found.shape[1] && found.shape.every((length) => length > 1);
  return turned && sameShape([found.shape[1], found.shape[0]], stripped(expected.shape)) ? found.T : undefined;
}

/** One row or column of a result whose rows or columns are all the same, where only one belongs. */
function unrepeated({ found, expected }: Observation, over: Dimension): Tensor | undefined {
  if (found.shape.length !== 2) return undefined;
  const mean = found.mean(over === 'batch' ? 0 : 1, { keepdim: true });
  if (!sameShape(stripped(mean.shape), stripped(expected.shape)) || found.size === expected.size) return undefined;
  const same = residual(Tensor.zeros(found.shape, 'float64').add(mean).data, found.data) <= 1e-14 * squares(found.data);
  return same ? mean.view(expected.shape) : undefined;
}

/** A dimension of size 1 too few or too many. */
function keepdimOf(found: Shape, expected: Shape): { keepdim?: 'missing' | 'extra' } {
  const ones = (shape: Shape) => shape.filter((length) => length === 1).length;
  if (ones(expected) === ones(found)) return {};
  return { keepdim: ones(expected) > ones(found) ? 'missing' : 'extra' };
}
