/**
 * The bank of planted mistakes. A gradient check is worth what it catches, so every mistake people make in these lines is
 * planted here, and the check must turn red at it.
 */
import type { Backend } from '../../src/backend/backend.js';
import type { ClosedForms } from '../../src/gradCheck/closedForms.js';
import * as batchNorm from '../../src/layers/batchNorm.js';
import * as embedding from '../../src/layers/embedding.js';
import { type CharacterGroups, embeddingTableBackward } from '../../src/layers/embeddingTable.js';
import { linearBackward, linearForward } from '../../src/layers/linear.js';
import * as tanh from '../../src/layers/tanh.js';
import type { GradientLine } from '../../src/lesson/exercise1.js';
import { softmax } from '../../src/lesson/exercise2.js';
import type { GradientName } from '../../src/lesson/values.js';
import { type FloatArray, Tensor } from '../../src/tensor.js';

/** A mistake in one atomic gradient line; the line's own row must turn red. */
export interface LineMutant {
  line: GradientName;
  mistake: string;
  planted: GradientLine;
  /** Why differences of the loss cannot see it, so that only the local check does. */
  invisibleEndToEnd?: string;
}

const inLine = (line: GradientName, mistake: string, planted: GradientLine, invisibleEndToEnd?: string): LineMutant => ({
  line,
  mistake,
  planted,
  ...(invisibleEndToEnd === undefined ? {} : { invisibleEndToEnd }),
});

const KEEP = { keepdim: true };
/** The softmax does not feel a shift of all logits: dnorm_logits sums to zero in each row, and so dlogit_maxes is 0. */
const MAXES = 'dlogit_maxes is 0 end to end';
/** Batch norm does not feel a shift of a column: dhprebn sums to zero over the batch. */
const SHIFT = 'dhprebn sums to 0 over the batch end to end';

