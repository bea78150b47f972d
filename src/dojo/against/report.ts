/** What is said about a file of tensors from elsewhere, such as a notebook in Python. `grad-check --against FILE --json` prints it. */
import type { Shape } from '../../core/tensor.js';
import type { FileRemark, TensorRemark } from './remarks.js';

/** 'wrong' is wrong by itself: given what it was fed. 'right-as-fed' differs from the truth only because of the gradients above it. */
export type AgainstVerdict = 'right' | 'wrong' | 'right-as-fed' | 'unjudged';

/** An error, and the largest one that passes; both are relative to the sum of the magnitudes of an entry's terms. */
export interface ErrorFigures {
  error: number;
  limit: number;
}

/** The verdict on one tensor of the file: the loss, an intermediate, or a gradient. */
export interface AgainstRow {
  name: string;
  /** Whether the verdict is 'right'. */
  ok: boolean;
  verdict: AgainstVerdict;
  /** Shape and data type in the file, and the shape that belongs. */
  shape: Shape;
  expectedShape: Shape;
  dtype: string;
  /** Against the truth end to end; null where there is nothing to compare. */
  error: number | null;
  limit: number | null;
  /** Given the file's own values above, for a gradient its gradients above; null where all of them are right, or nothing was fed. */
  asFed: ErrorFigures | null;
  /** Index of the entry that decides, the file's value there, and the right one. */
  at: readonly number[] | null;
  found: number | null;
  expected: number | null;
  /** Whether the gradient is zero end to end for any parameters. */
  structuralZero: boolean;
  /** The lesson's comparison; null where it means nothing. */
  exact: boolean | null;
  maxUlps: number | null;
  /** The name of the mistake, its sentence, and its data. */
  mistake: NamedMistake | null;
  /** Something to know whatever the verdict: [64] for [1,64], float32 stored as float64. */
  remarks: readonly TensorRemark[];
}

/** A mistake with its sentence. Where a line has several, id and data are those of the first, and the sentence says all. */
export type NamedMistake = { id: string; text: string } & Readonly<Record<string, unknown>>;

/** The first tensor of the forward pass that differs. */
export interface ForwardDifference {
  /** Where only the gradients show it: the step that is computed in another way, or 'parameters'. */
  name: string;
  at: readonly number[] | null;
  found: number | null;
  expected: number | null;
  /** The usual cause, where it is recognised: { id: 'biased-variance', text: … }. */
  cause: { id: string; text: string } | null;
}

/** The verdict on the forward pass. */
export interface ForwardReport {
  /** How many of the 19 intermediates and the loss the file holds. */
  compared: number;
  /** Whose forward values the gradients are judged on. */
  judgedOn: 'ours' | 'file';
  first: ForwardDifference | null;
}

/** The verdict on a file. */
export interface AgainstReport {
  /** Whether every row is 'right' and every tensor of the file is known; with `all`, also whether no gradient is absent. */
  ok: boolean;
  /** How many of the 26 gradients the file holds. */
  compared: number;
  of: number;
  /** The rows that are wrong by themselves, in backward order. */
  culprits: readonly string[];
  /** Tensors with a name that the lesson does not have, and the one that was probably meant. */
  unknown: readonly { name: string; suggestion: string | null }[];
  /** Second names of a tensor that the file holds twice: dembcat beside dembact. Both are compared. */
  duplicate: readonly { name: string; of: string }[];
  /** Gradients that the file does not hold, in backward order. */
  absent: readonly string[];
  /** Whether absent gradients fail, too. */
  all: boolean;
  /** What these values cannot show, with the way to check it. */
  notShown: readonly { name: string; text: string }[];
  forward: ForwardReport;
  /** Something to know about the parameters, the batch and the forward pass that no row shows: one-hot targets. */
  remarks: readonly FileRemark[];
  tensors: readonly AgainstRow[];
}
