import { storeLanes, storeTanh } from './math';
import { zeroRow } from './rows';
import { dtanh } from './tanh';

// h, bnraw, hprebn, dh, dhprebn [n,H]   bnvar_inv, bngain, bnbias, dbngain, dbnbias, bnmean, bnvar [H]
//
// Forward and inference process eight columns at a time, as two vectors, so that they stay in the cache for all passes. The last vectors
// overlap the ones before them: inputs are not overwritten, so computing a column twice gives the same result. Fewer than four columns are
// computed as four, and the extra ones are never stored.

const EPSILON: f32 = 1e-5;

/** See layers/batchNormTanh.ts. */
export function batchNormTanhForward(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  if (H < 4) return forwardBlock(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H, 0, 0, H);
  for (let j: usize = 0; j < H; j += 8) {
    forwardBlock(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H, min(j, H - 4) << 2, min(j + 4, H - 4) << 2, 4);
  }
}

/** Four columns each at the byte offsets j and k of a row. */
// @ts-ignore: decorator
@inline
function forwardBlock(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
  j: usize, k: usize, lanes: usize,
): void {
  const stride = H << 2;
  const end = hprebn + n * stride;
  const apart = k - j;
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  for (let p = hprebn + j; p < end; p += stride) {
    sum0 = f32x4.add(sum0, v128.load(p));
    sum1 = f32x4.add(sum1, v128.load(p + apart));
  }
  const share = f32x4.splat(1 / (n as f32));
  const mean0 = f32x4.mul(sum0, share);
  const mean1 = f32x4.mul(sum1, share);
  let squares0 = f32x4.splat(0);
  let squares1 = f32x4.splat(0);
  for (let p = hprebn + j; p < end; p += stride) {
    const d0 = f32x4.sub(v128.load(p), mean0);
    const d1 = f32x4.sub(v128.load(p + apart), mean1);
    squares0 = f32x4.add(squares0, f32x4.mul(d0, d0));
    squares1 = f32x4.add(squares1, f32x4.mul(d1, d1));
  }
  const inverse0 = inverseDeviation(squares0, n);
  const inverse1 = inverseDeviation(squares1, n);
  storeLanes(bnvar_inv + j, inverse0, lanes);
  storeLanes(bnvar_inv + k, inverse1, lanes);
  const gain0 = v128.load(bngain + j);
  const gain1 = v128.load(bngain + k);
  const bias0 = v128.load(bnbias + j);
  const bias1 = v128.load(bnbias + k);
  const toRaw = bnraw - hprebn;
  const toH = h - hprebn;
  for (let p = hprebn + j; p < end; p += stride) {
    const raw0 = f32x4.mul(f32x4.sub(v128.load(p), mean0), inverse0);
    const raw1 = f32x4.mul(f32x4.sub(v128.load(p + apart), mean1), inverse1);
    storeLanes(p + toRaw, raw0, lanes);
    storeLanes(p + apart + toRaw, raw1, lanes);
    const hpreact0 = f32x4.add(f32x4.mul(gain0, raw0), bias0);
    const hpreact1 = f32x4.add(f32x4.mul(gain1, raw1), bias1);
    storeTanh(p + toH, hpreact0, p + apart + toH, hpreact1, lanes);
  }
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
 * ten times as long at H 1024, because addresses a power of two apart share a few cache lines.
 */
export function batchNormTanhBackward(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, n: usize, H: usize,
): void {
  const stride = H << 2;
  const end = n * stride;
  const fours = (n & ~3) * stride;
  const four = stride << 2;
  zeroRow(dbngain, H);
  zeroRow(dbnbias, H);
  let p: usize = 0;
  for (; p < fours; p += four) sumFourRows(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, stride);
  for (; p < end; p += stride) sumRow(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, 0, stride);
  const share: f32 = 1 / (n as f32);
  const bessel: f32 = 1 / ((n - 1) as f32);
  for (p = 0; p < fours; p += four) {
    centreFourRows(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, stride);
  }
  for (; p < end; p += stride) centreRow(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, 0, stride);
}

/**
 * dhpreact = (1 - h²)·dh, stored in dhprebn until its sums are known. Adds dhpreact·bnraw to dbngain and dhpreact to dbnbias.
 */
function sumFourRows(dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, stride: usize): void {
  const vectors = stride & ~15;
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
  for (let p: usize = 0, below = stride << 2; p < below; p += stride) sumRow(dhprebn + p, dbngain, dbnbias, dh + p, h + p, bnraw + p, vectors, stride);
}

/** One row, starting at the byte offset j. */
function sumRow(dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, j: usize, stride: usize): void {
  for (; j < stride; j += 4) {
    const y = load<f32>(h + j);
    const d: f32 = ((1 as f32) - y * y) * load<f32>(dh + j);
    store<f32>(dhprebn + j, d);
    store<f32>(dbngain + j, load<f32>(dbngain + j) + d * load<f32>(bnraw + j));
    store<f32>(dbnbias + j, load<f32>(dbnbias + j) + d);
  }
}

/** dhprebn = bngain·bnvar_inv·(dhpreact - dbnbias/n - bnraw·dbngain/(n-1)) */
function centreFourRows(
  dhprebn: usize, dbngain: usize, dbnbias: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, share: f32, bessel: f32, stride: usize,
): void {
  const vectors = stride & ~15;
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
    centreRow(dhprebn + p, dbngain, dbnbias, bnraw + p, bnvar_inv, bngain, share, bessel, vectors, stride);
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
  dhprebn: usize, dbngain: usize, dbnbias: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, share: f32, bessel: f32, j: usize, stride: usize,
): void {
  for (; j < stride; j += 4) {
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
  if (H < 4) return inferenceBlock(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, 0, 0, H);
  for (let j: usize = 0; j < H; j += 8) {
    inferenceBlock(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, min(j, H - 4) << 2, min(j + 4, H - 4) << 2, 4);
  }
}

/** Four columns each at the byte offsets j and k of a row. */
// @ts-ignore: decorator
@inline
function inferenceBlock(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize, j: usize, k: usize, lanes: usize,
): void {
  const stride = H << 2;
  const scale0 = inferenceScale(bngain + j, bnvar + j);
  const scale1 = inferenceScale(bngain + k, bnvar + k);
  const mean0 = v128.load(bnmean + j);
  const mean1 = v128.load(bnmean + k);
  const bias0 = v128.load(bnbias + j);
  const bias1 = v128.load(bnbias + k);
  for (let p: usize = 0, end = n * stride; p < end; p += stride) {
    const hpreact0 = f32x4.add(f32x4.mul(scale0, f32x4.sub(v128.load(hprebn + p + j), mean0)), bias0);
    const hpreact1 = f32x4.add(f32x4.mul(scale1, f32x4.sub(v128.load(hprebn + p + k), mean1)), bias1);
    storeTanh(h + p + j, hpreact0, h + p + k, hpreact1, lanes);
  }
}

// @ts-ignore: decorator
@inline
function inferenceScale(bngain: usize, bnvar: usize): v128 {
  return f32x4.div(v128.load(bngain), f32x4.sqrt(f32x4.add(v128.load(bnvar), f32x4.splat(EPSILON))));
}
