/**
 * The bank of planted mistakes. A gradient check is worth what it catches, so every mistake people make in these lines is
 * planted here, with what the dojo says of it.
 */
import { UsageError } from '../core/errors.js';
import { type Indices, Tensor } from '../core/tensor.js';
import { showText } from '../core/text.js';
import type { ClosedForm, ClosedFormName } from '../gradCheck/closedForms.js';
import { exercise1, type GradientLine, type GradientLines } from '../lesson/exercise1.js';
import { softmax } from '../lesson/softmax.js';
import type { GradientName } from '../lesson/values.js';

/** A mistake in one gradient line. */
export interface Mutant {
  /** Its name on the command line. */
  name: string;
  /** Where the line is asked for: 1 atomic, 2 and 3 in one expression. */
  exercise: 1 | 2 | 3;
  line: GradientName;
  mistake: string;
  /** What the dojo names it; undefined where it has no name, and shows what it found. */
  named: string | undefined;
  planted: GradientLine;
  /** Why differences of the loss cannot see it, so that only a check of the line by itself does. */
  invisibleEndToEnd?: string;
}

export interface ClosedFormMutant extends Mutant {
  exercise: 2 | 3;
  line: ClosedFormName;
  planted: ClosedForm;
}

const inLine = (
  line: GradientName,
  mistake: string,
  named: string | undefined,
  planted: GradientLine,
  invisibleEndToEnd?: string,
): Mutant => ({
  name: mutantName(line, mistake),
  exercise: 1,
  line,
  mistake,
  named,
  planted,
  ...(invisibleEndToEnd === undefined ? {} : { invisibleEndToEnd }),
});

const inOneExpression = (line: ClosedFormName, mistake: string, named: string | undefined, planted: ClosedForm): ClosedFormMutant => ({
  name: mutantName(line === 'dlogits' ? 'cross-entropy' : 'batch-norm', mistake),
  exercise: line === 'dlogits' ? 2 : 3,
  line,
  mistake,
  named,
  planted,
});

/** dhpreact, '1 - h for 1 - h²' becomes dhpreact-1-minus-h-for-1-minus-h2. */
function mutantName(where: string, mistake: string): string {
  const words = mistake
    .toLowerCase()
    .replaceAll('/(', ' over (')
    .replaceAll(/(?<=\d|n|\s) ?- ?(?=\d|h)/g, ' minus ')
    .replaceAll(' + ', ' plus ')
    .replaceAll('²', '2');
  return `${where}-${words.replaceAll(/['’()[\]]/g, '').replaceAll(/[^a-z0-9]+/g, '-')}`;
}

const KEEP = { keepdim: true };
/** The softmax does not feel a shift of all logits: dnorm_logits sums to zero in each row, and so dlogit_maxes is 0. */
const MAXES = 'dlogit_maxes is 0 end to end';
/** Batch norm does not feel a shift of a column: dhprebn sums to zero over the batch. */
const SHIFT = 'dhprebn sums to 0 over the batch end to end';

