import { describe, expect, it } from 'vitest';
import { type Indices, Tensor } from '../../src/core/tensor.js';
import { LineChecker } from '../../src/dojo/check.js';
import type { Line } from '../../src/dojo/learnerFile.js';
import { softmax } from '../../src/lesson/softmax.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const KEEP = { keepdim: true };
const checker = new LineChecker();

const hot = (indices: Indices, like: Tensor): Tensor => Tensor.oneHot(indices, like.shape[1], 'float64');

/** The rows of demb added to the rows of C with these indices, where they count. */
function scattered(C: Tensor, rows: ArrayLike<number>, demb: Tensor, counts: (k: number) => boolean = () => true): Tensor {
  const out = Tensor.zerosLike(C);
  const E = C.shape[1];
  for (let k = 0; k < rows.length; k++) {
    for (let e = 0; counts(k) && e < E; e++) out.data[rows[k] * E + e] += demb.data[k * E + e];
  }
  return out;
}

/** The last two dimensions exchanged. */
function swapped(x: Tensor): Tensor {
  const [n, a, b] = x.shape;
  const out = Tensor.zeros([n, b, a], x.dtype);
  for (let i = 0; i < n; i++) for (let j = 0; j < a; j++) for (let k = 0; k < b; k++) out.data[(i * b + k) * a + j] = x.at(i, j, k);
  return out;
}

