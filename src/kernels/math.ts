// tanh is within 7 units in the last place, exp within 1, log within 0.51, over all of float32: see test/kernels/math.test.ts.
//
// Constants are loaded from memory. V8 builds a v128 constant from immediates, with at least three instructions at every use, which halved
// the speed of tanh.

const TANH = memory.data<f32>([
  // From here the rational approximation rounds to 1 in float32.
  7.90531110763549805, -7.90531110763549805,
  // Numerator, odd powers from x^13 down to x. All coefficients are 256 times Eigen's, so that nothing underflows before x does.
  -7.067567302204288e-14, 5.120481036351411e-11, -2.2027959096671616e-08, 1.3113080551350119e-05,
  0.0038034492343802626, 0.1631390537921116, 1.252742287082972,
  // Denominator, even powers from x^6 down to 1.
  0.0003067541490347571, 0.030344884655783423, 0.580719265904384, 1.2527424474992257,
]);

// @ts-ignore: decorator
@inline
function T(i: usize): v128 {
  return v128.load32_splat(TANH + (i << 2));
}

/** x clamped to the range of the approximation. pmin and pmax preserve NaN. */
// @ts-ignore: decorator
@inline
function clampTanh(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, T(0)), T(1));
}

/** tanh of four numbers: x·P(x²)/Q(x²), Eigen's rational minimax approximation. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const u = clampTanh(x);
  const y = f32x4.mul(u, u);
  let p = f32x4.add(f32x4.mul(y, T(2)), T(3));
  p = f32x4.add(f32x4.mul(y, p), T(4));
  p = f32x4.add(f32x4.mul(y, p), T(5));
  p = f32x4.add(f32x4.mul(y, p), T(6));
  p = f32x4.add(f32x4.mul(y, p), T(7));
  p = f32x4.mul(u, f32x4.add(f32x4.mul(y, p), T(8)));
  let q = f32x4.add(f32x4.mul(y, T(9)), T(10));
  q = f32x4.add(f32x4.mul(y, q), T(11));
  q = f32x4.add(f32x4.mul(y, q), T(12));
  return f32x4.div(p, q);
}

/** out [16] = tanh of four vectors, as tanh4. */
// @ts-ignore: decorator
@inline
export function storeTanh16(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const a1 = clampTanh(a);
  const b1 = clampTanh(b);
  const c1 = clampTanh(c);
  const d1 = clampTanh(d);
  const a2 = f32x4.mul(a1, a1);
  const b2 = f32x4.mul(b1, b1);
  const c2 = f32x4.mul(c1, c1);
  const d2 = f32x4.mul(d1, d1);
  let aP = f32x4.add(f32x4.mul(a2, T(2)), T(3));
  let bP = f32x4.add(f32x4.mul(b2, T(2)), T(3));
  let cP = f32x4.add(f32x4.mul(c2, T(2)), T(3));
  let dP = f32x4.add(f32x4.mul(d2, T(2)), T(3));
  aP = f32x4.add(f32x4.mul(a2, aP), T(4));
  bP = f32x4.add(f32x4.mul(b2, bP), T(4));
  cP = f32x4.add(f32x4.mul(c2, cP), T(4));
  dP = f32x4.add(f32x4.mul(d2, dP), T(4));
  aP = f32x4.add(f32x4.mul(a2, aP), T(5));
  bP = f32x4.add(f32x4.mul(b2, bP), T(5));
  cP = f32x4.add(f32x4.mul(c2, cP), T(5));
  dP = f32x4.add(f32x4.mul(d2, dP), T(5));
  aP = f32x4.add(f32x4.mul(a2, aP), T(6));
  bP = f32x4.add(f32x4.mul(b2, bP), T(6));
  cP = f32x4.add(f32x4.mul(c2, cP), T(6));
  dP = f32x4.add(f32x4.mul(d2, dP), T(6));
  aP = f32x4.add(f32x4.mul(a2, aP), T(7));
  bP = f32x4.add(f32x4.mul(b2, bP), T(7));
  cP = f32x4.add(f32x4.mul(c2, cP), T(7));
  dP = f32x4.add(f32x4.mul(d2, dP), T(7));
  aP = f32x4.mul(a1, f32x4.add(f32x4.mul(a2, aP), T(8)));
  bP = f32x4.mul(b1, f32x4.add(f32x4.mul(b2, bP), T(8)));
  cP = f32x4.mul(c1, f32x4.add(f32x4.mul(c2, cP), T(8)));
  dP = f32x4.mul(d1, f32x4.add(f32x4.mul(d2, dP), T(8)));
  let aQ = f32x4.add(f32x4.mul(a2, T(9)), T(10));
  let bQ = f32x4.add(f32x4.mul(b2, T(9)), T(10));
  let cQ = f32x4.add(f32x4.mul(c2, T(9)), T(10));
  let dQ = f32x4.add(f32x4.mul(d2, T(9)), T(10));
  aQ = f32x4.add(f32x4.mul(a2, aQ), T(11));
  bQ = f32x4.add(f32x4.mul(b2, bQ), T(11));
  cQ = f32x4.add(f32x4.mul(c2, cQ), T(11));
  dQ = f32x4.add(f32x4.mul(d2, dQ), T(11));
  aQ = f32x4.add(f32x4.mul(a2, aQ), T(12));
  bQ = f32x4.add(f32x4.mul(b2, bQ), T(12));
  cQ = f32x4.add(f32x4.mul(c2, cQ), T(12));
  dQ = f32x4.add(f32x4.mul(d2, dQ), T(12));
  v128.store(out, f32x4.div(aP, aQ));
  v128.store(out, f32x4.div(bP, bQ), 16);
  v128.store(out, f32x4.div(cP, cQ), 32);
  v128.store(out, f32x4.div(dP, dQ), 48);
}

