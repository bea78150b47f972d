/** A training step of the lesson's network in TensorFlow.js, on its cpu backend. Usage: node tfjs.js PROBLEM */
import * as tf from '@tensorflow/tfjs';
import { answerCheck, answerTimes, fillBatch, normOf, readProblem } from './protocol.js';

await tf.setBackend('cpu');
const problem = readProblem(process.argv[2]);
const { n, V, E, T } = problem;
const parameters = Object.fromEntries(
  Object.entries(problem.parameters).map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape), true, name)]),
);

function lossOf(Xb, Yb) {
  const { C, W1, b1, bngain, bnbias, W2, b2 } = parameters;
  const emb = tf.gather(C, Xb).reshape([n, T * E]);
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
