/** What is known about a wrong gradient at one point, for those who find a name for the mistake. */

import type { Shape } from '../../core/tensor.js';
import type { Sizes } from './layer.js';

/** A value of a point, in float64. */
export interface PointValue {
  name: string;
  data: Float64Array;
  shape: Shape;
}

/** A wrong input at one point. */
export interface Witness {
  sizes: Sizes;
  train: boolean;
  /** The letter that counts examples, if the specification says so. */
  batch?: string;
  /** Number of the draw at these sizes. */
  draw: number;
  /** Shape of the input and its gradient. */
  shape: Shape;
  /** Positions of the entries that were compared, ascending: all of them, unless the input is large. */
  entries: Int32Array;
  /** Whether `entries` are all entries. */
  complete: boolean;
  /** At those entries: the layer's gradient, the right one, and the largest difference that passes. */
  yours: Float64Array;
  right: Float64Array;
  limit: Float64Array;
  /** What the layer returned, if that has another number of entries; `yours` is 0 then. */
  returned?: Float64Array;
  /** The input itself: all entries. */
  input: PointValue;
  /** All inputs by name: real ones, and those of whole numbers ({@link indices}). */
  inputs: PointValue[];
  /** Names of the inputs that hold whole numbers. */
  indices: string[];
  /** The real outputs and their gradients, in the same order. */
  outputs: PointValue[];
  dout: PointValue[];
  /** d output[o] / d input[entries[k]] at o·entries.length + k, outputs one after another. Undefined if it is too large to keep. */
  jacobian?: Float64Array;
}

/** Further measurements at the point of a witness. */
export interface Experiment {
  /**
   * The right gradient of the witness's input, at its entries, with other values for inputs or other gradients of the outputs.
   * undefined if it cannot be measured there.
   * @param of another input: the right gradient of all its entries
   */
  right(witness: Witness, changes: Changes, of?: string): Promise<Float64Array | undefined>;
  /** The layer's gradient, in the same form; undefined if it cannot be read. */
  yours(witness: Witness, changes: Changes, of?: string): Promise<Float64Array | undefined>;
  /** All outputs, one after another; undefined if they cannot be computed there. */
  outputs(witness: Witness, changes: Changes): Promise<Float64Array | undefined>;
}

/** Values that replace those of a point. */
export interface Changes {
  /** All entries of inputs, by name. */
  inputs?: Readonly<Record<string, Float64Array>>;
  /** The gradients of all outputs, one after another. */
  dout?: Float64Array;
}
