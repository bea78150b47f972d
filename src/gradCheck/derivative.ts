/**
 * Derivatives by differences with a step that fits each entry. A generator asks for values of f and gets them, so that one implementation serves
 * functions that return at once and functions that return promises.
 */

/** f at a shift. */
export interface Sample {
  /** The shift as the container stored it: x + t is rounded. */
  t: number;
  /** The values of f: one or many. */
  values: ArrayLike<number>;
}

/** The derivative of each value of f. */
export interface Derivative {
  slope: Float64Array;
  /** How far the slope may be off: the difference of two steps, and the rounding of f. */
  error: Float64Array;
  /** Whether two steps agreed. */
  agreed: boolean;
}

/** Where steps begin and end, and how exactly f is computed. */
export interface Steps {
  /** Largest and smallest step; powers of two, which shift without rounding. */
  first: number;
  last: number;
  /** Rounding of f, relative to its values: 2^-52 in float64. */
  epsilon: number;
  /** What each value of f rounds like: at least its own magnitude, more where it is the small difference of large numbers. */
  magnitude: ArrayLike<number>;
}

/** The same for slopes on one side. */
export interface OneSidedSteps extends Steps {
  /** Slopes whose steps differ by less, relative to 1 or to the slope, count as found. */
  settled: number;
}

/** Two steps agree if they differ by less than this share of the largest slope, or by rounding. */
const AGREE = 1e-9;
/** Rounding errors of f, in units of epsilon·|f|, that count as noise. */
const ROUNDINGS = 8;

/**
 * Central differences of fourth order, (4 q(h) - q(2h)) / 3 with q(h) = (f(h) - f(-h)) / 2h. The step is halved until two agree; if none do, the
 * pair that differs least counts. Two evaluations per halving, six if the first two steps agree.
 * @param count number of values of f
 * @returns undefined if f is not finite on both sides, however small the step
 */
export function* derivative({ first, last, epsilon, magnitude }: Steps, count: number): Generator<number, Derivative | undefined, Sample> {
  let best: Derivative | undefined;
  let least = Number.POSITIVE_INFINITY;
  let coarse: Float64Array | undefined;
  let quotient: Float64Array | undefined;
  for (let h = 2 * first; h >= last; h /= 2) {
    const [up, down] = [yield h, yield -h];
    const finer = quotientOf(up, down, count);
    const slope = quotient && extrapolate(finer, quotient);
    if (slope && coarse) {
      const noise = (i: number) => (ROUNDINGS * epsilon * magnitude[i]) / h;
      const { error, differ, agreed } = compare(slope, coarse, noise);
      if (differ < least) {
        best = { slope, error, agreed };
        least = differ;
      }
      if (agreed) return best;
    }
    coarse = slope;
    quotient = finer;
  }
  return best;
}

function quotientOf(up: Sample, down: Sample, count: number): Float64Array {
  const out = new Float64Array(count);
  const width = up.t - down.t;
  for (let i = 0; i < count; i++) out[i] = (up.values[i] - down.values[i]) / width;
  return out;
}

function extrapolate(fine: Float64Array, coarse: Float64Array): Float64Array {
  return fine.map((q, i) => (4 * q - coarse[i]) / 3);
}

/** The distance of two estimates; `differ` is NaN, which is never the least, where one is not finite. */
function compare(fine: Float64Array, coarse: Float64Array, noise: (i: number) => number) {
  let largest = 0;
  for (const x of fine) largest = Math.max(largest, Math.abs(x));
  let differ = 0;
  let agreed = true;
  const error = fine.map((x, i) => {
    const distance = Math.abs(x - coarse[i]);
    differ += distance;
    if (!(distance <= AGREE * largest + 4 * noise(i))) agreed = false;
    return distance + noise(i);
  });
  return { error, differ, agreed };
}

/**
 * The slope on one side of a kink: differences of second order, (4 f(h) - f(2h) - 3 f(0)) / 2h. The step is halved until two agree.
 * @param side 1 or -1
 * @param at0 f at shift 0
 * @returns undefined if the steps do not come together, as for a root at 0
 */
export function* oneSided(
  side: 1 | -1,
  { first, last, epsilon, settled, magnitude }: OneSidedSteps,
  at0: ArrayLike<number>,
): Generator<number, Derivative | undefined, Sample> {
  const count = at0.length;
  let best: Derivative | undefined;
  let least = Number.POSITIVE_INFINITY;
  let wide: Sample | undefined;
  let coarse: Float64Array | undefined;
  for (let h = first; h >= last; h /= 2) {
    const near: Sample = yield side * h;
    const far = wide;
    if (far) {
      const slope = Float64Array.from({ length: count }, (_, i) => {
        const [a, b] = [(near.values[i] - at0[i]) / near.t, (far.values[i] - at0[i]) / far.t];
        return (far.t * a - near.t * b) / (far.t - near.t);
      });
      if (coarse) {
        const noise = (i: number) => (ROUNDINGS * epsilon * magnitude[i]) / h;
        const { error, differ, agreed } = compare(slope, coarse, noise);
        if (differ < least) {
          best = { slope, error, agreed };
          least = differ;
        }
        if (agreed) break;
      }
      coarse = slope;
    }
    wide = near;
  }
  // A large output rounds by more than that; its error counts where the slope is used.
  const rounding = (i: number) => (4 * ROUNDINGS * epsilon * magnitude[i]) / first;
  const found = best?.slope.every((x, i) => (best as Derivative).error[i] <= settled * (1 + Math.abs(x)) + rounding(i));
  return found ? best : undefined;
}

/** Runs a generator with a function that returns at once. */
export function measure<T>(steps: Generator<number, T, Sample>, f: (shift: number) => Sample): T {
  let step = steps.next();
  while (!step.done) step = steps.next(f(step.value));
  return step.value;
}

/** Runs a generator with a function that returns a promise. */
export async function measureAsync<T>(steps: Generator<number, T, Sample>, f: (shift: number) => Promise<Sample>): Promise<T> {
  let step = steps.next();
  while (!step.done) step = steps.next(await f(step.value));
  return step.value;
}
