/** Functions of one tensor that lines use, rightly or wrongly. */
import { Tensor } from '../core/tensor.js';
import { softmax } from '../lesson/softmax.js';
import type { Sizes } from './scale.js';

interface NamedFunction {
  of: (x: Tensor, sizes: Sizes) => Tensor;
  /** `simple` is set for a name, which needs no parentheses. */
  text: (x: string, simple: boolean) => string;
}

const bracketed = (x: string, simple: boolean) => (simple ? x : `(${x})`);
const called = (name: string) => (x: string) => `${name}(${x.replace(/^\((.*)\)$/, '$1')})`;
const one = (x: Tensor) => x.neg().add(1);
const mapped = ({ data, shape }: Tensor, f: (x: number) => number) => Tensor.of(Array.from(data, f), shape, 'float64');
const sigmoid = (x: Tensor) => x.neg().exp().add(1).pow(-1);

function rowsIntoFirst(x: Tensor): Tensor {
  const out = Tensor.zeros(x.shape, 'float64');
  out.data.set(x.sum(0).data);
  return out;
}

function firstRow({ data, shape }: Tensor): Tensor {
  return Tensor.of(Array.from(data.subarray(0, shape[shape.length - 1])), [1, shape[shape.length - 1]], 'float64');
}

function runningSum(x: Tensor): Tensor {
  let sum = 0;
  return Tensor.of(
    Array.from(x.data, (y) => {
      sum += y;
      return sum;
    }),
    x.shape,
    'float64',
  );
}

