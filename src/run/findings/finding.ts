/** What doctor says about a network: its findings, and the facts that it reads them from. */
import type { DiagnosticsRecord } from '../../training/diagnostics.js';
import type { RunConfig } from '../../training/runConfig.js';
import type { MetricsRecord } from '../records.js';

/** The kinds of findings. Two rules may find the same kind in different ways. */
export type FindingId =
  | 'diverged'
  | 'no-gradient'
  | 'confident-output'
  | 'saturated'
  | 'large-gain'
  | 'dead-units'
  | 'missing-gain'
  | 'vanishing'
  | 'exploding'
  | 'weight-scale'
  | 'rate-high'
  | 'rate-low'
  | 'clipped-often'
  | 'overfitting';

/** Something about a network or its training that a rule says is wrong. */
export interface Finding {
  id: FindingId;
  /** A block or a parameter, such as `block 1` or `W2`; null for the network as a whole. */
  where: string | null;
  /** Completed steps at which it was seen, with the step that was looked at; 0 for a network that is not trained. Null if it is of no one step. */
  step: number | null;
  /** The number that was measured, and the limit that it is beyond. */
  value: number;
  limit: number;
  /** The option of `train` to turn, such as `--lr`; null if there is none. */
  option: string | null;
  /** One or two sentences: what was seen, what it means, and what to change. */
  text: string;
  /** Where the rule comes from. */
  source: string;
}

/** What is known about a network. */
export interface FindingFacts {
  config: RunConfig;
  /** V */
  vocabulary: number;
  /** Of metrics.jsonl, in the order of the steps; none for a network that was not trained. */
  records: readonly (MetricsRecord | DiagnosticsRecord)[];
  /** The network as it began, on many examples. Without it, the record of step 1 says how it began. */
  initial?: DiagnosticsRecord | undefined;
  /** The network as it is now, on many examples: dead units only show there. */
  fresh?: DiagnosticsRecord | undefined;
  /** The losses over all names after a step, where they are known: the training loss of the records is a mean over batches. */
  evaluated?: { step: number; train: number; val: number } | undefined;
  /** Where training ended because a number was NaN or infinite: completed steps, and the error's message. */
  diverged?: { step: number; message: string } | undefined;
}