/** Stores the first 1 to 4 lanes. */
// @ts-ignore: decorator
@inline
export function storeLanes(p: usize, x: v128, lanes: usize): void {
  if (lanes == 4) {
    v128.store(p, x);
    return;
  }
  store<f32>(p, f32x4.extract_lane(x, 0));
  if (lanes > 1) store<f32>(p, f32x4.extract_lane(x, 1), 4);
  if (lanes > 2) store<f32>(p, f32x4.extract_lane(x, 2), 8);
}

const EXP = memory.data<f32>([
  // exp is 0 below the first constant, and Inf above the second.
  -104, 89,
  // log2(e); 1.5·2^23, which rounds to an integer when added; ln 2 in two parts.
  1.44269504088896341, 12582912, 0.693359375, -2.12194440e-4,
  // exp(r) = 1 + r + r²·(…) for |r| <= ln(2)/2, from r^5 down (Cephes).
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1,
  // From minus this to this, exp is a normal number.
  87,
]);

// @ts-ignore: decorator
@inline
function E(i: usize): v128 {
  return v128.load32_splat(EXP + (i << 2));
}

/** exp of four numbers: 2^n·exp(r) with x = n·ln 2 + r. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const c = f32x4.pmax(f32x4.pmin(x, E(1)), E(0));
  const shifted = f32x4.add(f32x4.mul(c, E(2)), E(3));
  const r = exponentRest(c, f32x4.sub(shifted, E(3)));
  let p = f32x4.add(f32x4.mul(r, E(6)), E(7));
  p = f32x4.add(f32x4.mul(r, p), E(8));
  p = f32x4.add(f32x4.mul(r, p), E(9));
  p = f32x4.add(f32x4.mul(r, p), E(10));
  p = f32x4.add(f32x4.mul(r, p), E(11));
  return scaleByPower(f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), E(12)), shifted);
}

/**
 * exp of sixteen numbers in place, with the results of exp4. From -87 to 87 the power of two is a normal number and can be added to the
 * exponent bits of exp(r): a quarter fewer operations. Four vectors at a time hide the latency of a chain of 24 operations.
 */
// @ts-ignore: decorator
@inline
export function expInPlace16(at: usize): void {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  // As integers, the bits of absolute values have the order of the values, and those of NaN are the largest.
  const largest = i32x4.max_s(i32x4.max_s(f32x4.abs(a), f32x4.abs(b)), i32x4.max_s(f32x4.abs(c), f32x4.abs(d)));
  if (v128.any_true(i32x4.gt_s(largest, E(13)))) {
    v128.store(at, exp4(a));
    v128.store(at, exp4(b), 16);
    v128.store(at, exp4(c), 32);
    v128.store(at, exp4(d), 48);
    return;
  }
  const aShifted = f32x4.add(f32x4.mul(a, E(2)), E(3));
  const bShifted = f32x4.add(f32x4.mul(b, E(2)), E(3));
  const cShifted = f32x4.add(f32x4.mul(c, E(2)), E(3));
  const dShifted = f32x4.add(f32x4.mul(d, E(2)), E(3));
  const aRest = exponentRest(a, f32x4.sub(aShifted, E(3)));
  const bRest = exponentRest(b, f32x4.sub(bShifted, E(3)));
  const cRest = exponentRest(c, f32x4.sub(cShifted, E(3)));
  const dRest = exponentRest(d, f32x4.sub(dShifted, E(3)));
  let aP = f32x4.add(f32x4.mul(aRest, E(6)), E(7));
  let bP = f32x4.add(f32x4.mul(bRest, E(6)), E(7));
  let cP = f32x4.add(f32x4.mul(cRest, E(6)), E(7));
  let dP = f32x4.add(f32x4.mul(dRest, E(6)), E(7));
  aP = f32x4.add(f32x4.mul(aRest, aP), E(8));
  bP = f32x4.add(f32x4.mul(bRest, bP), E(8));
  cP = f32x4.add(f32x4.mul(cRest, cP), E(8));
  dP = f32x4.add(f32x4.mul(dRest, dP), E(8));
  aP = f32x4.add(f32x4.mul(aRest, aP), E(9));
  bP = f32x4.add(f32x4.mul(bRest, bP), E(9));
  cP = f32x4.add(f32x4.mul(cRest, cP), E(9));
  dP = f32x4.add(f32x4.mul(dRest, dP), E(9));
  aP = f32x4.add(f32x4.mul(aRest, aP), E(10));
  bP = f32x4.add(f32x4.mul(bRest, bP), E(10));
  cP = f32x4.add(f32x4.mul(cRest, cP), E(10));
  dP = f32x4.add(f32x4.mul(dRest, dP), E(10));
  aP = f32x4.add(f32x4.mul(aRest, aP), E(11));
  bP = f32x4.add(f32x4.mul(bRest, bP), E(11));
  cP = f32x4.add(f32x4.mul(cRest, cP), E(11));
  dP = f32x4.add(f32x4.mul(dRest, dP), E(11));
  aP = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(aRest, aRest), aP), aRest), E(12));
  bP = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(bRest, bRest), bP), bRest), E(12));
  cP = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(cRest, cRest), cP), cRest), E(12));
  dP = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(dRest, dRest), dP), dRest), E(12));
  v128.store(at, i32x4.add(aP, i32x4.shl(aShifted, 23)));
  v128.store(at, i32x4.add(bP, i32x4.shl(bShifted, 23)), 16);
  v128.store(at, i32x4.add(cP, i32x4.shl(cShifted, 23)), 32);
  v128.store(at, i32x4.add(dP, i32x4.shl(dShifted, 23)), 48);
}

