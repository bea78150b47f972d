import { nap, PATIENCE, spinWhile } from './mailbox';

// How the threads share a kernel. Every thread has an instance of the module on the same memory, and calls the same kernel with the same
// arguments. Each computes a part of the entries, and sums every one in the order of a single thread, so the number of threads changes no bit.
//
// Backend.inTurn relies on parts that are the same: the panels of a block in all layers that write or normalise them, and the rows of logits and
// their cross-entropy.

/** This thread: 0 is the one that called the layer. */
let part: usize = 0;
/** The threads that compute together; 1 is a thread alone. */
let parts: usize = 1;

export function setPart(own: usize, all: usize): void {
  part = own;
  parts = all;
}

/** The number of this thread, from 0. */
// @ts-ignore: decorator
@inline
export function ownPart(): usize {
  return part;
}

/** The number of threads. */
// @ts-ignore: decorator
@inline
export function threads(): usize {
  return parts;
}

/** The first of this thread's share of 0 to size. Shares begin at multiples of unit, and may be empty. */
// @ts-ignore: decorator
@inline
export function firstOf(size: usize, unit: usize): usize {
  return border(size, unit, part);
}

/** The end of this thread's share of 0 to size: its first entry is firstOf. */
// @ts-ignore: decorator
@inline
export function endOf(size: usize, unit: usize): usize {
  return border(size, unit, part + 1);
}

/** This thread's part of a workspace that has `floats` for each. */
// @ts-ignore: decorator
@inline
export function ownRoom(workspace: usize, floats: usize): usize {
  return workspace + ((part * floats) << 2);
}

/** What follows the parts of all threads. */
// @ts-ignore: decorator
@inline
export function afterRooms(workspace: usize, floats: usize): usize {
  return workspace + ((parts * floats) << 2);
}

function border(size: usize, unit: usize, index: usize): usize {
  if (index == 0) return 0;
  if (index == parts) return size;
  const units = (size + unit - 1) / unit;
  return min(size, (((units as u64) * (index as u64)) / (parts as u64)) as usize * unit);
}

/** The words of the barrier, a cache line each: the threads that have come, the meetings so far, the threads that sleep, and whether one has failed. */
const LINE: usize = 64;
const BARRIER: usize = (__heap_base + LINE - 1) & ~(LINE - 1);
const COME = BARRIER;
const MEETINGS = BARRIER + LINE;
const ASLEEP = BARRIER + 2 * LINE;
const FAILED = BARRIER + 3 * LINE;

/**
 * The first byte of the arena. Below it are the constants, and the barrier, which is no constant: an instance that starts writes its constants
 * again while other threads may be waiting at the barrier.
 */
export function arenaStart(): usize {
  return BARRIER + 4 * LINE;
}

/**
 * Returns once all threads have called it: what they stored before can be read after it. A kernel needs it only where one thread reads what
 * another has computed, and then every thread must call it equally often.
 */
export function meet(): void {
  if (parts == 1) return;
  if (ASC_FEATURE_THREADS) {
    const meetings = atomic.load<i32>(MEETINGS);
    if (atomic.add<i32>(COME, 1) == (parts as i32) - 1) {
      atomic.store<i32>(COME, 0);
      atomic.store<i32>(MEETINGS, meetings + 1);
      if (atomic.load<i32>(ASLEEP)) atomic.notify(MEETINGS, -1);
      return;
    }
    if (spinWhile(MEETINGS, meetings)) return;
    atomic.add<i32>(ASLEEP, 1);
    // The caller gives up in the end; the helpers wait for its word.
    for (let naps = 0; atomic.load<i32>(MEETINGS) == meetings; naps++) {
      if (atomic.load<i32>(FAILED) || (part == 0 && naps == PATIENCE)) unreachable();
      nap(MEETINGS, meetings);
    }
    atomic.sub<i32>(ASLEEP, 1);
  } else unreachable();
}

/** Ends the wait of the other threads in {@link meet}, with a trap: this one has failed. From then on, the memory is for one thread. */
export function leaveMeetings(): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(FAILED, 1);
    atomic.notify(MEETINGS, -1);
  }
}
