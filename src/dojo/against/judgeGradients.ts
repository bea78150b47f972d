/** The verdict on each gradient of a file: end to end, and given the file's own gradients above it. */
import { indexOfLargest } from '../../core/numbers.js';
import { sameShape, type Tensor } from '../../core/tensor.js';
import { backward, GRADIENT_NAMES } from '../../lesson/exercise1.js';
import type { GradientName, LessonGradients, LessonValues } from '../../lesson/values.js';
import { scaleOf } from '../knowledge.js';
import type { ValuesAndGradients } from '../learnerFile.js';
import type { FileGradient } from './gradients.js';
import type { Limits, LineLimits } from './limits.js';
import { type LineWay, linesOf } from './lines.js';
import { attempt } from './recogniseForward.js';
import type { AgainstVerdict } from './report.js';

/** The forward values that gradients are judged on. */
export interface JudgedOn {
  /** In float64: ours, or the file's own. */
  values: LessonValues;
  /** The file's own forward values over ours, where it holds any: their rounding is not held against a line. */
  own: LessonValues | undefined;
  /** Whether those are right. */
  isOwnRight: boolean;
  limits: Limits;
}

/** A right result to compare with, and how far from it is still right. */
export interface Expectation {
  way: LineWay;
  at: ValuesAndGradients;
  expected: Tensor;
  limit: number;
  /** The least scale of an error. */
  leastScale: number;
}

/** A difference from an expectation, as a share of the terms that an entry sums. */
interface Difference {
  error: number;
  limit: number;
  /** The entry that differs most. */
  entry: number;
  expected: Tensor;
}

/** A gradient above that was replaced by the truth, and why the file's own one was not used. */
export interface Replaced {
  name: GradientName;
  why: 'absent' | 'other-shape' | 'not-finite';
}

/** A gradient of a file with its verdict. */
export interface JudgedGradient {
  gradient: FileGradient;
  verdict: AgainstVerdict;
  /** Against the truth; undefined for another shape. */
  endToEnd: Difference | undefined;
  /** Given the file's own gradients above; undefined where nothing was fed, and for another shape. */
  asFed: Difference | undefined;
  /** What the line gives with what it was fed: its atomic line first. */
  fed: readonly Expectation[];
  /** The gradients that it reads and that were replaced by the truth. */
  replaced: readonly Replaced[];
}

/** The gradients above a line, by what takes the place of those that the file does not hold, or holds wrong. */
interface Feeds {
  /** The file's, else the truth. */
  fed: LessonGradients;
  /** The file's, else what their lines give with the file's gradients above them. */
  chained: LessonGradients;
  /** The file's in any shape. */
  raw: LessonGradients;
  /** The file's, but those that are wrong by themselves as they should be. */
  corrected: LessonGradients;
}

/** How a gradient compares with what its line gives for the gradients above it. */
interface AsFed {
  asFed: Difference | undefined;
  replaced: readonly Replaced[];
  limits: LineLimits;
}

/** Judges gradients in backward order. */
export class GradientJudge {
  readonly #on: JudgedOn;
  readonly #truth: LessonGradients;
  readonly #ownTruth: LessonGradients | undefined;
  readonly #feeds: Feeds;
  readonly #held: ReadonlyMap<GradientName, FileGradient>;
  readonly #verdicts = new Map<GradientName, AgainstVerdict>();

  constructor(gradients: readonly FileGradient[], on: JudgedOn) {
    this.#on = on;
    this.#truth = backward(on.values);
    this.#ownTruth = on.own && backward(on.own);
    this.#held = new Map([...gradients].reverse().map((gradient) => [gradient.own, gradient]));
    this.#feeds = { fed: { ...this.#truth }, chained: { ...this.#truth }, raw: { ...this.#truth }, corrected: { ...this.#truth } };
  }

  get truth(): LessonGradients {
    return this.#truth;
  }