export const LINE_MUTANTS: readonly Mutant[] = [
  inLine('dlogprobs', 'sign forgotten', 'the sign is wrong', ({ logprobs, Yb, n }) => hot(Yb, logprobs).div(n)),
  inLine('dlogprobs', 'no division by n', 'it is n times too large', ({ logprobs, Yb }) => hot(Yb, logprobs).neg()),
  inLine('dlogprobs', 'n - 1 for n', 'n - 1 stands where n belongs', ({ logprobs, Yb, n }) => hot(Yb, logprobs).div(-(n - 1))),
  inLine('dlogprobs', 'at the maximum, not at the target', 'the entries are at the row maximum, not at the target', ({ logprobs, n }) =>
    hot(logprobs.max(1).indices, logprobs).div(-n),
  ),

  inLine(
    'dprobs',
    'derivative of the logarithm left out',
    'the derivative of the logarithm, 1/probs, is left out',
    ({ dlogprobs }) => dlogprobs,
  ),
  inLine('dprobs', 'times probs for divided by', 'it is multiplied by probs, not divided', ({ probs, dlogprobs }) => probs.mul(dlogprobs)),
  inLine(
    'dprobs',
    'derivative from the output',
    '1/logprobs stands for 1/probs: the derivative is taken at the output',
    ({ logprobs, dlogprobs }) => logprobs.pow(-1).mul(dlogprobs),
  ),
  inLine('dprobs', 'gradient above left out', 'the gradient above, dlogprobs, is left out', ({ probs }) => probs.pow(-1)),

  inLine(
    'dcounts_sum_inv',
    'sum over the row forgotten',
    'the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
    ({ counts, dprobs }) => counts.mul(dprobs),
  ),
  inLine('dcounts_sum_inv', 'averaged over the row', 'it is divided by the length of the row once too often', ({ counts, dprobs }) =>
    counts.mul(dprobs).mean(1, KEEP),
  ),
  inLine(
    'dcounts_sum_inv',
    'summed over the batch',
    'it is summed over the batch, not over the row, [1, 27] for [32, 1]',
    ({ counts, dprobs }) => counts.mul(dprobs).sum(0, KEEP),
  ),
  inLine('dcounts_sum_inv', 'counts left out', 'counts is left out', ({ dprobs }) => dprobs.sum(1, KEEP)),
  inLine(
    'dcounts_sum_inv',
    'shape [n] for [n,1]',
    'right values in the wrong shape, [32] for [32, 1]: sum with { keepdim: true }',
    ({ counts, dprobs }) => counts.mul(dprobs).sum(1),
  ),

  inLine('dcounts_sum', 'sign forgotten', 'the sign is wrong', ({ counts_sum, dcounts_sum_inv }) =>
    counts_sum.pow(-2).mul(dcounts_sum_inv),
  ),
  inLine('dcounts_sum', 'power -1 for -2', 'the power is -1, not -2', ({ counts_sum, dcounts_sum_inv }) =>
    counts_sum.pow(-1).neg().mul(dcounts_sum_inv),
  ),
  inLine('dcounts_sum', 'gradient above left out', 'the gradient above, dcounts_sum_inv, is left out', ({ counts_sum }) =>
    counts_sum.pow(-2).neg(),
  ),

  inLine('dcounts', 'branch through counts_sum forgotten', 'the branch through counts_sum is missing', ({ counts_sum_inv, dprobs }) =>
    counts_sum_inv.mul(dprobs),
  ),
  inLine('dcounts', 'branch through probs forgotten', 'the branch through probs is missing', ({ counts, dcounts_sum }) =>
    Tensor.onesLike(counts).mul(dcounts_sum),
  ),
  inLine(
    'dcounts',
    'branch through counts_sum twice',
    'the branch through counts_sum is twice too large',
    ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).add(dcounts_sum).add(dcounts_sum),
  ),
  inLine(
    'dcounts',
    'sum taken for a mean',
    'the branch through counts_sum is divided by the length of the row once too often',
    ({ counts_sum_inv, counts, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).add(dcounts_sum.div(counts.shape[1])),
  ),
  inLine(
    'dcounts',
    'branches multiplied, not added',
    'the two branches are multiplied, not added',
    ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).mul(dcounts_sum),
  ),
  inLine('dcounts', 'sum for its inverse', 'counts_sum stands for counts_sum_inv', ({ counts_sum, dprobs, dcounts_sum }) =>
    counts_sum.mul(dprobs).add(dcounts_sum),
  ),
  inLine(
    'dcounts',
    'branch through counts_sum alone, not broadcast',
    'the branch through probs is missing; it must be broadcast along the row, too, [32, 1] for [32, 27]',
    ({ dcounts_sum }) => dcounts_sum,
  ),

  inLine('dnorm_logits', 'derivative of exp left out', 'the derivative of exp, counts, is left out', ({ dcounts }) => dcounts),
  inLine('dnorm_logits', 'derivative from the input', 'norm_logits, the input, stands for its exponential', ({ norm_logits, dcounts }) =>
    norm_logits.mul(dcounts),
  ),
  inLine('dnorm_logits', 'gradient above left out', 'the gradient above, dcounts, is left out', ({ counts }) => counts),
  inLine('dnorm_logits', 'exp twice', 'exp is applied twice: counts has it already', ({ counts, dcounts }) => counts.exp().mul(dcounts)),

  inLine('dlogit_maxes', 'sign forgotten', 'the sign is wrong', ({ dnorm_logits }) => dnorm_logits.sum(1, KEEP), MAXES),
  inLine(
    'dlogit_maxes',
    'averaged over the row',
    'it is divided by the length of the row once too often',
    ({ dnorm_logits }) => dnorm_logits.neg().mean(1, KEEP),
    MAXES,
  ),
  inLine(
    'dlogit_maxes',
    'sum over the row forgotten',
    'the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
    ({ dnorm_logits }) => dnorm_logits.neg(),
  ),
  inLine(
    'dlogit_maxes',
    'shape [n] for [n,1]',
    'right values in the wrong shape, [32] for [32, 1]: sum with { keepdim: true }',
    ({ dnorm_logits }) => dnorm_logits.neg().sum(1),
  ),

  inLine(
    'dlogits',
    'branch through the maximum forgotten',
    'the branch through logit_maxes is missing; the true gradients above it hide that, others show it',
    ({ dnorm_logits }) => dnorm_logits,
    MAXES,
  ),
  inLine(
    'dlogits',
    "maximum's gradient to every logit",
    "the maximum's gradient goes to every entry of the row; the true gradients above it hide that, others show it",
    ({ dnorm_logits, dlogit_maxes }) => dnorm_logits.add(dlogit_maxes),
    MAXES,
  ),
  inLine(
    'dlogits',
    "maximum's gradient to the target",
    "the maximum's gradient goes to the target, not to the row maximum; the true gradients above it hide that, others show it",
    ({ Yb, logits, dnorm_logits, dlogit_maxes }) => dnorm_logits.add(hot(Yb, logits).mul(dlogit_maxes)),
    MAXES,
  ),
  inLine('dlogits', 'direct branch forgotten', 'the branch through norm_logits is missing', ({ logits, dlogit_maxes }) =>
    hot(logits.max(1).indices, logits).mul(dlogit_maxes),
  ),

  inLine('dh', 'sign', 'the sign is wrong', ({ W2, dlogits }) => dlogits.matmul(W2.T).neg()),
  inLine('dh', 'W2 not transposed', undefined, ({ W2, dlogits }) => dlogits.matmul(W2)),
  inLine('dh', 'W2 viewed for transposed', 'W2 is viewed in the other shape: that is no transpose', ({ W2, dlogits }) =>
    dlogits.matmul(W2.view([W2.shape[1], W2.shape[0]])),
  ),
  inLine('dh', 'divided by n', 'it is divided by n once too often', ({ W2, dlogits, n }) => dlogits.matmul(W2.T).div(n)),

  inLine('dW2', 'averaged over the batch', 'it is divided by n once too often', ({ h, dlogits, n }) => h.T.matmul(dlogits).div(n)),
  inLine('dW2', 'transposed', 'the transpose of the right answer, [27, 64] for [64, 27]', ({ h, dlogits }) => dlogits.T.matmul(h)),
  inLine('dW2', 'hpreact for h', 'hpreact stands for h', ({ hpreact, dlogits }) => hpreact.T.matmul(dlogits)),
  inLine('dW2', 'h viewed for transposed', 'h is viewed in the other shape: that is no transpose', ({ h, dlogits }) =>
    h.view([h.shape[1], h.shape[0]]).matmul(dlogits),
  ),

  inLine('db2', 'averaged over the batch', 'it is divided by n once too often', ({ dlogits }) => dlogits.mean(0)),
  inLine(
    'db2',
    'sum forgotten',
    'the sum over the batch is forgotten, [32, 27] for [27]: what was broadcast must be summed',
    ({ dlogits }) => dlogits,
  ),
  inLine('db2', 'summed over the row', 'it is summed over the row, not over the batch, [32] for [27]', ({ dlogits }) => dlogits.sum(1)),
  inLine('db2', 'shape [1,V] for [V]', 'right values in the wrong shape, [1, 27] for [27]: sum without keepdim', ({ dlogits }) =>
    dlogits.sum(0, KEEP),
  ),

  inLine('dhpreact', '1 - h for 1 - h²', '1 - h stands for 1 - h²', ({ h, dh }) => h.neg().add(1).mul(dh)),
  inLine('dhpreact', 'derivative of tanh left out', 'the derivative of tanh, 1 - h², is left out', ({ dh }) => dh),
  inLine(
    'dhpreact',
    'derivative from the input',
    '1 - hpreact² stands for 1 - h²: the derivative is taken from the input',
    ({ hpreact, dh }) => hpreact.pow(2).neg().add(1).mul(dh),
  ),
  inLine('dhpreact', '1 + h² for 1 - h²', '1 + h² stands for 1 - h²', ({ h, dh }) => h.pow(2).add(1).mul(dh)),
  inLine('dhpreact', 'gradient above left out', 'the gradient above, dh, is left out', ({ h }) => h.pow(2).neg().add(1)),

  inLine('dbngain', 'bnraw left out', 'bnraw is left out', ({ dhpreact }) => dhpreact.sum(0, KEEP)),
  inLine('dbngain', 'hpreact for bnraw', 'hpreact stands for bnraw', ({ hpreact, dhpreact }) => hpreact.mul(dhpreact).sum(0, KEEP)),
  inLine('dbngain', 'averaged over the batch', 'it is divided by n once too often', ({ bnraw, dhpreact }) =>
    bnraw.mul(dhpreact).mean(0, KEEP),
  ),
  inLine(
    'dbngain',
    'sum forgotten',
    'the sum over the batch is forgotten, [32, 64] for [1, 64]: what was broadcast must be summed',
    ({ bnraw, dhpreact }) => bnraw.mul(dhpreact),
  ),
  inLine(
    'dbngain',
    'shape [H] for [1,H]',
    'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }',
    ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).sum(0),
  ),

  inLine('dbnraw', 'gain forgotten', 'the gain, bngain, is left out', ({ dhpreact }) => dhpreact),
  inLine('dbnraw', 'divided by the gain', 'it is divided by the gain, not multiplied', ({ bngain, dhpreact }) => dhpreact.div(bngain)),
  inLine('dbnraw', 'bias for gain', 'bnbias stands for bngain', ({ bnbias, dhpreact }) => bnbias.mul(dhpreact)),
  inLine(
    'dbnraw',
    'gradient above left out',
    'the gradient above, dhpreact, is left out; it must be broadcast over the batch, too, [1, 64] for [32, 64]',
    ({ bngain }) => bngain,
  ),

  inLine('dbnbias', 'averaged over the batch', 'it is divided by n once too often', ({ dhpreact }) => dhpreact.mean(0, KEEP)),
  inLine('dbnbias', 'times the gain', 'the gain is multiplied in, which does not touch the bias', ({ bngain, dhpreact }) =>
    bngain.mul(dhpreact).sum(0, KEEP),
  ),
  inLine(
    'dbnbias',
    'shape [H] for [1,H]',
    'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }',
    ({ dhpreact }) => dhpreact.sum(0),
  ),

  inLine('dbnvar_inv', 'bnraw for bndiff', 'bnraw stands for bndiff', ({ bnraw, dbnraw }) => bnraw.mul(dbnraw).sum(0, KEEP)),
  inLine('dbnvar_inv', 'averaged over the batch', 'it is divided by n once too often', ({ bndiff, dbnraw }) =>
    bndiff.mul(dbnraw).mean(0, KEEP),
  ),
  inLine(
    'dbnvar_inv',
    'shape [H] for [1,H]',
    'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }',
    ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).sum(0),
  ),

  inLine('dbnvar', 'sign forgotten', 'the sign is wrong', ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(0.5).mul(dbnvar_inv)),
  inLine('dbnvar', 'factor 1/2 forgotten', 'a factor 1/2 is missing', ({ bnvar, dbnvar_inv }) =>
    bnvar.add(1e-5).pow(-1.5).neg().mul(dbnvar_inv),
  ),
  inLine('dbnvar', 'power -1/2 for -3/2', 'the power is -1/2, not -3/2', ({ bnvar, dbnvar_inv }) =>
    bnvar.add(1e-5).pow(-0.5).mul(-0.5).mul(dbnvar_inv),
  ),
  inLine('dbnvar', 'epsilon forgotten', 'eps is left out', ({ bnvar, dbnvar_inv }) => bnvar.pow(-1.5).mul(-0.5).mul(dbnvar_inv)),
  inLine('dbnvar', 'epsilon added behind the power', 'eps is added behind the power, not inside', ({ bnvar, dbnvar_inv }) =>
    bnvar.pow(-1.5).add(1e-5).mul(-0.5).mul(dbnvar_inv),
  ),
  inLine('dbnvar', 'gradient above left out', 'the gradient above, dbnvar_inv, is left out', ({ bnvar }) =>
    bnvar.add(1e-5).pow(-1.5).mul(-0.5),
  ),

  inLine('dbndiff2', 'n for n - 1', "n stands where n - 1 belongs: Bessel's correction", ({ bndiff2, n, dbnvar }) =>
    Tensor.onesLike(bndiff2).mul(dbnvar.div(n)),
  ),
  inLine('dbndiff2', 'divided by n + 1', 'n + 1 stands where n - 1 belongs', ({ bndiff2, n, dbnvar }) =>
    Tensor.onesLike(bndiff2).mul(dbnvar.div(n + 1)),
  ),
  inLine(
    'dbndiff2',
    'not broadcast over the batch',
    'right values in one row, [1, 64] for [32, 64]: the gradient has the shape of its tensor, so it must be broadcast over the batch',
    ({ n, dbnvar }) => dbnvar.div(n - 1),
  ),

  inLine('dbndiff', 'branch through the variance forgotten', 'the branch through bndiff2 is missing', ({ bnvar_inv, dbnraw }) =>
    bnvar_inv.mul(dbnraw),
  ),
  inLine('dbndiff', 'direct branch forgotten', 'the branch through bnraw is missing', ({ bndiff, dbndiff2 }) =>
    bndiff.mul(2).mul(dbndiff2),
  ),
  inLine(
    'dbndiff',
    'branch through the variance twice',
    'the branch through bndiff2 is twice too large',
    ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(4).mul(dbndiff2)),
  ),
  inLine(
    'dbndiff',
    'factor 2 forgotten',
    'in the branch through bndiff2, a factor 2 is missing',
    ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(dbndiff2)),
  ),
  inLine('dbndiff', 'bnraw for bndiff', 'bnraw stands for bndiff', ({ bnraw, bnvar_inv, dbnraw, dbndiff2 }) =>
    bnvar_inv.mul(dbnraw).add(bnraw.mul(2).mul(dbndiff2)),
  ),
  inLine(
    'dbndiff',
    'branches multiplied, not added',
    'the two branches are multiplied, not added',
    ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).mul(bndiff.mul(2).mul(dbndiff2)),
  ),

  inLine('dbnmeani', 'sign forgotten', 'the sign is wrong', ({ dbndiff }) => dbndiff.sum(0, KEEP)),
  inLine('dbnmeani', 'averaged over the batch', 'it is divided by n once too often', ({ dbndiff }) => dbndiff.neg().mean(0, KEEP)),
  // The lecture's own solution has this shape.
  inLine(
    'dbnmeani',
    'shape [H] for [1,H]',
    'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }',
    ({ dbndiff }) => dbndiff.neg().sum(0),
  ),
  inLine(
    'dbnmeani',
    'sign forgotten, shape [H] for [1,H]',
    'the sign is wrong; the shape is wrong, too, [64] for [1, 64]: sum with { keepdim: true }',
    ({ dbndiff }) => dbndiff.sum(0),
  ),

  inLine('dhprebn', 'branch through the mean forgotten', 'the branch through bnmeani is missing', ({ dbndiff }) => dbndiff),
  inLine('dhprebn', 'branch through the mean twice', 'the branch through bnmeani is twice too large', ({ n, dbndiff, dbnmeani }) =>
    dbndiff.add(dbnmeani.mul(2 / n)),
  ),
  inLine('dhprebn', 'no division by n', 'the branch through bnmeani is n times too large', ({ dbndiff, dbnmeani }) =>
    dbndiff.add(dbnmeani),
  ),
  inLine('dhprebn', 'n - 1 for n', 'in the branch through bnmeani, n - 1 stands where n belongs', ({ n, dbndiff, dbnmeani }) =>
    dbndiff.add(dbnmeani.mul(1 / (n - 1))),
  ),
  inLine('dhprebn', 'direct branch forgotten', 'the branch through bndiff is missing', ({ n, hprebn, dbnmeani }) =>
    Tensor.onesLike(hprebn).mul(dbnmeani.div(n)),
  ),

  inLine('dembact', 'sign', 'the sign is wrong', ({ W1, dhprebn }) => dhprebn.matmul(W1.T).neg()),
  inLine('dembact', 'W1 viewed for transposed', 'W1 is viewed in the other shape: that is no transpose', ({ W1, dhprebn }) =>
    dhprebn.matmul(W1.view([W1.shape[1], W1.shape[0]])),
  ),

  inLine('dW1', 'averaged over the batch', 'it is divided by n once too often', ({ embact, dhprebn, n }) =>
    embact.T.matmul(dhprebn).div(n),
  ),
  inLine('dW1', 'transposed', 'the transpose of the right answer, [64, 30] for [30, 64]', ({ embact, dhprebn }) =>
    dhprebn.T.matmul(embact),
  ),
  inLine('dW1', 'hpreact gradient for hprebn gradient', 'dhpreact stands for dhprebn: batch norm is passed over', ({ embact, dhpreact }) =>
    embact.T.matmul(dhpreact),
  ),

  inLine('db1', 'sign', 'the sign is wrong', ({ dhprebn }) => dhprebn.sum(0).neg(), SHIFT),
  inLine('db1', 'averaged over the batch', 'it is divided by n once too often', ({ dhprebn }) => dhprebn.mean(0), SHIFT),
  inLine('db1', 'hpreact gradient for hprebn gradient', 'dhpreact stands for dhprebn: batch norm is passed over', ({ dhpreact }) =>
    dhpreact.sum(0),
  ),
  inLine('db1', 'shape [1,H] for [H]', 'right values in the wrong shape, [1, 64] for [64]: sum without keepdim', ({ dhprebn }) =>
    dhprebn.sum(0, KEEP),
  ),

  inLine('demb', 'contexts in reversed order', 'the positions of the context are in reversed order', ({ emb, dembact }) =>
    reversedContexts(dembact.view(emb.shape)),
  ),
  inLine('demb', 'transposed before the view', undefined, ({ emb, dembact }) => dembact.T.view(emb.shape)),
  inLine('demb', 'not viewed', 'right values in the wrong shape, [32, 30] for [32, 3, 10]', ({ dembact }) => dembact),

  inLine(
    'dC',
    'assigned, not added',
    '= stands where += belongs: of a character that occurs several times, only the last row is kept',
    ({ C, Xb, demb }) => {
      const dC = Tensor.zerosLike(C);
      Xb.data.forEach((index, row) => {
        for (let e = 0; e < C.shape[1]; e++) dC.data[index * C.shape[1] + e] = demb.data[row * C.shape[1] + e];
      });
      return dC;
    },
  ),
  inLine('dC', 'contexts in reversed order', 'the positions of the context are in reversed order', ({ C, Xb, demb }) =>
    Tensor.zerosLike(C).scatterAddRows(Xb, reversedContexts(demb)),
  ),
  inLine('dC', 'averaged over the batch', 'it is divided by n once too often', ({ C, Xb, demb, n }) =>
    Tensor.zerosLike(C).scatterAddRows(Xb, demb.div(n)),
  ),
];

