import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker } from '../../src/dojo/check.js';
import type { Line } from '../../src/dojo/learnerFile.js';
import { softmax } from '../../src/lesson/softmax.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const KEEP = { keepdim: true };
const checker = new LineChecker();

/** A tensor filled entry by entry, as a loop over .data does. */
function filled(like: Tensor, entry: (row: number, column: number) => number): Tensor {
  const out = Tensor.zerosLike(like);
  const columns = like.shape[like.shape.length - 1];
  for (let k = 0; k < out.size; k++) out.data[k] = entry(Math.floor(k / columns), k % columns);
  return out;
}

function total(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

const RIGHT: readonly (readonly [exercise: 1 | 2 | 3, line: GradientName, how: string, line: Line])[] = [
  [1, 'dlogprobs', 'a loop', ({ logprobs, Yb, n }) => filled(logprobs, (i, v) => (Yb.data[i] === v ? -1 / n : 0))],
  [1, 'dlogprobs', 'a one-hot in float32', ({ logprobs, Yb, n }) => Tensor.oneHot(Yb, logprobs.shape[1]).mul(-1 / n)],
  [1, 'dlogprobs', 'zeros minus', ({ logprobs, Yb, n }) => Tensor.zerosLike(logprobs).sub(Tensor.oneHot(Yb, logprobs.shape[1]).div(n))],
  [1, 'dprobs', 'a division', ({ probs, dlogprobs }) => dlogprobs.div(probs)],
  [1, 'dprobs', 'exp(-logprobs)', ({ logprobs, dlogprobs }) => logprobs.neg().exp().mul(dlogprobs)],
  [1, 'dprobs', 'sums over counts', ({ counts, counts_sum, dlogprobs }) => dlogprobs.mul(counts_sum).div(counts)],
  [1, 'dcounts_sum_inv', 'a view', ({ counts, dprobs, n }) => dprobs.mul(counts).sum(1).view([n, 1])],
  [1, 'dcounts_sum_inv', 'a mean times V', ({ counts, dprobs }) => counts.mul(dprobs).mean(1, KEEP).mul(counts.shape[1])],
  [1, 'dcounts_sum_inv', 'a negative dimension', ({ counts, dprobs }) => counts.mul(dprobs).sum(-1, KEEP)],
  [
    1,
    'dcounts_sum_inv',
    'a loop',
    ({ counts, dprobs, counts_sum_inv }) => filled(counts_sum_inv, (i) => total(counts.shape[1], (v) => counts.at(i, v) * dprobs.at(i, v))),
  ],
  [1, 'dcounts_sum', 'counts_sum_inv²', ({ counts_sum_inv, dcounts_sum_inv }) => counts_sum_inv.pow(2).neg().mul(dcounts_sum_inv)],
  [1, 'dcounts_sum', 'two divisions', ({ counts_sum, dcounts_sum_inv }) => dcounts_sum_inv.div(counts_sum).div(counts_sum).neg()],
  [1, 'dcounts_sum', '-1 as a factor', ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-2).mul(-1).mul(dcounts_sum_inv)],
  [1, 'dcounts', 'a division', ({ counts_sum, dprobs, dcounts_sum }) => dcounts_sum.add(dprobs.div(counts_sum))],
  [
    1,
    'dcounts',
    'ones',
    ({ counts, counts_sum_inv, dprobs, dcounts_sum }) => Tensor.onesLike(counts).mul(dcounts_sum).add(dprobs.mul(counts_sum_inv)),
  ],
  [1, 'dnorm_logits', 'exp', ({ norm_logits, dcounts }) => norm_logits.exp().mul(dcounts)],
  [1, 'dnorm_logits', 'probs · counts_sum', ({ probs, counts_sum, dcounts }) => dcounts.mul(probs).mul(counts_sum)],
  [1, 'dlogit_maxes', 'the sign last', ({ dnorm_logits }) => dnorm_logits.sum(1, KEEP).neg()],
  [
    1,
    'dlogit_maxes',
    'a matrix product with ones',
    ({ dnorm_logits }) => dnorm_logits.matmul(Tensor.onesLike(dnorm_logits.sum(0).view([-1, 1]))).mul(-1),
  ],
  [
    1,
    'dlogits',
    'a loop over the rows',
    ({ logits, n, dnorm_logits, dlogit_maxes }) => {
      const out = dnorm_logits.clone();
      const at = logits.max(1).indices;
      for (let i = 0; i < n; i++) out.data[i * logits.shape[1] + at.data[i]] += dlogit_maxes.data[i];
      return out;
    },
  ],
  [
    1,
    'dlogits',
    'the maximum of norm_logits',
    ({ norm_logits, dnorm_logits, dlogit_maxes }) =>
      Tensor.oneHot(norm_logits.max(1).indices, norm_logits.shape[1]).mul(dlogit_maxes).add(dnorm_logits),
  ],
  [1, 'dh', 'transposed twice', ({ W2, dlogits }) => W2.matmul(dlogits.T).T],
  [1, 'dh', 'a loop', ({ h, W2, dlogits }) => filled(h, (i, j) => total(W2.shape[1], (v) => dlogits.at(i, v) * W2.at(j, v)))],
  [1, 'dW2', 'transposed twice', ({ h, dlogits }) => dlogits.T.matmul(h).T],
  [1, 'dW2', 'a loop', ({ h, W2, dlogits, n }) => filled(W2, (j, v) => total(n, (i) => h.at(i, j) * dlogits.at(i, v)))],
  [1, 'dW2', 'tanh again', ({ hpreact, dlogits }) => hpreact.tanh().transpose().matmul(dlogits)],
  [1, 'db2', 'a mean times n', ({ dlogits, n }) => dlogits.mean(0).mul(n)],
  [1, 'db2', 'the transpose along the row', ({ dlogits }) => dlogits.T.sum(1)],
  [1, 'db2', 'a loop', ({ b2, dlogits, n }) => filled(b2, (_, v) => total(n, (i) => dlogits.at(i, v)))],
  [1, 'dhpreact', 'h · h', ({ h, dh }) => dh.sub(h.mul(h).mul(dh))],
  [1, 'dhpreact', '(1 - h)(1 + h)', ({ h, dh }) => h.neg().add(1).mul(h.add(1)).mul(dh)],
  [1, 'dhpreact', 'tanh again', ({ hpreact, dh }) => Tensor.onesLike(dh).sub(hpreact.tanh().pow(2)).mul(dh)],
  [1, 'dbngain', 'bndiff · bnvar_inv', ({ bndiff, bnvar_inv, dhpreact }) => dhpreact.mul(bndiff).mul(bnvar_inv).sum(0, KEEP)],
  [1, 'dbngain', 'the factor behind the sum', ({ bndiff, bnvar_inv, dhpreact }) => dhpreact.mul(bndiff).sum(0, KEEP).mul(bnvar_inv)],
  [1, 'dbngain', 'a view', ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).sum(0).view([1, -1])],
  [1, 'dbnraw', 'the other order', ({ bngain, dhpreact }) => dhpreact.mul(bngain)],
  [1, 'dbnraw', 'a loop', ({ bngain, dhpreact }) => filled(dhpreact, (i, j) => bngain.data[j] * dhpreact.at(i, j))],
  [1, 'dbnbias', 'a mean times n', ({ dhpreact, n }) => dhpreact.mean(0, KEEP).mul(n)],
  [1, 'dbnvar_inv', 'hprebn - bnmeani', ({ hprebn, bnmeani, dbnraw }) => hprebn.sub(bnmeani).mul(dbnraw).sum(0, KEEP)],
  [1, 'dbnvar_inv', 'bnraw / bnvar_inv', ({ bnraw, bnvar_inv, dbnraw }) => bnraw.mul(dbnraw).sum(0, KEEP).div(bnvar_inv)],
  [1, 'dbnvar', 'bnvar_inv³', ({ bnvar_inv, dbnvar_inv }) => bnvar_inv.pow(3).mul(dbnvar_inv).div(-2)],
  [
    1,
    'dbnvar',
    'a square root',
    ({ bnvar, dbnvar_inv }) => {
      const x = bnvar.add(1e-5);
      return dbnvar_inv.mul(-0.5).div(x.mul(x.pow(0.5)));
    },
  ],
  [
    1,
    'dbnvar',
    'bnvar_inv / (bnvar + eps)',
    ({ bnvar, bnvar_inv, dbnvar_inv }) =>
      bnvar_inv
        .div(bnvar.add(1e-5))
        .mul(dbnvar_inv)
        .mul(-1 / 2),
  ],
  [
    1,
    'dbndiff2',
    'zeros plus',
    ({ bndiff2, n, dbnvar }) =>
      Tensor.zerosLike(bndiff2)
        .add(dbnvar)
        .div(n - 1),
  ],
  [1, 'dbndiff2', 'a loop', ({ bndiff2, n, dbnvar }) => filled(bndiff2, (_, j) => dbnvar.data[j] / (n - 1))],
  [
    1,
    'dbndiff',
    'added to itself',
    ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bndiff.add(bndiff).mul(dbndiff2).add(dbnraw.mul(bnvar_inv)),
  ],
  [
    1,
    'dbndiff',
    'from hprebn',
    ({ hprebn, bnmeani, bnvar_inv, dbnraw, dbndiff2 }) => hprebn.sub(bnmeani).mul(dbndiff2).mul(2).add(bnvar_inv.mul(dbnraw)),
  ],
  [1, 'dbnmeani', 'the sign last', ({ dbndiff }) => dbndiff.sum(0, KEEP).mul(-1)],
  [1, 'dbnmeani', 'a mean times -n', ({ dbndiff, n }) => dbndiff.mean(0, KEEP).mul(-n)],
  [1, 'dhprebn', 'a division', ({ n, dbndiff, dbnmeani }) => dbnmeani.div(n).add(dbndiff)],
  [1, 'dhprebn', 'all over n', ({ n, dbndiff, dbnmeani }) => dbndiff.mul(n).add(dbnmeani).div(n)],
  [1, 'dembact', 'transposed twice', ({ W1, dhprebn }) => W1.matmul(dhprebn.T).T],
  [1, 'dW1', 'transposed twice', ({ embact, dhprebn }) => dhprebn.T.matmul(embact).T],
  [1, 'dW1', 'from emb', ({ emb, n, dhprebn }) => emb.view([n, -1]).T.matmul(dhprebn)],
  [1, 'db1', 'a mean times n', ({ dhprebn, n }) => dhprebn.mean(0).mul(n)],
  [
    1,
    'db1',
    'a matrix product with ones',
    ({ dhprebn, n }) =>
      Tensor.onesLike(dhprebn.sum(1).view([1, n]))
        .matmul(dhprebn)
        .view([-1]),
  ],
  [1, 'demb', 'a size of -1', ({ emb, n, dembact }) => dembact.view([n, -1, emb.shape[2]])],
  [1, 'demb', 'a loop', ({ emb, dembact }) => Tensor.of(Array.from(dembact.data), emb.shape, 'float64')],
  [
    1,
    'dC',
    'a loop',
    ({ C, Xb, demb }) => {
      const out = Tensor.zerosLike(C);
      const E = C.shape[1];
      Xb.data.forEach((row, k) => {
        for (let e = 0; e < E; e++) out.data[row * E + e] += demb.data[k * E + e];
      });
      return out;
    },
  ],
  [
    1,
    'dC',
    'a matrix product with one-hot rows',
    ({ C, Xb, demb }) => {
      const rows = Xb.data.length;
      const hot = Tensor.oneHot({ data: Xb.data, shape: [rows] }, C.shape[0], 'float64');
      return hot.T.matmul(demb.view([rows, C.shape[1]]));
    },
  ],
  [1, 'dC', 'zeros in float64', ({ C, Xb, demb }) => Tensor.zeros(C.shape, 'float64').scatterAddRows(Xb, demb.to('float64'))],
  [2, 'dlogits', 'probs', ({ probs, logits, Yb, n }) => probs.sub(Tensor.oneHot(Yb, logits.shape[1])).div(n)],
  [
    2,
    'dlogits',
    'the difference the other way round',
    ({ logits, Yb, n }) => Tensor.oneHot(Yb, logits.shape[1]).sub(softmax(logits)).div(-n),
  ],
  [
    2,
    'dlogits',
    'in place',
    ({ logits, Yb, n }) => {
      const out = softmax(logits);
      for (let i = 0; i < n; i++) out.data[i * logits.shape[1] + Yb.data[i]] -= 1;
      return out.div(n);
    },
  ],
  [2, 'dlogits', 'exp(logprobs)', ({ logprobs, Yb, n }) => logprobs.exp().div(n).sub(Tensor.oneHot(Yb, logprobs.shape[1]).div(n))],
  [
    2,
    'dlogits',
    'exp without the maximum',
    ({ logits, Yb, n }) =>
      logits
        .exp()
        .div(logits.exp().sum(1, KEEP))
        .sub(Tensor.oneHot(Yb, logits.shape[1]))
        .mul(1 / n),
  ],
  [
    3,
    'dhprebn',
    'means',
    ({ bngain, bnvar_inv, bnraw, dhpreact, n }) =>
      bngain.mul(bnvar_inv).mul(dhpreact.sub(dhpreact.mean(0, KEEP)).sub(bnraw.mul(dhpreact.mul(bnraw).sum(0, KEEP)).div(n - 1))),
  ],
  [
    3,
    'dhprebn',
    'dbnraw first',
    ({ bngain, bnvar_inv, bnraw, dhpreact, n }) => {
      const dbnraw = bngain.mul(dhpreact);
      const inner = dbnraw.sub(dbnraw.sum(0).div(n)).sub(bnraw.mul(dbnraw.mul(bnraw).sum(0)).div(n - 1));
      return inner.mul(bnvar_inv);
    },
  ],
  [
    3,
    'dhprebn',
    'bndiff and bnvar_inv³',
    ({ bngain, bnvar_inv, bndiff, dhpreact, n }) =>
      bngain
        .mul(bnvar_inv)
        .mul(dhpreact.sub(dhpreact.mean(0, KEEP)))
        .sub(
          bngain
            .mul(bnvar_inv.pow(3))
            .mul(bndiff)
            .mul(dhpreact.mul(bndiff).sum(0, KEEP))
            .div(n - 1),
        ),
  ],
  [
    3,
    'dhprebn',
    'step by step',
    ({ bngain, bnvar, bnvar_inv, bndiff, dhpreact, n }) => {
      const dbnraw = bngain.mul(dhpreact);
      const dbnvar_inv = bndiff.mul(dbnraw).sum(0, KEEP);
      const dbnvar = bnvar.add(1e-5).pow(-1.5).mul(-0.5).mul(dbnvar_inv);
      const dbndiff = bnvar_inv.mul(dbnraw).add(bndiff.mul(2).mul(dbnvar.div(n - 1)));
      return dbndiff.sub(dbndiff.sum(0, KEEP).div(n));
    },
  ],
  [
    3,
    'dhprebn',
    'the gradients of gain and bias',
    ({ bngain, bnvar_inv, bnraw, dhpreact, n }) => {
      const [gain, bias] = [bnraw.mul(dhpreact).sum(0, KEEP), dhpreact.sum(0, KEEP)];
      return bngain
        .mul(bnvar_inv)
        .mul(
          dhpreact
            .mul(n)
            .sub(bias)
            .sub(
              bnraw
                .mul(gain)
                .mul(n)
                .div(n - 1),
            ),
        )
        .div(n);
    },
  ],
];

describe('a right line may be written in another way:', () => {
  it('there are many', () => expect(RIGHT.length).toBeGreaterThanOrEqual(60));

  it.each(RIGHT.map(([exercise, name, how, line]) => ({ exercise, name, how, line })))(
    'Exercise $exercise, $name with $how',
    ({ exercise, name, line }) => {
      const { verdict, problem } = checker.check(lineOf(exercise, name), line);
      expect({ verdict, problem }).toEqual({ verdict: 'right', problem: undefined });
    },
  );
});
