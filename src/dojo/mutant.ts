import { type Indices, Tensor } from '../core/tensor.js';
import type { Mistake } from './findings.js';

/** A mistake of the bank, with a line that contains it. */
export interface PlantedMistake<Planted> {
  /** The mistake in a few words, for a list. */
  mistake: string;
  /** The mistakes that the dojo should name; empty where it has no name for the mistake. */
  expected: readonly Mistake[];
  planted: Planted;
  /** The reason why differences of the loss cannot see it; then only a check of the line alone does. */
  invisibleEndToEnd?: string;
}

/** One-hot rows for the indices, as long as the rows of the tensor. */
export function hot(indices: Indices, { shape, dtype }: Tensor): Tensor {
  return Tensor.oneHot(indices, shape[1], dtype);
}

/** The same entries, row by row, in the transposed shape: not the transpose. */
export function viewedTransposed(x: Tensor): Tensor {
  return x.view([x.shape[1], x.shape[0]]);
}

/** The rows of demb [n,T,E] with the context positions in reverse order. */
export function reversedContexts(demb: Tensor): Tensor {
  const [n, T, E] = demb.shape;
  const order = Int32Array.from({ length: n * T }, (_, row) => row - (row % T) + (T - 1 - (row % T)));
  return demb
    .view([n * T, E])
    .gatherRows({ data: order, shape: [n * T] })
    .view(demb.shape);
}
