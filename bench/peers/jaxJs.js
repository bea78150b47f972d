/**
 * A training step of the lesson's network in jax-js, on its wasm backend: the whole step, with valueAndGrad, is one jit. The embedding is a
 * product with one-hot rows, because its gather has no gradient. Usage: node jaxJs.js PROBLEM
 */
// jax-js asks whether a value is a Float16Array, which Node has from version 24 on.
globalThis.Float16Array ??= class Float16Array {};
const { defaultDevice, init, jit, numpy: np, nn, valueAndGrad } = await import('@jax-js/jax');

import { answerCheck, answerTimes, fillBatch, normOf, readProblem } from './protocol.js';

await init('wasm');
defaultDevice('wasm');
const problem = readProblem(process.argv[2]);
const { n, V, E, T } = problem;

// A function uses up its arguments: what it needs once more is taken as x.ref.
function lossOf({ C, W1, b1, bngain, bnbias, W2, b2 }, X, Y) {
  const emb = np.matmul(X, C).reshape([n, T * E]);
  const hprebn = np.matmul(emb, W1).add(b1);
  const bndiff = hprebn.ref.sub(hprebn.mean(0));
  const bnvar = np
    .square(bndiff.ref)
    .sum(0)
    .mul(1 / (n - 1));
  const bnraw = bndiff.div(np.sqrt(bnvar.add(1e-5)));
  const h = np.tanh(bnraw.mul(bngain).add(bnbias));
  const logits = np.matmul(h, W2).add(b2);
  const logprobs = nn.logSoftmax(logits, -1);
  return logprobs
    .mul(Y)
    .sum()
    .mul(-1 / n);
}

const oneHot = (indices, rows) => nn.oneHot(indices, V).reshape([rows, V]);
const gradients = jit((parameters, Xb, Yb) => valueAndGrad(lossOf)(parameters, oneHot(Xb, n * T), oneHot(Yb, n)));
const step = jit((parameters, Xb, Yb) => {
  const copies = Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.ref]));
  const [loss, d] = valueAndGrad(lossOf)(copies, oneHot(Xb, n * T), oneHot(Yb, n));
  return [loss, Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.sub(d[name].mul(0.1))]))];
});

let parameters = Object.fromEntries(
  Object.entries(problem.parameters).map(([name, { shape, data }]) => [name, np.array(data, { shape, dtype: np.float32 })]),
);
const batch = { Xb: new Int32Array(n * T), Yb: new Int32Array(n) };
function drawBatch(random) {
  fillBatch(problem, batch, random);
  return [np.array(batch.Xb.slice(), { dtype: np.int32 }), np.array(batch.Yb.slice(), { dtype: np.int32 })];
}
function advance(random) {
  const [loss, updated] = step(parameters, ...drawBatch(random));
  parameters = updated;
  return loss;
}

const references = Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, p.ref]));
const [value, d] = gradients(references, ...drawBatch(false));
value.dispose();
const norm = normOf(Object.values(d).map((gradient) => gradient.dataSync()));
answerCheck(advance(false).dataSync()[0], norm, advance(false).dataSync()[0]);

// The loss is read in every step: without it, jax-js puts off the work, and a step among hundreds takes ten times as long.
await answerTimes((steps) => {
  for (let s = 0; s < steps; s++) advance(true).dataSync();
});
