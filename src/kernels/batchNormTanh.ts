import { storeLanes, storeTanh16, tanh4 } from './math';
import { endOf, firstOf } from './parts';
import { zeroRow } from './rows';
import { dtanh } from './tanh';

// h, bnraw, hprebn, dh, dhprebn [n,H]   bnvar_inv, bngain, bnbias, dbngain, dbnbias, bnmean, bnvar [H]
//
// Forward and inference process 16 columns at a time: a cache line of a row, and a block that stays in the cache for all passes. The last
// block overlaps the one before it: inputs are not overwritten, so computing a column twice gives the same result. Fewer than 16 columns
// are computed four at a time; of fewer than four, the extra ones are never stored. Threads share the blocks.

const EPSILON: f32 = 1e-5;

/** See layers/batchNormTanh.ts. */
export function batchNormTanhForward(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  const end = endOf(H, 16);
  let j = firstOf(H, 16);
  if (H < 16) {
    const lanes = min(H, 4);
    for (; j < end; j += 4) forwardFour(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H, min(j, H - lanes) << 2, lanes);
    return;
  }
  for (; j < end; j += 16) forwardSixteen(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H, min(j, H - 16) << 2);
}

/** 16 columns from the byte offset j of a row. */
function forwardSixteen(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize, j: usize,
): void {
  const stride = H << 2;
  const first = hprebn + j;
  const end = first + n * stride;
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  for (let p = first; p < end; p += stride) {
    sum0 = f32x4.add(sum0, v128.load(p));
    sum1 = f32x4.add(sum1, v128.load(p, 16));
    sum2 = f32x4.add(sum2, v128.load(p, 32));
    sum3 = f32x4.add(sum3, v128.load(p, 48));
  }
  const share = f32x4.splat(1 / (n as f32));
  const mean0 = f32x4.mul(sum0, share);
  const mean1 = f32x4.mul(sum1, share);
  const mean2 = f32x4.mul(sum2, share);
  const mean3 = f32x4.mul(sum3, share);
  let squares0 = f32x4.splat(0);
  let squares1 = f32x4.splat(0);
  let squares2 = f32x4.splat(0);
  let squares3 = f32x4.splat(0);
  for (let p = first; p < end; p += stride) {
    const d0 = f32x4.sub(v128.load(p), mean0);
    const d1 = f32x4.sub(v128.load(p, 16), mean1);
    const d2 = f32x4.sub(v128.load(p, 32), mean2);
    const d3 = f32x4.sub(v128.load(p, 48), mean3);
    squares0 = f32x4.add(squares0, f32x4.mul(d0, d0));
    squares1 = f32x4.add(squares1, f32x4.mul(d1, d1));
    squares2 = f32x4.add(squares2, f32x4.mul(d2, d2));
    squares3 = f32x4.add(squares3, f32x4.mul(d3, d3));
  }
  const inverse0 = inverseDeviation(squares0, n);
  const inverse1 = inverseDeviation(squares1, n);
  const inverse2 = inverseDeviation(squares2, n);
  const inverse3 = inverseDeviation(squares3, n);
  v128.store(bnvar_inv + j, inverse0);
  v128.store(bnvar_inv + j, inverse1, 16);
  v128.store(bnvar_inv + j, inverse2, 32);
  v128.store(bnvar_inv + j, inverse3, 48);
  const toRaw = bnraw - hprebn;
  const toH = h - hprebn;
  for (let p = first; p < end; p += stride) {
    const raw0 = f32x4.mul(f32x4.sub(v128.load(p), mean0), inverse0);
    const raw1 = f32x4.mul(f32x4.sub(v128.load(p, 16), mean1), inverse1);
    const raw2 = f32x4.mul(f32x4.sub(v128.load(p, 32), mean2), inverse2);
    const raw3 = f32x4.mul(f32x4.sub(v128.load(p, 48), mean3), inverse3);
    v128.store(p + toRaw, raw0);
    v128.store(p + toRaw, raw1, 16);
    v128.store(p + toRaw, raw2, 32);
    v128.store(p + toRaw, raw3, 48);
    storeTanh16(
      p + toH,
      scaled(raw0, bngain + j, bnbias + j),
      scaled(raw1, bngain + j + 16, bnbias + j + 16),
      scaled(raw2, bngain + j + 32, bnbias + j + 32),
      scaled(raw3, bngain + j + 48, bnbias + j + 48),
    );
  }
}

/** Up to four columns from the byte offset j of a row. */
function forwardFour(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize, j: usize, lanes: usize,
): void {
  const stride = H << 2;
  const first = hprebn + j;
  const end = first + n * stride;
  let sum = f32x4.splat(0);
  for (let p = first; p < end; p += stride) sum = f32x4.add(sum, v128.load(p));
  const mean = f32x4.mul(sum, f32x4.splat(1 / (n as f32)));
  let squares = f32x4.splat(0);
  for (let p = first; p < end; p += stride) {
    const d = f32x4.sub(v128.load(p), mean);
    squares = f32x4.add(squares, f32x4.mul(d, d));
  }
  const inverse = inverseDeviation(squares, n);
  storeLanes(bnvar_inv + j, inverse, lanes);
  for (let p = first; p < end; p += stride) {
    const raw = f32x4.mul(f32x4.sub(v128.load(p), mean), inverse);
    storeLanes(p + bnraw - hprebn, raw, lanes);
    storeLanes(p + h - hprebn, tanh4(scaled(raw, bngain + j, bnbias + j)), lanes);
  }
}