export const LINE_MUTANTS: readonly LineMutant[] = [
  inLine('dlogprobs', 'sign forgotten', ({ logprobs, Yb, n }) => Tensor.oneHot(Yb, logprobs.shape[1], 'float64').div(n)),
  inLine('dlogprobs', 'no division by n', ({ logprobs, Yb }) => Tensor.oneHot(Yb, logprobs.shape[1], 'float64').neg()),
  inLine('dlogprobs', 'n - 1 for n', ({ logprobs, Yb, n }) => Tensor.oneHot(Yb, logprobs.shape[1], 'float64').div(-(n - 1))),
  inLine('dlogprobs', 'at the maximum, not at the target', ({ logprobs, n }) =>
    Tensor.oneHot(logprobs.max(1).indices, logprobs.shape[1], 'float64').div(-n),
  ),

  inLine('dprobs', 'derivative of the logarithm left out', ({ dlogprobs }) => dlogprobs),
  inLine('dprobs', 'times probs for divided by', ({ probs, dlogprobs }) => probs.mul(dlogprobs)),
  inLine('dprobs', 'derivative from the output', ({ logprobs, dlogprobs }) => logprobs.pow(-1).mul(dlogprobs)),

  inLine('dcounts_sum_inv', 'sum over the row forgotten', ({ counts, dprobs }) => counts.mul(dprobs)),
  inLine('dcounts_sum_inv', 'averaged over the row', ({ counts, dprobs }) => counts.mul(dprobs).mean(1, KEEP)),
  inLine('dcounts_sum_inv', 'summed over the batch', ({ counts, dprobs }) => counts.mul(dprobs).sum(0, KEEP)),
  inLine('dcounts_sum_inv', 'counts left out', ({ dprobs }) => dprobs.sum(1, KEEP)),
  inLine('dcounts_sum_inv', 'shape [n] for [n,1]', ({ counts, dprobs }) => counts.mul(dprobs).sum(1)),

  inLine('dcounts_sum', 'sign forgotten', ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-2).mul(dcounts_sum_inv)),
  inLine('dcounts_sum', 'power -1 for -2', ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-1).neg().mul(dcounts_sum_inv)),

  inLine('dcounts', 'branch through counts_sum forgotten', ({ counts_sum_inv, dprobs }) => counts_sum_inv.mul(dprobs)),
  inLine('dcounts', 'branch through probs forgotten', ({ counts, dcounts_sum }) => Tensor.onesLike(counts).mul(dcounts_sum)),
  inLine('dcounts', 'branch through counts_sum twice', ({ counts_sum_inv, dprobs, dcounts_sum }) =>
    counts_sum_inv.mul(dprobs).add(dcounts_sum).add(dcounts_sum),
  ),
  inLine('dcounts', 'sum taken for a mean', ({ counts_sum_inv, counts, dprobs, dcounts_sum }) =>
    counts_sum_inv.mul(dprobs).add(dcounts_sum.div(counts.shape[1])),
  ),

  inLine('dnorm_logits', 'derivative of exp left out', ({ dcounts }) => dcounts),
  inLine('dnorm_logits', 'derivative from the input', ({ norm_logits, dcounts }) => norm_logits.mul(dcounts)),

  inLine('dlogit_maxes', 'sign forgotten', ({ dnorm_logits }) => dnorm_logits.sum(1, KEEP), MAXES),
  inLine('dlogit_maxes', 'averaged over the row', ({ dnorm_logits }) => dnorm_logits.neg().mean(1, KEEP), MAXES),
  inLine('dlogit_maxes', 'sum over the row forgotten', ({ dnorm_logits }) => dnorm_logits.neg()),
  inLine('dlogit_maxes', 'shape [n] for [n,1]', ({ dnorm_logits }) => dnorm_logits.neg().sum(1)),

  inLine('dlogits', 'branch through the maximum forgotten', ({ dnorm_logits }) => dnorm_logits, MAXES),
  inLine('dlogits', "maximum's gradient to every logit", ({ dnorm_logits, dlogit_maxes }) => dnorm_logits.add(dlogit_maxes), MAXES),
  inLine(
    'dlogits',
    "maximum's gradient to the target",
    ({ Yb, logits, dnorm_logits, dlogit_maxes }) => dnorm_logits.add(Tensor.oneHot(Yb, logits.shape[1]).mul(dlogit_maxes)),
    MAXES,
  ),
  inLine('dlogits', 'direct branch forgotten', ({ logits, dlogit_maxes }) =>
    Tensor.oneHot(logits.max(1).indices, logits.shape[1]).mul(dlogit_maxes),
  ),

  inLine('dh', 'sign', ({ W2, dlogits }) => dlogits.matmul(W2.T).neg()),
  inLine('dh', 'W2 not transposed', ({ W2, dlogits }) => dlogits.matmul(W2)),
  inLine('dh', 'W2 viewed for transposed', ({ W2, dlogits }) => dlogits.matmul(W2.view([W2.shape[1], W2.shape[0]]))),
  inLine('dh', 'divided by n', ({ W2, dlogits, n }) => dlogits.matmul(W2.T).div(n)),

  inLine('dW2', 'averaged over the batch', ({ h, dlogits, n }) => h.T.matmul(dlogits).div(n)),
  inLine('dW2', 'transposed', ({ h, dlogits }) => dlogits.T.matmul(h)),
  inLine('dW2', 'hpreact for h', ({ hpreact, dlogits }) => hpreact.T.matmul(dlogits)),
  inLine('dW2', 'h viewed for transposed', ({ h, dlogits }) => h.view([h.shape[1], h.shape[0]]).matmul(dlogits)),

  inLine('db2', 'averaged over the batch', ({ dlogits }) => dlogits.mean(0)),
  inLine('db2', 'sum forgotten', ({ dlogits }) => dlogits),
  inLine('db2', 'summed over the row', ({ dlogits }) => dlogits.sum(1)),
  inLine('db2', 'shape [1,V] for [V]', ({ dlogits }) => dlogits.sum(0, KEEP)),

  inLine('dhpreact', '1 - h for 1 - h²', ({ h, dh }) => h.neg().add(1).mul(dh)),
  inLine('dhpreact', 'derivative of tanh left out', ({ dh }) => dh),
  inLine('dhpreact', 'derivative from the input', ({ hpreact, dh }) => hpreact.pow(2).neg().add(1).mul(dh)),
  inLine('dhpreact', '1 + h² for 1 - h²', ({ h, dh }) => h.pow(2).add(1).mul(dh)),

  inLine('dbngain', 'bnraw left out', ({ dhpreact }) => dhpreact.sum(0, KEEP)),
  inLine('dbngain', 'hpreact for bnraw', ({ hpreact, dhpreact }) => hpreact.mul(dhpreact).sum(0, KEEP)),
  inLine('dbngain', 'averaged over the batch', ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).mean(0, KEEP)),
  inLine('dbngain', 'sum forgotten', ({ bnraw, dhpreact }) => bnraw.mul(dhpreact)),
  inLine('dbngain', 'shape [H] for [1,H]', ({ bnraw, dhpreact }) => bnraw.mul(dhpreact).sum(0)),

  inLine('dbnraw', 'gain forgotten', ({ dhpreact }) => dhpreact),
  inLine('dbnraw', 'divided by the gain', ({ bngain, dhpreact }) => dhpreact.div(bngain)),
  inLine('dbnraw', 'bias for gain', ({ bnbias, dhpreact }) => bnbias.mul(dhpreact)),

  inLine('dbnbias', 'averaged over the batch', ({ dhpreact }) => dhpreact.mean(0, KEEP)),
  inLine('dbnbias', 'times the gain', ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP)),
  inLine('dbnbias', 'shape [H] for [1,H]', ({ dhpreact }) => dhpreact.sum(0)),

  inLine('dbnvar_inv', 'bnraw for bndiff', ({ bnraw, dbnraw }) => bnraw.mul(dbnraw).sum(0, KEEP)),
  inLine('dbnvar_inv', 'averaged over the batch', ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).mean(0, KEEP)),
  inLine('dbnvar_inv', 'shape [H] for [1,H]', ({ bndiff, dbnraw }) => bndiff.mul(dbnraw).sum(0)),

  inLine('dbnvar', 'sign forgotten', ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(0.5).mul(dbnvar_inv)),
  inLine('dbnvar', 'factor 1/2 forgotten', ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).neg().mul(dbnvar_inv)),
  inLine('dbnvar', 'power -1/2 for -3/2', ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-0.5).mul(-0.5).mul(dbnvar_inv)),
  inLine('dbnvar', 'epsilon forgotten', ({ bnvar, dbnvar_inv }) => bnvar.pow(-1.5).mul(-0.5).mul(dbnvar_inv)),
  inLine('dbnvar', 'epsilon added behind the power', ({ bnvar, dbnvar_inv }) => bnvar.pow(-1.5).add(1e-5).mul(-0.5).mul(dbnvar_inv)),

  inLine('dbndiff2', 'n for n - 1', ({ bndiff2, n, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar.div(n))),
  inLine('dbndiff2', 'divided by n + 1', ({ bndiff2, n, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar.div(n + 1))),
  inLine('dbndiff2', 'not broadcast over the batch', ({ n, dbnvar }) => dbnvar.div(n - 1)),

  inLine('dbndiff', 'branch through the variance forgotten', ({ bnvar_inv, dbnraw }) => bnvar_inv.mul(dbnraw)),
  inLine('dbndiff', 'direct branch forgotten', ({ bndiff, dbndiff2 }) => bndiff.mul(2).mul(dbndiff2)),
  inLine('dbndiff', 'branch through the variance twice', ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) =>
    bnvar_inv.mul(dbnraw).add(bndiff.mul(4).mul(dbndiff2)),
  ),
  inLine('dbndiff', 'factor 2 forgotten', ({ bndiff, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bndiff.mul(dbndiff2))),
  inLine('dbndiff', 'bnraw for bndiff', ({ bnraw, bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(bnraw.mul(2).mul(dbndiff2))),

  inLine('dbnmeani', 'sign forgotten', ({ dbndiff }) => dbndiff.sum(0, KEEP)),
  inLine('dbnmeani', 'averaged over the batch', ({ dbndiff }) => dbndiff.neg().mean(0, KEEP)),
  inLine('dbnmeani', "shape [H] for [1,H], as in the lecture's own solution", ({ dbndiff }) => dbndiff.neg().sum(0)),

  inLine('dhprebn', 'branch through the mean forgotten', ({ dbndiff }) => dbndiff),
  inLine('dhprebn', 'branch through the mean twice', ({ n, dbndiff, dbnmeani }) => dbndiff.add(dbnmeani.mul(2 / n))),
  inLine('dhprebn', 'no division by n', ({ dbndiff, dbnmeani }) => dbndiff.add(dbnmeani)),
  inLine('dhprebn', 'n - 1 for n', ({ n, dbndiff, dbnmeani }) => dbndiff.add(dbnmeani.mul(1 / (n - 1)))),
  inLine('dhprebn', 'direct branch forgotten', ({ n, hprebn, dbnmeani }) => Tensor.onesLike(hprebn).mul(dbnmeani.div(n))),

  inLine('dembact', 'sign', ({ W1, dhprebn }) => dhprebn.matmul(W1.T).neg()),
  inLine('dembact', 'W1 viewed for transposed', ({ W1, dhprebn }) => dhprebn.matmul(W1.view([W1.shape[1], W1.shape[0]]))),

  inLine('dW1', 'averaged over the batch', ({ embact, dhprebn, n }) => embact.T.matmul(dhprebn).div(n)),
  inLine('dW1', 'transposed', ({ embact, dhprebn }) => dhprebn.T.matmul(embact)),
  inLine('dW1', 'hpreact gradient for hprebn gradient', ({ embact, dhpreact }) => embact.T.matmul(dhpreact)),

  inLine('db1', 'sign', ({ dhprebn }) => dhprebn.sum(0).neg(), SHIFT),
  inLine('db1', 'averaged over the batch', ({ dhprebn }) => dhprebn.mean(0), SHIFT),
  inLine('db1', 'hpreact gradient for hprebn gradient', ({ dhpreact }) => dhpreact.sum(0)),
  inLine('db1', 'shape [1,H] for [H]', ({ dhprebn }) => dhprebn.sum(0, KEEP)),

  inLine('demb', 'contexts in reversed order', ({ emb, dembact }) => reversedContexts(dembact.view(emb.shape))),
  inLine('demb', 'transposed before the view', ({ emb, dembact }) => dembact.T.view(emb.shape)),
  inLine('demb', 'not viewed', ({ dembact }) => dembact),

  inLine('dC', "'=' for '+='", ({ C, Xb, demb }) => {
    const dC = Tensor.zerosLike(C);
    Xb.data.forEach((index, row) => {
      for (let e = 0; e < C.shape[1]; e++) dC.data[index * C.shape[1] + e] = demb.data[row * C.shape[1] + e];
    });
    return dC;
  }),
  inLine('dC', 'contexts in reversed order', ({ C, Xb, demb }) => Tensor.zerosLike(C).scatterAddRows(Xb, reversedContexts(demb))),
  inLine('dC', 'averaged over the batch', ({ C, Xb, demb, n }) => Tensor.zerosLike(C).scatterAddRows(Xb, demb.div(n))),
];

/** demb [n,T,E] with t counted from the end. */
function reversedContexts(demb: Tensor): Tensor {
  const [n, T, E] = demb.shape;
  const order = Int32Array.from({ length: n * T }, (_, row) => row - (row % T) + (T - 1 - (row % T)));
  return demb
    .view([n * T, E])
    .gatherRows({ data: order, shape: [n * T] })
    .view(demb.shape);
}

/** A mistake in a closed form: both of its rows, against differences and against the atomic chain, must turn red. */
export type ClosedFormMutant = { [F in keyof ClosedForms]: { form: F; mistake: string; planted: ClosedForms[F] } }[keyof ClosedForms];

const hot = (Yb: { data: Int32Array; shape: readonly number[] }, logits: Tensor) => Tensor.oneHot(Yb, logits.shape[1], 'float64');

export const CLOSED_FORM_MUTANTS: readonly ClosedFormMutant[] = [
  { form: 'dlogits', mistake: 'no division by n', planted: ({ logits, Yb }) => softmax(logits).sub(hot(Yb, logits)) },
  {
    form: 'dlogits',
    mistake: 'n - 1 for n',
    planted: ({ logits, Yb, n }) =>
      softmax(logits)
        .sub(hot(Yb, logits))
        .div(n - 1),
  },
  { form: 'dlogits', mistake: 'softmax without minus one-hot', planted: ({ logits, n }) => softmax(logits).div(n) },
  { form: 'dlogits', mistake: 'sign of the one-hot', planted: ({ logits, Yb, n }) => softmax(logits).add(hot(Yb, logits)).div(n) },
  { form: 'dlogits', mistake: 'one-hot not divided', planted: ({ logits, Yb, n }) => softmax(logits).div(n).sub(hot(Yb, logits)) },
  { form: 'dlogits', mistake: 'softmax over the batch', planted: ({ logits, Yb, n }) => softmax(logits.T).T.sub(hot(Yb, logits)).div(n) },
  { form: 'dlogits', mistake: 'summed over the batch', planted: ({ logits, Yb, n }) => softmax(logits).sub(hot(Yb, logits)).div(n).sum(0) },
  ...batchNormMutants({
    'Bessel factor 1 for n/(n-1)': { bessel: () => 1 },
    'Bessel factor the other way up': { bessel: (n) => (n - 1) / n },
    'path through the variance dropped': { bessel: () => 0 },
    'sign of the path through the variance': { bessel: (n) => -n / (n - 1) },
    'path through the mean dropped': { mean: () => 0 },
    'mean not divided by n': { mean: (n) => n },
    'statistics as constants': { bessel: () => 0, mean: () => 0 },
    'gain forgotten': { scale: ({ bnvar_inv }) => bnvar_inv },
    'bnvar_inv forgotten': { scale: ({ bngain }) => bngain },
    'bnvar_inv squared': { scale: ({ bngain, bnvar_inv }) => bngain.mul(bnvar_inv.pow(2)) },
  }),
];

/** dhprebn with one factor of it exchanged. */
function batchNormMutants(
  mistakes: Record<
    string,
    { bessel?: (n: number) => number; mean?: (n: number) => number; scale?: (at: { bngain: Tensor; bnvar_inv: Tensor }) => Tensor }
  >,
): ClosedFormMutant[] {
  return Object.entries(mistakes).map(([mistake, { bessel = (n: number) => n / (n - 1), mean = () => 1, scale }]) => ({
    form: 'dhprebn',
    mistake,
    planted: ({ bngain, bnraw, bnvar_inv, n, dhpreact }) =>
      (scale?.({ bngain, bnvar_inv }) ?? bngain.mul(bnvar_inv)).div(n).mul(
        dhpreact
          .mul(n)
          .sub(dhpreact.sum(0).mul(mean(n)))
          .sub(bnraw.mul(bessel(n)).mul(dhpreact.mul(bnraw).sum(0))),
      ),
  }));
}

/**
 * The layers one by one. A kernel may have two of them as one (batch norm and tanh, embedding and linear): there the mistake is
 * planted in the plain functions, and the two are put together from them.
 */
type PlainLayers = Omit<Backend, 'batchNormTanhForward' | 'batchNormTanhBackward'> &
  Pick<typeof batchNorm, 'batchNormForward' | 'batchNormBackward'> &
  Pick<typeof tanh, 'tanhForward' | 'tanhBackward'>;

/** A mistake in one function of a backend. */
export interface BackendMutant {
  layer: string;
  mistake: string;
  /** The correct functions come in, the wrong one goes out. */
  plant: (correct: PlainLayers) => Partial<PlainLayers>;
  /** The batch sizes at which the model calls the function; all, if not said. */
  batches?: readonly number[];
  /** Exactly these rows of checkModel turn red. */
  red: readonly string[];
  /** Where checkBackend turns red first, in backward order: the function's own output. */
  first: string;
}

// What depends on the gradient of the logits, of hpreact, of hprebn. db1 is 0 as long as batch norm's backward pass cancels.
const FROM_HPREBN = ['dC', 'dW1'];
const FROM_HPREACT = ['dC', 'dW1', 'dbngain', 'dbnbias'];
const FROM_LOGITS = ['dC', 'dW1', 'dbngain', 'dbnbias', 'dW2', 'db2'];

/** Context length of the networks that are checked: a mistake in the order of contexts has to know it. */
const T = 3;

const scale = (values: FloatArray, count: number, factor: number) => {
  for (let i = 0; i < count; i++) values[i] *= factor;
};

export const BACKEND_MUTANTS: readonly BackendMutant[] = [
  {
    layer: 'embeddingBackward',
    mistake: "'=' for '+='",
    plant: () => ({
      embeddingBackward: (dC, demb, Xb, rows, E) => {
        for (let r = 0; r < rows; r++) for (let e = 0; e < E; e++) dC[Xb[r] * E + e] = demb[r * E + e];
      },
    }),
    red: ['dC'],
    first: 'dC',
  },
  {
    layer: 'embeddingBackward',
    mistake: 'contexts in reversed order',
    plant: () => ({
      embeddingBackward: (dC, demb, Xb, rows, E) => {
        const reversed = (r: number) => r - (r % T) + (T - 1 - (r % T));
        for (let r = 0; r < rows; r++) for (let e = 0; e < E; e++) dC[Xb[r] * E + e] += demb[reversed(r) * E + e];
      },
    }),
    red: ['dC'],
    first: 'dC',
  },
  {
    layer: 'embeddingForward',
    mistake: 'last number of each row left as it was',
    plant: () => ({
      embeddingForward: (emb, C, Xb, rows, E) => {
        for (let r = 0; r < rows; r++) for (let e = 0; e < E - 1; e++) emb[r * E + e] = C[Xb[r] * E + e];
      },
    }),
    red: ['dC'],
    first: 'loss',
  },
  {
    layer: 'embeddingTableBackward',
    mistake: "'=' for '+=': the last example with a character, not the sum",
    plant: () => ({
      embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, groups, n, T, E, H, V, D) => {
        const last = dhprebn.map((d, at) => {
          const i = Math.floor(at / H);
          const later = Array.from({ length: n - i - 1 }, (_, k) => i + 1 + k);
          return later.some((k) => groups.slots[k * T] === groups.slots[i * T]) ? 0 : d;
        });
        embeddingTableBackward(dC, dW1, db1, dtable, last, C, W1, groups, n, T, E, H, V, D);
      },
    }),
    red: [...FROM_HPREBN, 'db1'],
    first: 'dC',
    batches: [32],
  },
  {
    layer: 'embeddingTableBackward',
    mistake: 'the slots of position 0 at every position',
    plant: () => ({
      embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, groups, n, T, E, H, V, D) => {
        const slots = groups.slots.map((_, at) => groups.slots[at - (at % T)]);
        embeddingTableBackward(dC, dW1, db1, dtable, dhprebn, C, W1, { ...groups, slots }, n, T, E, H, V, D);
      },
    }),
    red: FROM_HPREBN,
    first: 'dC',
    batches: [32],
  },
  ...linearMutants(),
  ...batchNormBackwardMutants(),
  {
    layer: 'batchNormBackward',
    mistake: 'dbngain and dbnbias averaged over the batch',
    plant: ({ batchNormBackward }) => ({
      batchNormBackward: (dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H) => {
        batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
        scale(dbngain, H, 1 / n);
        scale(dbnbias, H, 1 / n);
      },
    }),
    red: ['dbngain', 'dbnbias'],
    first: 'dbngain',
  },
  {
    layer: 'batchNormForward',
    mistake: 'biased variance, n for n - 1',
    plant: ({ batchNormForward }) => ({
      batchNormForward: (hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) => {
        batchNormForward(hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
        for (let j = 0; j < H; j++) {
          const biased = 1 / Math.sqrt((1 / bnvar_inv[j] ** 2 - 1e-5) * ((n - 1) / n) + 1e-5);
          const factor = biased / bnvar_inv[j];
          bnvar_inv[j] = biased;
          for (let i = 0; i < n; i++) {
            bnraw[i * H + j] *= factor;
            hpreact[i * H + j] = bngain[j] * bnraw[i * H + j] + bnbias[j];
          }
        }
      },
    }),
    red: FROM_HPREBN,
    first: 'loss',
  },
  {
    layer: 'tanhBackward',
    mistake: '1 - h for 1 - h²',
    plant: () => ({
      tanhBackward: (dhpreact, dh, h, size) => {
        for (let i = 0; i < size; i++) dhpreact[i] = (1 - h[i]) * dh[i];
      },
    }),
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhBackward',
    mistake: 'derivative left out',
    plant: () => ({
      tanhBackward: (dhpreact, dh, _, size) => {
        for (let i = 0; i < size; i++) dhpreact[i] = dh[i];
      },
    }),
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhBackward',
    mistake: 'last entry of the array left as it was',
    plant: ({ tanhBackward }) => ({ tanhBackward: (dhpreact, dh, h, size) => tanhBackward(dhpreact, dh, h, size - 1) }),
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhForward',
    mistake: 'a rational approximation, good to 2 %',
    plant: () => ({
      tanhForward: (h, hpreact, size) => {
        for (let i = 0; i < size; i++) h[i] = (hpreact[i] * (27 + hpreact[i] ** 2)) / (27 + 9 * hpreact[i] ** 2);
      },
    }),
    red: FROM_HPREACT,
    first: 'loss',
  },
  {
    layer: 'crossEntropyBackward',
    mistake: 'no division by n',
    plant: ({ crossEntropyBackward }) => ({
      crossEntropyBackward: (dlogits, probs, Yb, n, V) => {
        crossEntropyBackward(dlogits, probs, Yb, n, V);
        scale(dlogits, n * V, n);
      },
    }),
    red: FROM_LOGITS,
    first: 'dlogits',
  },
  {
    layer: 'crossEntropyBackward',
    mistake: 'softmax without minus one-hot',
    plant: () => ({
      crossEntropyBackward: (dlogits, probs, _, n, V) => {
        for (let i = 0; i < n * V; i++) dlogits[i] = probs[i] / n;
      },
    }),
    red: FROM_LOGITS,
    first: 'dlogits',
  },
  {
    layer: 'crossEntropyForward',
    mistake: 'logarithm to base 2',
    plant: ({ crossEntropyForward }) => ({
      crossEntropyForward: (losses, probs, logits, Yb, n, V) => {
        crossEntropyForward(losses, probs, logits, Yb, n, V);
        scale(losses, n, 1 / Math.LN2);
      },
    }),
    red: FROM_LOGITS,
    first: 'loss',
  },
];

function linearMutants(): BackendMutant[] {
  const mutant = (mistake: string, red: readonly string[], first: string, planted: typeof linearBackward): BackendMutant => ({
    layer: 'linearBackward',
    mistake,
    plant: () => ({ linearBackward: planted }),
    red,
    first,
  });
  return [
    mutant('db averaged over the batch', ['db2'], 'db2', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      scale(db, O, 1 / n);
    }),
    mutant('dW averaged over the batch', ['dW1', 'dW2'], 'dW1', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      scale(dW, I * O, 1 / n);
    }),
    mutant('dW without the last row of the batch', ['dW1', 'dW2'], 'dW1', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      for (let k = 0; k < I; k++) for (let o = 0; o < O; o++) dW[k * O + o] -= x[(n - 1) * I + k] * dout[(n - 1) * O + o];
    }),
    mutant('W read as if it were transposed', FROM_HPREACT, 'dh', (dx, dW, db, dout, x, W, n, I, O) => {
      const viewed = W.map((_, at) => W[(at % O) * I + Math.floor(at / O)]);
      linearBackward(dx, dW, db, dout, x, viewed, n, I, O);
    }),
    mutant('dx without its last column', FROM_HPREACT, 'dh', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      for (let i = 0; i < n; i++) dx[i * I + I - 1] = 0;
    }),
    {
      layer: 'linearForward',
      mistake: 'bias forgotten',
      // Nothing depends on b2 then; b1 makes no difference with or without.
      plant: ({ floats, linearForward }) => ({
        linearForward: (out, x, W, _, n, I, O) => linearForward(out, x, W, floats(O), n, I, O),
      }),
      red: ['db2'],
      first: 'loss',
    },
  ];
}

