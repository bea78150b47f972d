import { tanh4 } from './math';

// h, bnraw, hprebn, dh, dhprebn [n,H]   bnvar_inv, bngain, bnbias, dbngain, dbnbias, bnmean, bnvar [H]
//
// Four columns are worked on from the first pass to the last while they are in the cache. The last block overlaps the
// one before it: no input is overwritten, so a column that is computed twice comes out the same. Fewer than four columns
// are computed as four, of which the others are never stored.

const EPSILON: f32 = 1e-5;

/** See layers/batchNormTanh.ts. */
export function batchNormTanhForward(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  if (H < 4) return forwardBlock(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H, H);
  for (let j: usize = 0; j < H; j += 4) {
    const at = min(j, H - 4) << 2;
    forwardBlock(h + at, bnraw + at, bnvar_inv + at, hprebn + at, bngain + at, bnbias + at, n, H, 4);
  }
}

// @ts-ignore: decorator
@inline
function forwardBlock(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize, lanes: usize,
): void {
  const stride = H << 2;
  const end = n * stride;
  let sum = f32x4.splat(0);
  for (let p: usize = 0; p < end; p += stride) sum = f32x4.add(sum, v128.load(hprebn + p));
  const mean = f32x4.mul(sum, f32x4.splat(1 / (n as f32)));
  let squares = f32x4.splat(0);
  for (let p: usize = 0; p < end; p += stride) {
    const difference = f32x4.sub(v128.load(hprebn + p), mean);
    squares = f32x4.add(squares, f32x4.mul(difference, difference));
  }
  const variance = f32x4.mul(squares, f32x4.splat(1 / ((n - 1) as f32)));
  const inverse = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(EPSILON))));
  storeLanes(bnvar_inv, inverse, lanes);
  const gain = v128.load(bngain);
  const bias = v128.load(bnbias);
  for (let p: usize = 0; p < end; p += stride) {
    const raw = f32x4.mul(f32x4.sub(v128.load(hprebn + p), mean), inverse);
    storeLanes(bnraw + p, raw, lanes);
    storeLanes(h + p, tanh4(f32x4.add(f32x4.mul(gain, raw), bias)), lanes);
  }
}

/** See layers/batchNormTanh.ts. */
export function batchNormTanhBackward(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, n: usize, H: usize,
): void {
  if (H < 4) return backwardBlock(dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H, H);
  for (let j: usize = 0; j < H; j += 4) {
    const at = min(j, H - 4) << 2;
    backwardBlock(dhprebn + at, dbngain + at, dbnbias + at, dh + at, h + at, bnraw + at, bnvar_inv + at, bngain + at, n, H, 4);
  }
}

// @ts-ignore: decorator
@inline
function backwardBlock(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize,
  n: usize, H: usize, lanes: usize,
): void {
  const stride = H << 2;
  const end = n * stride;
  // h = tanh(bngain·bnraw + bnbias): dhpreact = (1 - h²)·dh, kept in dhprebn until its sums are known
  let gain = f32x4.splat(0);
  let bias = f32x4.splat(0);
  for (let p: usize = 0; p < end; p += stride) {
    const y = v128.load(h + p);
    const d = f32x4.mul(f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)), v128.load(dh + p));
    storeLanes(dhprebn + p, d, lanes);
    bias = f32x4.add(bias, d);
    gain = f32x4.add(gain, f32x4.mul(d, v128.load(bnraw + p)));
  }
  storeLanes(dbngain, gain, lanes);
  storeLanes(dbnbias, bias, lanes);
  // dhprebn = bngain·bnvar_inv·(dhpreact - bias/n - bnraw·gain/(n-1))
  const scale = f32x4.mul(v128.load(bngain), v128.load(bnvar_inv));
  const biasShare = f32x4.mul(bias, f32x4.splat(1 / (n as f32)));
  const gainShare = f32x4.mul(gain, f32x4.splat(1 / ((n - 1) as f32)));
  for (let p: usize = 0; p < end; p += stride) {
    const d = f32x4.sub(f32x4.sub(v128.load(dhprebn + p), biasShare), f32x4.mul(v128.load(bnraw + p), gainShare));
    storeLanes(dhprebn + p, f32x4.mul(scale, d), lanes);
  }
}

/** See layers/batchNormTanh.ts. */
export function batchNormTanhInference(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  if (H < 4) return inferenceBlock(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, H);
  for (let j: usize = 0; j < H; j += 4) {
    const at = min(j, H - 4) << 2;
    inferenceBlock(h + at, hprebn + at, bnmean + at, bnvar + at, bngain + at, bnbias + at, n, H, 4);
  }
}

// @ts-ignore: decorator
@inline
function inferenceBlock(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize, lanes: usize,
): void {
  const stride = H << 2;
  const deviation = f32x4.sqrt(f32x4.add(v128.load(bnvar), f32x4.splat(EPSILON)));
  const scale = f32x4.div(v128.load(bngain), deviation);
  const mean = v128.load(bnmean);
  const bias = v128.load(bnbias);
  for (let p: usize = 0, end = n * stride; p < end; p += stride) {
    const raw = f32x4.sub(v128.load(hprebn + p), mean);
    storeLanes(h + p, tanh4(f32x4.add(f32x4.mul(scale, raw), bias)), lanes);
  }
}

// @ts-ignore: decorator
@inline
function storeLanes(p: usize, x: v128, lanes: usize): void {
  if (lanes == 4) {
    v128.store(p, x);
    return;
  }
  store<f32>(p, f32x4.extract_lane(x, 0));
  if (lanes > 1) store<f32>(p, f32x4.extract_lane(x, 1), 4);
  if (lanes > 2) store<f32>(p, f32x4.extract_lane(x, 2), 8);
}
