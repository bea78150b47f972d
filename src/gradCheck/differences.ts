import { extentOf } from '../core/numbers.js';
import { type RandomStream, shuffled } from '../core/random.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { BATCH_NORM_EPSILON } from '../layers/batchNorm.js';
import type { NetworkCase } from '../lesson/case.js';
import { type LessonValues, STEP_INPUTS, STEP_NAMES, type StepName, type ValueName } from '../lesson/values.js';
import { blockName, type ParameterName } from '../network/parameters.js';

/**
 * The derivative of f with respect to one entry, by fourth-order central differences (Richardson extrapolation of the
 * steps h and 2h). The truncation error is of order h⁴, the rounding error about 1e-16·|f|/h. The entry is restored.
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
 * The distance over which the loss bends when this entry moves; the step must stay well below it. It is 1, except where the network
 * divides by something small or takes its logarithm: the batch's standard deviation (at n = 2 it can be as small as the root of 1e-5),
 * a count or a probability. For logits it is at most the distance to the kink of the row maximum. b1 may move by any step, because
 * batch norm removes a shift of a column.
 */
export function bendingLength(name: ValueName, entry: number, values: LessonValues): number {
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
      return Math.sqrt(extentOf(bnvar.data)[0] + 1e-5);
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
 * The same distance for the parameters of a network of any depth, by name and entry. A column of a block's hprebn may move by its
 * standard deviation, as above. The columns of the blocks above move with it, and must stay below their own lengths: moving h of unit j
 * by x moves the columns above by x·W[j], which is |x|·sqrt(sum of (W[j,i]/length[i])^2) of their lengths. Tanh and the gain (about 1)
 * do not amplify. So, from the last block down,
 *
 *     length of h[j] = 1 / max(1, |W[j]/length of hprebn above|)      1 in the last block: logits and cross-entropy bend over 1
 *     length of hprebn[j] = standard deviation[j] · length of h[j]
 *
 * W[i,j], whose input is at most about 1, may move by the length of hprebn[j]; bngain[j] and bnbias[j] by the length of h[j].
 * Measured at n = 3 on correct gradients of three blocks: errors of up to 2e-5 with standard deviations alone, up to 1e-9 with these
 * lengths (400 seeds).
 */
export function parameterLengths({ config, parameters, blocks }: NetworkCase): (name: ParameterName, entry: number) => number {
  const lengths = new Map<ParameterName, Float64Array>();
  let above: { W: Tensor; hprebn: Float64Array } | undefined;
  for (let K = blocks.length; K >= 1; K--) {
    const h = new Float64Array(config.hidden[K - 1]).map((_, j) => (above ? 1 / Math.max(1, stretch(above, j)) : 1));
    const hprebn = h.map((length, j) => length * Math.sqrt(blocks[K - 1].bnvar.data[j] + BATCH_NORM_EPSILON));
    lengths.set(blockName(K, 'W'), hprebn).set(blockName(K, 'bngain'), h).set(blockName(K, 'bnbias'), h);
    above = { W: parameters[blockName(K, 'W')], hprebn };
  }
  lengths.set('C', Float64Array.of(extentOf(lengths.get('W1') as Float64Array)[0]));
  return (name, entry) => {
    const columns = lengths.get(name);
    return columns ? columns[entry % columns.length] : 1;
  };
}

/** The distance that the columns of hprebn move, in units of their lengths, when h[j] below moves by 1. */
function stretch({ W, hprebn }: { W: Tensor; hprebn: Float64Array }, j: number): number {
  const H = hprebn.length;
  return Math.sqrt(hprebn.reduce((sum, length, i) => sum + (W.data[j * H + i] / length) ** 2, 0));
}

/** Distance of a logit from the largest other logit in its row. */
function distanceToMaximum(logits: FloatArray, entry: number, V: number): number {
  const start = entry - (entry % V);
  let largest = -Infinity;
  for (let i = start; i < start + V; i++) if (i !== entry) largest = Math.max(largest, logits[i]);
  return Math.abs(logits[entry] - largest);
}

/** Positions of the entries to check: all of them, or a random sample without repetition, in ascending order. */
export function chooseEntries(size: number, entries: number | 'all', random: RandomStream): number[] {
  const all = Array.from({ length: size }, (_, entry) => entry);
  if (entries === 'all' || entries >= size) return all;
  return shuffled(all, random)
    .slice(0, entries)
    .sort((a, b) => a - b);
}

/** The steps of the forward pass that depend on a tensor, in forward order. */
export function stepsAfter(name: ValueName): StepName[] {
  const reached = new Set<string>([name]);
  return STEP_NAMES.filter((step) => {
    const depends = STEP_INPUTS[step].some((input) => reached.has(input));
    if (depends) reached.add(step);
    return depends;
  });
}

/**
 * Caches the derivatives of one case by tensor and entry. Measuring them takes almost all the time of a check, and they do not depend on the
 * lines that are checked.
 */
export function remembering<Rest extends unknown[]>(
  measure: (values: LessonValues, name: ValueName, entry: number, ...rest: Rest) => number,
): typeof measure {
  const known = new Map<string, number>();
  return (values, name, entry, ...rest) => {
    const key = `${name} ${entry}`;
    const derivative = known.get(key) ?? measure(values, name, entry, ...rest);
    known.set(key, derivative);
    return derivative;
  };
}
