/** The usual mistakes of a forward pass, each as another way to compute one step. A cause is recognised by its numbers. */
import { absolute, extentOf } from '../../core/numbers.js';
import { Tensor } from '../../core/tensor.js';
import { softmax } from '../../lesson/softmax.js';
import type { LessonValues, StepName } from '../../lesson/values.js';
import { EMB_ORDERS, permuted } from './layout.js';
import type { ForwardLine } from './pass.js';

/** A step computed in another way. */
export interface ForwardCause {
  id: string;
  /** What it is, and what belongs. */
  text: string;
  line: ForwardLine;
  /** Set where probs, loss and all gradients stay the same. */
  harmless?: true;
  /** The number that it adds to the variance. */
  epsilon?: number;
}

const KEEP = { keepdim: true };
const each = (a: Tensor, f: (x: number) => number) => new Tensor(Float64Array.from(a.data, f), a.shape);
const rowsReversed = ({ data, shape: [n, T] }: LessonValues['Xb']) => ({
  data: data.map((_, i) => data[Math.floor(i / T) * T + (T - 1 - (i % T))]),
  shape: [n, T],
});
const largest = (a: Tensor) => Tensor.of([extentOf(a.data)[1]], [1, 1], 'float64');
const columnVariance = (a: Tensor, of: number) => a.sub(a.mean(0, KEEP)).pow(2).sum(0, KEEP).div(of);

const EMBEDDING: Partial<Record<StepName, readonly ForwardCause[]>> = {
  emb: [
    {
      id: 'contexts-reversed',
      text: 'the positions of the context are in reverse order',
      line: ({ C, Xb }) => C.gatherRows(rowsReversed(Xb)),
    },
  ],
  embact: EMB_ORDERS.map(({ order, name }) => ({
    id: 'embact-viewed',
    text: `emb is viewed as ${name} ${name === '[n,E,T]' ? "where each position's E entries belong side by side" : 'which mixes the examples'}: write emb.view(n, -1)`,
    line: ({ emb, n }: LessonValues) => permuted(emb, order).view([n, -1]),
  })),
  hprebn: [
    {
      id: 'bias-missing',
      text: 'b1 is left out; that is harmless to all after batch norm, which subtracts the mean',
      line: ({ embact, W1 }) => embact.matmul(W1),
    },
    { id: 'bias-subtracted', text: 'b1 is subtracted, expected added', line: ({ embact, W1, b1 }) => embact.matmul(W1).sub(b1) },
  ],
};

