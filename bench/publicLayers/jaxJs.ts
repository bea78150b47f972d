/** @jax-js/jax 0.1.25: the primitives that have derivative rules of their own, and functions of jax.nn made of them. */
import './float16.js';
import { lax, nn, numpy as np } from '@jax-js/jax';
import { ofMatrix, ofShape, ofShapes } from './jaxOp.js';

const CUBE = [2, 3, 4];
const indices = (...values: number[]) => np.array(Int32Array.from(values), { dtype: np.int32 });

export const neg = ofMatrix((x) => np.negative(x));
export const reciprocal = ofMatrix((x) => np.reciprocal(x), 'positive');
export const floor = ofMatrix((x) => np.floor(x));
export const ceil = ofMatrix((x) => np.ceil(x));
export const sin = ofMatrix((x) => np.sin(x));
export const cos = ofMatrix((x) => np.cos(x));
export const tan = ofMatrix((x) => np.tan(x), 'unit');
export const asin = ofMatrix((x) => np.asin(x), 'unit');
export const acos = ofMatrix((x) => np.acos(x), 'unit');
export const atan = ofMatrix((x) => np.atan(x));
export const sinh = ofMatrix((x) => np.sinh(x));
export const cosh = ofMatrix((x) => np.cosh(x));
export const tanh = ofMatrix((x) => np.tanh(x));
export const arcsinh = ofMatrix((x) => np.arcsinh(x));
export const arccosh = ofMatrix((x) => np.arccosh(x), 'aboveOne');
export const arctanh = ofMatrix((x) => np.arctanh(x), 'unit');
export const exp = ofMatrix((x) => np.exp(x));
export const exp2 = ofMatrix((x) => np.exp2(x));
export const expm1 = ofMatrix((x) => np.expm1(x));
export const log = ofMatrix((x) => np.log(x), 'positive');
export const log1p = ofMatrix((x) => np.log1p(x), 'positive');
export const erf = ofMatrix((x) => lax.erf(x));
export const erfc = ofMatrix((x) => lax.erfc(x));
export const sqrt = ofMatrix((x) => np.sqrt(x), 'positive');
export const cbrt = ofMatrix((x) => np.cbrt(x), 'positive');
export const square = ofMatrix((x) => np.square(x));
export const abs = ofMatrix((x) => np.abs(x));
export const sign = ofMatrix((x) => np.sign(x));
export const sinc = ofMatrix((x) => np.sinc(x));
export const clip = ofMatrix((x) => np.clip(x, -0.5, 0.7));

export const add = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.add(a, b));
export const subtract = ofShapes({ a: [2, 3], b: [2, 1] }, (a, b) => np.subtract(a, b));
export const multiply = ofShapes({ a: [3], b: [2, 3] }, (a, b) => np.multiply(a, b));
export const divide = ofShapes({ a: [2, 3], b: [2, 1] }, (a, b) => np.divide(a, np.exp(b)));
export const minimum = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.minimum(a, b));
export const maximum = ofShapes({ a: [2, 3], b: [2, 1] }, (a, b) => np.maximum(a, b));
export const remainder = ofShapes({ a: [2, 3], b: [2, 3] }, (a, b) => np.remainder(a, np.add(nn.sigmoid(b), 0.3)));
export const power = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.power(np.exp(a), b));
export const arctan2 = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.arctan2(a, b));
export const hypot = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.hypot(a, b));
export const logaddexp = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.logaddexp(a, b));
export const where = ofShapes({ a: [2, 3], b: [3] }, (a, b) => np.where(np.array([true, false, true]), a, b));

export const sum = ofShape(CUBE, (x) => np.sum(x, [0, 2]));
export const mean = ofShape(CUBE, (x) => np.mean(x, 1));
export const prod = ofShape(CUBE, (x) => np.prod(x, 1));
export const min = ofShape(CUBE, (x) => np.min(x, [1, 2]));
export const max = ofShape(CUBE, (x) => np.max(x, 0));
export const maxOfRepeated = ofShape([3], (x) => np.max(np.concatenate([x.ref, x])));
export const variance = ofShape(CUBE, (x) => np.var_(x, 1));
export const std = ofShape(CUBE, (x) => np.std(x, 1));
export const norm = ofMatrix((x) => np.linalg.norm(x));
export const cumsum = ofShape(CUBE, (x) => np.cumsum(x, 1));
export const cumprod = ofShape(CUBE, (x) => np.cumprod(x, 1));
export const sort = ofShape(CUBE, (x) => np.sort(np.add(x, np.linspace(1, 0, 24).reshape(CUBE)), 1));

export const sortBeforeOthers = ofShape([3], (x) => np.concatenate([np.sort(np.add(x.ref, np.array([0, 0.2, 0.1]))), x]));

