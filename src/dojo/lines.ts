/**
 * What the dojo knows of each gradient: its hints, and the parts it is made of, from which it tells what a wrong line did. A gradient is a sum
 * of branches (one for each place the tensor is used in), each a product of factors, summed over the dimension that was broadcast.
 */

import { Tensor } from '../core/tensor.js';
import { softmax } from '../lesson/exercise2.js';
import type { GradientName, LessonGradients, LessonValues } from '../lesson/values.js';

export type At = LessonValues & LessonGradients;
type Value = (at: At) => Tensor;

export interface Variant {
  /** What was done in place of the right thing: completes "it looks as if …". */
  mistake: string;
  value: Value;
}

/** What one use of the tensor adds to its gradient, before broadcast dimensions are summed. */
export interface Branch {
  /** The use: completes "the branch through …"; empty where there is one only. */
  through: string;
  value: Value;
  variants: readonly Variant[];
}

export interface LineKnowledge {
  /** The rule behind the line, in a sentence. */
  rule: string;
  /** The line as a formula. */
  formula: string;
  branches: readonly Branch[];
  /** What people multiply every branch by, or leave out of every one. */
  scaled?: readonly { mistake: string; by: Value }[];
  /** The dimension that was broadcast, and so is summed; and whether it stays, with size 1. */
  sum?: { dim: 0 | 1; keepdim: boolean };
}

interface Factor {
  /** Completes "… is left out". */
  name: string;
  value: Value;
  /** What people write in its place. */
  instead?: readonly (readonly [mistake: string, value: Value])[];
  /** A line without this factor is said to be something else. */
  needed?: boolean;
}

/** A branch that is a product of factors, entry by entry: with each of them left out, or exchanged. */
function product(through: string, factors: readonly Factor[]): Branch {
  const times =
    (values: readonly Value[]): Value =>
    (at) =>
      values.map((value) => value(at)).reduce((a, b) => a.mul(b));
  const values = factors.map(({ value }) => value);
  const variants = factors.flatMap(({ name, instead = [], needed }, i) => [
    ...(needed || factors.length === 1 ? [] : [{ mistake: `${name} is left out`, value: times(values.filter((_, k) => k !== i)) }]),
    ...instead.map(([mistake, value]) => ({ mistake, value: times(values.map((other, k) => (k === i ? value : other))) })),
  ]);
  return { through, value: times(values), variants };
}

/** A branch that is one value. */
function single(through: string, value: Value, ...variants: (readonly [mistake: string, value: Value])[]): Branch {
  return { through, value, variants: variants.map(([mistake, variant]) => ({ mistake, value: variant })) };
}

const upstream = (name: GradientName): Factor => ({ name: `the gradient above, ${name},`, value: (at) => at[name] });

/** Beside a factor whose sum over the batch is 0: left out, the line would be 0. */
const neededUpstream = (name: GradientName): Factor => ({ ...upstream(name), needed: true });

/** a·b, and what people write when they mix up the transpose. */
function matrixProduct(a: Value, b: Value, ...variants: (readonly [mistake: string, value: Value])[]): Branch {
  return single('', (at) => a(at).matmul(b(at)), ...variants);
}

const reshaped = (x: Tensor): Tensor => x.view([x.shape[1], x.shape[0]]);
const maximum = ({ logits }: At): Tensor => Tensor.oneHot(logits.max(1).indices, logits.shape[1], logits.dtype);
const target = ({ Yb, logits }: At): Tensor => Tensor.oneHot(Yb, logits.shape[1], logits.dtype);
const ones = (like: Tensor): Tensor => Tensor.onesLike(like);

const OVER_ROW = { dim: 1, keepdim: true } as const;
const OVER_BATCH = { dim: 0, keepdim: true } as const;
const VECTOR = { dim: 0, keepdim: false } as const;