const STATISTICS: Partial<Record<StepName, readonly ForwardCause[]>> = {
  bnmeani: [
    { id: 'sum-for-mean', text: 'it is the sum over the batch, expected the mean: divide by n', line: ({ hprebn }) => hprebn.sum(0, KEEP) },
    {
      id: 'mean-over-other-dimension',
      text: 'the mean is over the row, expected over the batch: mean(0, keepdim=True)',
      line: ({ hprebn }) => hprebn.mean(1, KEEP),
    },
    {
      id: 'mean-over-everything',
      text: 'the mean is over everything, expected over the batch',
      line: ({ hprebn }) => hprebn.mean().view([1, 1]),
    },
    { id: 'mean-over-n-1', text: 'the mean is divided by n-1, expected n', line: ({ hprebn, n }) => hprebn.sum(0, KEEP).div(n - 1) },
    { id: 'mean-missing', text: 'the mean is 0: it is left out', line: ({ hprebn }) => hprebn.sum(0, KEEP).mul(0) },
  ],
  bndiff: [
    {
      id: 'sign',
      text: 'the sign is wrong: it is bnmeani - hprebn, expected hprebn - bnmeani',
      line: ({ hprebn, bnmeani }) => bnmeani.sub(hprebn),
    },
    { id: 'mean-missing', text: 'the mean is not subtracted', line: ({ hprebn }) => hprebn },
  ],
  bndiff2: [
    { id: 'square-missing', text: 'it is bndiff itself, expected its square', line: ({ bndiff }) => bndiff },
    { id: 'absolute-for-square', text: 'it is |bndiff|, expected bndiff²', line: ({ bndiff }) => absolute(bndiff) },
    { id: 'not-centred', text: 'it is hprebn², expected bndiff²', line: ({ hprebn }) => hprebn.pow(2) },
  ],
  bnvar: [
    {
      id: 'biased-variance',
      text: "the variance is divided by n, expected n-1 (Bessel's correction): in PyTorch, var(0, unbiased=True)",
      line: ({ bndiff2, n }) => bndiff2.sum(0, KEEP).div(n),
    },
    { id: 'variance-sum', text: 'the sum of the squares is not divided by n-1', line: ({ bndiff2 }) => bndiff2.sum(0, KEEP) },
    {
      id: 'standard-deviation',
      text: 'it is the standard deviation, expected the variance: leave out the root, or write var for std',
      line: ({ bndiff2, n }) => each(bndiff2.sum(0, KEEP).div(n - 1), Math.sqrt),
    },
    {
      id: 'variance-over-other-dimension',
      text: 'the variance is over the row, expected over the batch',
      line: ({ bndiff2 }) => bndiff2.sum(1, KEEP).div(bndiff2.shape[1] - 1),
    },
    {
      id: 'variance-over-other-dimension',
      text: 'the variance is over the row and divided by H, expected over the batch and n-1',
      line: ({ bndiff2 }) => bndiff2.mean(1, KEEP),
    },
    {
      id: 'variance-over-everything',
      text: 'the variance is over everything, expected over the batch',
      line: ({ bndiff2 }) => bndiff2.mean().view([1, 1]),
    },
    {
      id: 'variance-of-other',
      text: 'it is the variance over the row of hprebn, expected over the batch',
      line: ({ hprebn }) => columnVariance(hprebn.T, hprebn.shape[1] - 1).view([-1, 1]),
    },
  ],
  bnvar_inv: [
    ...[1e-2, 1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12].map((epsilon) => withEpsilon(epsilon)),
    withEpsilon(0),
    {
      id: 'epsilon-outside',
      text: 'the epsilon 1e-5 is added to the root; it belongs inside: (bnvar + 1e-5)**-0.5',
      line: ({ bnvar }) => each(bnvar, (x) => 1 / (Math.sqrt(x) + 1e-5)),
    },
    {
      id: 'epsilon-outside',
      text: 'the epsilon 1e-5 is added to the power; it belongs inside: (bnvar + 1e-5)**-0.5',
      line: ({ bnvar }) => each(bnvar, (x) => 1 / Math.sqrt(x) + 1e-5),
    },
    {
      id: 'root-missing',
      text: 'the root is missing: it is 1/(bnvar + 1e-5), expected (bnvar + 1e-5)**-0.5',
      line: ({ bnvar }) => bnvar.add(1e-5).pow(-1),
    },
    {
      id: 'not-inverted',
      text: 'it is the root, expected 1 divided by it: (bnvar + 1e-5)**-0.5',
      line: ({ bnvar }) => each(bnvar, (x) => Math.sqrt(x + 1e-5)),
    },
    { id: 'variance-itself', text: 'it is bnvar + 1e-5, expected the power -0.5 of it', line: ({ bnvar }) => bnvar.add(1e-5) },
  ],
};

/** Batch norm with another epsilon. */
export function withEpsilon(epsilon: number): ForwardCause {
  return {
    epsilon,
    id: epsilon === 0 ? 'epsilon-missing' : 'epsilon-other',
    text:
      epsilon === 0
        ? 'the epsilon 1e-5 is missing: (bnvar + 1e-5)**-0.5'
        : `the epsilon is ${Number(epsilon.toPrecision(3))}, expected 1e-5`,
    line: ({ bnvar }) => each(bnvar, (x) => 1 / Math.sqrt(x + epsilon)),
  };
}

