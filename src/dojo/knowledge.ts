/**
 * The dojo's model of a gradient: a sum of branches, one for each use of the tensor. A branch is a product of factors, summed over the
 * dimension that was broadcast. Naming a mistake compares a wrong result with these parts.
 */
import { Tensor } from '../core/tensor.js';
import type { GradientName } from '../lesson/values.js';
import type { BranchName, Coefficient, Role, ValueMistake } from './findings.js';
import type { ValuesAndGradients } from './learnerFile.js';

export type Value = (at: ValuesAndGradients) => Tensor;

/** A common wrong version of a branch. */
export interface Variant {
  mistake: ValueMistake;
  value: Value;
}

/** The contribution of one use of the tensor to its gradient, before broadcast dimensions are summed. */
export interface Branch {
  /** Set where the line has several branches. */
  name?: BranchName;
  value: Value;
  variants: readonly Variant[];
}

export interface LineKnowledge {
  /** The rule behind the line, in a sentence or two. */
  rule: string;
  /** The line as a formula. */
  formula: string;
  branches: readonly Branch[];
  /** Common mistakes that multiply every branch by the same factor. */
  scaled?: readonly { mistake: ValueMistake; by: Value }[];
  /** For a result that is off by a coefficient: the constant factor that the line is missing. */
  missingFactors?: Partial<Record<Coefficient, string>>;
  /** The broadcast dimension, which is summed: 0 the batch, 1 the row. With `keepdim` it stays, with size 1. */
  sum?: { dim: 0 | 1; keepdim: boolean };
}

interface Factor {
  /** The factor as an expression. */
  text: string;
  role?: Role;
  value: Value;
  /** Common mistakes: another expression in its place, or a mistake with its own id. */
  instead?: readonly (readonly [found: string | ValueMistake, value: Value])[];
  /** Leaving out this factor is a different mistake, which has its own name. */
  needed?: boolean;
}

/** An elementwise product of factors: its variants leave out a factor or exchange it. */
export function product(factors: readonly Factor[]): Branch {
  const times =
    (values: readonly Value[]): Value =>
    (at) =>
      values.map((value) => value(at)).reduce((a, b) => a.mul(b));
  const values = factors.map(({ value }) => value);
  const variants = factors.flatMap(({ text, role, instead = [], needed }, i): Variant[] => {
    const rest = values.filter((_, k) => k !== i);
    const missing: Variant = { mistake: { id: 'factor-missing', factor: text, ...(role && { role }) }, value: times(rest) };
    const exchanged = instead.map(([found, value]): Variant => {
      const mistake: ValueMistake = typeof found === 'string' ? { id: 'exchanged', found, expected: text } : found;
      return { mistake, value: times(values.map((other, k) => (k === i ? value : other))) };
    });
    return needed || factors.length === 1 ? exchanged : [missing, ...exchanged];
  });
  return { value: times(values), variants };
}

/** A branch that is one value. */
export function single(value: Value, ...variants: readonly (readonly [mistake: ValueMistake, value: Value])[]): Branch {
  return { value, variants: variants.map(([mistake, variant]) => ({ mistake, value: variant })) };
}

/** A branch with a name, for a line with several branches. */
export function through(name: BranchName, { value, variants }: Branch): Branch {
  return { name, value, variants: variants.map((variant) => ({ ...variant, mistake: { ...variant.mistake, branch: name } })) };
}

/** The gradient above as a factor. */
export function upstream(name: GradientName): Factor {
  return { text: name, role: 'gradient-above', value: (at) => at[name] };
}

/** The gradient above next to a factor that sums to 0 over the batch: without the gradient, the line would be 0. */
export function neededUpstream(name: GradientName): Factor {
  return { ...upstream(name), needed: true };
}

/** The same entries, row by row, in the transposed shape: not the transpose. */
export function viewedTransposed(x: Tensor): Tensor {
  return x.view([x.shape[1], x.shape[0]]);
}

/** 1 at the row maximum of the logits, [n,V]. */
export function atMaximum({ logits }: ValuesAndGradients): Tensor {
  return Tensor.oneHot(logits.max(1).indices, logits.shape[1], logits.dtype);
}

/** 1 at the target, [n,V]. */
export function atTarget({ Yb, logits }: ValuesAndGradients): Tensor {
  return Tensor.oneHot(Yb, logits.shape[1], logits.dtype);
}

export const OVER_ROW = { dim: 1, keepdim: true } as const;
export const OVER_BATCH = { dim: 0, keepdim: true } as const;
/** Over the batch, to a vector. */
export const TO_VECTOR = { dim: 0, keepdim: false } as const;

/** The rows of demb [n,T,E] with the context positions in reverse order. */
export function reversedContexts(demb: Tensor): Tensor {
  const [n, T, E] = demb.shape;
  const order = Int32Array.from({ length: n * T }, (_, row) => row - (row % T) + (T - 1 - (row % T)));
  return demb
    .view([n * T, E])
    .gatherRows({ data: order, shape: [n * T] })
    .view(demb.shape);
}
