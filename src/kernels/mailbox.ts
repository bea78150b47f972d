// The mailboxes through which a caller posts kernels to its helpers, in a memory of their own: see backend/threads.ts. Only in shared memory.

// A mailbox has two cache lines. The first one is written by the caller: the number of the last job, the kernels of the last two, their memory, and
// which part of how many is the helper's. The second one is written by the helper: the number of the last job that is done, whether it sleeps, and
// its state.
const KERNELS: usize = 4;
const MEMORY: usize = 12;
const PART: usize = 16;
const PARTS: usize = 20;
const CALLER_ASLEEP: usize = 24;
const DONE: usize = 64;
const HELPER_ASLEEP: usize = 68;
const STATE: usize = 72;

/**
 * Loads of a word before a thread sleeps: 0.2 ms, at 0.45 ns each. To sleep and to be woken costs up to 0.1 ms, and cores are not always equally
 * fast: in a layer of 1 ms, one thread is often more than 0.05 ms behind the other. At H 1600, n 512, a step is 1 to 2 % faster than with 120,000.
 */
const SPINS: i32 = 500_000;
/**
 * Loads while most waits are in vain: other processes have the cores, and a thread that spins keeps them from those that it waits for. With
 * another process on one of two cores, two threads are then 0.24, 0.4 and 0.86 times as fast as one (H 200, n 32; n 128; H 1024, n 256), and 0.07,
 * 0.2 and 0.7 times if they spin longer. It is still better to let helpers rest, see Threads.use.
 */
const FEW_SPINS: i32 = 1_000;
/** While waits are short, one in this many is a trial, to see whether others would succeed, too. A prime, so that each wait of a step has its turn. */
const TRIAL: i32 = 17;
/** Loads of a trial: fewer than {@link SPINS}, because it is often in vain. */
const TRIAL_SPINS: i32 = 120_000;
/** Long waits in vain count this much, and others take 1 off: few loads are made from {@link MOST_VAIN} on, where more than a fifth is in vain. */
const VAIN: i32 = 4;
const MOST_VAIN: i32 = 8;

let vain: i32 = 0;
let waits: i32 = 0;

/** Spins while the word has the value, for a while. @returns whether it has changed */
export function spinWhile(address: usize, value: i32): bool {
  if (ASC_FEATURE_THREADS) {
    const isCalm = vain < MOST_VAIN;
    const isTrial = !isCalm && ++waits % TRIAL == 0;
    const loads = isCalm ? SPINS : isTrial ? TRIAL_SPINS : FEW_SPINS;
    for (let spin = 0; spin < loads; spin++) {
      if (atomic.load<i32>(address) == value) continue;
      if ((isCalm || isTrial) && vain > 0) vain--;
      return true;
    }
    if (isCalm || isTrial) vain = min(vain + VAIN, MOST_VAIN);
  }
  return false;
}

/** Milliseconds after which a thread that sleeps looks whether the others are still there. */
const NAP: f64 = 500;
/**
 * Naps after which the caller gives up a helper: 30 s behind it. A thread that is ended while it computes cannot say so. Naps are counted, not
 * time, so that a process that was stopped in between waits as long afterwards.
 */
export const PATIENCE: i32 = 60;

/**
 * Atomics.wait, with its limit in milliseconds. Not memory.atomic.wait32: on Node 20, a loop around that instruction went on sleeping after the
 * word had changed.
 */
// @ts-ignore: decorator
@external("env", "sleep")
declare function sleep(address: usize, value: i32, milliseconds: f64): void;

/** Sleeps while the word has the value, or for a while: the caller looks again. */
export function nap(address: usize, value: i32): void {
  sleep(address, value, NAP);
}

/** The helper's state: one of backend/threads.ts, and 0 before it has set any. */
export function stateOf(box: usize): i32 {
  if (ASC_FEATURE_THREADS) return atomic.load<i32>(box, STATE);
  return 0;
}

/** Posts a job to the helper. The one before may still be in work if memory and parts are the same; the one before that is done. */
export function postJob(box: usize, kernel: i32, memory: i32, part: i32, parts: i32): void {
  if (ASC_FEATURE_THREADS) {
    store<i32>(box + (((load<i32>(box) + 1) & 1) << 2), kernel, KERNELS);
    store<i32>(box, memory, MEMORY);
    store<i32>(box, part, PART);
    store<i32>(box, parts, PARTS);
    atomic.add<i32>(box, 1);
    if (atomic.load<i32>(box, HELPER_ASLEEP)) atomic.notify(box, 1);
  }
}

/** Whether the helper has done all that was posted. */
export function isDone(box: usize): bool {
  if (ASC_FEATURE_THREADS) return atomic.load<i32>(box, DONE) == load<i32>(box);
  return true;
}

/** Waits until the helper has done all that was posted, or its state is not the given one, or the patience is at its end. */
export function join(box: usize, state: i32): void {
  if (ASC_FEATURE_THREADS) {
    const posted = load<i32>(box);
    // The job before may not be done yet.
    let done = atomic.load<i32>(box, DONE);
    while (done != posted && spinWhile(box + DONE, done)) done = atomic.load<i32>(box, DONE);
    if (done == posted) return;
    atomic.store<i32>(box, 1, CALLER_ASLEEP);
    for (let naps = 0; naps < PATIENCE; naps++) {
      const done = atomic.load<i32>(box, DONE);
      if (done == posted || atomic.load<i32>(box, STATE) != state) break;
      nap(box + DONE, done);
    }
    atomic.store<i32>(box, 0, CALLER_ASLEEP);
  }
}

/** Waits for the job after the last one. The helper sleeps if none comes. @returns its number */
export function nextJob(box: usize, last: i32): i32 {
  if (ASC_FEATURE_THREADS) {
    if (!spinWhile(box, last)) {
      atomic.store<i32>(box, 1, HELPER_ASLEEP);
      // Does not sleep if a job was posted since the last load.
      while (atomic.load<i32>(box) == last) sleep(box, last, Infinity);
      atomic.store<i32>(box, 0, HELPER_ASLEEP);
    }
  }
  return last + 1;
}

/** Says that the helper has done the job. */
export function reportDone(box: usize, number: i32): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(box, number, DONE);
    if (atomic.load<i32>(box, CALLER_ASLEEP)) atomic.notify(box + DONE, 1);
  }
}

/** Says what the state of the helper is. If it is the last one, the caller does not wait for the job either. */
export function setState(box: usize, state: i32): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(box, state, STATE);
    atomic.notify(box + DONE, 1);
  }
}
