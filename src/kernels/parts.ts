import { nap, PATIENCE, spinWhile } from './mailbox';

// How the threads share a kernel. Every thread has an instance of the module on the same memory, and calls the same kernel with the same
// arguments. Each computes a part of the entries, and sums every one in the order of a single thread, so the number of threads changes no bit.
//
// Where a sum goes over the columns of a block, which the threads share, one thread continues the sums of another: see waitForSums. So no thread
// reads the columns of another, which would move them between the caches of their cores, and back again in the next step.
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
  // Between two kernels, all threads that compute together have reported the last turn: counts are compared within half of their range. Other
  // threads may have reported one of long ago.
  if (own == 0) for (let i: usize = 0; i < all; i++) store<i32>(LINES + i * LINE, turn);
}

/** The number of this thread, from 0. */
// @ts-ignore: decorator
@inline
export function ownPart(): usize {
  return part;
}

/** Whether this is the last thread. */
// @ts-ignore: decorator
@inline
export function isLast(): bool {
  return part + 1 == parts;
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
/** A cache line for each thread: the groups of rows whose sums it has done, counted from the turn, and its answer. */
const LINES = BARRIER + 4 * LINE;
const ANSWER: usize = 4;

/**
 * The first byte of the arena of this many threads. Below it are the constants, and what the threads tell each other, which is no constant: an
 * instance that starts writes its constants again while other threads may be waiting.
 */
export function arenaStart(threads: usize): usize {
  return LINES + threads * LINE;
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
    while (atomic.load<i32>(MEETINGS) == meetings) waitWhile(MEETINGS, meetings);
  } else unreachable();
}

/** Gives this thread's answer to all. @returns whether one of them is true */
export function isAny(answer: bool): bool {
  if (parts == 1) return answer;
  store<i32>(LINES + part * LINE, answer as i32, ANSWER);
  meet();
  let any = 0;
  for (let i: usize = 0; i < parts; i++) any |= load<i32>(LINES + i * LINE, ANSWER);
  return any != 0;
}

// A kernel whose sums go over the columns of a block computes groups of rows, one after the other. In each, the first thread begins the sums with its
// columns, and every thread continues those of the thread before, so they are the sums of one thread. Groups are counted from the kernel's turn on.
// A kernel that takes a turn reports it, even if it has no groups.

/** More than a kernel has groups. */
const MOST_GROUPS: i32 = 1 << 20;

let turn: i32 = 0;

/** The number of a kernel whose sums are computed in turn. Only the caller has it, and passes it as an argument. */
export function nextTurn(): i32 {
  turn += MOST_GROUPS;
  return turn;
}

/** The most rows of a group, if several threads sum: with 16 of 512 rows, a step at H 1600 is 2 % faster than with 64. */
const MOST_ROWS: usize = 16;

/** The rows of a group, of all that there are: few, because the last thread begins when each of the others has done a group; even, as tiles have two. */
export function rowsTogether(rows: usize): usize {
  return max(2, parts == 1 ? rows : min(MOST_ROWS, (rows / (4 * parts) + 1) & ~1));
}

/** Waits until the thread before has done this many groups. */
export function waitForSums(turn: i32, groups: i32): void {
  if (part > 0) waitUntil(LINES + (part - 1) * LINE, turn + groups);
}

/** Waits until the sums of this many groups are whole. */
export function waitForWholeSums(turn: i32, groups: i32): void {
  if (groups > 0 && part + 1 < parts) waitUntil(LINES + (parts - 1) * LINE, turn + groups);
}

/** Says that this thread has done this many groups. */
export function reportSums(turn: i32, groups: i32): void {
  if (parts == 1) return;
  if (ASC_FEATURE_THREADS) {
    const line = LINES + part * LINE;
    atomic.store<i32>(line, turn + groups);
    if (atomic.load<i32>(ASLEEP)) atomic.notify(line, -1);
  }
}

function waitUntil(address: usize, count: i32): void {
  if (ASC_FEATURE_THREADS) {
    // The counts may wrap around.
    for (let found = atomic.load<i32>(address); found - count < 0; found = atomic.load<i32>(address)) waitWhile(address, found);
  } else unreachable();
}

/** Waits while the word has the value, or for a while. The caller gives up in the end; the helpers wait for its word. */
function waitWhile(address: usize, value: i32): void {
  if (ASC_FEATURE_THREADS) {
    if (spinWhile(address, value)) return;
    atomic.add<i32>(ASLEEP, 1);
    for (let naps = 0; atomic.load<i32>(address) == value; naps++) {
      if (atomic.load<i32>(FAILED) || (part == 0 && naps == PATIENCE)) unreachable();
      nap(address, value);
    }
    atomic.sub<i32>(ASLEEP, 1);
  }
}

/** Ends the waits of the other threads with a trap: this one has failed. From then on, the memory is for one thread. */
export function leaveMeetings(): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(FAILED, 1);
    atomic.notify(MEETINGS, -1);
    for (let i: usize = 0; i < parts; i++) atomic.notify(LINES + i * LINE, -1);
  }
}
