import { STEP_INPUTS, STEP_NAMES, type StepName, type ValueName, type Values } from '../lesson/values.js';
import { type RandomStream, shuffled } from '../random.js';
import type { FloatArray } from '../tensor.js';

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