/** gain·raw + bias */
// @ts-ignore: decorator
@inline
function scaled(raw: v128, gain: usize, bias: usize): v128 {
  return f32x4.add(f32x4.mul(v128.load(gain), raw), v128.load(bias));
}

/** (variance + eps)^(-1/2), with Bessel's n-1 in the variance. */
// @ts-ignore: decorator
@inline
function inverseDeviation(squares: v128, n: usize): v128 {
  const variance = f32x4.mul(squares, f32x4.splat(1 / ((n - 1) as f32)));
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(EPSILON))));
}

/**
 * See layers/batchNormTanh.ts. It goes row by row, four rows at a time, and keeps the column sums in memory. Going column by column took
 * ten times as long at H 1024, because addresses a power of two apart share a few cache lines; blocks of 64 to 256 columns took up to 1.4
 * times as long. Each thread has a range of columns.
 */
export function batchNormTanhBackward(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, n: usize, H: usize,
): void {
  const first = firstOf(H, 16);
  const columns = endOf(H, 16) - first;
  const j = first << 2;
  backwardColumns(dhprebn + j, dbngain + j, dbnbias + j, dh + j, h + j, bnraw + j, bnvar_inv + j, bngain + j, n, columns, H << 2);
}

/** The rows of all arrays are stride bytes apart. */
// @ts-ignore: decorator
@inline
function backwardColumns(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize,
  n: usize, columns: usize, stride: usize,
): void {
  const width = columns << 2;
  const end = n * stride;
  const fours = (n & ~3) * stride;
  const four = stride << 2;
  zeroRow(dbngain, columns);
  zeroRow(dbnbias, columns);
  let p: usize = 0;
  for (; p < fours; p += four) sumFourRows(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, width, stride);
  for (; p < end; p += stride) sumRow(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, 0, width);
  const share: f32 = 1 / (n as f32);
  const bessel: f32 = 1 / ((n - 1) as f32);
  for (p = 0; p < fours; p += four) {
    centreFourRows(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, width, stride);
  }
  for (; p < end; p += stride) centreRow(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, 0, width);
}

/**
 * dhpreact = (1 - h²)·dh, stored in dhprebn until its sums are known. Adds dhpreact·bnraw to dbngain and dhpreact to dbnbias.
 */
function sumFourRows(dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, width: usize, stride: usize): void {
  const vectors = width & ~15;
  const second = stride;
  const third = stride << 1;
  const fourth = third + stride;
  for (let j: usize = 0; j < vectors; j += 16) {
    let gain = v128.load(dbngain + j);
    let bias = v128.load(dbnbias + j);
    const d0 = dtanh(v128.load(dh + j), v128.load(h + j));
    const d1 = dtanh(v128.load(dh + second + j), v128.load(h + second + j));
    const d2 = dtanh(v128.load(dh + third + j), v128.load(h + third + j));
    const d3 = dtanh(v128.load(dh + fourth + j), v128.load(h + fourth + j));
    v128.store(dhprebn + j, d0);
    v128.store(dhprebn + second + j, d1);
    v128.store(dhprebn + third + j, d2);
    v128.store(dhprebn + fourth + j, d3);
    bias = f32x4.add(f32x4.add(f32x4.add(f32x4.add(bias, d0), d1), d2), d3);
    gain = f32x4.add(gain, f32x4.mul(d0, v128.load(bnraw + j)));
    gain = f32x4.add(gain, f32x4.mul(d1, v128.load(bnraw + second + j)));
    gain = f32x4.add(gain, f32x4.mul(d2, v128.load(bnraw + third + j)));
    gain = f32x4.add(gain, f32x4.mul(d3, v128.load(bnraw + fourth + j)));
    v128.store(dbngain + j, gain);
    v128.store(dbnbias + j, bias);
  }
  for (let p: usize = 0, below = stride << 2; p < below; p += stride) sumRow(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, vectors, width);
}

/** One row, starting at the byte offset j. */
function sumRow(dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, j: usize, width: usize): void {
  for (; j < width; j += 4) {
    const y = load<f32>(h + j);
    const d: f32 = ((1 as f32) - y * y) * load<f32>(dh + j);
    store<f32>(dhprebn + j, d);
    store<f32>(dbngain + j, load<f32>(dbngain + j) + d * load<f32>(bnraw + j));
    store<f32>(dbnbias + j, load<f32>(dbnbias + j) + d);
  }
}