export const matmul = ofShapes({ a: [2, 2, 3], b: [3, 4] }, (a, b) => np.matmul(a, b));
export const conv = ofShapes({ x: [2, 2, 4, 5], filter: [3, 2, 2, 3] }, (x, filter) => lax.conv(x, filter, [1, 2], 'SAME'));
export const convGeneralDilated = ofShapes({ x: [1, 2, 4, 5], filter: [2, 2, 2, 2] }, (x, filter) =>
  lax.convGeneralDilated(
    x,
    filter,
    [2, 1],
    [
      [1, 2],
      [0, 1],
    ],
    { lhsDilation: [1, 2], rhsDilation: [2, 1] },
  ),
);
export const convTranspose = ofShapes({ x: [1, 2, 3, 3], filter: [3, 2, 2, 2] }, (x, filter) =>
  lax.convTranspose(x, filter, [2, 2], 'SAME'),
);
export const sumPool = ofShape([4, 5], (x) => lax.reduceWindow(x, (window) => np.sum(window), [2, 3], [1, 2]));
export const maxPool = ofShape([4, 5], (x) => lax.reduceWindow(x, (window) => np.max(window), [2, 3], [1, 2]));

export const concatenate = ofShapes({ a: [2, 3], b: [2, 1] }, (a, b) => np.concatenate([a, b], 1));
export const split = ofShape([2, 5], (x) => {
  const [a, b] = np.split(x, [2], 1) as [typeof x, typeof x];
  return np.concatenate([np.multiply(b, 2), a], 1);
});
export const take = ofShape([4, 3], (x) => np.take(x, indices(2, 0, 2, 3, 2), 0));
export const takeBeforeOthers = ofShape([4], (x) => np.concatenate([np.take(x.ref, indices(2, 0, 2), 0), np.multiply(x, 0)]));
export const takeLastAxis = ofShape(CUBE, (x) => np.take(x, indices(1, 1, 3), 2));
export const transpose = ofShape(CUBE, (x) => np.transpose(x, [2, 0, 1]));
export const broadcastTo = ofShape([2, 1], (x) => np.broadcastTo(x, [3, 2, 4]));
export const reshape = ofShape(CUBE, (x) => np.reshape(x, [4, 6]));
export const flip = ofShape(CUBE, (x) => np.flip(x, [0, 2]));
export const slice = ofShape(CUBE, (x) => x.slice([], [1, 3], [0, 2]));
export const pad = ofShape([2, 3], (x) =>
  np.pad(x, [
    [1, 0],
    [2, 1],
  ]),
);
export const tile = ofShape([2, 3], (x) => np.tile(x, [2, 3]));
export const roll = ofShape([2, 5], (x) => np.roll(x, 2, 1));
export const tril = ofShape([3, 3], (x) => np.tril(x));

/** A matrix with distance from singular ones: x + 4 times the identity. */
const regular = (x: typeof np.Array.prototype) => np.add(x, np.multiply(np.eye(3, 3, { dtype: np.float64 }), 4));
export const inv = ofShape([3, 3], (x) => np.linalg.inv(regular(x)));
export const det = ofShape([3, 3], (x) => np.linalg.det(regular(x)));
export const solve = ofShapes({ a: [3, 3], b: [3, 2] }, (a, b) => np.linalg.solve(regular(a), b));
export const cholesky = ofShape([3, 3], (x) => np.linalg.cholesky(regular(np.matmul(x.ref, np.transpose(x)))));
export const fft = ofShapes({ real: [2, 4], imag: [2, 4] }, (real, imag) => {
  const y = np.fft.fft({ real, imag });
  return np.concatenate([y.real, y.imag]);
});
export const ifft = ofShapes({ real: [2, 4], imag: [2, 4] }, (real, imag) => {
  const y = np.fft.ifft({ real, imag });
  return np.concatenate([y.real, y.imag]);
});
export const rfft = ofShape([2, 4], (x) => {
  const y = np.fft.rfft(x);
  return np.concatenate([y.real, y.imag]);
});

export const relu = ofMatrix((x) => nn.relu(x));
export const relu6 = ofMatrix((x) => nn.relu6(np.multiply(x, 5)));
export const leakyRelu = ofMatrix((x) => nn.leakyRelu(x));
export const elu = ofMatrix((x) => nn.elu(x));
export const celu = ofMatrix((x) => nn.celu(x));
export const selu = ofMatrix((x) => nn.selu(x));
export const sigmoid = ofMatrix((x) => nn.sigmoid(x));
export const logSigmoid = ofMatrix((x) => nn.logSigmoid(x));
export const silu = ofMatrix((x) => nn.silu(x));
export const gelu = ofMatrix((x) => nn.gelu(x));
export const mish = ofMatrix((x) => nn.mish(x));
export const softplus = ofMatrix((x) => nn.softplus(x));
export const softSign = ofMatrix((x) => nn.softSign(x));
export const squareplus = ofMatrix((x) => nn.squareplus(x));
export const sparsePlus = ofMatrix((x) => nn.sparsePlus(x));
export const sparseSigmoid = ofMatrix((x) => nn.sparseSigmoid(x));
export const hardTanh = ofMatrix((x) => nn.hardTanh(x));
export const hardSigmoid = ofMatrix((x) => nn.hardSigmoid(x));
export const hardSwish = ofMatrix((x) => nn.hardSwish(x));
export const log1mexp = ofMatrix((x) => nn.log1mexp(x), 'positive');
export const glu = ofShape([2, 6], (x) => nn.glu(x));
export const softmax = ofMatrix((x) => nn.softmax(x));
export const logSoftmax = ofMatrix((x) => nn.logSoftmax(x));
export const logsumexp = ofMatrix((x) => nn.logsumexp(x, 1));
export const logmeanexp = ofMatrix((x) => nn.logmeanexp(x, 1));
export const standardize = ofMatrix((x) => nn.standardize(x, 1));
