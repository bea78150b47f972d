import { storeLanes, storeTanh } from './math';

// h, bnraw, hprebn, dh, dhprebn [n,H]   bnvar_inv, bngain, bnbias, dbngain, dbnbias, bnmean, bnvar [H]
//
// Eight columns, as two vectors, are worked on from the first pass to the last while they are in the cache. The last
// vectors overlap those before them: no input is overwritten, so a column that is computed twice comes out the same. Fewer
// than four columns are computed as four, of which the others are never stored.

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

/** The columns at the byte offsets j and k of a row. */
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
  if (H < 4) return inferenceBlock(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, 0, 0, H);
  for (let j: usize = 0; j < H; j += 8) {
    inferenceBlock(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H, min(j, H - 4) << 2, min(j + 4, H - 4) << 2, 4);
  }
}

/** The columns at the byte offsets j and k of a row. */
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
