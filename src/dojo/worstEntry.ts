import { indexAt } from '../core/numbers.js';
import { showShape, type Tensor } from '../core/tensor.js';

/** The entry of a wrong tensor with the largest error. */
export interface WorstEntry {
  /** Set if the gradients above were random: with the true ones the line is right on the lesson's batch. */
  random?: true;
  index: number[];
  yours: number;
  truth: number;
  /** Yours over the truth, where it is the same in every entry. */
  ratio: number | null;
}

/** @param found a tensor of the expected shape */
export function worstEntry(found: Tensor, expected: Tensor): WorstEntry {
  let at = 0;
  for (let i = 1; i < expected.size; i++) {
    if (Math.abs(found.data[i] - expected.data[i]) > Math.abs(found.data[at] - expected.data[at])) at = i;
  }
  const ratios = Array.from(expected.data, (truth, i) => found.data[i] / truth).filter((ratio) => Number.isFinite(ratio));
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const constant = ratios.length > 0 && ratios.every((ratio) => Math.abs(ratio - mean) <= 1e-6 * Math.abs(mean));
  return { index: indexAt(at, expected.shape), yours: found.data[at], truth: expected.data[at], ratio: constant ? mean : null };
}

/** The worst entry in a sentence, for a line: its place and the right value, and the batch that the figures are for. */
export function worstText(worst: WorstEntry): string {
  return `${showWorst(worst)} (batch of 32${worst.random ? ', random gradients above' : ''})`;
}

/** The worst entry: its place, your value, and the right one. */
export function showWorst({ index, yours, truth, ratio }: WorstEntry): string {
  const constant = ratio === null ? '' : `; every entry is ${ratio.toPrecision(6)} times the right one`;
  return `entry ${showShape(index)} is ${yours.toPrecision(6)}, expected ${truth.toPrecision(6)}${constant}`;
}
