/**
 * How far honest rounding moves each forward value. Rounding errors behave as if they were independent: a sum of m terms is off by about
 * sqrt(m)·u·Σ|terms|, and errors of the inputs add up as the root of their squares, each times the derivative of the step. What depends on
 * an error that many entries share, such as one of a row's maximum or a column's variance, adds up as it is. Worst-case bounds would be
 * 100 to 10,000 times the errors of PyTorch; these are 5 to 300 times them. (Higham and Mary, A new approach to probabilistic rounding error analysis, 2019)
 */
import { absolute } from '../../core/numbers.js';
import { type FloatArray, type Indices, Tensor } from '../../core/tensor.js';
import type { LessonValues, StepName, ValueName } from '../../lesson/values.js';

/** Twice the unit roundoff, and the smallest normal number. */
export interface Precision {
  u: number;
  least: number;
}
export const FLOAT32: Precision = { u: 2 ** -23, least: 2 ** -126 };
export const FLOAT64: Precision = { u: 2 ** -52, least: 2 ** -1022 };

/** A bound on the error of each entry, for every tensor. */
export type Bounds = Readonly<Record<ValueName | 'loss', Tensor>>;

/** Rounding of one step: how many roundings of its terms, the sum of their magnitudes, and the error that its inputs pass on. */
interface StepRounding {
  count: (at: LessonValues) => number;
  terms: (at: LessonValues) => Tensor;
  passed: (at: LessonValues, e: Bounds) => Tensor;
}

/** exp, log, tanh and powers of the usual libraries are within 2 units. */
const FUNCTION = 2;
const KEEP = { keepdim: true };
function entry({ data, shape }: Tensor, f: (x: number, i: number) => number): Tensor {
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = f(data[i], i);
  return new Tensor(out, shape);
}
/** A relative error, at most 1/2 so that first order is of the right size. */
const relative = (error: Tensor, of: Tensor) => entry(error, (x, i) => (x === 0 ? 0 : Math.min(x / Math.abs(of.data[i]), 0.5)));
const rowMax = (a: Tensor) => a.max(1, KEEP).values;
const pick = (a: Tensor, Yb: Indices) => a.pick(Yb).mean();
/** The root of the sum of the squares. */
const together = (a: Tensor, ...others: readonly Tensor[]) =>
  entry(
    others.reduce((sum, b) => sum.add(b.pow(2)), a.pow(2)),
    Math.sqrt,
  );

const linear = (x: ValueName, W: ValueName, b: ValueName): StepRounding => ({
  count: (at) => at[W].shape[0] + 1,
  terms: (at) => absolute(at[x]).matmul(absolute(at[W])).add(absolute(at[b])),
  passed: (at, e) => {
    const squares = e[x]
      .pow(2)
      .matmul(at[W].pow(2))
      .add(at[x].pow(2).matmul(e[W].pow(2)));
    return entry(squares.add(e[b].pow(2)), Math.sqrt);
  },
});

