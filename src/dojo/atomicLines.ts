/** The 26 lines of Exercise 1: the rule and formula behind each hint, and the parts of each gradient. */
import { Tensor } from '../core/tensor.js';
import type { GradientName } from '../lesson/values.js';
import {
  atMaximum,
  atTarget,
  type Branch,
  type LineKnowledge,
  neededUpstream,
  OVER_BATCH,
  OVER_ROW,
  product,
  reversedContexts,
  single,
  TO_VECTOR,
  through,
  upstream,
  type Value,
  viewedTransposed,
} from './knowledge.js';
import type { ValuesAndGradients } from './learnerFile.js';

/** Exercise 1, in backward order. */
export const ATOMIC_LINES: Record<GradientName, LineKnowledge> = {
  dlogprobs: {
    rule: 'The loss is minus the mean of n entries: one from each row, at the target. The other entries do not affect it.',
    formula: 'dlogprobs = -1/n at the targets Yb, 0 elsewhere',
    branches: [
      single(
        (at) => atTarget(at).div(-at.n),
        [{ id: 'misplaced', found: 'row-maximum', expected: 'target' }, (at) => atMaximum(at).div(-at.n)],
        [{ id: 'misplaced', found: 'everywhere', expected: 'target' }, ({ logits, n }) => Tensor.onesLike(logits).div(-n)],
      ),
    ],
  },
  dprobs: {
    rule: 'The derivative of log x is 1/x, entry by entry, times the gradient above.',
    formula: 'dprobs = 1/probs · dlogprobs',
    branches: [
      product([
        {
          text: '1/probs',
          role: 'log-derivative',
          value: ({ probs }) => probs.pow(-1),
          instead: [
            [{ id: 'multiplied', by: 'probs' }, ({ probs }) => probs],
            [
              { id: 'exchanged', found: '1/logprobs', expected: '1/probs', confusion: 'derivative-at-output' },
              ({ logprobs }) => logprobs.pow(-1),
            ],
            [
              { id: 'exchanged', found: 'log(probs)', expected: '1/probs', confusion: 'function-for-derivative' },
              ({ logprobs }) => logprobs,
            ],
            ['1/probs²', ({ probs }) => probs.pow(-2)],
          ],
        },
        upstream('dlogprobs'),
      ]),
    ],
  },
  dcounts_sum_inv: {
    rule: 'In a product, the gradient of each factor is the other factor times the gradient above. counts_sum_inv [n,1] was broadcast along the row: sum along the row.',
    formula: 'dcounts_sum_inv = Σ over the row of counts · dprobs',
    branches: [
      product([
        {
          text: 'counts',
          value: ({ counts }) => counts,
          instead: [
            ['probs', ({ probs }) => probs],
            ['norm_logits', ({ norm_logits }) => norm_logits],
          ],
        },
        upstream('dprobs'),
      ]),
    ],
    sum: OVER_ROW,
  },
  dcounts_sum: {
    rule: 'The derivative of x^(-1) is -x^(-2), times the gradient above.',
    formula: 'dcounts_sum = -counts_sum^(-2) · dcounts_sum_inv',
    branches: [
      product([
        {
          text: '-counts_sum^(-2)',
          role: 'power-derivative',
          value: ({ counts_sum }) => counts_sum.pow(-2).neg(),
          instead: [
            [{ id: 'wrong-power', found: '-1', expected: '-2' }, ({ counts_sum }) => counts_sum.pow(-1).neg()],
            [{ id: 'wrong-power', found: '2', expected: '-2' }, ({ counts_sum }) => counts_sum.pow(2).neg()],
            [{ id: 'wrong-power', found: '-3', expected: '-2' }, ({ counts_sum }) => counts_sum.pow(-3).neg()],
          ],
        },
        upstream('dcounts_sum_inv'),
      ]),
    ],
  },
  dcounts: {
    rule: 'counts is used twice, in probs and in counts_sum: add both gradients. A sum passes its gradient to every entry that it adds.',
    formula: 'dcounts = counts_sum_inv · dprobs + dcounts_sum, broadcast along the row',
    branches: [
      through(
        'probs',
        product([
          {
            text: 'counts_sum_inv',
            value: ({ counts_sum_inv }) => counts_sum_inv,
            instead: [['counts_sum', ({ counts_sum }) => counts_sum]],
          },
          upstream('dprobs'),
        ]),
      ),
      through(
        'counts_sum',
        single(({ counts, dcounts_sum }) => Tensor.onesLike(counts).mul(dcounts_sum)),
      ),
    ],
  },
  dnorm_logits: {
    rule: 'The derivative of exp is exp itself: multiply its output, counts, by the gradient above.',
    formula: 'dnorm_logits = counts · dcounts',
    branches: [
      product([
        {
          text: 'counts',
          role: 'exp-derivative',
          value: ({ counts }) => counts,
          instead: [
            [
              { id: 'exchanged', found: 'norm_logits', expected: 'counts', confusion: 'input-for-output' },
              ({ norm_logits }) => norm_logits,
            ],
            [{ id: 'exchanged', found: 'exp(counts)', expected: 'counts', confusion: 'exp-twice' }, ({ counts }) => counts.exp()],
            ['probs', ({ probs }) => probs],
            [{ id: 'divided', by: 'counts' }, ({ counts }) => counts.pow(-1)],
          ],
        },
        upstream('dcounts'),
      ]),
    ],
  },
  dlogit_maxes: {
    rule: 'logit_maxes [n,1] is subtracted from every entry of its row: a minus sign, and a sum along the row.',
    formula: 'dlogit_maxes = -Σ over the row of dnorm_logits',
    branches: [single(({ dnorm_logits }) => dnorm_logits.neg())],
    sum: OVER_ROW,
  },
  dlogits: {
    rule: 'logits is used twice: directly, and through its row maximum. The maximum passes its gradient to the entry that is the maximum, and to no other.',
    formula: 'dlogits = dnorm_logits + (dlogit_maxes at the row maximum, 0 elsewhere)',
    branches: [
      through(
        'norm_logits',
        single(({ dnorm_logits }) => dnorm_logits),
      ),
      through(
        'logit_maxes',
        single(
          (at) => atMaximum(at).mul(at.dlogit_maxes),
          [
            { id: 'misplaced', found: 'everywhere', expected: 'row-maximum' },
            ({ logits, dlogit_maxes }) => Tensor.onesLike(logits).mul(dlogit_maxes),
          ],
          [{ id: 'misplaced', found: 'target', expected: 'row-maximum' }, (at) => atTarget(at).mul(at.dlogit_maxes)],
        ),
      ),
    ],
  },
  dh: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dh = dlogits · W2ᵀ',
    branches: [
      matrixProduct(
        ({ dlogits }) => dlogits,
        ({ W2 }) => W2.T,
        [{ id: 'viewed', value: 'W2' }, ({ W2, dlogits }) => dlogits.matmul(viewedTransposed(W2))],
      ),
    ],
  },
  dW2: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes. It already sums over the batch.',
    formula: 'dW2 = hᵀ · dlogits',
    branches: [
      matrixProduct(
        ({ h }) => h.T,
        ({ dlogits }) => dlogits,
        [{ id: 'viewed', value: 'h' }, ({ h, dlogits }) => viewedTransposed(h).matmul(dlogits)],
        [{ id: 'exchanged', found: 'hpreact', expected: 'h' }, ({ hpreact, dlogits }) => hpreact.T.matmul(dlogits)],
      ),
    ],
  },
  db2: {
    rule: 'b2 [V] was broadcast over the batch: sum over the batch.',
    formula: 'db2 = Σ over the batch of dlogits',
    branches: [single(({ dlogits }) => dlogits)],
    sum: TO_VECTOR,
  },
  dhpreact: {
    rule: 'The derivative of tanh, in terms of its output, is 1 - h², times the gradient above.',
    formula: 'dhpreact = (1 - h²) · dh',
    branches: [
      product([
        {
          text: '1 - h²',
          role: 'tanh-derivative',
          value: ({ h }) => h.pow(2).neg().add(1),
          instead: [
            ['1 - h', ({ h }) => h.neg().add(1)],
            ['1 + h²', ({ h }) => h.pow(2).add(1)],
            [
              { id: 'exchanged', found: '1 - hpreact²', expected: '1 - h²', confusion: 'derivative-at-input' },
              ({ hpreact }) => hpreact.pow(2).neg().add(1),
            ],
            ['h²', ({ h }) => h.pow(2)],
            [{ id: 'exchanged', found: 'h · (1 - h)', expected: '1 - h²', confusion: 'sigmoid' }, ({ h }) => h.mul(h.neg().add(1))],
            [
              { id: 'exchanged', found: '1 - tanh(h)²', expected: '1 - h²', confusion: 'tanh-twice' },
              ({ h }) => h.tanh().pow(2).neg().add(1),
            ],
          ],
        },
        upstream('dh'),
      ]),
    ],
  },
  dbngain: {
    rule: 'bngain [1,H] multiplies bnraw and was broadcast over the batch: the other factor times the gradient above, summed over the batch.',
    formula: 'dbngain = Σ over the batch of bnraw · dhpreact',
    branches: [
      product([
        {
          text: 'bnraw',
          value: ({ bnraw }) => bnraw,
          instead: [
            ['hpreact', ({ hpreact }) => hpreact],
            ['bndiff', ({ bndiff }) => bndiff],
            ['hprebn', ({ hprebn }) => hprebn],
            ['h', ({ h }) => h],
          ],
        },
        neededUpstream('dhpreact'),
      ]),
    ],
    sum: OVER_BATCH,
  },
  dbnraw: {
    rule: 'In a product, the gradient of each factor is the other factor times the gradient above. bnraw was not broadcast, so there is no sum.',
    formula: 'dbnraw = bngain · dhpreact',
    branches: [
      product([
        {
          text: 'bngain',
          role: 'gain',
          value: ({ bngain }) => bngain,
          instead: [
            [{ id: 'divided', by: 'bngain' }, ({ bngain }) => bngain.pow(-1)],
            ['bnbias', ({ bnbias }) => bnbias],
            ['bnraw', ({ bnraw }) => bnraw],
          ],
        },
        upstream('dhpreact'),
      ]),
    ],
  },
  dbnbias: {
    rule: 'bnbias [1,H] is added to every row: sum over the batch.',
    formula: 'dbnbias = Σ over the batch of dhpreact',
    branches: [
      single(
        ({ dhpreact }) => dhpreact,
        [{ id: 'factor-extra', factor: 'bngain', role: 'gain' }, ({ bngain, dhpreact }) => bngain.mul(dhpreact)],
      ),
    ],
    sum: OVER_BATCH,
  },
  dbnvar_inv: {
    rule: 'bnvar_inv [1,H] multiplies bndiff and was broadcast over the batch: the other factor times the gradient above, summed over the batch.',
    formula: 'dbnvar_inv = Σ over the batch of bndiff · dbnraw',
    branches: [
      product([
        {
          text: 'bndiff',
          value: ({ bndiff }) => bndiff,
          instead: [
            ['bnraw', ({ bnraw }) => bnraw],
            ['hprebn', ({ hprebn }) => hprebn],
            ['bndiff2', ({ bndiff2 }) => bndiff2],
          ],
        },
        neededUpstream('dbnraw'),
      ]),
    ],
    sum: OVER_BATCH,
  },
  dbnvar: {
    rule: 'The derivative of (x + eps)^(-1/2) is -1/2 (x + eps)^(-3/2), times the gradient above; eps stays inside the power.',
    formula: 'dbnvar = -1/2 · (bnvar + 1e-5)^(-3/2) · dbnvar_inv',
    missingFactors: { '2': '1/2', '-2': '-1/2' },
    branches: [
      product([
        {
          text: '-1/2 (bnvar + 1e-5)^(-3/2)',
          role: 'power-derivative',
          value: ({ bnvar }) => bnvar.add(1e-5).pow(-1.5).mul(-0.5),
          instead: [
            [{ id: 'wrong-power', found: '-1/2', expected: '-3/2' }, ({ bnvar }) => bnvar.add(1e-5).pow(-0.5).mul(-0.5)],
            [{ id: 'wrong-power', found: '-1', expected: '-3/2' }, ({ bnvar }) => bnvar.add(1e-5).pow(-1).mul(-0.5)],
            [{ id: 'epsilon-missing' }, ({ bnvar }) => bnvar.pow(-1.5).mul(-0.5)],
            [{ id: 'epsilon-outside' }, ({ bnvar }) => bnvar.pow(-1.5).add(1e-5).mul(-0.5)],
            [
              { id: 'exchanged', found: 'bnvar_inv^(-3/2)', expected: '(bnvar + 1e-5)^(-3/2)' },
              ({ bnvar_inv }) => bnvar_inv.pow(-1.5).mul(-0.5),
            ],
          ],
        },
        upstream('dbnvar_inv'),
      ]),
    ],
  },
  dbndiff2: {
    rule: 'A sum passes its gradient to every entry that it adds; the factor 1/(n-1) stays. dbnvar [1,H] is broadcast to [n,H].',
    formula: 'dbndiff2 = 1/(n-1) · dbnvar, in every row',
    branches: [
      single(({ bndiff2, n, dbnvar }) =>
        Tensor.onesLike(bndiff2)
          .mul(dbnvar)
          .div(n - 1),
      ),
    ],
  },
  dbndiff: {
    rule: 'bndiff is used twice, in bnraw and in its square bndiff2: add both gradients. The derivative of x² is 2x.',
    formula: 'dbndiff = bnvar_inv · dbnraw + 2 · bndiff · dbndiff2',
    branches: [
      through(
        'bnraw',
        product([
          {
            text: 'bnvar_inv',
            value: ({ bnvar_inv }) => bnvar_inv,
            instead: [
              ['bnvar', ({ bnvar }) => bnvar],
              [{ id: 'divided', by: 'bnvar_inv' }, ({ bnvar_inv }) => bnvar_inv.pow(-1)],
            ],
          },
          upstream('dbnraw'),
        ]),
      ),
      through(
        'bndiff2',
        product([
          {
            text: 'bndiff',
            value: ({ bndiff }) => bndiff,
            instead: [
              ['bndiff2', ({ bndiff2 }) => bndiff2],
              ['bnraw', ({ bnraw }) => bnraw],
            ],
          },
          { text: '2', value: ({ bndiff }) => Tensor.onesLike(bndiff).mul(2), needed: true },
          upstream('dbndiff2'),
        ]),
      ),
    ],
  },
  dbnmeani: {
    rule: 'bnmeani [1,H] is subtracted from every row: a minus sign, and a sum over the batch.',
    formula: 'dbnmeani = -Σ over the batch of dbndiff',
    branches: [single(({ dbndiff }) => dbndiff.neg())],
    sum: OVER_BATCH,
  },
  dhprebn: {
    rule: 'hprebn is used twice, in bndiff and in the mean bnmeani, which takes 1/n of every row: add both gradients.',
    formula: 'dhprebn = dbndiff + 1/n · dbnmeani',
    branches: [
      through(
        'bndiff',
        single(({ dbndiff }) => dbndiff),
      ),
      through(
        'bnmeani',
        single(({ hprebn, n, dbnmeani }) => Tensor.onesLike(hprebn).mul(dbnmeani).div(n)),
      ),
    ],
  },
  dembact: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dembact = dhprebn · W1ᵀ',
    branches: [
      matrixProduct(
        ({ dhprebn }) => dhprebn,
        ({ W1 }) => W1.T,
        [{ id: 'viewed', value: 'W1' }, ({ W1, dhprebn }) => dhprebn.matmul(viewedTransposed(W1))],
      ),
    ],
  },
  dW1: {
    rule: 'The gradient of each factor of a matrix product is the gradient above times the transpose of the other factor, in the order that fits the shapes.',
    formula: 'dW1 = embactᵀ · dhprebn',
    branches: [
      matrixProduct(
        ({ embact }) => embact.T,
        ({ dhprebn }) => dhprebn,
        [{ id: 'viewed', value: 'embact' }, ({ embact, dhprebn }) => viewedTransposed(embact).matmul(dhprebn)],
        [
          { id: 'exchanged', found: 'dhpreact', expected: 'dhprebn', confusion: 'batch-norm-skipped' },
          ({ embact, dhpreact }) => embact.T.matmul(dhpreact),
        ],
      ),
    ],
  },
  db1: {
    rule: 'b1 [H] was broadcast over the batch: sum over the batch.',
    formula: 'db1 = Σ over the batch of dhprebn',
    branches: [
      single(
        ({ dhprebn }) => dhprebn,
        [{ id: 'exchanged', found: 'dhpreact', expected: 'dhprebn', confusion: 'batch-norm-skipped' }, ({ dhpreact }) => dhpreact],
      ),
    ],
    sum: TO_VECTOR,
  },
  demb: {
    rule: 'A view changes only the shape: view the gradient in the old shape.',
    formula: 'demb = dembact, viewed as [n,T,E]',
    branches: [
      single(
        ({ emb, dembact }) => dembact.view(emb.shape),
        [{ id: 'contexts-reversed' }, ({ emb, dembact }) => reversedContexts(dembact.view(emb.shape))],
      ),
    ],
  },
  dC: {
    rule: 'emb copies rows of C: add each row of demb to the row of dC that it came from. A row of C that is used several times gets the sum of all its gradients.',
    formula: 'dC[Xb[i,t]] += demb[i,t], from zeros',
    branches: [
      single(
        ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, demb),
        [{ id: 'rows-not-added', instead: 'last' }, (at) => lastRows(at)],
        [{ id: 'rows-not-added', instead: 'first' }, (at) => firstRows(at)],
        [{ id: 'rows-not-added', instead: 'mean' }, (at) => meanRows(at)],
        [{ id: 'contexts-reversed' }, ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, reversedContexts(demb))],
      ),
    ],
  },
};

