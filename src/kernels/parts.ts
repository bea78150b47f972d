// How the threads share a kernel. Every thread has an instance of the module on the same memory, and calls the same kernel with the same
// arguments. Each computes a part of the entries, and sums every one in the order of a single thread, so the number of threads changes no bit.

/** This thread: 0 is the one that called the layer. */
let part: usize = 0;
/** The threads that compute together; 1 is a thread alone. */
let parts: usize = 1;

export function setPart(own: usize, all: usize): void {
  part = own;
  parts = all;
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

function border(size: usize, unit: usize, index: usize): usize {
  if (index == 0) return 0;
  if (index == parts) return size;
  const units = (size + unit - 1) / unit;
  return min(size, (((units as u64) * (index as u64)) / (parts as u64)) as usize * unit);
}

/**
 * Returns once all threads have called it: what they stored before can be read after it. A kernel needs it only where one thread reads what
 * another has computed, and then every thread must call it equally often.
 */
export function meet(): void {
  if (parts == 1) return;
  unreachable();
}
