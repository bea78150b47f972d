/**
 * The uses of a tensor in the forward pass, and what each adds to its gradient. A tensor that two steps read gets the sum of two contributions; one
 * that a step broadcasts gets the sum over its copies; one that a step sums up gets the same gradient in every row or column.
 */
import { Tensor } from '../core/tensor.js';
import { exercise1, type GradientLine } from './exercise1.js';
import { consumersOf, type LessonGradients, type LessonValues, type StepName, type ValueName } from './values.js';

type ValuesAndGradients = LessonValues & LessonGradients;

/** The dimension along which a tensor is copied or summed, and the number of its entries: n for the batch, V for the row. */
export interface Along {
  over: 'batch' | 'row';
  copies: number;
}

/** One step that reads a tensor. */
export interface Use {
  step: StepName;
  /** What the use adds to the gradient, in the shape of the tensor. */
  contribution: Tensor;
  /** Set where the step repeats the tensor. `before`: the gradients of the copies, [n,H] or [n,V]; their sum is the contribution. */
  broadcast?: Along & { before: Tensor };
  /** Set where the step sums the tensor up. `each`: the gradient that every entry of a column or row gets, [1,H] or [n,1]. */
  spread?: Along & { each: Tensor };
  /** Set for C. `times`: how often the batch uses each row [V]; `before`: the gradients of the copies, [n,T,E]. */
  rows?: { times: Int32Array; before: Tensor };
}

/** The tensors that the forward pass broadcasts: the gradients of their copies, before the sum. */
const BROADCASTS: Partial<Record<ValueName, { over: Along['over']; before: GradientLine }>> = {
  b1: { over: 'batch', before: ({ dhprebn }) => dhprebn },
  bnmeani: { over: 'batch', before: ({ dbndiff }) => dbndiff.neg() },
  bnvar_inv: { over: 'batch', before: ({ bndiff, dbnraw }) => bndiff.mul(dbnraw) },
  bngain: { over: 'batch', before: ({ bnraw, dhpreact }) => bnraw.mul(dhpreact) },
  bnbias: { over: 'batch', before: ({ dhpreact }) => dhpreact },
  b2: { over: 'batch', before: ({ dlogits }) => dlogits },
  logit_maxes: { over: 'row', before: ({ dnorm_logits }) => dnorm_logits.neg() },
  counts_sum_inv: { over: 'row', before: ({ counts, dprobs }) => counts.mul(dprobs) },
};

/** The steps that sum a tensor up: the gradient that each of its entries gets. */
const SUMS: Partial<Record<StepName, { over: Along['over']; each: GradientLine }>> = {
  bnmeani: { over: 'batch', each: ({ n, dbnmeani }) => dbnmeani.mul(1 / n) },
  bnvar: { over: 'batch', each: ({ n, dbnvar }) => dbnvar.mul(1 / (n - 1)) },
  counts_sum: { over: 'row', each: ({ dcounts_sum }) => dcounts_sum },
};

/**
 * The uses of a tensor, in forward order. Their contributions add up to its gradient.
 * @param at a forward pass and its backward pass
 */
export function usesOf(at: ValuesAndGradients, name: ValueName): Use[] {
  const steps = consumersOf(name);
  return steps.map((step) => {
    const use: Use = { step, contribution: contributionOf(at, name, step, steps) };
    const broadcast = BROADCASTS[name];
    if (broadcast) use.broadcast = { ...along(at, broadcast.over), before: broadcast.before(at) };
    const sum = SUMS[step];
    if (sum) use.spread = { ...along(at, sum.over), each: sum.each(at) };
    if (name === 'C') use.rows = { times: timesUsed(at), before: at.demb };
    return use;
  });
}

/** A gradient line is linear in the gradients that it reads: with those of the other steps at 0, it gives the contribution of one. */
function contributionOf(at: ValuesAndGradients, name: ValueName, step: StepName, steps: readonly StepName[]): Tensor {
  const alone = { ...at };
  for (const other of steps) if (other !== step && other !== 'loss') alone[`d${other}`] = Tensor.zerosLike(at[`d${other}`]);
  return exercise1[`d${name}`](alone);
}

function along({ n, logits }: LessonValues, over: Along['over']): Along {
  return { over, copies: over === 'batch' ? n : logits.shape[1] };
}

function timesUsed({ C, Xb }: LessonValues): Int32Array {
  const times = new Int32Array(C.shape[0]);
  for (const row of Xb.data) times[row]++;
  return times;
}
