/** How much is measured at a point: everything while it is cheap, less of large layers. A layer of 100,000 inputs takes about 150 forward passes. */

import type { DrawMode } from './draw.js';

/** Of one input at one point. */
export interface Effort {
  /** Entries that are compared one by one. */
  entries: number;
  /** Random directions along which the whole gradient is compared, if that is not all entries. */
  directions: number;
}

/** Up to this many entries are compared one by one; in further draws, and at zeros and large values, fewer. */
const MOST_ENTRIES = 500;
const MOST_REPEATED = 48;
/** Entries that are compared one by one in an input with more. */
const SAMPLE = 24;
/** Entries of a wrong input that naming gets. */
const MOST_NAMED = 300;

/** Numbers in inputs and outputs of a point from which each forward pass counts. */
const LARGE_POINT = 10_000;

/** Whether each forward pass of a point takes long. */
export function isLarge(numbers: number): boolean {
  return numbers >= LARGE_POINT;
}

/**
 * @param size entries of the input
 * @param large whether each forward pass takes long
 * @param isFirst whether this is the first generic draw at these sizes
 */
export function effortFor(size: number, large: boolean, mode: DrawMode, isFirst: boolean): Effort {
  const most = isFirst ? MOST_ENTRIES : MOST_REPEATED;
  if (size <= most && !(large && size > SAMPLE)) return { entries: size, directions: 0 };
  // At zeros every direction crosses kinks.
  const directions = mode === 'zeros' || mode === 'some-zeros' ? 0 : isFirst ? 2 : 1;
  if (!large) return { entries: SAMPLE, directions };
  return { entries: isFirst ? 4 : 2, directions };
}

/** Entries of a wrong input with which a name is looked for. */
export function entriesToName(size: number, large: boolean): number {
  if (large) return 8;
  return size <= MOST_NAMED ? size : SAMPLE;
}