/** What a learner reads, by kind of mistake. */
const KINDS: readonly (readonly [kind: string, exercise: 1 | 2 | 3, line: GradientName, sentence: string, line: Line])[] = [
  [
    'softmax forgotten',
    2,
    'dlogits',
    'the softmax is missing: you have the logits themselves where the softmax belongs',
    ({ logits, Yb, n }) => logits.sub(hot(Yb, logits)).div(n),
  ],
  [
    'exp not normalised',
    2,
    'dlogits',
    'the exponentials are not divided by their row sum, so this is not a softmax',
    ({ logits, Yb, n }) => logits.exp().sub(hot(Yb, logits)).div(n),
  ],
  [
    '1 subtracted everywhere',
    2,
    'dlogits',
    'in the one-hot term, the entries are everywhere in the row, expected at the target',
    ({ logits, n }) => softmax(logits).sub(1).div(n),
  ],
  ['times n', 2, 'dlogits', 'you have the factor n where 1/n belongs', ({ logits, Yb, n }) => softmax(logits).sub(hot(Yb, logits)).mul(n)],
  [
    'divided by V',
    2,
    'dlogits',
    'you have the factor 1/V where 1/n belongs',
    ({ logits, Yb }) => softmax(logits).sub(hot(Yb, logits)).div(logits.shape[1]),
  ],
  [
    'log-softmax',
    2,
    'dlogits',
    'you have the logarithm of the softmax where the softmax itself belongs',
    ({ logprobs, Yb, n }) => logprobs.sub(hot(Yb, logprobs)).div(n),
  ],
  [
    'p (1 - p)',
    2,
    'dlogits',
    'you have p · (1 - p) where the softmax p itself belongs',
    ({ probs, Yb, n }) => probs.mul(probs.neg().add(1)).sub(hot(Yb, probs)).div(n),
  ],
  [
    'softmax twice',
    2,
    'dlogits',
    'you take the softmax twice',
    ({ logits, Yb, n }) => softmax(softmax(logits)).sub(hot(Yb, logits)).div(n),
  ],
  [
    'set to -1',
    2,
    'dlogits',
    'the softmax term is 0 at the target: it is overwritten or masked there',
    ({ probs, Yb, n }) => probs.mul(hot(Yb, probs).neg().add(1)).sub(hot(Yb, probs)).div(n),
  ],
  [
    'only one term divided',
    2,
    'dlogits',
    'in the one-hot term, the division by n is missing',
    ({ probs, Yb, n }) => probs.div(n).sub(hot(Yb, probs)),
  ],
  [
    'sum missing in one term',
    3,
    'dhprebn',
    'in the branch through the mean, the sum over the batch of dhpreact is missing',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d)
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  ],
  [
    'bnraw missing in the sum',
    3,
    'dhprebn',
    'in the branch through the variance, inside the sum, the factor bnraw is missing',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.sum(0))),
        ),
  ],
  [
    'bnraw missing outside of the sum',
    3,
    'dhprebn',
    'in the branch through the variance, in front of the sum, the factor bnraw is missing',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(
              d
                .mul(bnraw)
                .sum(0)
                .mul(n / (n - 1)),
            ),
        ),
  ],
  [
    'a sum over the row',
    3,
    'dhprebn',
    'in the branch through the mean, you sum dhpreact over the row where you should sum over the batch',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(1, KEEP))
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  ],
  [
    'a sum over everything',
    3,
    'dhprebn',
    'in the branch through the variance, you sum dhpreact · bnraw over everything where you should sum over the batch',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum())),
        ),
  ],
  [
    'bndiff for bnraw',
    3,
    'dhprebn',
    'you have bndiff where bnraw belongs',
    ({ bngain, bnvar_inv, bndiff, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bndiff.mul(n / (n - 1)).mul(d.mul(bndiff).sum(0))),
        ),
  ],
  [
    'the common factor on one term',
    3,
    'dhprebn',
    'the common factor 1/n · bngain · bnvar_inv multiplies only the direct branch: check your parentheses',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(d.mul(n))
        .sub(d.sum(0))
        .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
  ],
  [
    'the biased variance',
    3,
    'dhprebn',
    'you have bnvar_inv with the variance divided by n, not n - 1, where bnvar_inv belongs',
    ({ bngain, bnvar, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(
          bnvar
            .mul((n - 1) / n)
            .add(1e-5)
            .pow(-0.5),
        )
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  ],
  [
    'the root forgotten',
    3,
    'dhprebn',
    'you have bnvar_inv² where bnvar_inv belongs (as if the square root were forgotten)',
    ({ bngain, bnvar, bnraw, n, dhpreact: d }) =>
      bngain
        .div(bnvar.add(1e-5))
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  ],
  [
    'bnvar for bnvar_inv',
    3,
    'dhprebn',
    'you have bnvar where bnvar_inv belongs',
    ({ bngain, bnvar, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  ],
  ['a value used for its gradient', 1, 'dW2', 'you have logits where dlogits belongs', ({ h, logits }) => h.T.matmul(logits)],
  [
    'another gradient upstream',
    1,
    'dembact',
    'you have dhpreact where dhprebn belongs: that skips batch norm',
    ({ W1, dhpreact }) => dhpreact.matmul(W1.T),
  ],
  ['another gradient upstream, in a sum', 1, 'dbnbias', 'you have dh where dhpreact belongs', ({ dh }) => dh.sum(0, KEEP)],
  ['upstream left out', 1, 'dnorm_logits', 'the gradient above, dcounts, is missing', ({ counts }) => counts],
  [
    'upstream left out of a matrix product',
    1,
    'dW1',
    'the gradient above, dhprebn, is missing',
    ({ embact, hprebn }) => embact.T.matmul(Tensor.onesLike(hprebn)),
  ],
  [
    'times for divided',
    1,
    'dbndiff2',
    'you have the factor n-1 where 1/(n-1) belongs',
    ({ bndiff2, n, dbnvar }) =>
      Tensor.onesLike(bndiff2)
        .mul(dbnvar)
        .mul(n - 1),
  ],
  [
    'divided for times',
    1,
    'dbndiff',
    'in the branch through bnraw, you divide by bnvar_inv where you should multiply',
    ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => dbnraw.div(bnvar_inv).add(bndiff.mul(2).mul(dbndiff2)),
  ],
  ["the line's own tensor as a factor", 1, 'db2', 'the factor b2 does not belong here', ({ b2, dlogits }) => dlogits.sum(0).mul(b2)],
  [
    'a lone term added',
    1,
    'dbnmeani',
    'you add bnmeani, which does not belong here',
    ({ bnmeani, dbndiff }) => dbndiff.sum(0, KEEP).neg().add(bnmeani),
  ],
  [
    'a power',
    1,
    'dbnvar',
    'the power of (bnvar + 1e-5) is -5/2 (the same as bnvar_inv^5), expected -3/2',
    ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-2.5).mul(-0.5).mul(dbnvar_inv),
  ],
  [
    'another epsilon',
    1,
    'dbnvar',
    'the epsilon is 1e-8, expected 1e-5',
    ({ bnvar, dbnvar_inv }) => bnvar.add(1e-8).pow(-1.5).mul(-0.5).mul(dbnvar_inv),
  ],
  [
    'a power of bnvar_inv',
    1,
    'dbnvar',
    'the power of (bnvar + 1e-5) is -1 (the same as bnvar_inv²), expected -3/2',
    ({ bnvar_inv, dbnvar_inv }) => bnvar_inv.pow(2).mul(-0.5).mul(dbnvar_inv),
  ],
  [
    '-2 on counts_sum_inv',
    1,
    'dcounts_sum',
    'the power of counts_sum is 2 (the same as counts_sum_inv^(-2)), expected -2',
    ({ counts_sum_inv, dcounts_sum_inv }) => counts_sum_inv.pow(-2).neg().mul(dcounts_sum_inv),
  ],
  [
    'one position of dC',
    1,
    'dC',
    'only the first position of each context is used',
    ({ C, Xb, demb, n }) => scattered(C, Xb.data, demb, (k) => k % (Xb.data.length / n) === 0),
  ],
  [
    'the next character in dC',
    1,
    'dC',
    'the rows go to the index Xb + 1, expected Xb',
    ({ C, Xb, demb }) =>
      scattered(
        C,
        Xb.data.map((x) => (x + 1) % C.shape[0]),
        demb,
      ),
  ],
  ['dC from C', 1, 'dC', 'it starts from C: start from zeros', ({ C, Xb, demb }) => C.clone().scatterAddRows(Xb, demb)],
  [
    'a view in the wrong order',
    1,
    'demb',
    "the entries are in the wrong order: they are viewed as [n,E,T], but each position's E entries are side by side",
    ({ emb, dembact }) => swapped(dembact.view([emb.shape[0], emb.shape[2], emb.shape[1]])),
  ],
  [
    'parentheses',
    1,
    'dhpreact',
    'you have 1 - h² · dh where (1 - h²) · dh belongs: check your parentheses',
    ({ h, dh }) => h.pow(2).mul(dh).neg().add(1),
  ],
  [
    'a random answer',
    1,
    'dh',
    'it returns other numbers each time it runs: a line must be computed from its input',
    ({ h }) => h.mul(0).add(Tensor.of(Array.from(h.data, Math.random), h.shape)),
  ],
  [
    'a value whose sum is 0 but for rounding',
    1,
    'dbnmeani',
    'it does not use dbndiff, the gradient above',
    ({ bndiff }) => bndiff.sum(0, KEEP).neg(),
  ],
  [
    'the derivative of the derivative',
    1,
    'dhpreact',
    'you have -2 · h where 1 - h² belongs: that is the derivative of 1 - h²',
    ({ h, dh }) => h.mul(-2).mul(dh),
  ],
  ['a constant', 1, 'dh', 'every entry is 1, whatever the input: the gradient above, dlogits, is missing', ({ h }) => Tensor.onesLike(h)],
  ['the value itself', 1, 'dlogits', 'it is logits itself, not its gradient', ({ logits }) => logits],
  ['no gradient above', 1, 'dhpreact', 'it does not use dh, the gradient above', ({ h, hpreact }) => h.mul(hpreact.exp()).add(h.pow(3))],
  [
    'the sum of the mean forgotten',
    1,
    'dhprebn',
    'in the branch through bnmeani, you have dbndiff where dbnmeani belongs; in the branch through bnmeani, the sign is wrong',
    ({ n, dbndiff }) => dbndiff.sub(dbndiff.div(n)),
  ],
  [
    'a product of sums',
    1,
    'dbngain',
    'you multiply the sums of bnraw and dhpreact where you should sum their product over the batch',
    ({ bnraw, dhpreact }) => bnraw.sum(0, KEEP).mul(dhpreact.sum(0, KEEP)),
  ],
  [
    'two mistakes in two branches',
    1,
    'dbndiff',
    'in the branch through bnraw, you have bnvar where bnvar_inv belongs; in the branch through bndiff2, the factor 2 is missing',
    ({ bndiff, bnvar, dbnraw, dbndiff2 }) => bnvar.mul(dbnraw).add(bndiff.mul(dbndiff2)),
  ],
  [
    'two mistakes in one product',
    1,
    'dbnraw',
    'you have bnbias where bngain belongs; you have dh where dhpreact belongs',
    ({ bnbias, dh }) => bnbias.mul(dh),
  ],
  [
    'a sum over too much',
    3,
    'dhprebn',
    'you have Σ over the batch of (bnraw · dhpreact · bnraw) where bnraw · (Σ over the batch of (dhpreact · bnraw)) belongs: check your parentheses',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(
              bnraw
                .mul(n / (n - 1))
                .mul(d.mul(bnraw))
                .sum(0),
            ),
        ),
  ],
  [
    'a gradient above computed again',
    1,
    'dlogits',
    'in the branch through logit_maxes, you have your own dlogit_maxes, computed from the gradients above it, where dlogit_maxes belongs; the true gradients above it hide this mistake, but random ones show it',
    ({ logits, dnorm_logits }) => dnorm_logits.sub(hot(logits.max(1).indices, logits).mul(dnorm_logits.sum(1, KEEP))),
  ],
  [
    'zeros for db1',
    1,
    'db1',
    'it is 0 everywhere: that is what the whole pass gives, but this line must compute it from the gradient above',
    ({ b1 }) => Tensor.zerosLike(b1),
  ],
  [
    'zeros for dlogit_maxes',
    1,
    'dlogit_maxes',
    'it is 0 everywhere: that is what the whole pass gives, but this line must compute it from the gradient above',
    ({ logit_maxes }) => Tensor.zerosLike(logit_maxes),
  ],
  [
    'a square for its derivative',
    1,
    'dbndiff',
    'in the branch through bndiff2, you have bndiff² where 2 · bndiff belongs: that is the function, not its derivative',
    ({ bndiff2, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff2.mul(dbndiff2)),
  ],
  [
    'a loop that overwrites',
    1,
    'db2',
    'only the last example of the batch counts (is there = where += belongs?)',
    ({ n, dlogits }) => Tensor.of(dlogits.data.slice((n - 1) * dlogits.shape[1]), [dlogits.shape[1]], dlogits.dtype),
  ],
  [
    'the maximum for the sum',
    1,
    'dlogit_maxes',
    'you take the maximum over the row where the sum belongs',
    ({ dnorm_logits }) => dnorm_logits.max(1, KEEP).values.neg(),
  ],
  [
    'sums multiplied for a matrix product',
    1,
    'dh',
    'you multiply the sums of dlogits and W2ᵀ where the matrix product, the sum of their products, belongs',
    ({ W2, dlogits }) => dlogits.sum(1, KEEP).mul(W2.sum(1)),
  ],
  [
    'the whole backward step of softmax',
    1,
    'dnorm_logits',
    'you subtract counts · (Σ over the row of (counts · dcounts)), which does not belong here; the true gradients above it hide this mistake, but random ones show it',
    ({ counts, dcounts }) => counts.mul(dcounts).sub(counts.mul(counts.mul(dcounts).sum(1, KEEP))),
  ],
  [
    'the sum over the batch of the line itself',
    1,
    'dh',
    'you subtract Σ over the batch of (dlogits · W2ᵀ), which does not belong here',
    ({ W2, dlogits }) => dlogits.sub(dlogits.sum(0, KEEP)).matmul(W2.T),
  ],
  [
    'a bias gradient added to a weight gradient',
    1,
    'dW1',
    'you add Σ over the batch of dhprebn, which does not belong here; the true gradients above it hide this mistake, but random ones show it',
    ({ embact, dhprebn }) => embact.T.matmul(dhprebn).add(dhprebn.sum(0)),
  ],
  [
    'one total for every entry',
    1,
    'db1',
    'every entry is the same, the sum of all of dhprebn: each needs its own sum over the batch',
    ({ b1, dhprebn }) => Tensor.onesLike(b1).mul(dhprebn.sum()),
  ],
  [
    'one mean for every entry',
    1,
    'dlogit_maxes',
    'every entry is the same, -1/(n·V) · the sum of all of dnorm_logits: each needs its own sum over the row',
    ({ logit_maxes, dnorm_logits }) => Tensor.onesLike(logit_maxes).mul(dnorm_logits.mean()).neg(),
  ],
  [
    'one sum for every row of dC',
    1,
    'dC',
    'every row is the same: it does not use Xb, which says to which row each gradient belongs',
    ({ C, demb, n }) => Tensor.zerosLike(C).add(demb.sum(1).mean(0).mul(n)),
  ],
  [
    'only the local derivative',
    1,
    'dbnmeani',
    'every entry is -1, whatever the input: the gradient above, dbndiff, is missing',
    ({ bnmeani }) => Tensor.onesLike(bnmeani).neg(),
  ],
  [
    'a uniform distribution for the one-hot',
    2,
    'dlogits',
    'in the one-hot term, you have 1/V where the one-hot of Yb belongs',
    ({ logits, n }) =>
      softmax(logits)
        .sub(1 / logits.shape[1])
        .div(n),
  ],
  [
    'the index for the one-hot',
    2,
    'dlogits',
    'in the one-hot term, you have the index in Yb where the one-hot of Yb belongs',
    ({ logits, Yb, n }) =>
      softmax(logits)
        .sub(Tensor.of(Yb.data, [n, 1]))
        .div(n),
  ],
  [
    'the one-hot multiplied',
    2,
    'dlogits',
    'you multiply by the one-hot term where you should subtract it',
    ({ logits, Yb, n }) => softmax(logits).div(n).mul(hot(Yb, logits)),
  ],
  [
    'the common factor and a branch missing',
    3,
    'dhprebn',
    'the factor bngain · bnvar_inv is missing; the branch through the mean is missing',
    ({ bnraw, n, dhpreact: d }) => d.sub(bnraw.mul(d.mul(bnraw).sum(0)).div(n - 1)),
  ],
  [
    "Bessel's correction in a form without n",
    3,
    'dhprebn',
    "the branch through the variance is (n-1)/n times what it should be (Bessel's correction)",
    ({ bngain, bnvar_inv, bnraw, dhpreact: d }) =>
      d
        .sub(d.mean(0))
        .sub(bnraw.mul(d.mul(bnraw).mean(0)))
        .mul(bngain)
        .mul(bnvar_inv),
  ],
  [
    'the logarithm to base 2',
    1,
    'dprobs',
    'it is 1/ln(2) times what it should be (is that the logarithm to base 2?)',
    ({ probs, dlogprobs }) => dlogprobs.div(probs.mul(Math.log(2))),
  ],
  [
    'the power rule on exp',
    1,
    'dnorm_logits',
    'you have norm_logits · exp(norm_logits - 1) where counts belongs: the power rule is not for exp',
    ({ norm_logits, dcounts }) => dcounts.mul(norm_logits).mul(norm_logits.exp()).div(Math.E),
  ],
  [
    'another gradient for a sum',
    1,
    'dbnbias',
    'you have dbngain where Σ over the batch of dhpreact belongs',
    ({ dbngain }) => dbngain.clone(),
  ],
  [
    'row and column swapped in an index',
    1,
    'dh',
    'row and column are swapped: the values are those of the transpose (check the index)',
    ({ h, W2, dlogits }) => {
      const right = dlogits.matmul(W2.T);
      const out = Tensor.zerosLike(h);
      const [n, H] = h.shape;
      for (let i = 0; i < n; i++) for (let j = 0; j < H; j++) out.data[j * n + i] = right.data[i * H + j];
      return out;
    },
  ],
  [
    'another branch',
    1,
    'dbndiff',
    'you add bndiff · dbnvar_inv, which does not belong here',
    ({ bndiff, bnvar_inv, dbnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(dbndiff2.mul(2).add(dbnvar_inv))),
  ],
  [
    'a flat index without the row length',
    2,
    'dlogits',
    'in the one-hot term, the entries are at the flat index i + Yb, without the row length V, expected at the target',
    ({ logits, Yb, n }) => {
      const p = softmax(logits).clone();
      for (let i = 0; i < n; i++) p.data[i + Yb.data[i]] -= 1;
      return p.div(n);
    },
  ],
  [
    'a row offset missing in an index',
    1,
    'dnorm_logits',
    'you have the first row of counts where counts belongs: is the offset of the row missing in the index?',
    ({ counts, dcounts }) =>
      Tensor.of(
        Array.from(dcounts.data, (d, k) => d * counts.data[k % counts.shape[1]]),
        dcounts.shape,
        dcounts.dtype,
      ),
  ],
  [
    'a matrix product of what fits',
    1,
    'dembact',
    'you have embactᵀ · hprebn where W1 belongs',
    ({ embact, hprebn, dhprebn }) => dhprebn.matmul(hprebn.T).matmul(embact),
  ],
  [
    'batch norm left out with the gain kept',
    1,
    'dembact',
    'you have dhpreact · bnvar_inv where dhprebn belongs',
    ({ W1, bnvar_inv, dhpreact }) => dhpreact.mul(bnvar_inv).matmul(W1.T),
  ],
  [
    'an epsilon without its sign',
    1,
    'dbnvar',
    'the epsilon is 1e5, expected 1e-5',
    ({ bnvar, dbnvar_inv }) => bnvar.add(1e5).pow(-1.5).mul(-0.5).mul(dbnvar_inv),
  ],
  [
    'a branch on one example only',
    1,
    'dhprebn',
    'in the branch through bnmeani, only the last example of the batch counts (is there = where += belongs?)',
    ({ n, dbndiff, dbnmeani }) => {
      const d = dbndiff.clone();
      const H = d.shape[1];
      for (let j = 0; j < H; j++) d.data[(n - 1) * H + j] += dbnmeani.data[j] / n;
      return d;
    },
  ],
  [
    'a sum of another tensor as a factor',
    1,
    'db2',
    'you multiply by Σ over dimension 0 of W2, which does not belong here',
    ({ W2, dlogits }) => dlogits.sum(0).mul(W2.sum(0)),
  ],
  [
    'the square of the result',
    1,
    'dW2',
    'you have the square of the right result: leave that out',
    ({ h, dlogits }) => h.T.matmul(dlogits).pow(2),
  ],
  [
    'one factor of the square exchanged',
    1,
    'dhpreact',
    'you have 1 - h · hpreact where 1 - h² belongs',
    ({ h, hpreact, dh }) => dh.sub(dh.mul(h).mul(hpreact)),
  ],
  [
    'a loop that starts at 1',
    3,
    'dhprebn',
    'in every sum, the first example of the batch is left out',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d }) => {
      const H = d.shape[1];
      const late = Tensor.of(
        Array.from(d.data, (x, k) => (k < H ? 0 : x)),
        d.shape,
        d.dtype,
      );
      return bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(late.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(late.mul(bnraw).sum(0))),
        );
    },
  ],
  [
    'sums that are not set back',
    1,
    'dbnbias',
    'the sums run on from column to column: set them back to 0 for each',
    ({ bnbias, dhpreact }) => {
      const sums = dhpreact.sum(0, KEEP);
      let running = 0;
      return Tensor.of(
        Array.from(sums.data, (x) => {
          running += x;
          return running;
        }),
        bnbias.shape,
        dhpreact.dtype,
      );
    },
  ],
  [
    'the wrong sum by its gradient',
    3,
    'dhprebn',
    'in the branch through the variance, you have dbnbias where Σ over the batch of (dhpreact · bnraw) belongs',
    ({ bngain, bnvar_inv, bnraw, n, dhpreact: d, dbnbias }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(dbnbias)),
        ),
  ],
  [
    'the derivative of softmax once more',
    2,
    'dlogits',
    'the factor probs · (1 - probs) does not belong here',
    ({ probs, Yb, n }) =>
      probs
        .sub(hot(Yb, probs))
        .mul(probs.sub(probs.pow(2)))
        .div(n),
  ],
  [
    'upstream left out of a sum that is 0',
    1,
    'dbngain',
    'the gradient above, dhpreact, is missing',
    ({ bnraw }) => bnraw.mul(1).sum(0, KEEP),
  ],
  [
    'an operand minus its mean',
    1,
    'dembact',
    'you have (W1 minus its mean over dimension 0) where W1 belongs',
    ({ W1, dhprebn }) => dhprebn.matmul(W1.sub(W1.mean(0, KEEP)).T),
  ],
  [
    'a character skipped',
    1,
    'dC',
    'the character 0 is left out: its row of C is a parameter like any other',
    ({ C, Xb, demb }) => scattered(C, Xb.data, demb, (k) => Xb.data[k] > 0),
  ],
  [
    'the one-hot of the context summed, times demb summed',
    1,
    'dC',
    'each character gets the sum over all positions of its context, expected only its own position',
    ({ C, Xb, demb }) => {
      const [n, T] = Xb.shape;
      const counts = Tensor.zeros([n, C.shape[0]], 'float64');
      for (const [k, character] of Xb.data.entries()) counts.data[Math.floor(k / T) * C.shape[0] + character]++;
      return counts.T.matmul(demb.sum(1));
    },
  ],
  [
    'a power before a sum',
    1,
    'dbnvar',
    'you have bnvar + 1e-5^(-3/2) where (bnvar + 1e-5)^(-3/2) belongs: check your parentheses',
    ({ bnvar, dbnvar_inv }) =>
      bnvar
        .add(1e-5 ** -1.5)
        .mul(dbnvar_inv)
        .mul(-0.5),
  ],
  [
    'H for n - 1',
    1,
    'dbndiff2',
    'you have the factor 1/(H-1) where 1/(n-1) belongs',
    ({ bndiff2, dbnvar }) =>
      Tensor.onesLike(bndiff2)
        .mul(dbnvar)
        .div(bndiff2.shape[1] - 1),
  ],
];

describe('a mistake is said so that a learner can act on it:', () => {
  it.each(KINDS.map(([kind, exercise, name, sentence, line]) => ({ kind, exercise, name, sentence, line })))(
    '$kind, Exercise $exercise, $name',
    ({ exercise, name, sentence, line }) => {
      const { verdict, named, problem } = checker.check(lineOf(exercise, name), line);
      expect({ verdict, named, problem }).toEqual({ verdict: 'wrong', named: true, problem: sentence });
    },
  );
});