/** The mistakes of the closed form again, in the layer. Those that break the cancelling make db1 differ from 0. */
function batchNormBackwardMutants(): BackendMutant[] {
  const mutant = (mistake: string, red: readonly string[], bessel: (n: number) => number, mean: number, gain = true): BackendMutant => ({
    layer: 'batchNormBackward',
    mistake,
    plant: ({ batchNormBackward }) => ({
      batchNormBackward: (dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H) => {
        batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
        for (let i = 0; i < n * H; i++) {
          const j = i % H;
          dhprebn[i] =
            (((gain ? bngain[j] : 1) * bnvar_inv[j]) / n) * (n * dhpreact[i] - mean * dbnbias[j] - bessel(n) * bnraw[i] * dbngain[j]);
        }
      },
    }),
    red,
    first: 'dhprebn',
  });
  const correct = (n: number) => n / (n - 1);
  return [
    mutant('Bessel factor 1 for n/(n-1)', FROM_HPREBN, () => 1, 1),
    mutant('path through the variance dropped', FROM_HPREBN, () => 0, 1),
    mutant('path through the mean dropped', [...FROM_HPREBN, 'db1'], correct, 0),
    mutant('statistics as constants', [...FROM_HPREBN, 'db1'], () => 0, 0),
    mutant('gain forgotten', FROM_HPREBN, correct, 1, false),
  ];
}