  judge(gradients: readonly FileGradient[]): JudgedGradient[] {
    return GRADIENT_NAMES.flatMap((own) => {
      const judged = gradients.filter((one) => one.own === own).map((one) => this.#judge(one));
      this.#feed(own, judged[0]);
      return judged;
    });
  }

  /** What the lines below are fed with. */
  #feed(own: GradientName, judged: JudgedGradient | undefined): void {
    const feeds = this.#feeds;
    const [{ solution }] = linesOf(own);
    const on = (above: LessonGradients) => solution({ ...this.#on.values, ...above });
    if (judged === undefined) {
      this.#verdicts.set(own, this.#isInnocent(own) ? 'right' : 'right-as-fed');
      for (const key of ['chained', 'raw', 'corrected'] as const) feeds[key][own] = attempt(() => on(feeds[key])) ?? this.#truth[own];
      return;
    }
    const { fitted, found, finite } = judged.gradient;
    this.#verdicts.set(own, judged.verdict);
    feeds.raw[own] = fitted ?? found;
    if (fitted !== undefined && finite) for (const key of ['fed', 'chained', 'corrected'] as const) feeds[key][own] = fitted;
    else feeds.chained[own] = attempt(() => on(feeds.chained)) ?? this.#truth[own];
    if (judged.verdict === 'wrong') feeds.corrected[own] = attempt(() => on(feeds.corrected)) ?? this.#truth[own];
  }

  #judge(gradient: FileGradient): JudgedGradient {
    const { own, fitted, float32 } = gradient;
    const limits = this.#on.limits[float32 === false ? 'float64' : 'float32'][own];
    const reads = [...new Set(linesOf(own).flatMap((way) => way.reads))];
    const fed = this.#expectations(own, this.#feeds.fed, limits);
    const direct = fitted && this.#endToEnd(own, fitted, limits);
    const asFed = fitted && reads.length > 0 ? nearest(fitted, fed) : undefined;
    const replaced = linesOf(own)[0].reads.flatMap((name) => this.#replaced(name) ?? []);
    const isFed = () => this.#isRightAsFed(gradient, { asFed, replaced, limits });
    const isInnocent = fitted !== undefined && this.#isInnocent(own) && (!this.#on.own || this.#on.isOwnRight);
    const isKnown = isInnocent && replaced.length === 0;
    const near = Math.max(WIDE, limits.backwardOnly + (asFed?.limit ?? 0));
    const isContradicted = () => isKnown && asFed !== undefined && !(asFed.error <= near) && !isFed();
    const isRight = direct !== undefined && passes(direct) && (direct.limit <= WIDE || !isContradicted());
    const verdict = isRight ? 'right' : isFed() ? (isInnocent ? 'right' : 'right-as-fed') : 'wrong';
    return {
      gradient,
      verdict,
      endToEnd: direct,
      asFed,
      fed,
      replaced,
    };
  }

  /** Whether the gradients that its line reads are right. */
  #isInnocent(own: GradientName): boolean {
    return linesOf(own)[0].reads.every((name) => this.#verdicts.get(name) === 'right');
  }

  #replaced(name: GradientName): Replaced | undefined {
    const held = this.#held.get(name);
    if (held === undefined) return { name, why: 'absent' };
    if (held.fitted === undefined) return { name, why: 'other-shape' };
    return held.finite ? undefined : { name, why: 'not-finite' };
  }

  #endToEnd(own: GradientName, fitted: Tensor, { endToEnd, leastScale }: LineLimits): Difference {
    const truths = [
      { values: this.#on.values, truth: this.#truth },
      ...(this.#on.own && this.#on.isOwnRight && this.#ownTruth ? [{ values: this.#on.own, truth: this.#ownTruth }] : []),
    ];
    const [way] = linesOf(own);
    return least(
      truths.map(({ values, truth }) =>
        differenceFrom(fitted, { way, at: { ...values, ...truth }, expected: truth[own], limit: endToEnd, leastScale }),
      ),
    );
  }

  /** What the ways to compute a gradient give with these gradients above. */
  #expectations(own: GradientName, above: LessonGradients, { asFed, onOwnValues, leastScale }: LineLimits): Expectation[] {
    const bases = [{ values: this.#on.values, limit: asFed }, ...(this.#on.own ? [{ values: this.#on.own, limit: onOwnValues }] : [])];
    return bases.flatMap(({ values, limit }) =>
      linesOf(own).flatMap((way) => {
        const at = { ...values, ...above };
        const expected = attempt(() => way.solution(at));
        return expected === undefined ? [] : [{ way, at, expected, limit, leastScale }];
      }),
    );
  }

  #isRightAsFed({ own, fitted, found }: FileGradient, { asFed, replaced, limits }: AsFed): boolean {
    if (asFed && passes(asFed)) return true;
    if (linesOf(own)[0].reads.length === 0) return false;
    const { fed, chained, raw, corrected } = this.#feeds;
    const isBroken = replaced.some(({ why }) => why === 'not-finite');
    // What was fed may be of another rounding, where the file does not hold it.
    const widest = replaced.length === 0 ? 0 : limits.endToEnd;
    const wide = { ...limits, asFed: Math.max(limits.asFed, widest), onOwnValues: Math.max(limits.onOwnValues, widest) };
    const others = [
      ...this.#expectations(own, chained, wide),
      ...this.#expectations(own, corrected, limits),
      // Infinity goes on below, but is no scale for the entries that it does not reach.
      ...this.#expectations(own, raw, limits).map((one) => (isBroken ? { ...one, at: { ...one.at, ...fed } } : one)),
    ];
    const target = fitted ?? found;
    return others.some((one) => sameShape(one.expected.shape, target.shape) && passes(differenceFrom(target, one)));
  }
}

/**
 * Where rounding alone explains more than this end to end, a gradient has to agree as fed, too, within as much: a closed form computed
 * later, or autograd's gradient beside lines by hand, was seen to be off by 1e-5.
 */
const WIDE = 1e-4;

export function passes({ error, limit }: Difference): boolean {
  return error <= limit;
}

function nearest(found: Tensor, expectations: readonly Expectation[]): Difference | undefined {
  const comparable = expectations.filter(({ expected }) => sameShape(expected.shape, found.shape));
  return comparable.length === 0 ? undefined : least(comparable.map((one) => differenceFrom(found, one)));
}

function least(differences: readonly Difference[]): Difference {
  return differences.reduce((best, one) => (one.error / one.limit < best.error / best.limit || Number.isNaN(best.error) ? one : best));
}

/** @param found a tensor of the expected shape */
export function differenceFrom(found: Tensor, { way, at, expected, limit, leastScale }: Expectation): Difference {
  // Equal entries differ by 0, also where both overflow or are NaN.
  const off = Float64Array.from(found.data, (x, i) => (Object.is(x, expected.data[i]) ? 0 : Math.abs(x - expected.data[i])));
  const entry = indexOfLargest(off);
  const largest = off[entry] ?? 0;
  // As a share of an infinite scale, any difference would be 0.
  const scale = Math.max(attempt(() => scaleOf(way.knowledge, at)) ?? 0, leastScale);
  return { error: largest === 0 ? 0 : scale === Number.POSITIVE_INFINITY ? scale : largest / scale, limit, entry, expected };
}