export const CLOSED_FORM_MUTANTS: readonly ClosedFormMutant[] = [
  inOneExpression('dlogits', 'no division by n', 'it is n times too large', ({ logits, Yb }) => softmax(logits).sub(hot(Yb, logits))),
  inOneExpression('dlogits', 'n - 1 for n', 'n - 1 stands where n belongs', ({ logits, Yb, n }) =>
    softmax(logits)
      .sub(hot(Yb, logits))
      .div(n - 1),
  ),
  inOneExpression('dlogits', 'softmax without minus one-hot', 'the branch through the target: minus one-hot is missing', ({ logits, n }) =>
    softmax(logits).div(n),
  ),
  inOneExpression(
    'dlogits',
    'sign of the one-hot',
    'in the branch through the target: minus one-hot, the sign is wrong',
    ({ logits, Yb, n }) => softmax(logits).add(hot(Yb, logits)).div(n),
  ),
  inOneExpression(
    'dlogits',
    'one-hot not divided',
    'the branch through the target: minus one-hot is n times too large',
    ({ logits, Yb, n }) => softmax(logits).div(n).sub(hot(Yb, logits)),
  ),
  inOneExpression('dlogits', 'softmax over the batch', 'the softmax runs over the batch, not along the row', ({ logits, Yb, n }) =>
    softmax(logits.T).T.sub(hot(Yb, logits)).div(n),
  ),
  inOneExpression('dlogits', 'summed over the batch', undefined, ({ logits, Yb, n }) => softmax(logits).sub(hot(Yb, logits)).div(n).sum(0)),
  ...batchNormMutants([
    [
      'Bessel factor 1 for n/(n-1)',
      "in the branch through the variance, n stands where n - 1 belongs: Bessel's correction",
      { bessel: () => 1 },
    ],
    [
      'Bessel factor the other way up',
      'in the branch through the variance, the factor n/(n-1) is the other way up',
      { bessel: (n) => (n - 1) / n },
    ],
    ['path through the variance dropped', 'the branch through the variance is missing', { bessel: () => 0 }],
    ['sign of the path through the variance', 'in the branch through the variance, the sign is wrong', { bessel: (n) => -n / (n - 1) }],
    ['path through the mean dropped', 'the branch through the mean is missing', { mean: () => 0 }],
    ['mean not divided by n', 'the branch through the mean is n times too large', { mean: (n) => n }],
    [
      'statistics as constants',
      'the branch through the mean is missing; the branch through the variance is missing',
      { bessel: () => 0, mean: () => 0 },
    ],
    ['gain forgotten', 'the gain, bngain, is left out', { scale: ({ bnvar_inv }) => bnvar_inv }],
    ['bnvar_inv forgotten', 'bnvar_inv is left out', { scale: ({ bngain }) => bngain }],
    ['bnvar_inv squared', 'bnvar_inv is squared', { scale: ({ bngain, bnvar_inv }) => bngain.mul(bnvar_inv.pow(2)) }],
  ]),
];