/** dhprebn = bngain·bnvar_inv·(dhpreact - dbnbias/n - bnraw·dbngain/(n-1)) */
function centreFourRows(
  dhprebn: usize, dbngain: usize, dbnbias: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, share: f32, bessel: f32, width: usize, stride: usize,
): void {
  const vectors = width & ~15;
  const second = stride;
  const third = stride << 1;
  const fourth = third + stride;
  const shares = f32x4.splat(share);
  const bessels = f32x4.splat(bessel);
  for (let j: usize = 0; j < vectors; j += 16) {
    const scale = f32x4.mul(v128.load(bngain + j), v128.load(bnvar_inv + j));
    const mean = f32x4.mul(v128.load(dbnbias + j), shares);
    const slope = f32x4.mul(v128.load(dbngain + j), bessels);
    centre(dhprebn + j, bnraw + j, scale, mean, slope);
    centre(dhprebn + second + j, bnraw + second + j, scale, mean, slope);
    centre(dhprebn + third + j, bnraw + third + j, scale, mean, slope);
    centre(dhprebn + fourth + j, bnraw + fourth + j, scale, mean, slope);
  }
  for (let p: usize = 0, below = stride << 2; p < below; p += stride) {
    centreRow(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, vectors, width);
  }
}

// @ts-ignore: decorator
@inline
function centre(dhprebn: usize, bnraw: usize, scale: v128, mean: v128, slope: v128): void {
  const d = f32x4.sub(f32x4.sub(v128.load(dhprebn), mean), f32x4.mul(v128.load(bnraw), slope));
  v128.store(dhprebn, f32x4.mul(scale, d));
}

/** One row, starting at the byte offset j. */
function centreRow(
  dhprebn: usize, dbngain: usize, dbnbias: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, share: f32, bessel: f32, j: usize, width: usize,
): void {
  for (; j < width; j += 4) {
    const scale = load<f32>(bngain + j) * load<f32>(bnvar_inv + j);
    const slope = load<f32>(dbngain + j) * bessel;
    const d = load<f32>(dhprebn + j) - load<f32>(dbnbias + j) * share - load<f32>(bnraw + j) * slope;
    store<f32>(dhprebn + j, scale * d);
  }
}

/** See layers/batchNormTanh.ts. */
export function batchNormTanhInference(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  const end = endOf(H, 16);
  let j = firstOf(H, 16);
  if (H < 16) {
    const lanes = min(H, 4);
    for (; j < end; j += 4) inferenceFour(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, min(j, H - lanes) << 2, lanes);
    return;
  }
  for (; j < end; j += 16) inferenceSixteen(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, min(j, H - 16) << 2);
}

/** 16 columns from the byte offset j of a row. */
// @ts-ignore: decorator
@inline
function inferenceSixteen(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize, j: usize,
): void {
  const scale0 = inferenceScale(bngain + j, bnvar + j);
  const scale1 = inferenceScale(bngain + j + 16, bnvar + j + 16);
  const scale2 = inferenceScale(bngain + j + 32, bnvar + j + 32);
  const scale3 = inferenceScale(bngain + j + 48, bnvar + j + 48);
  inferRows(h + j, hprebn + j, bnmean + j, bnbias + j, n, H << 2, scale0, scale1, scale2, scale3);
}

/** A function of its own, because V8 would move the division and the square root of each scale into the loop: 3.3 instead of 1.9 us. */
function inferRows(
  h: usize, hprebn: usize, bnmean: usize, bnbias: usize, n: usize, stride: usize, scale0: v128, scale1: v128, scale2: v128, scale3: v128,
): void {
  const toH = h - hprebn;
  for (const end = hprebn + n * stride; hprebn < end; hprebn += stride) {
    storeTanh16(
      hprebn + toH,
      inferred(hprebn, scale0, bnmean, bnbias),
      inferred(hprebn + 16, scale1, bnmean + 16, bnbias + 16),
      inferred(hprebn + 32, scale2, bnmean + 32, bnbias + 32),
      inferred(hprebn + 48, scale3, bnmean + 48, bnbias + 48),
    );
  }
}

/** Up to four columns from the byte offset j of a row. */
function inferenceFour(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize, j: usize, lanes: usize,
): void {
  const stride = H << 2;
  const scale = inferenceScale(bngain + j, bnvar + j);
  for (let p = j, end = j + n * stride; p < end; p += stride) {
    storeLanes(h + p, tanh4(inferred(hprebn + p, scale, bnmean + j, bnbias + j)), lanes);
  }
}

/** scale·(hprebn - mean) + bias */
// @ts-ignore: decorator
@inline
function inferred(hprebn: usize, scale: v128, mean: usize, bias: usize): v128 {
  return f32x4.add(f32x4.mul(scale, f32x4.sub(v128.load(hprebn), v128.load(mean))), v128.load(bias));
}

// @ts-ignore: decorator
@inline
function inferenceScale(bngain: usize, bnvar: usize): v128 {
  return f32x4.div(v128.load(bngain), f32x4.sqrt(f32x4.add(v128.load(bnvar), f32x4.splat(EPSILON))));
}