/** The backend with the mistake in it. */
export function withMistake(correct: Backend, { plant }: BackendMutant): Backend {
  const plain: PlainLayers = { ...correct, ...batchNorm, ...tanh, ...embedding, linearForward, linearBackward };
  const wrong = plant(plain);
  const layers = { ...plain, ...wrong };
  return {
    ...correct,
    ...layers,
    batchNormTanhForward: (h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) => {
      const hpreact = h.slice();
      layers.batchNormForward(hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
      layers.tanhForward(h, hpreact, n * H);
    },
    batchNormTanhBackward: (dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H) => {
      const dhpreact = dh.slice();
      layers.tanhBackward(dhpreact, dh, h, n * H);
      layers.batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
    },
    embeddingTableForward:
      wrong.embeddingTableForward ??
      ((hprebn, _table, C, W1, b1, groups, n, T, E, H, D) => {
        const emb = new Float64Array(n * T * E);
        layers.embeddingForward(emb, C, charactersOf(groups, n, T, D), n * T, E);
        layers.linearForward(hprebn, emb, W1, b1, n, T * E, H);
      }),
    embeddingTableBackward:
      wrong.embeddingTableBackward ??
      ((dC, dW1, db1, _table, dhprebn, C, W1, groups, n, T, E, _H, V, D) => {
        const Xb = charactersOf(groups, n, T, D);
        const [emb, demb] = [new Float64Array(n * T * E), new Float64Array(n * T * E)];
        layers.embeddingForward(emb, C, Xb, n * T, E);
        layers.linearBackward(demb, dW1, db1, dhprebn, emb, W1, n, T * E, dhprebn.length / n);
        layers.embeddingBackward(dC, demb, Xb, n * T, E, V);
      }),
  };
}

/** Xb [n,T], from the groups that were made of it. */
function charactersOf({ characters, slots }: CharacterGroups, n: number, T: number, D: number): Int32Array {
  return Int32Array.from({ length: n * T }, (_, at) => characters[(at % T) * D + slots[at]]);
}