interface BatchNormFactors {
  bessel?: (n: number) => number;
  mean?: (n: number) => number;
  scale?: (at: { bngain: Tensor; bnvar_inv: Tensor }) => Tensor;
}

/** dhprebn with one factor of it exchanged. */
function batchNormMutants(mistakes: readonly (readonly [mistake: string, named: string, factors: BatchNormFactors])[]): ClosedFormMutant[] {
  return mistakes.map(([mistake, named, { bessel = (n: number) => n / (n - 1), mean = () => 1, scale }]) =>
    inOneExpression('dhprebn', mistake, named, ({ bngain, bnraw, bnvar_inv, n, dhpreact }) =>
      (scale?.({ bngain, bnvar_inv }) ?? bngain.mul(bnvar_inv)).div(n).mul(
        dhpreact
          .mul(n)
          .sub(dhpreact.sum(0).mul(mean(n)))
          .sub(bnraw.mul(bessel(n)).mul(dhpreact.mul(bnraw).sum(0))),
      ),
    ),
  );
}

export const MUTANTS: readonly Mutant[] = [...LINE_MUTANTS, ...CLOSED_FORM_MUTANTS];

/** @throws UsageError that names those alike */
export function findMutant(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant) return mutant;
  const [where] = name.split('-');
  const alike = MUTANTS.filter((one) => one.name.startsWith(`${where}-`)).map((one) => one.name);
  throw new UsageError(
    `no mutant '${showText(name)}'; ${alike.length > 0 ? `there are ${alike.join(', ')}` : "'backprop-ninja mutants' lists them"}`,
  );
}

/** Exercise 1's lines with the mistake in one of them; a closed form stands in for its atomic line. */
export function plant({ line, planted }: Mutant): GradientLines {
  return { ...exercise1, [line]: planted };
}

/** Ones at the indices, in rows as long as those of the tensor. */
function hot(indices: Indices, { shape, dtype }: Tensor): Tensor {
  return Tensor.oneHot(indices, shape[1], dtype);
}

/** demb [n,T,E] with t counted from the end. */
function reversedContexts(demb: Tensor): Tensor {
  const [n, T, E] = demb.shape;
  const order = Int32Array.from({ length: n * T }, (_, row) => row - (row % T) + (T - 1 - (row % T)));
  return demb
    .view([n * T, E])
    .gatherRows({ data: order, shape: [n * T] })
    .view(demb.shape);
}