export const FUNCTIONS = {
  exp: { of: (x) => x.exp(), text: called('exp') },
  log: { of: (x) => x.log(), text: called('log') },
  'x · exp(x - 1)': { of: (x) => x.mul(x.sub(1).exp()), text: (x) => `${x} · exp(${x} - 1)` },
  /** One number. */
  total: { of: (x) => x.sum().view([1]), text: (x) => `the sum of all of ${x}` },
  tanh: { of: (x) => x.tanh(), text: called('tanh') },
  /** An index without the offset of its row. */
  'its first row': { of: (x) => firstRow(x), text: (x) => `the first row of ${x}` },
  'viewed back': {
    of: (x) => (x.shape.length === 2 ? x.T.view(x.shape) : x),
    text: (x) => `${x} with its entries in the wrong order (transposed, then viewed back)`,
  },
  /** A row with the index k / n for k % H. */
  'its entries repeated': {
    of: (x, { n }) =>
      Tensor.of(
        Array.from({ length: n * x.size }, (_, k) => x.data[Math.floor(k / n)]),
        [n, x.size],
        'float64',
      ),
    text: (x) => `${x} at the wrong index (k / n)`,
  },
  /** Σ over the batch whose sums of the columns are not set back to 0. */
  'running sum': { of: (x) => runningSum(x), text: (x) => `the running sum over the columns of ${x}` },
  softmax: { of: softmax, text: called('softmax') },
  'softmax over the batch': { of: (x) => softmax(x.T).T, text: (x) => `softmax(${x}) over the batch` },
  'softmax over everything': { of: (x) => softmax(x.view([1, x.size])).view(x.shape), text: (x) => `softmax(${x}) over everything` },
  'exp without its sum': {
    of: (x) => x.sub(x.max(1, { keepdim: true }).values).exp(),
    text: (x) => `exp(${x} - its row maximum)`,
  },
  'log of the softmax': { of: (x) => softmax(x).log(), text: (x) => `log(softmax(${x}))` },
  'derivative of the softmax': { of: (x) => softmax(x).mul(one(softmax(x))), text: () => 'p · (1 - p) with p = softmax(logits)' },
  '1 - x²': { of: (x) => one(x.pow(2)), text: (x, simple) => `1 - ${bracketed(x, simple)}²` },
  '1 - x': { of: one, text: (x) => `1 - ${x}` },
  '1 + x': { of: (x) => x.add(1), text: (x) => `1 + ${x}` },
  '1 + x²': { of: (x) => x.pow(2).add(1), text: (x, simple) => `1 + ${bracketed(x, simple)}²` },
  'x²': { of: (x) => x.pow(2), text: (x, simple) => `${bracketed(x, simple)}²` },
  'x³': { of: (x) => x.pow(3), text: (x, simple) => `${bracketed(x, simple)}³` },
  'x (1 - x)': { of: (x) => x.mul(one(x)), text: (x) => `${x} · (1 - ${x})` },
  '(1 - x)²': { of: (x) => one(x).pow(2), text: (x) => `(1 - ${x})²` },
  '(1 - x²)²': { of: (x) => one(x.pow(2)).pow(2), text: (x, simple) => `(1 - ${bracketed(x, simple)}²)²` },
  'sqrt(1 - x²)': { of: (x) => one(x.pow(2)).pow(0.5), text: (x, simple) => `sqrt(1 - ${bracketed(x, simple)}²)` },
  '1 - x³': { of: (x) => one(x.pow(3)), text: (x, simple) => `1 - ${bracketed(x, simple)}³` },
  '-2x': { of: (x) => x.mul(-2), text: (x) => `-2 · ${x}` },
  '1 - 2x': { of: (x) => one(x.mul(2)), text: (x) => `1 - 2 · ${x}` },
  '1 - x²/2': { of: (x) => one(x.pow(2).mul(0.5)), text: (x, simple) => `1 - ${bracketed(x, simple)}²/2` },
  '1 - 2x²': { of: (x) => one(x.pow(2).mul(2)), text: (x, simple) => `1 - 2 · ${bracketed(x, simple)}²` },
  '1 - tanh(x)²': { of: (x) => one(x.tanh().pow(2)), text: (x) => `1 - tanh(${x})²` },
  '1 - tanh(x)': { of: (x) => one(x.tanh()), text: (x) => `1 - tanh(${x})` },
  'sqrt(x)': { of: (x) => x.pow(0.5), text: called('sqrt') },
  '1/sqrt(x)': { of: (x) => x.pow(-0.5), text: (x) => `1/sqrt(${x})` },
  '|x|': { of: (x) => x.pow(2).pow(0.5), text: (x) => `|${x}|` },
  '1/2 - x²': { of: (x) => x.pow(2).neg().add(0.5), text: (x, simple) => `1/2 - ${bracketed(x, simple)}²` },
  '2 - x²': { of: (x) => x.pow(2).neg().add(2), text: (x, simple) => `2 - ${bracketed(x, simple)}²` },
  '1 + x³': { of: (x) => x.pow(3).add(1), text: (x, simple) => `1 + ${bracketed(x, simple)}³` },
  '1/(1 + x)': { of: (x) => x.add(1).pow(-1), text: (x) => `1/(1 + ${x})` },
  '1/(1 + x²)': { of: (x) => x.pow(2).add(1).pow(-1), text: (x, simple) => `1/(1 + ${bracketed(x, simple)}²)` },
  '1/(1 + x)²': { of: (x) => x.add(1).pow(-2), text: (x) => `1/(1 + ${x})²` },
  sigmoid: { of: sigmoid, text: called('sigmoid') },
  'derivative of the sigmoid': { of: (x) => sigmoid(x).mul(one(sigmoid(x))), text: (x) => `sigmoid(${x}) · (1 - sigmoid(${x}))` },
  'derivative of ReLU': { of: (x) => mapped(x, (y) => (y > 0 ? 1 : 0)), text: (x) => `(${x} > 0), the derivative of ReLU,` },
  sign: { of: (x) => mapped(x, Math.sign), text: called('sign') },
  'softmax of the negative': { of: (x) => softmax(x.neg()), text: (x) => `softmax(-${x})` },
  'softmax of 1/n': { of: (x, { n }) => softmax(x.div(n)), text: (x) => `softmax(${x} / n)` },
  'softmax of a half': { of: (x) => softmax(x.div(2)), text: (x) => `softmax(${x} / 2)` },
  'softmax of twice': { of: (x) => softmax(x.mul(2)), text: (x) => `softmax(2 · ${x})` },
  /** 1 in every entry. */
  ones: { of: (x) => mapped(x, () => 1), text: () => '1' },
  'maximum over the batch': { of: (x) => x.max(0, { keepdim: true }).values, text: (x) => `the maximum over the batch of ${x}` },
  'maximum over the row': { of: (x) => x.max(1, { keepdim: true }).values, text: (x) => `the maximum over the row of ${x}` },
  'one-hot of its row maximum': {
    of: (x) => Tensor.oneHot(x.max(1).indices, x.shape[1], 'float64'),
    text: (x) => `the one-hot of the row maximum of ${x}`,
  },
  /** An index without the offset of its row. */
  'rows added into the first': { of: rowsIntoFirst, text: (x) => `${x}, all rows added into the first` },
  'minus its mean over the row': { of: (x) => x.sub(x.mean(1, { keepdim: true })), text: (x) => `(${x} minus its mean over the row)` },
  'minus its row maximum': { of: (x) => x.sub(x.max(1, { keepdim: true }).values), text: (x) => `(${x} minus its row maximum)` },
  /** The row minus its mean. */
  'minus its mean over the batch': {
    of: (x) => x.sub(x.mean(0, { keepdim: true })),
    text: (x) => `(${x} minus its mean over the batch)`,
  },
  /** bnvar with n for n-1, then the inverse of its root. */
  'biased bnvar_inv': {
    of: (bnvar, { n }) =>
      bnvar
        .mul((n - 1) / n)
        .add(1e-5)
        .pow(-0.5),
    text: () => 'bnvar_inv with the variance divided by n, not n - 1,',
  },
} as const satisfies Record<string, NamedFunction>;

export type FunctionName = keyof typeof FUNCTIONS;
