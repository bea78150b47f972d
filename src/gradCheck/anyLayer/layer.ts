/** The specification of a layer: its inputs, its forward pass and its hand-written backward pass, as any TypeScript or JavaScript file exports it. */

import { closest } from '../../core/spelling.js';
import type { Tensor } from '../../core/tensor.js';

/** Marks what {@link defineLayer} made. A registered symbol: the ES module and the CommonJS file recognise each other's layers. */
const LAYER = Symbol.for('backprop-ninja.layer');

/** A point's draw, from its first number: for adapters that create objects again. */
export const DRAW: unique symbol = Symbol.for('backprop-ninja.draw') as never;

/** Sizes to try, by letter: `{ n: [1, 2, 3], d: [3, 5] }`. */
export type SizeChoices = Readonly<Record<string, readonly number[]>>;
/** One size per letter: `{ n: 2, d: 5 }`. */
export type Sizes = Readonly<Record<string, number>>;

/** One size per letter of the choices. */
export type SizesOf<S extends SizeChoices> = { readonly [letter in keyof S]: number };

/** A tensor in float64. */
export interface Float64Tensor extends Tensor {
  readonly data: Float64Array;
}

/** Draws random inputs. A draw without a shape is a number, otherwise a float64 tensor. */
export interface Draw {
  /** Standard normal. Some points get zeros or large values instead, so that kinks and saturation are tried. */
  normal(): number;
  normal(...shape: number[]): Float64Tensor;
  /** 5 to 30 % above or below a value, never at it: for gains and scales. */
  near(value: number): number;
  near(value: number, ...shape: number[]): Float64Tensor;
  /** Above 0, mostly between 0.3 and 3: for variances, probabilities before normalisation, arguments of a logarithm. */
  positive(): number;
  positive(...shape: number[]): Float64Tensor;
  /** Whole numbers from 0 to below - 1. From two on, at least one occurs twice, unless `below` numbers cannot repeat. */
  index(count: number, below: number): Int32Array;
  /** One whole number from 0 to below - 1. */
  integer(below: number): Int32Array;
}

/** What a call of forward or backward gets besides its values. */
export interface LayerContext<O = unknown, S extends SizeChoices = SizeChoices> {
  /** The sizes of this point. */
  readonly sizes: SizesOf<S>;
  /** Whether the layer is in training: true, unless the specification tries both. */
  readonly train: boolean;
  /** Empty before forward. What forward stores here, the backward that follows it finds. */
  // biome-ignore lint/suspicious/noExplicitAny: the layer's own values, of any type
  readonly saved: Record<string, any>;
  /** What forward returned; undefined in forward. */
  readonly outputs: O;
  /** A seeded random number in [0, 1). The sequence starts again for each forward, and before its backward. */
  random(): number;
  /** With `accumulates`: buffers in the form of the inputs, filled with noise, that backward adds to. */
  // biome-ignore lint/suspicious/noExplicitAny: in the form of each input
  readonly gradients: Record<string, any>;
  /** @internal */
  [DRAW]?(): Draw;
}

/** The parts of a specification that do not depend on its types. */
export interface LayerOptions {
  /** Sizes to try, by letter. All combinations are tried, at most 12, without those in which two letters are equal where others remain. */
  sizes?: SizeChoices;
  /** Whether the layer is in training, in each case; default true. */
  train?: boolean | readonly boolean[];
  /** Real inputs that have no gradient, for example running statistics. */
  constant?: readonly string[];
  /** Whether backward adds to `context.gradients`: for all inputs, or for those named. */
  accumulates?: boolean | readonly string[];
  /** What backward may overwrite: 'dout', or inputs by name. */
  mayChange?: readonly string[];
  /** Says that examples are independent: the letter of the batch size, and the inputs whose first dimension it is. */
  batch?: { letter: string; inputs: readonly string[] };
}

/**
 * A layer to check, with the types of its inputs I and outputs O.
 *
 * Values are numbers, Float32Array, Float64Array, Tensor, { data, shape } and nested arrays of numbers: these are real and have a gradient.
 * Integer typed arrays, booleans and strings have none.
 */
export interface LayerSpecification<S extends SizeChoices, I extends object, O> extends LayerOptions {
  sizes?: S;
  /** Draws the inputs, by name. An input keeps its container in every call. */
  inputs(sizes: SizesOf<S>, draw: Draw): I;
  /** The outputs: a value, or a record of named values. It may be async. */
  forward(inputs: I, context: LayerContext<unknown, S>): O;
  /**
   * The gradient of each real input, by name, from the gradients of the outputs: containers and shapes as forward returned them. It follows
   * a forward with the same inputs directly. It may be async.
   */
  backward(dout: Awaited<NoInfer<O>>, inputs: I, context: LayerContext<Awaited<NoInfer<O>>, S>): unknown;
}

/** The functions of a layer. */
export const PARTS = ['inputs', 'forward', 'backward'] as const;

/** A layer that can be checked. Its types are those of its own functions. */
export interface Layer extends LayerOptions {
  inputs(sizes: Sizes, draw: Draw): object | Promise<object>;
  forward(inputs: never, context: LayerContext): unknown;
  backward(dout: never, inputs: never, context: LayerContext<never>): unknown;
}

/**
 * Marks a specification as a layer, for `grad-check`, `checkLayer` and the matchers.
 * @throws TypeError if inputs, forward or backward is not a function
 */
export function defineLayer<const S extends SizeChoices, I extends object, O>(specification: LayerSpecification<S, I, O>): Layer {
  for (const part of PARTS) {
    if (typeof specification?.[part] === 'function') continue;
    const found = closest(part, Object.keys(specification ?? {}));
    const hint = found === undefined || found === part ? '' : `; found ${found}: did you mean ${part}?`;
    throw new TypeError(`defineLayer: ${part} must be a function${hint}`);
  }
  const own = Object.create(Object.getPrototypeOf(specification) as object | null) as object;
  return Object.assign(own, specification, { [LAYER]: true }) as unknown as Layer;
}

/** Whether a value is a layer: made by {@link defineLayer}, or an object, or a class, with functions inputs, forward and backward. */
export function isLayer(value: unknown): value is Layer {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return LAYER in value || PARTS.every((part) => typeof (value as Partial<Layer>)[part] === 'function');
}
