/** Long work in parts. The core has no clock and no event loop: its caller decides what happens between the parts. */

/** A generator that does a part of the work per call of `next`. Between two parts it may be abandoned with `return`. */
export type Job<T> = Generator<undefined, T, void>;

/** Does all parts of a job, and returns its result. */
export function complete<T>(job: Job<T>): T {
  for (;;) {
    const { done, value } = job.next();
    if (done) return value;
  }
}