/** a·b, with the given mistakes. */
function matrixProduct(a: Value, b: Value, ...variants: Parameters<typeof single>[1][]): Branch {
  return single((at) => a(at).matmul(b(at)), ...variants);
}

/** dC with the rows of a repeated character combined in some other way than a sum. */
function rowsOfC(
  { C, Xb, demb }: ValuesAndGradients,
  combine: (row: number[], count: number, more: readonly number[]) => number[],
): Tensor {
  const E = C.shape[1];
  const out = Tensor.zerosLike(C);
  const counts = new Map<number, number>();
  for (const [i, character] of Array.from(Xb.data).entries()) {
    const at = character * E;
    const count = counts.get(character) ?? 0;
    const row = Array.from(out.data.subarray(at, at + E));
    out.data.set(combine(row, count, Array.from(demb.data.subarray(i * E, (i + 1) * E))), at);
    counts.set(character, count + 1);
  }
  return out;
}

const lastRows = (at: ValuesAndGradients): Tensor => rowsOfC(at, (_, __, more) => [...more]);
const firstRows = (at: ValuesAndGradients): Tensor => rowsOfC(at, (row, count, more) => (count === 0 ? [...more] : row));
const meanRows = (at: ValuesAndGradients): Tensor =>
  rowsOfC(at, (row, count, more) => row.map((x, e) => (x * count + more[e]) / (count + 1)));
