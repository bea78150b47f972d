/** The requests to a learner's process, and its replies. The parent decides what runs, and judges: a reply can only supply arrays. */
import type { ExerciseNumber } from '../../dojo/exercises.js';
import type { RunFault } from '../../dojo/findings.js';
import type { GradientName } from '../../lesson/values.js';
import type { GuestAssignment } from '../guest/protocol.js';

export interface Assignment extends GuestAssignment {
  exercise: ExerciseNumber;
}

export type Request =
  /** Run a line on the frame's arrays; `n` is the batch size. */
  | { kind: 'run'; name: GradientName; n: number }
  /** Run the lines of a backward pass; give the gradients named. */
  | { kind: 'pass'; names: readonly GradientName[]; wanted: readonly GradientName[]; n: number }
  /** Wait for what the line left behind: rejections, timers of 0 ms. */
  | { kind: 'settle' };

/** Characters of a line's text that are sent. */
export const MAX_LINE_TEXT = 20_000;
/** Keys of the default export. */
export const MAX_KEYS = 100;

/** A reply has the number of its request; the first reply, 0, says that the file is loaded. */
export type Reply = { id: number } & (
  | { kind: 'loaded'; keys: string[] }
  | { kind: 'settled' }
  /** The line's result is in the frame's array. */
  | { kind: 'returned'; text: string }
  | { kind: 'too-large'; text: string; shape: readonly number[] }
  | { kind: 'failed'; text: string; fault: RunFault }
  /** The results of a pass are in the frame's arrays. */
  | { kind: 'passed' }
  | { kind: 'pass-failed'; name: string; fault: RunFault }
);
