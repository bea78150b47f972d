/** Runs code that calls Math.random with another generator in its place, so that a forward can be repeated. */
export function withRandom<T>(random: () => number, run: () => T): T {
  const own = Math.random;
  Math.random = random;
  try {
    return run();
  } finally {
    Math.random = own;
  }
}
