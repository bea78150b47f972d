/**
 * A training step of the lesson's network in TensorFlow.js. The embedding is a product with one-hot rows: the wasm backend has no gradient of
 * gather, and the cpu backend is slower with it. Usage: node tfjs.js PROBLEM wasm|cpu
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { answerCheck, answerTimes, fillBatch, normOf, readProblem } from './protocol.js';

const [path, backend] = process.argv.slice(2);
await tf.setBackend(backend);
if (tf.getBackend() !== backend) throw new Error(`the ${backend} backend does not start`);
const problem = readProblem(path);
const { n, V, E, T } = problem;
const parameters = Object.fromEntries(
  Object.entries(problem.parameters).map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape), true, name)]),
);

function lossOf(Xb, Yb) {
  const { C, W1, b1, bngain, bnbias, W2, b2 } = parameters;
  const emb = tf
    .oneHot(Xb, V)
    .matMul(C)
    .reshape([n, T * E]);
  const hprebn = emb.matMul(W1).add(b1);
  const bndiff = hprebn.sub(hprebn.mean(0));
  const bnvar = bndiff
    .square()
    .sum(0)
    .div(n - 1);
  const h = tf.tanh(bndiff.div(bnvar.add(1e-5).sqrt()).mul(bngain).add(bnbias));
  const logprobs = tf.logSoftmax(h.matMul(W2).add(b2));
  return logprobs.mul(tf.oneHot(Yb, V)).sum().div(-n);
}

const batch = { Xb: new Int32Array(n * T), Yb: new Int32Array(n) };
/** Loss and gradients of the first batch or of a random one. */
function gradients(random) {
  fillBatch(problem, batch, random);
  const Xb = tf.tensor1d(batch.Xb.slice(), 'int32');
  const Yb = tf.tensor1d(batch.Yb.slice(), 'int32');
  return tf.variableGrads(() => lossOf(Xb, Yb));
}
const optimizer = tf.train.sgd(0.1);
/** One step; the loss as a tensor. */
const advance = (random) =>
  tf.tidy(() => {
    const { value, grads } = gradients(random);
    optimizer.applyGradients(grads);
    return value;
  });

const norm = tf.tidy(() => normOf(Object.values(gradients(false).grads).map((gradient) => gradient.dataSync())));
answerCheck(advance(false).dataSync()[0], norm, advance(false).dataSync()[0]);

await answerTimes((steps) => {
  for (let s = 0; s < steps; s++) advance(true).dispose();
});
