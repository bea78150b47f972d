/**
 * The shared memory through which a caller posts kernels to its helpers: see backend/threads.ts.
 *
 * 32-bit words, 16 per cache line of 64 bytes, first the caller's line, then two lines per helper, then a job per kernel. What one side writes and
 * another one reads has a line of its own. A job stays as it is until the kernel is called with other arguments, so in a training loop most
 * jobs are in the caches of all threads, and only the first line of the mailbox moves.
 */

/** Loads of a word before a thread sleeps: see backend/threads.ts. */
export const SPINS = 20_000;

const LINE = 16;

/** In the caller's line: whether it sleeps. */
export const CALLER_ASLEEP = 0;

/** The helper's first line, written by the caller: the number of the job, the kernel, the memory, and which part of how many is the helper's. */
export const POSTED = 0;
export const KERNEL = 1;
export const MEMORY = 2;
export const PART = 3;
export const PARTS = 4;
/** Its second line, written by the helper: the number of the last job that is done, whether it sleeps, and one of the states below. */
export const DONE = LINE;
export const ASLEEP = LINE + 1;
export const STATE = LINE + 2;

/** Before a helper waits for jobs. */
export const STARTING = 0;
export const READY = 1;
/** A kernel has trapped. */
export const FAILED = 2;
/** Its thread has ended. */
export const GONE = 3;

/** In place of a kernel: take the memory. */
export const TAKE_MEMORY = -1;

/** The first word of a helper's lines. */
export function mailbox(index: number): number {
  return LINE + index * 2 * LINE;
}

/** More than any kernel has arguments; whole cache lines of float64. */
const MOST_ARGUMENTS = 24;
/** More than there are kernels. */
const MOST_KERNELS = 48;

/** The bytes of a control block. */
export function controlBytes(helpers: number): number {
  return 4 * mailbox(helpers) + 8 * MOST_ARGUMENTS * MOST_KERNELS;
}

/** The arguments of each kernel. */
export function jobsIn(control: SharedArrayBuffer, helpers: number): Float64Array[] {
  const start = 4 * mailbox(helpers);
  return Array.from(
    { length: MOST_KERNELS },
    (_, kernel) => new Float64Array(control, start + 8 * MOST_ARGUMENTS * kernel, MOST_ARGUMENTS),
  );
}

/** A kernel as both sides call it. */
export type Kernel = (...args: number[]) => number | undefined;

/** The functions that a module exports, in its order: the place of a kernel is its number in the control block. */
export function kernelsOf(exports: Record<string, unknown>): [name: string, kernel: Kernel][] {
  return Object.entries(exports).filter((entry): entry is [string, Kernel] => typeof entry[1] === 'function');
}

/** The functions of the kernels that deal with threads. */
export interface PartExports {
  setPart(part: number, parts: number): void;
  leaveMeetings(): void;
}

/** What a helper's thread starts with. */
export interface HelperStart {
  module: object;
  control: SharedArrayBuffer;
  /** The helper's number, from 0, and how many there are at most. */
  index: number;
  helpers: number;
}

/** What a helper gets later: a memory under its number, or without `wasm` the number of one that is not needed any more. */
export interface HelperMessage {
  memory: number;
  wasm?: WebAssembly.Memory;
}