/** LayerNorm, which normalises each row. */
function layerNorm({ hprebn }: LessonValues): Tensor {
  const centred = hprebn.sub(hprebn.mean(1, KEEP));
  return centred.mul(each(centred.pow(2).mean(1, KEEP), (x) => 1 / Math.sqrt(x + 1e-5)));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const HIDDEN: Partial<Record<StepName, readonly ForwardCause[]>> = {
  bnraw: [
    {
      id: 'mean-missing',
      text: 'the mean is not subtracted: it is hprebn · bnvar_inv',
      line: ({ hprebn, bnvar_inv }) => hprebn.mul(bnvar_inv),
    },
    { id: 'scale-missing', text: 'it is bndiff itself: bnvar_inv is left out', line: ({ bndiff }) => bndiff },
    { id: 'divided', text: 'you divide by bnvar_inv, expected multiply', line: ({ bndiff, bnvar_inv }) => bndiff.div(bnvar_inv) },
    { id: 'layer-norm', text: 'each row is normalised (LayerNorm), expected each column over the batch', line: layerNorm },
    { id: 'batch-norm-missing', text: 'it is hprebn itself: batch norm is left out', line: ({ hprebn }) => hprebn },
  ],
  hpreact: [
    { id: 'gain-missing', text: 'the gain, bngain, is left out', line: ({ bnraw, bnbias }) => bnraw.add(bnbias) },
    { id: 'bias-missing', text: 'the bias, bnbias, is left out', line: ({ bngain, bnraw }) => bngain.mul(bnraw) },
    { id: 'gain-and-bias-missing', text: 'gain and bias, bngain and bnbias, are left out', line: ({ bnraw }) => bnraw },
    {
      id: 'gain-and-bias-exchanged',
      text: 'bngain and bnbias are exchanged',
      line: ({ bngain, bnraw, bnbias }) => bnbias.mul(bnraw).add(bngain),
    },
    { id: 'gain-added', text: 'bngain is added, expected multiplied', line: ({ bngain, bnraw, bnbias }) => bngain.add(bnraw).add(bnbias) },
    {
      id: 'bias-before-gain',
      text: 'the bias is added before the gain multiplies: expected bngain · bnraw + bnbias',
      line: ({ bngain, bnraw, bnbias }) => bnraw.add(bnbias).mul(bngain),
    },
    {
      id: 'bias-subtracted',
      text: 'bnbias is subtracted, expected added',
      line: ({ bngain, bnraw, bnbias }) => bngain.mul(bnraw).sub(bnbias),
    },
    { id: 'batch-norm-missing', text: 'it is hprebn itself: batch norm is left out', line: ({ hprebn }) => hprebn },
    {
      id: 'batch-norm-missing',
      text: 'it is bngain · hprebn + bnbias: the statistics of batch norm are left out',
      line: ({ bngain, hprebn, bnbias }) => bngain.mul(hprebn).add(bnbias),
    },
  ],
  h: [
    activation('ReLU', (x) => Math.max(x, 0)),
    activation('the sigmoid', sigmoid),
    activation('LeakyReLU', (x) => (x > 0 ? x : 0.01 * x)),
    activation('SiLU', (x) => x * sigmoid(x)),
    activation('ELU', (x) => (x > 0 ? x : Math.expm1(x))),
    activation('GELU, in its tanh form,', (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
    { ...activation('', (x) => x), text: 'it is hpreact itself: the tanh is left out' },
    { ...activation('', (x) => Math.tanh(Math.tanh(x))), text: 'the tanh is taken twice' },
    { id: 'tanh-of-other', text: 'it is tanh(bnraw): gain and bias are left out', line: ({ bnraw }) => bnraw.tanh() },
    { id: 'tanh-of-other', text: 'it is tanh(hprebn): batch norm is left out', line: ({ hprebn }) => hprebn.tanh() },
  ],
};

function activation(name: string, f: (x: number) => number): ForwardCause {
  return { id: 'other-activation', text: `it is ${name} of hpreact, expected tanh`, line: ({ hpreact }) => each(hpreact, f) };
}

const HARMLESS = 'harmless, because probs stay the same';

const SOFTMAX: Partial<Record<StepName, readonly ForwardCause[]>> = {
  logits: [
    { id: 'bias-missing', text: 'b2 is left out', line: ({ h, W2 }) => h.matmul(W2) },
    { id: 'bias-subtracted', text: 'b2 is subtracted, expected added', line: ({ h, W2, b2 }) => h.matmul(W2).sub(b2) },
    {
      id: 'tanh-missing',
      text: 'they are computed from hpreact, expected from h',
      line: ({ hpreact, W2, b2 }) => hpreact.matmul(W2).add(b2),
    },
  ],
  logit_maxes: [
    {
      id: 'maximum-over-everything',
      text: `the maximum is over everything, expected of each row (${HARMLESS})`,
      line: ({ logits }) => largest(logits),
      harmless: true,
    },
    {
      id: 'maximum-not-subtracted',
      text: `they are 0: the maximum is not subtracted (${HARMLESS}, until exp overflows)`,
      line: ({ logits }) => logits.sum(1, KEEP).mul(0),
      harmless: true,
    },
    {
      id: 'maximum-over-batch',
      text: 'the maximum is over the batch, expected of each row: max(1, keepdim=True)',
      line: ({ logits }) => logits.max(0, KEEP).values,
    },
    {
      id: 'minimum',
      text: `it is the minimum of each row, expected the maximum (${HARMLESS}, until exp overflows)`,
      line: ({ logits }) => logits.neg().max(1, KEEP).values.neg(),
      harmless: true,
    },
    {
      id: 'indices-of-maximum',
      text: `these are the indices of the maxima, expected the values: logits.max(1, keepdim=True).values (${HARMLESS})`,
      line: ({ logits }) => Tensor.of(logits.max(1, KEEP).indices.data, [logits.shape[0], 1], 'float64'),
      harmless: true,
    },
  ],
  norm_logits: [
    {
      id: 'maximum-not-subtracted',
      text: `the maximum is not subtracted (${HARMLESS}, until exp overflows)`,
      line: ({ logits }) => logits,
      harmless: true,
    },
    { id: 'sign', text: 'the sign is wrong: it is logit_maxes - logits', line: ({ logits, logit_maxes }) => logit_maxes.sub(logits) },
    {
      id: 'maximum-added',
      text: `logit_maxes is added, expected subtracted (${HARMLESS}, until exp overflows)`,
      line: ({ logits, logit_maxes }) => logits.add(logit_maxes),
      harmless: true,
    },
    {
      id: 'maximum-over-batch',
      text: 'the maximum over the batch is subtracted, expected that of each row: max(1, keepdim=True)',
      line: ({ logits }) => logits.sub(logits.max(0, KEEP).values),
    },
  ],
  counts: [
    {
      id: 'maximum-not-subtracted',
      text: `they are exp(logits): the maximum is not subtracted (${HARMLESS}, until exp overflows)`,
      line: ({ logits }) => logits.exp(),
      harmless: true,
    },
    { id: 'base-2', text: 'they are powers of 2, expected of e: write exp', line: ({ norm_logits }) => each(norm_logits, (x) => 2 ** x) },
    {
      id: 'base-10',
      text: 'they are powers of 10, expected of e: write exp',
      line: ({ norm_logits }) => each(norm_logits, (x) => 10 ** x),
    },
    { id: 'exp-missing', text: 'they are norm_logits themselves: exp is left out', line: ({ norm_logits }) => norm_logits },
    { id: 'sign', text: 'they are exp(-norm_logits): the sign is wrong', line: ({ norm_logits }) => norm_logits.neg().exp() },
  ],
  counts_sum: [
    {
      id: 'sum-over-batch',
      text: 'the sum is over the batch, expected along the row: sum(1, keepdim=True)',
      line: ({ counts }) => counts.sum(0, KEEP),
    },
    {
      id: 'sum-over-everything',
      text: 'the sum is over everything, expected along the row: sum(1, keepdim=True)',
      line: ({ counts }) => counts.sum().view([1, 1]),
    },
    { id: 'mean-for-sum', text: 'it is the mean of the row, expected the sum', line: ({ counts }) => counts.mean(1, KEEP) },
    { id: 'maximum-for-sum', text: 'it is the maximum of the row, expected the sum', line: ({ counts }) => counts.max(1, KEEP).values },
  ],
  counts_sum_inv: [
    { id: 'not-inverted', text: 'it is counts_sum itself, expected counts_sum**-1', line: ({ counts_sum }) => counts_sum },
    { id: 'other-power', text: 'the power is -2, expected -1', line: ({ counts_sum }) => counts_sum.pow(-2) },
    { id: 'other-power', text: 'the power is -0.5, expected -1', line: ({ counts_sum }) => counts_sum.pow(-0.5) },
  ],
  probs: [
    {
      id: 'softmax-over-batch',
      text: 'the softmax runs over the batch, expected along the row: softmax(1)',
      line: ({ logits }) => softmax(logits.T).T,
    },
    {
      id: 'softmax-over-everything',
      text: 'the softmax runs over everything, expected along the row',
      line: ({ logits }) => softmax(logits.view([1, -1])).view(logits.shape),
    },
    { id: 'not-normalised', text: 'they are counts themselves: they are not divided by their row sum', line: ({ counts }) => counts },
    {
      id: 'divided',
      text: 'you divide by counts_sum_inv, expected multiply',
      line: ({ counts, counts_sum_inv }) => counts.div(counts_sum_inv),
    },
    { id: 'sigmoid', text: 'they are the sigmoid of the logits, expected the softmax', line: ({ logits }) => each(logits, sigmoid) },
    {
      id: 'logarithm',
      text: 'they are already the logarithm of the softmax (log_softmax), expected the softmax',
      line: ({ counts, counts_sum_inv }) => counts.mul(counts_sum_inv).log(),
    },
  ],
  logprobs: [
    { id: 'base-2', text: 'the logarithm is to base 2, expected to base e: log', line: ({ probs }) => each(probs, Math.log2) },
    { id: 'base-10', text: 'the logarithm is to base 10, expected to base e: log', line: ({ probs }) => each(probs, Math.log10) },
    { id: 'log-missing', text: 'they are probs themselves: the logarithm is left out', line: ({ probs }) => probs },
    { id: 'log1p', text: 'it is log1p(probs) = log(1 + probs), expected log(probs)', line: ({ probs }) => each(probs, Math.log1p) },
    { id: 'sign', text: 'the sign is wrong: it is -log(probs)', line: ({ probs }) => probs.log().neg() },
    { id: 'log-of-counts', text: 'it is log(counts), expected log(probs)', line: ({ counts }) => counts.log() },
    ...[1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12].map((epsilon) => ({
      id: 'epsilon-in-log',
      text: `${epsilon} is added inside of the logarithm: expected log(probs)`,
      line: ({ probs }: LessonValues) => probs.add(epsilon).log(),
    })),
  ],
  loss: [
    {
      id: 'summed-loss',
      text: 'the loss is summed over the batch, expected the mean',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).sum().neg(),
    },
    { id: 'sign', text: 'the minus sign is missing', line: ({ logprobs, Yb }) => logprobs.pick(Yb).mean() },
    {
      id: 'sign-and-sum',
      text: 'the minus sign is missing, and the loss is summed, expected the mean',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).sum(),
    },
    {
      id: 'mean-over-everything',
      text: 'it is the mean of all logprobs, expected only of those at Yb',
      line: ({ logprobs }) => logprobs.mean().neg(),
    },
    {
      id: 'every-pair',
      text: 'the mean is over every row at every target: write logprobs[range(n), Yb], not logprobs[:, Yb]',
      line: ({ logprobs, Yb }) =>
        Tensor.of([-Array.from(Yb.data, (y) => columnMean(logprobs, y)).reduce((a, b) => a + b, 0) / Yb.data.length], [], 'float64'),
    },
    {
      id: 'divided-by-vocabulary',
      text: 'the loss is divided by V, too, expected only by n',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).mean().neg().div(logprobs.shape[1]),
    },
    { id: 'divided-twice', text: 'the loss is divided by n twice', line: ({ logprobs, Yb, n }) => logprobs.pick(Yb).mean().neg().div(n) },
    {
      id: 'base-2',
      text: 'the logarithm is to base 2, expected to base e',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).mean().neg().div(Math.LN2),
    },
    {
      id: 'base-10',
      text: 'the logarithm is to base 10, expected to base e',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).mean().neg().div(Math.LN10),
    },
    {
      id: 'perplexity',
      text: 'it is the exponential of the loss, the perplexity',
      line: ({ logprobs, Yb }) => logprobs.pick(Yb).mean().neg().exp(),
    },
    {
      id: 'probs-for-logprobs',
      text: 'it is computed from probs, expected from logprobs',
      line: ({ probs, Yb }) => probs.pick(Yb).mean().neg(),
    },
    {
      id: 'softmax-twice',
      text: 'the softmax is taken twice: cross_entropy takes logits, not probs',
      line: ({ probs, Yb }) => softmax(probs).log().pick(Yb).mean().neg(),
    },
    ...[1, 0.1, 0.01, 0.001, 1e-4, 1e-5].flatMap((lambda) => [regularised(lambda, 'sum'), regularised(lambda, 'mean')]),
  ],
};

function columnMean({ data, shape: [n, V] }: Tensor, column: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += data[i * V + column];
  return sum / n;
}

function regularised(lambda: number, how: 'sum' | 'mean'): ForwardCause {
  const reduce = (W: Tensor) => W.pow(2)[how]();
  return {
    id: 'regularised',
    text: `it includes a penalty on the weights, ${lambda} · (W1²+W2²).${how}: save the loss without it, and take its gradient alone`,
    line: ({ logprobs, Yb, W1, W2 }) =>
      logprobs
        .pick(Yb)
        .mean()
        .neg()
        .add(reduce(W1).add(reduce(W2)).mul(lambda)),
  };
}

/** The usual mistakes in one step, the most usual first. */
export const FORWARD_CAUSES: Partial<Record<StepName, readonly ForwardCause[]>> = { ...EMBEDDING, ...STATISTICS, ...HIDDEN, ...SOFTMAX };
