import { type RandomStream, shuffled } from '../core/random.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { BATCH_NORM_EPSILON } from '../layers/batchNorm.js';
import type { GradCheckCase } from '../lesson/case.js';
import { STEP_INPUTS, STEP_NAMES, type StepName, type ValueName, type Values } from '../lesson/values.js';
import { blockName, type ParameterName } from '../network/parameters.js';

/**
 * The derivative of f with respect to one entry, by fourth-order central differences (Richardson's extrapolation of the
 * steps h and 2h): the error is of order h⁴ by truncation, and 1e-16·|f|/h by rounding. The entry is put back.
 */
export function centralDifference(data: FloatArray, entry: number, h: number, f: () => number): number {
  const x = data[entry];
  const at = (shift: number) => {
    data[entry] = x + shift;
    return f();
  };
  const near = at(h) - at(-h);
  const far = at(2 * h) - at(-2 * h);
  data[entry] = x;
  return (8 * near - far) / (12 * h);
}

/**
 * The distance over which the network bends when this entry moves, which the step has to stay well below. It is 1 but
 * where the network divides by something small: the batch's standard deviation (at n = 2 it may be as small as the
 * 1e-5 under the root), a count or probability that is divided by or under the logarithm; and before the maximum, the distance to the kink.
 * b1 may move by any step: batch norm takes a shift of a column out again.
 */
export function bendingLength(name: ValueName, entry: number, values: Values): number {
  const { bnvar, logits } = values;
  const H = bnvar.size;
  const variance = (column: number) => bnvar.data[column] + 1e-5;
  switch (name) {
    case 'bnvar':
    case 'bndiff2':
      return variance(entry % H);
    case 'W1':
    case 'hprebn':
    case 'bnmeani':
    case 'bndiff':
      return Math.sqrt(variance(entry % H));
    case 'C':
    case 'emb':
    case 'embact':
      return Math.sqrt(Math.min(...bnvar.data) + 1e-5);
    case 'counts':
    case 'counts_sum':
    case 'counts_sum_inv':
    case 'probs':
      return Math.abs(values[name].data[entry]);
    case 'logits':
      return Math.min(1, distanceToMaximum(logits.data, entry, logits.shape[1]));
    default:
      return 1;
  }
}

/**
 * The same for the parameters of a network of blocks, by name and entry. A block's column of hprebn may move by its standard deviation,
 * as above, but what moves with it in the blocks above must stay below their standard deviations, too: moving h of unit j by x moves
 * the columns above it by x·W[j], which is |x|·sqrt(sum of (W[j,i]/length[i])^2) of the lengths they may move by. Tanh and the gain,
 * which is about 1, do not stretch. So, from the last block down,
 *
 *     length of h[j] = 1 / max(1, |W[j]/length of hprebn above|)      1 in the last block: logits and cross-entropy bend over 1
 *     length of hprebn[j] = standard deviation[j] · length of h[j]
 *
 * and W[i,j], whose input is about 1 at most, may move by the length of hprebn[j], and bngain[j] and bnbias[j] by that of h[j].
 * (With standard deviations alone, correct gradients of three blocks err by up to 2e-5 at n = 3; with these, of 400 seeds, by 1e-9.)
 */
export function parameterLengths({ config, parameters, blocks }: GradCheckCase): (name: ParameterName, entry: number) => number {
  const lengths = new Map<ParameterName, Float64Array>();
  let above: { W: Tensor; hprebn: Float64Array } | undefined;
  for (let K = blocks.length; K >= 1; K--) {
    const h = new Float64Array(config.hidden[K - 1]).map((_, j) => (above ? 1 / Math.max(1, stretch(above, j)) : 1));
    const hprebn = h.map((length, j) => length * Math.sqrt(blocks[K - 1].bnvar.data[j] + BATCH_NORM_EPSILON));
    lengths.set(blockName(K, 'W'), hprebn).set(blockName(K, 'bngain'), h).set(blockName(K, 'bnbias'), h);
    above = { W: parameters[blockName(K, 'W')], hprebn };
  }
  lengths.set('C', Float64Array.of(Math.min(...(lengths.get('W1') as Float64Array))));
  return (name, entry) => {
    const columns = lengths.get(name);
    return columns ? columns[entry % columns.length] : 1;
  };
}

/** By how many of their lengths the columns of hprebn move together when h[j] below moves by 1. */
function stretch({ W, hprebn }: { W: Tensor; hprebn: Float64Array }, j: number): number {
  const H = hprebn.length;
  return Math.sqrt(hprebn.reduce((sum, length, i) => sum + (W.data[j * H + i] / length) ** 2, 0));
}

/** How far a logit is from the largest of the others in its row. */
function distanceToMaximum(logits: FloatArray, entry: number, V: number): number {
  const start = entry - (entry % V);
  let largest = -Infinity;
  for (let i = start; i < start + V; i++) if (i !== entry) largest = Math.max(largest, logits[i]);
  return Math.abs(logits[entry] - largest);
}

/** Which entries of a tensor to check: all, or as many as said, drawn without repetition, in ascending order. */
export function chooseEntries(size: number, entries: number | 'all', random: RandomStream): number[] {
  const all = Array.from({ length: size }, (_, entry) => entry);
  if (entries === 'all' || entries >= size) return all;
  return shuffled(all, random)
    .slice(0, entries)
    .sort((a, b) => a - b);
}

/** The steps of the forward pass that depend on a value, in order. */
export function stepsAfter(name: ValueName): StepName[] {
  const reached = new Set<string>([name]);
  return STEP_NAMES.filter((step) => {
    const depends = STEP_INPUTS[step].some((input) => reached.has(input));
    if (depends) reached.add(step);
    return depends;
  });
}
