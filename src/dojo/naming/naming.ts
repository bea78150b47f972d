/**
 * Names a mistake. The mistakes of a line are derived from its tree (edits/). Each gives a wrong expression; this fits the constant
 * factors of its branches, and accepts it if the factors are the same simple scale (-1, 2, 1/n, …) at every batch size and the result is
 * the learner's. The simplest explanation is the name; two equally simple ones are both said.
 */
import { type Shape, sameShape, type Tensor } from '../../core/tensor.js';
import type { GradientName } from '../../lesson/values.js';
import { type Edit, withEdits } from '../edits/edit.js';
import { editsOf } from '../edits/editsOf.js';
import { namesIn } from '../edits/trees.js';
import { broadcastTo, Evaluator, type Expression, shapeWithout, stripped } from '../expression.js';
import type { Mistake, ShapeMistake, ValueMistake } from '../findings.js';
import { type LineKnowledge, scaleOf } from '../knowledge.js';
import { combination, residual, squares } from '../leastSquares.js';
import { extraTerms, type OtherExpression, otherResults, simpleResults } from '../otherExpressions.js';
import { PairFilter } from '../pairFilter.js';
import { type FittedScale, recognise, type Scale, scaleValue, textOf } from '../scale.js';
import { cheapest, chosen } from './choosing.js';
import { coefficientMistakes, contradict, oddness } from './constantFactors.js';
import { coefficientsOf, fits, isIdle, isNegligible, laidOut, type Match, matches, shapeOf, size, termsOf } from './fitting.js';
import { foundIn, tensorsIn } from './namesFound.js';
import type { Explanation, Hypothesis, Observation, Reading } from './observations.js';
import { readingsOf } from './readings.js';
import { aboveOf } from './unrelated.js';

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
