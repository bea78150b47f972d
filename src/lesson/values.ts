import type { Indices, Tensor } from '../core/tensor.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../network/parameters.js';

/** The 19 intermediates of the forward pass, in the order they are computed; the loss follows. */
export const INTERMEDIATE_NAMES = [
  'emb',
  'embact',
  'hprebn',
  'bnmeani',
  'bndiff',
  'bndiff2',
  'bnvar',
  'bnvar_inv',
  'bnraw',
  'hpreact',
  'h',
  'logits',
  'logit_maxes',
  'norm_logits',
  'counts',
  'counts_sum',
  'counts_sum_inv',
  'probs',
  'logprobs',
] as const;

export type IntermediateName = (typeof INTERMEDIATE_NAMES)[number];
/** Whatever has a gradient: 7 parameters and 19 intermediates. */
export type ValueName = LessonParameterName | IntermediateName;
/** Whatever the forward pass computes. */
export type StepName = IntermediateName | 'loss';
export type GradientName = `d${ValueName}`;

export const VALUE_NAMES: readonly ValueName[] = [...LESSON_PARAMETER_NAMES, ...INTERMEDIATE_NAMES];
export const STEP_NAMES: readonly StepName[] = [...INTERMEDIATE_NAMES, 'loss'];

export type Parameters = Record<LessonParameterName, Tensor>;
export type Gradients = Record<GradientName, Tensor>;

export interface Batch {
  /** Contexts [n,T]. */
  Xb: Indices;
  /** Targets [n]. */
  Yb: Indices;
}

/** Everything one forward pass reads and computes; `n` is the batch size. */
export type Values = Batch & Record<ValueName | 'loss', Tensor> & { n: number };

/** What each step reads of the values that have a gradient: the forward pass as a graph. */
export const STEP_INPUTS: Record<StepName, readonly ValueName[]> = {
  emb: ['C'],
  embact: ['emb'],
  hprebn: ['embact', 'W1', 'b1'],
  bnmeani: ['hprebn'],
  bndiff: ['hprebn', 'bnmeani'],
  bndiff2: ['bndiff'],
  bnvar: ['bndiff2'],
  bnvar_inv: ['bnvar'],
  bnraw: ['bndiff', 'bnvar_inv'],
  hpreact: ['bngain', 'bnraw', 'bnbias'],
  h: ['hpreact'],
  logits: ['h', 'W2', 'b2'],
  logit_maxes: ['logits'],
  norm_logits: ['logits', 'logit_maxes'],
  counts: ['norm_logits'],
  counts_sum: ['counts'],
  counts_sum_inv: ['counts_sum'],
  probs: ['counts', 'counts_sum_inv'],
  logprobs: ['probs'],
  loss: ['logprobs'],
};

/** The steps that read a value. */
export function consumersOf(name: ValueName): StepName[] {
  return STEP_NAMES.filter((step) => STEP_INPUTS[step].includes(name));
}