const ROUNDING: Readonly<Record<StepName, StepRounding>> = {
  emb: { count: () => 0, terms: ({ emb }) => absolute(emb), passed: ({ Xb }, e) => e.C.gatherRows(Xb) },
  embact: { count: () => 0, terms: ({ embact }) => absolute(embact), passed: ({ n }, e) => e.emb.view([n, -1]) },
  hprebn: linear('embact', 'W1', 'b1'),
  bnmeani: {
    count: ({ n }) => n + 1,
    terms: ({ hprebn }) => absolute(hprebn).mean(0, KEEP),
    passed: ({ n }, e) => entry(e.hprebn.pow(2).sum(0, KEEP), Math.sqrt).div(n),
  },
  bndiff: {
    count: () => 1,
    terms: ({ hprebn, bnmeani }) => absolute(hprebn).add(absolute(bnmeani)),
    passed: (_, e) => together(e.hprebn, e.bnmeani),
  },
  bndiff2: {
    count: () => FUNCTION,
    terms: ({ bndiff2 }) => absolute(bndiff2),
    passed: ({ bndiff }, e) => absolute(bndiff).mul(2).add(e.bndiff).mul(e.bndiff),
  },
  bnvar: {
    count: ({ n }) => n + 2,
    terms: ({ bndiff2, n }) =>
      absolute(bndiff2)
        .sum(0, KEEP)
        .div(n - 1),
    passed: ({ n }, e) => entry(e.bndiff2.pow(2).sum(0, KEEP), Math.sqrt).div(n - 1),
  },
  bnvar_inv: {
    count: () => 1 + FUNCTION,
    terms: ({ bnvar_inv }) => absolute(bnvar_inv),
    passed: ({ bnvar }, e) => {
      const inverse = (x: number) => 1 / Math.sqrt(Math.max(x, 0) + 1e-5);
      return entry(bnvar, (x, i) => inverse(x - e.bnvar.data[i]) - inverse(x));
    },
  },
  bnraw: {
    count: () => 1,
    terms: ({ bnraw }) => absolute(bnraw),
    passed: ({ bndiff, bnvar_inv }, e) => together(e.bndiff.mul(bnvar_inv), bndiff.mul(e.bnvar_inv), e.bndiff.mul(e.bnvar_inv)),
  },
  hpreact: {
    count: () => 2,
    terms: ({ bngain, bnraw, bnbias }) => absolute(bngain).mul(absolute(bnraw)).add(absolute(bnbias)),
    passed: ({ bngain, bnraw }, e) => together(e.bnraw.mul(bngain), bnraw.mul(e.bngain), e.bnraw.mul(e.bngain), e.bnbias),
  },
  h: {
    count: () => FUNCTION,
    terms: ({ h }) => absolute(h),
    passed: ({ h }, e) => entry(e.hpreact, (x, i) => Math.min(Math.abs(1 - h.data[i] ** 2) * x + x * x, x)),
  },
  logits: linear('h', 'W2', 'b2'),
  logit_maxes: { count: () => 0, terms: ({ logit_maxes }) => absolute(logit_maxes), passed: (_, e) => rowMax(e.logits) },
  norm_logits: {
    count: () => 1,
    terms: ({ logits, logit_maxes }) => absolute(logits).add(absolute(logit_maxes)),
    passed: (_, e) => together(e.logits, e.logit_maxes),
  },
  counts: {
    count: () => FUNCTION,
    terms: ({ counts }) => absolute(counts),
    passed: ({ counts }, e) => entry(counts, (x, i) => (x === 0 ? 0 : x * Math.expm1(e.norm_logits.data[i]))),
  },
  counts_sum: {
    count: ({ counts }) => counts.shape[1],
    terms: ({ counts }) => absolute(counts).sum(1, KEEP),
    passed: (_, e) => e.counts.sum(1, KEEP),
  },
  counts_sum_inv: {
    count: () => FUNCTION,
    terms: ({ counts_sum_inv }) => absolute(counts_sum_inv),
    passed: ({ counts_sum, counts_sum_inv }, e) => absolute(counts_sum_inv).mul(relative(e.counts_sum, counts_sum)).mul(2),
  },
  probs: {
    count: () => 1,
    terms: ({ probs }) => absolute(probs),
    passed: ({ counts, counts_sum_inv }, e) => together(e.counts.mul(counts_sum_inv), counts.mul(e.counts_sum_inv)),
  },
  logprobs: {
    count: () => FUNCTION,
    terms: ({ logprobs }) => absolute(logprobs),
    passed: ({ probs }, e) => relative(e.probs, probs).mul(2),
  },
  loss: {
    count: ({ n }) => n + 1,
    terms: ({ logprobs, Yb }) => pick(absolute(logprobs), Yb),
    passed: ({ Yb }, e) => pick(e.logprobs, Yb),
  },
};

/** The sum of the magnitudes of what an entry of the step adds up. */
export function termsOf(step: StepName, at: LessonValues): Tensor {
  return ROUNDING[step].terms(at);
}

/** The size of error that rounding explains, in each entry of a step. */
export function boundOf(step: StepName, at: LessonValues, inputs: Bounds, { u, least }: Precision): Tensor {
  const { count, terms, passed } = ROUNDING[step];
  return terms(at)
    .mul(Math.sqrt(count(at) + 1) * u)
    .add(passed(at, inputs))
    .add(least);
}

/** Whether float64 entries are numbers of float32: computed in float32, stored as float64. NaN is one of them: a pass may overflow. Multiples of 1/256 tell nothing. */
export function isFloat32Valued(data: FloatArray): boolean {
  if (data instanceof Float32Array) return false;
  return data.every((x) => Object.is(x, Math.fround(x))) && data.some((x) => (256 * x) % 1 !== 0);
}
