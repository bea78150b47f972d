/**
 * Float64Array in the place of Float32Array, so that float32 code can be checked with differences: with the same code, they are off by 5e-6 at
 * the best step in float32, by 1e-12 in float64.
 */

/** Where the real Float32Array is kept while another takes its place. Registered: the ES module and the CommonJS file share it. */
const REAL = Symbol.for('backprop-ninja.Float32Array');

interface Globals {
  Float32Array: unknown;
  [REAL]?: Float32ArrayConstructor;
}

const globals = globalThis as unknown as Globals;

/** The arrays that a call sees under the name Float32Array. */
export type Arrays = 'swapped' | 'plain';

/** The real Float32Array. */
function real(): Float32ArrayConstructor {
  return globals[REAL] ?? (globals.Float32Array as Float32ArrayConstructor);
}

/** Calls a function of the layer while it sees the arrays asked for. Async calls must not overlap. */
export async function callWith<T>(arrays: Arrays, call: () => T): Promise<Awaited<T>> {
  const before = globals.Float32Array;
  globals[REAL] = real();
  globals.Float32Array = arrays === 'swapped' ? Float64Array : real();
  try {
    return await call();
  } finally {
    globals.Float32Array = before;
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Runs one check after another: a check replaces a global while it calls the layer. */
export function oneAtATime<T>(check: () => Promise<T>): Promise<T> {
  const result = last.then(check);
  last = result.catch(() => {});
  return result;
}

/** Puts Float64Array in the place of Float32Array for good: in a process of its own, before the layer's code is loaded. */
export function replaceFloat32Array(): void {
  globals[REAL] = real();
  globals.Float32Array = Float64Array;
}
