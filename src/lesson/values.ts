import type { Indices, Tensor } from '../core/tensor.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../network/parameters.js';

/** The 19 intermediates of the forward pass, in the order in which they are computed; the loss comes last. */
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
/** The 26 tensors that have a gradient: 7 parameters and 19 intermediates. */
export type ValueName = LessonParameterName | IntermediateName;
/** The tensors that the forward pass computes. */
export type StepName = IntermediateName | 'loss';
/** The name of a gradient: d + the name of its tensor, as in dC and dlogits. */
export type GradientName = `d${ValueName}`;

export const VALUE_NAMES: readonly ValueName[] = [...LESSON_PARAMETER_NAMES, ...INTERMEDIATE_NAMES];
export const STEP_NAMES: readonly StepName[] = [...INTERMEDIATE_NAMES, 'loss'];

/** The parameters: C [V,E], W1 [T·E,H], b1 [H], bngain [1,H], bnbias [1,H], W2 [H,V], b2 [V]. */
export type LessonParameters = Record<LessonParameterName, Tensor>;
/** The 26 gradients of the loss; each has the shape of its tensor. */
export type LessonGradients = Record<GradientName, Tensor>;

/** A batch of n training examples. */
export interface LessonBatch {
  /** Contexts [n,T]: rows of C. */
  Xb: Indices;
  /** Targets [n]: columns of logits. */
  Yb: Indices;
}

/** The parameters, the batch, and every tensor of one forward pass; `n` is the batch size. */
export type LessonValues = LessonBatch & Record<ValueName | 'loss', Tensor> & { n: number };

/** The forward pass as a graph: for each step the tensors it reads, without Xb and Yb, which have no gradient. */
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

/** The gradient of a tensor: dC for C. */
export function gradientNamed<Name extends ValueName>(name: Name): `d${Name}` {
  return `d${name}`;
}

/** The tensor a gradient belongs to: C for dC. */
export function valueNamed(name: GradientName): ValueName {
  return name.slice(1) as ValueName;
}

/** The steps that read a tensor, in forward order. */
export function consumersOf(name: ValueName): StepName[] {
  return STEP_NAMES.filter((step) => STEP_INPUTS[step].includes(name));
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