/** Exercise 1, in backward order. */
export const LINES: Record<GradientName, LineKnowledge> = {
  dlogprobs: {
    rule: 'The loss is a mean over n examples, and reads one entry of each row: the one at the target. All others do not touch it.',
    formula: 'dlogprobs = -1/n at the targets Yb, 0 elsewhere',
    branches: [
      single(
        '',
        (at) => target(at).div(-at.n),
        ['the entries are at the row maximum, not at the target', (at) => maximum(at).div(-at.n)],
        ['every entry has a gradient, not the target alone', ({ logits, n }) => ones(logits).div(-n)],
      ),
    ],
  },
  dprobs: {
    rule: 'The derivative of log x is 1/x, entry by entry, times the gradient above.',
    formula: 'dprobs = 1/probs · dlogprobs',
    branches: [
      product('', [
        {
          name: 'the derivative of the logarithm, 1/probs,',
          value: ({ probs }) => probs.pow(-1),
          instead: [
            ['it is multiplied by probs, not divided', ({ probs }) => probs],
            ['1/logprobs stands for 1/probs: the derivative is taken at the output', ({ logprobs }) => logprobs.pow(-1)],
            ['log(probs) stands for its derivative', ({ logprobs }) => logprobs],
            ['1/probs² stands for 1/probs', ({ probs }) => probs.pow(-2)],
          ],
        },
        upstream('dlogprobs'),
      ]),
    ],
  },
  dcounts_sum_inv: {
    rule: 'In a product, each factor gets the other one times the gradient above. counts_sum_inv [n,1] was broadcast along the row: sum along the row.',
    formula: 'dcounts_sum_inv = Σ over the row of counts · dprobs',
    branches: [
      product('', [
        {
          name: 'counts',
          value: ({ counts }) => counts,
          instead: [
            ['probs stands for counts', ({ probs }) => probs],
            ['norm_logits stands for counts', ({ norm_logits }) => norm_logits],
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
      product('', [
        {
          name: 'the derivative of the power, -counts_sum^(-2),',
          value: ({ counts_sum }) => counts_sum.pow(-2).neg(),
          instead: [
            ['the power is -1, not -2', ({ counts_sum }) => counts_sum.pow(-1).neg()],
            ['the power is 2, not -2', ({ counts_sum }) => counts_sum.pow(2).neg()],
            ['the power is -3, not -2', ({ counts_sum }) => counts_sum.pow(-3).neg()],
          ],
        },
        upstream('dcounts_sum_inv'),
      ]),
    ],
  },
  dcounts: {
    rule: 'counts is used twice, in probs and in counts_sum: both gradients are added. A sum hands its gradient to every entry it added.',
    formula: 'dcounts = counts_sum_inv · dprobs + dcounts_sum, along the row',
    branches: [
      product('probs', [
        {
          name: 'counts_sum_inv',
          value: ({ counts_sum_inv }) => counts_sum_inv,
          instead: [['counts_sum stands for counts_sum_inv', ({ counts_sum }) => counts_sum]],
        },
        upstream('dprobs'),
      ]),
      single('counts_sum', ({ counts, dcounts_sum }) => ones(counts).mul(dcounts_sum)),
    ],
  },
  dnorm_logits: {
    rule: 'exp is its own derivative, so the output counts is the factor.',
    formula: 'dnorm_logits = counts · dcounts',
    branches: [
      product('', [
        {
          name: 'the derivative of exp, counts,',
          value: ({ counts }) => counts,
          instead: [
            ['norm_logits, the input, stands for its exponential', ({ norm_logits }) => norm_logits],
            ['exp is applied twice: counts has it already', ({ counts }) => counts.exp()],
            ['probs stands for counts', ({ probs }) => probs],
            ['it is divided by counts, not multiplied', ({ counts }) => counts.pow(-1)],
          ],
        },
        upstream('dcounts'),
      ]),
    ],
  },
  dlogit_maxes: {
    rule: 'logit_maxes [n,1] is subtracted from every entry of its row: minus, and summed along the row.',
    formula: 'dlogit_maxes = -Σ over the row of dnorm_logits',
    branches: [single('', ({ dnorm_logits }) => dnorm_logits.neg())],
    sum: OVER_ROW,
  },
  dlogits: {
    rule: 'logits is used twice: directly, and through its row maximum. The maximum hands its gradient to the entry that attained it, and to no other.',
    formula: 'dlogits = dnorm_logits + (dlogit_maxes at the row maximum, 0 elsewhere)',
    branches: [
      single('norm_logits', ({ dnorm_logits }) => dnorm_logits),
      single(
        'logit_maxes',
        (at) => maximum(at).mul(at.dlogit_maxes),
        ["the maximum's gradient goes to every entry of the row", ({ logits, dlogit_maxes }) => ones(logits).mul(dlogit_maxes)],
        ["the maximum's gradient goes to the target, not to the row maximum", (at) => target(at).mul(at.dlogit_maxes)],
      ),
    ],
  },
  dh: {
    rule: 'In a matrix product each factor gets the other one, transposed, times the gradient above; there is one order in which the shapes fit.',
    formula: 'dh = dlogits · W2ᵀ',
    branches: [
      matrixProduct(
        ({ dlogits }) => dlogits,
        ({ W2 }) => W2.T,
        ['W2 is viewed in the other shape: that is no transpose', ({ W2, dlogits }) => dlogits.matmul(reshaped(W2))],
      ),
    ],
  },
  dW2: {
    rule: 'In a matrix product each factor gets the other one, transposed, times the gradient above. The product sums over the batch by itself.',
    formula: 'dW2 = hᵀ · dlogits',
    branches: [
      matrixProduct(
        ({ h }) => h.T,
        ({ dlogits }) => dlogits,
        ['h is viewed in the other shape: that is no transpose', ({ h, dlogits }) => reshaped(h).matmul(dlogits)],
        ['hpreact stands for h', ({ hpreact, dlogits }) => hpreact.T.matmul(dlogits)],
      ),
    ],
  },
  db2: {
    rule: 'b2 [V] was broadcast over the batch: sum over the batch.',
    formula: 'db2 = Σ over the batch of dlogits',
    branches: [single('', ({ dlogits }) => dlogits)],
    sum: VECTOR,
  },
  dhpreact: {
    rule: 'The derivative of tanh, in terms of its output, is 1 - h².',
    formula: 'dhpreact = (1 - h²) · dh',
    branches: [
      product('', [
        {
          name: 'the derivative of tanh, 1 - h²,',
          value: ({ h }) => h.pow(2).neg().add(1),
          instead: [
            ['1 - h stands for 1 - h²', ({ h }) => h.neg().add(1)],
            ['1 + h² stands for 1 - h²', ({ h }) => h.pow(2).add(1)],
            ['1 - hpreact² stands for 1 - h²: the derivative is taken from the input', ({ hpreact }) => hpreact.pow(2).neg().add(1)],
            ['h² stands for 1 - h²', ({ h }) => h.pow(2)],
            ['h · (1 - h) stands for 1 - h²: that is the derivative of the sigmoid', ({ h }) => h.mul(h.neg().add(1))],
            ['tanh is applied twice before squaring', ({ h }) => h.tanh().pow(2).neg().add(1)],
          ],
        },
        upstream('dh'),
      ]),
    ],
  },
  dbngain: {
    rule: 'bngain [1,H] multiplies bnraw and was broadcast over the batch: the other factor, summed over the batch.',
    formula: 'dbngain = Σ over the batch of bnraw · dhpreact',
    branches: [
      product('', [
        {
          name: 'bnraw',
          value: ({ bnraw }) => bnraw,
          instead: [
            ['hpreact stands for bnraw', ({ hpreact }) => hpreact],
            ['bndiff stands for bnraw', ({ bndiff }) => bndiff],
            ['hprebn stands for bnraw', ({ hprebn }) => hprebn],
            ['h stands for bnraw', ({ h }) => h],
          ],
        },
        neededUpstream('dhpreact'),
      ]),
    ],
    sum: OVER_BATCH,
  },
  dbnraw: {
    rule: 'In a product, each factor gets the other one times the gradient above. bnraw was not broadcast, so nothing is summed.',
    formula: 'dbnraw = bngain · dhpreact',
    branches: [
      product('', [
        {
          name: 'the gain, bngain,',
          value: ({ bngain }) => bngain,
          instead: [
            ['it is divided by the gain, not multiplied', ({ bngain }) => bngain.pow(-1)],
            ['bnbias stands for bngain', ({ bnbias }) => bnbias],
            ['bnraw stands for bngain', ({ bnraw }) => bnraw],
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
      single('', ({ dhpreact }) => dhpreact, [
        'the gain is multiplied in, which does not touch the bias',
        ({ bngain, dhpreact }) => bngain.mul(dhpreact),
      ]),
    ],
    sum: OVER_BATCH,
  },
  dbnvar_inv: {
    rule: 'bnvar_inv [1,H] multiplies bndiff and was broadcast over the batch: the other factor, summed over the batch.',
    formula: 'dbnvar_inv = Σ over the batch of bndiff · dbnraw',
    branches: [
      product('', [
        {
          name: 'bndiff',
          value: ({ bndiff }) => bndiff,
          instead: [
            ['bnraw stands for bndiff', ({ bnraw }) => bnraw],
            ['hprebn stands for bndiff', ({ hprebn }) => hprebn],
            ['bndiff2 stands for bndiff', ({ bndiff2 }) => bndiff2],
          ],
        },
        neededUpstream('dbnraw'),
      ]),
    ],
    sum: OVER_BATCH,
  },
  dbnvar: {
    rule: 'The derivative of (x + eps)^(-1/2) is -1/2 (x + eps)^(-3/2); eps stays inside the power.',
    formula: 'dbnvar = -1/2 · (bnvar + 1e-5)^(-3/2) · dbnvar_inv',
    branches: [
      product('', [
        {
          name: 'the derivative of the power',
          value: ({ bnvar }) => bnvar.add(1e-5).pow(-1.5).mul(-0.5),
          instead: [
            ['the power is -1/2, not -3/2', ({ bnvar }) => bnvar.add(1e-5).pow(-0.5).mul(-0.5)],
            ['the power is -1, not -3/2', ({ bnvar }) => bnvar.add(1e-5).pow(-1).mul(-0.5)],
            ['eps is left out', ({ bnvar }) => bnvar.pow(-1.5).mul(-0.5)],
            ['eps is added behind the power, not inside', ({ bnvar }) => bnvar.pow(-1.5).add(1e-5).mul(-0.5)],
            ['bnvar_inv is raised to -3/2, not bnvar', ({ bnvar_inv }) => bnvar_inv.pow(-1.5).mul(-0.5)],
          ],
        },
        upstream('dbnvar_inv'),
      ]),
    ],
  },
  dbndiff2: {
    rule: 'A sum hands its gradient to every entry it added; the factor 1/(n-1) stays. dbnvar [1,H] becomes [n,H].',
    formula: 'dbndiff2 = 1/(n-1) · dbnvar, in every row',
    branches: [
      single('', ({ bndiff2, n, dbnvar }) =>
        ones(bndiff2)
          .mul(dbnvar)
          .div(n - 1),
      ),
    ],
  },
  dbndiff: {
    rule: 'bndiff is used twice, in bnraw and in its square bndiff2: both gradients are added. The derivative of x² is 2x.',
    formula: 'dbndiff = bnvar_inv · dbnraw + 2 · bndiff · dbndiff2',
    branches: [
      product('bnraw', [
        {
          name: 'bnvar_inv',
          value: ({ bnvar_inv }) => bnvar_inv,
          instead: [
            ['bnvar stands for bnvar_inv', ({ bnvar }) => bnvar],
            ['it is divided by bnvar_inv, not multiplied', ({ bnvar_inv }) => bnvar_inv.pow(-1)],
          ],
        },
        upstream('dbnraw'),
      ]),
      product('bndiff2', [
        {
          name: 'bndiff',
          value: ({ bndiff }) => bndiff,
          instead: [
            ['bndiff2 stands for bndiff', ({ bndiff2 }) => bndiff2],
            ['bnraw stands for bndiff', ({ bnraw }) => bnraw],
          ],
        },
        { name: 'the factor 2', value: ({ bndiff }) => ones(bndiff).mul(2), needed: true },
        upstream('dbndiff2'),
      ]),
    ],
  },
  dbnmeani: {
    rule: 'bnmeani [1,H] is subtracted from every row: minus, and summed over the batch.',
    formula: 'dbnmeani = -Σ over the batch of dbndiff',
    branches: [single('', ({ dbndiff }) => dbndiff.neg())],
    sum: OVER_BATCH,
  },
  dhprebn: {
    rule: 'hprebn is used twice: in bndiff, and through the mean bnmeani, which takes 1/n of every row.',
    formula: 'dhprebn = dbndiff + 1/n · dbnmeani',
    branches: [
      single('bndiff', ({ dbndiff }) => dbndiff),
      single('bnmeani', ({ hprebn, n, dbnmeani }) => ones(hprebn).mul(dbnmeani).div(n)),
    ],
  },
  dembact: {
    rule: 'In a matrix product each factor gets the other one, transposed, times the gradient above.',
    formula: 'dembact = dhprebn · W1ᵀ',
    branches: [
      matrixProduct(
        ({ dhprebn }) => dhprebn,
        ({ W1 }) => W1.T,
        ['W1 is viewed in the other shape: that is no transpose', ({ W1, dhprebn }) => dhprebn.matmul(reshaped(W1))],
      ),
    ],
  },
  dW1: {
    rule: 'In a matrix product each factor gets the other one, transposed, times the gradient above.',
    formula: 'dW1 = embactᵀ · dhprebn',
    branches: [
      matrixProduct(
        ({ embact }) => embact.T,
        ({ dhprebn }) => dhprebn,
        ['embact is viewed in the other shape: that is no transpose', ({ embact, dhprebn }) => reshaped(embact).matmul(dhprebn)],
        ['dhpreact stands for dhprebn: batch norm is passed over', ({ embact, dhpreact }) => embact.T.matmul(dhpreact)],
      ),
    ],
  },
  db1: {
    rule: 'b1 [H] was broadcast over the batch: sum over the batch.',
    formula: 'db1 = Σ over the batch of dhprebn',
    branches: [
      single('', ({ dhprebn }) => dhprebn, ['dhpreact stands for dhprebn: batch norm is passed over', ({ dhpreact }) => dhpreact]),
    ],
    sum: VECTOR,
  },
  demb: {
    rule: 'A view changes the shape and nothing else: the gradient is viewed back.',
    formula: 'demb = dembact, viewed as [n,T,E]',
    branches: [
      single('', ({ emb, dembact }) => dembact.view(emb.shape), [
        'the positions of the context are in reversed order',
        ({ emb, dembact }) => reversePositions(dembact.view(emb.shape)),
      ]),
    ],
  },
  dC: {
    rule: 'emb takes rows of C: each row of demb is added to the row of C it came from, and a character that occurs several times collects all of them.',
    formula: 'dC[Xb[i,t]] += demb[i,t], from zeros',
    branches: [
      single(
        '',
        ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, demb),
        ['= stands where += belongs: of a character that occurs several times, only the last row is kept', (at) => lastRows(at)],
        ['of a character that occurs several times, only the first row is kept', (at) => firstRows(at)],
        ['rows of a character that occurs several times are averaged', (at) => meanRows(at)],
        [
          'the positions of the context are in reversed order',
          ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, reversePositions(demb)),
        ],
      ),
    ],
  },
};

/** What Exercises 2 and 3 ask for in one expression, as sums of the same kind. */
export const CLOSED_LINES: Record<'dlogits' | 'dhprebn', LineKnowledge> = {
  dlogits: {
    rule: 'The derivative of log Σ exp is the softmax; that of the target logit is 1 at the target. The mean divides by n.',
    formula: 'dlogits = (softmax(logits) - one-hot of Yb) / n',
    branches: [
      single(
        'the softmax',
        ({ logits, n }) => softmax(logits).div(n),
        ['the softmax runs over the batch, not along the row', ({ logits, n }) => softmax(logits.T).T.div(n)],
        [
          'the exponentials are not divided by their sum: no softmax',
          ({ logits, n }) =>
            logits
              .sub(logits.max(1, { keepdim: true }).values)
              .exp()
              .div(n),
        ],
      ),
      single('the target: minus one-hot', (at) => target(at).div(-at.n), [
        '1 is subtracted at the row maximum, not at the target',
        (at) => maximum(at).div(-at.n),
      ]),
    ],
  },
  dhprebn: {
    rule: 'hprebn reaches bnraw directly, through the mean and through the variance: three terms, with bngain · bnvar_inv / n taken out.',
    formula: 'dhprebn = bngain · bnvar_inv / n · (n · dhpreact - Σ dhpreact - n/(n-1) · bnraw · Σ dhpreact · bnraw)',
    branches: [
      product('dhpreact itself', [
        { name: 'the gain, bngain,', value: ({ bngain }) => bngain },
        { name: 'bnvar_inv', value: ({ bnvar_inv }) => bnvar_inv },
        upstream('dhpreact'),
      ]),
      single('the mean', ({ bngain, bnvar_inv, dhpreact, n }) =>
        ones(dhpreact)
          .mul(bngain)
          .mul(bnvar_inv)
          .mul(dhpreact.sum(0, { keepdim: true }))
          .div(-n),
      ),
      single('the variance', ({ bngain, bnvar_inv, bnraw, dhpreact, n }) =>
        bnraw
          .mul(bngain)
          .mul(bnvar_inv)
          .mul(dhpreact.mul(bnraw).sum(0, { keepdim: true }))
          .div(-(n - 1)),
      ),
    ],
    scaled: [
      { mistake: 'the gain, bngain, is left out', by: ({ bngain }) => bngain.pow(-1) },
      { mistake: 'bnvar_inv is left out', by: ({ bnvar_inv }) => bnvar_inv.pow(-1) },
      { mistake: 'bnvar_inv is squared', by: ({ bnvar_inv }) => bnvar_inv },
      { mistake: 'bnvar stands for bnvar_inv', by: ({ bnvar, bnvar_inv }) => bnvar.div(bnvar_inv) },
    ],
  },
};

function rowsOfC({ C, Xb, demb }: At, combine: (row: number[], count: number, more: readonly number[]) => number[]): Tensor {
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

const lastRows = (at: At): Tensor => rowsOfC(at, (_, __, more) => [...more]);
const firstRows = (at: At): Tensor => rowsOfC(at, (row, count, more) => (count === 0 ? [...more] : row));
const meanRows = (at: At): Tensor => rowsOfC(at, (row, count, more) => row.map((x, e) => (x * count + more[e]) / (count + 1)));

function reversePositions(demb: Tensor): Tensor {
  const [n, T, E] = demb.shape;
  const out = Tensor.zerosLike(demb);
  for (let i = 0; i < n * T; i++) {
    const from = Math.floor(i / T) * T + (T - 1 - (i % T));
    out.data.set(demb.data.subarray(from * E, (from + 1) * E), i * E);
  }
  return out;
}
