/** What a check of a layer found. Plain data: the command prints it as JSON. */

import type { Sizes } from './layer.js';

/** The precision in which a layer was judged. Code that needs Float32Array, Math.fround or WebAssembly memory is judged in float32. */
export type Precision = 'float64' | 'float32';

/** Names for what is wrong. */
export type MistakeId =
  | 'constant-factor'
  | 'zero-everywhere'
  | 'input-unused'
  | 'dout-added'
  | 'dout-passed-on'
  | 'dout-unused'
  | 'jacobian-for-transpose'
  | 'derivative-at-output'
  | 'derivative-at-input'
  | 'dout-missing'
  | 'dout-changed'
  | 'other-value'
  | 'extra-factor'
  | 'missing-factor'
  | 'cross-terms'
  | 'diagonal-wrong'
  | 'first-step-only'
  | 'last-step-only'
  | 'first-example-only'
  | 'border-only'
  | 'repeated-rows'
  | 'misplaced'
  | 'sum-missing'
  | 'right-only-at-gain-1'
  | 'missing'
  | 'unknown-name'
  | 'wrong-shape'
  | 'not-a-gradient'
  | 'not-finite';

/** A mistake with its sentence. The other fields are its data: a factor, a name, a suggestion. */
export interface Mistake {
  id: MistakeId;
  text: string;
  [detail: string]: unknown;
}

/** The verdict on the gradient of one input: that of its largest error, as a share of its limit. */
export interface InputRow {
  name: string;
  ok: boolean;
  sizes: Sizes;
  train: boolean;
  /** |found - expected| and the largest that passes, from the measured noise and from what is summed. null if there is no figure. */
  error: number | null;
  limit: number | null;
  /** Index of the entry, one number per dimension. */
  at: number[];
  found: number | null;
  expected: number | null;
  /** Wrong entries and compared entries at these sizes. */
  wrongEntries: number;
  entries: number;
  mistake: Mistake | null;
}

export const PROPERTIES = [
  'shapes',
  'finite',
  'inputs-unchanged',
  'dout-unchanged',
  'no-alias',
  'deterministic',
  'zero',
  'linear',
  'repeatable',
  'batch',
] as const;
export type PropertyName = (typeof PROPERTIES)[number];

/** A property that needs no differences. */
export interface PropertyRow {
  name: PropertyName;
  /** null: not tried, for the reason in `detail`, which is empty if the specification does not ask for it. */
  ok: boolean | null;
  detail: string;
}

export const REFUSALS = ['random', 'not-finite', 'not-measured', 'threw', 'time', 'memory'] as const;

/** Why a layer was not judged. */
export interface Refusal {
  id: (typeof REFUSALS)[number];
  text: string;
}

/** What gradients take at kinks: the slope on a side, a value between both, or that of a point nearby. */
export const KINK_SIDES = ['left', 'right', 'between', 'nearby'] as const;
export type KinkSide = (typeof KINK_SIDES)[number];

/** What was tried, for the sentence that says what was not shown. */
export interface Tried {
  /** Points (sizes, training, draw) that were judged, and those dropped because forward was not finite there. */
  points: number;
  dropped: number;
  /** Comparisons of an entry where forward has a kink: any value between the one-sided slopes passes. */
  kinks: number;
  /** What the gradients took there, if it was the same everywhere. */
  taken?: KinkSide | 'several';
  /** Comparisons of an entry where no derivative could be measured. */
  undecided: number;
}

/** The verdict on a layer. */
export interface LayerReport {
  name: string;
  ok: boolean;
  precision: Precision;
  refused: Refusal | null;
  inputs: InputRow[];
  properties: PropertyRow[];
  tried: Tried;
}
