/** What the page and the worker of a learner's lines send to each other. The page decides what runs; the worker can only supply arrays. */
import type { RunFault } from '../../dojo/findings.js';
import type { GradientName } from '../../lesson/values.js';
import type { ArrayData, GivenArrays } from '../engine/exercises.js';

export type GuestRequest =
  /** Run a line once. `prints` is set where its output is shown. */
  | { id: number; kind: 'run'; name: GradientName; at: GivenArrays; prints: boolean }
  /** Run the lines of a backward pass; give the gradients named. */
  | { id: number; kind: 'pass'; names: readonly GradientName[]; wanted: readonly GradientName[]; at: GivenArrays };

/** A reply has the number of its request. */
export type GuestReply =
  | { kind: 'ready' }
  | { kind: 'printed'; line: string }
  | { id: number; kind: 'returned'; text: string; array: ArrayData }
  | { id: number; kind: 'too-large'; text: string; shape: readonly number[] }
  | { id: number; kind: 'failed'; text: string; fault: RunFault }
  /** The worker is broken. */
  | { id: number; kind: 'no-reply' }
  | { id: number; kind: 'passed'; arrays: readonly ArrayData[] }
  | { id: number; kind: 'pass-failed'; name: string; fault: RunFault };

/** Characters of a line's text that are sent. */
export const MAX_LINE_TEXT = 20_000;
/** Lines of output that are shown. */
export const MAX_PRINTED = 100;
/** Characters of a line of output. */
export const MAX_PRINTED_LINE = 500;