/** x - n·ln 2, with ln 2 in two parts, so that no precision is lost. */
// @ts-ignore: decorator
@inline
function exponentRest(x: v128, n: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, E(4))), f32x4.mul(n, E(5)));
}

/** p·2^n with n in the low bits of shifted. Two factors, because n ranges from -150 to 128, beyond the exponents of one float. */
// @ts-ignore: decorator
@inline
function scaleByPower(p: v128, shifted: v128): v128 {
  const whole = i32x4.sub(shifted, E(3));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** 2^n for four integers from -126 to 127. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

const LOG = memory.data<f64>([
  // The mantissa of a float64 and the exponent of 1, as bits; sqrt(2), 1/2, 1, ln(2).
  2.2250738585072009e-308, 1, 1.4142135623730951, 0.5, 1, 0.6931471805599453,
  // artanh(s) = s·(1 + z·(1/3 + z·(…))) with z = s², from 1/13 down.
  1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 2,
]);

// @ts-ignore: decorator
@inline
function L(i: usize): v128 {
  return v128.load64_splat(LOG + (i << 3));
}

/**
 * The natural logarithms of two positive, finite float64 numbers, rounded once, to float32: log(2^e·m) = e·ln 2 + 2·artanh(s) with
 * s = (m-1)/(m+1), m from sqrt(1/2) to sqrt(2). NaN for NaN. @returns them in lanes 0 and 1
 */
// @ts-ignore: decorator
@inline
export function logOfTwo(x: v128): v128 {
  const exponents = i32x4.sub(v128.shuffle<i32>(x, x, 1, 3, 1, 3), i32x4.splat(1023 << 20));
  const mantissa = v128.or(v128.and(x, L(0)), L(1));
  const isLarge = f64x2.gt(mantissa, L(2));
  const m = f64x2.mul(mantissa, v128.bitselect(L(3), L(4), isLarge));
  const e = f64x2.add(f64x2.convert_low_i32x4_s(i32x4.shr_s(exponents, 20)), v128.and(isLarge, L(4)));
  const s = f64x2.div(f64x2.sub(m, L(4)), f64x2.add(m, L(4)));
  const z = f64x2.mul(s, s);
  let series = f64x2.add(L(7), f64x2.mul(z, L(6)));
  series = f64x2.add(L(8), f64x2.mul(z, series));
  series = f64x2.add(L(9), f64x2.mul(z, series));
  series = f64x2.add(L(10), f64x2.mul(z, series));
  series = f64x2.add(L(11), f64x2.mul(z, series));
  series = f64x2.add(L(4), f64x2.mul(z, series));
  const logarithms = f64x2.add(f64x2.mul(e, L(5)), f64x2.mul(f64x2.mul(L(12), s), series));
  return f32x4.demote_f64x2_zero(f64x2.add(logarithms, f64x2.sub(x, x)));
}

/** The sum of the four lanes, as (0+2) + (1+3). */
// @ts-ignore: decorator
@inline
export function sumOfLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest of the four lanes. It compares vectors, because V8 needs a dozen instructions and branches for a scalar f32.max. */
// @ts-ignore: decorator
@inline
export function maxOfLanes(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}
