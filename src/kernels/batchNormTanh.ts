import { storeLanes, storeTanh16 } from './math';
import { PANEL, panelAt, ROW } from './panels';
import { endOf, firstOf } from './parts';
import { dtanh } from './tanh';

// h, bnraw, hprebn, dh, dhprebn [n,H], in panels   bnvar_inv, bngain, bnbias, dbngain, dbnbias, bnmean, bnvar [H]
//
// A panel at a time: it stays in the cache for all passes. Padding is computed like the rest; of the rows of H entries, what belongs to it is
// read, but never stored. Threads share the panels.

const EPSILON: f32 = 1e-5;

/** See layers/batchNormTanh.ts. */
export function batchNormTanhForward(
  h: usize, bnraw: usize, bnvar_inv: usize, hprebn: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  const end = endOf(H, PANEL);
  const toRaw = bnraw - hprebn;
  const toH = h - hprebn;
  for (let j = firstOf(H, PANEL); j < end; j += PANEL) {
    const at = j << 2;
    forwardPanel(panelAt(hprebn, n, j), toH, toRaw, bnvar_inv + at, bngain + at, bnbias + at, n, end - j);
  }
}

/**
 * A panel of hprebn. Those of h and bnraw are toH and toRaw bytes after it; the other addresses are those of its first column. Of bnvar_inv,
 * left entries are stored.
 */
function forwardPanel(
  first: usize, toH: usize, toRaw: usize, bnvar_inv: usize, bngain: usize, bnbias: usize, n: usize, left: usize,
): void {
  const end = first + n * ROW;
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  for (let p = first; p < end; p += ROW) {
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
  for (let p = first; p < end; p += ROW) {
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
  storeUpTo(left, bnvar_inv, inverse0);
  storeUpTo(left - 4, bnvar_inv + 16, inverse1);
  storeUpTo(left - 8, bnvar_inv + 32, inverse2);
  storeUpTo(left - 12, bnvar_inv + 48, inverse3);
  for (let p = first; p < end; p += ROW) {
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
      scaled(raw0, bngain, bnbias),
      scaled(raw1, bngain + 16, bnbias + 16),
      scaled(raw2, bngain + 32, bnbias + 32),
      scaled(raw3, bngain + 48, bnbias + 48),
    );
  }
}

/** Stores up to left entries of a vector; left may be negative. */
// @ts-ignore: decorator
@inline
function storeUpTo(left: isize, out: usize, x: v128): void {
  if (left > 0) storeLanes(out, x, min(left, 4));
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

/** See layers/batchNormTanh.ts. */
export function batchNormTanhBackward(
  dhprebn: usize, dbngain: usize, dbnbias: usize, dh: usize, h: usize, bnraw: usize, bnvar_inv: usize, bngain: usize, n: usize, H: usize,
): void {
  const end = endOf(H, PANEL);
  const toDh = dh - dhprebn;
  const toH = h - dhprebn;
  const toRaw = bnraw - dhprebn;
  for (let j = firstOf(H, PANEL); j < end; j += PANEL) {
    const panel = panelAt(dhprebn, n, j);
    // Two vectors at a time: their sums, scales and slopes stay in registers
    for (let k = j; k < min(end, j + PANEL); k += 8) {
      const at = k << 2;
      const first = panel + ((k - j) << 2);
      if (k + 8 <= end) backwardEight(first, toDh, toH, toRaw, dbngain + at, dbnbias + at, bnvar_inv + at, bngain + at, n);
      else {
        for (let l = k; l < end; l += 4) {
          const four = l << 2;
          const p = panel + ((l - j) << 2);
          backwardFour(p, toDh, toH, toRaw, dbngain + four, dbnbias + four, bnvar_inv + four, bngain + four, n, min(end - l, 4));
        }
      }
    }
  }
}

/**
 * Eight columns of a panel. dhpreact = (1 - h²)·dh is stored in dhprebn until its sums are known: dbngain, of dhpreact·bnraw, and dbnbias, of
 * dhpreact. Then dhprebn = bngain·bnvar_inv·(dhpreact - dbnbias/n - bnraw·dbngain/(n-1)). The panels of dh, h and bnraw are toDh, toH and toRaw
 * bytes after that of dhprebn.
 */
function backwardEight(
  first: usize, toDh: usize, toH: usize, toRaw: usize, dbngain: usize, dbnbias: usize, bnvar_inv: usize, bngain: usize, n: usize,
): void {
  const end = first + n * ROW;
  let gain0 = f32x4.splat(0);
  let gain1 = f32x4.splat(0);
  let bias0 = f32x4.splat(0);
  let bias1 = f32x4.splat(0);
  for (let p = first; p < end; p += ROW) {
    const d0 = dtanh(v128.load(p + toDh), v128.load(p + toH));
    const d1 = dtanh(v128.load(p + toDh, 16), v128.load(p + toH, 16));
    v128.store(p, d0);
    v128.store(p, d1, 16);
    gain0 = f32x4.add(gain0, f32x4.mul(d0, v128.load(p + toRaw)));
    gain1 = f32x4.add(gain1, f32x4.mul(d1, v128.load(p + toRaw, 16)));
    bias0 = f32x4.add(bias0, d0);
    bias1 = f32x4.add(bias1, d1);
  }
  v128.store(dbngain, gain0);
  v128.store(dbngain, gain1, 16);
  v128.store(dbnbias, bias0);
  v128.store(dbnbias, bias1, 16);
  const scale0 = f32x4.mul(v128.load(bngain), v128.load(bnvar_inv));
  const scale1 = f32x4.mul(v128.load(bngain, 16), v128.load(bnvar_inv, 16));
  const mean0 = meanOf(bias0, n);
  const mean1 = meanOf(bias1, n);
  const slope0 = slopeOf(gain0, n);
  const slope1 = slopeOf(gain1, n);
  for (let p = first; p < end; p += ROW) {
    v128.store(p, centred(v128.load(p), v128.load(p + toRaw), scale0, mean0, slope0));
    v128.store(p, centred(v128.load(p, 16), v128.load(p + toRaw, 16), scale1, mean1, slope1), 16);
  }
}

/** Four columns of the last panel, some of them perhaps padding: lanes are not. */
function backwardFour(
  first: usize, toDh: usize, toH: usize, toRaw: usize, dbngain: usize, dbnbias: usize, bnvar_inv: usize, bngain: usize, n: usize, lanes: usize,
): void {
  const end = first + n * ROW;
  let gain = f32x4.splat(0);
  let bias = f32x4.splat(0);
  for (let p = first; p < end; p += ROW) {
    const d = dtanh(v128.load(p + toDh), v128.load(p + toH));
    v128.store(p, d);
    gain = f32x4.add(gain, f32x4.mul(d, v128.load(p + toRaw)));
    bias = f32x4.add(bias, d);
  }
  storeLanes(dbngain, gain, lanes);
  storeLanes(dbnbias, bias, lanes);
  const scale = f32x4.mul(v128.load(bngain), v128.load(bnvar_inv));
  const mean = meanOf(bias, n);
  const slope = slopeOf(gain, n);
  for (let p = first; p < end; p += ROW) v128.store(p, centred(v128.load(p), v128.load(p + toRaw), scale, mean, slope));
}

// @ts-ignore: decorator
@inline
function meanOf(dbnbias: v128, n: usize): v128 {
  return f32x4.mul(dbnbias, f32x4.splat(1 / (n as f32)));
}

// @ts-ignore: decorator
@inline
function slopeOf(dbngain: v128, n: usize): v128 {
  return f32x4.mul(dbngain, f32x4.splat(1 / ((n - 1) as f32)));
}

/** scale·(dhpreact - mean - bnraw·slope) */
// @ts-ignore: decorator
@inline
function centred(dhpreact: v128, bnraw: v128, scale: v128, mean: v128, slope: v128): v128 {
  return f32x4.mul(scale, f32x4.sub(f32x4.sub(dhpreact, mean), f32x4.mul(bnraw, slope)));
}

/** See layers/batchNormTanh.ts. */
export function batchNormTanhInference(
  h: usize, hprebn: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize, H: usize,
): void {
  const end = endOf(H, PANEL);
  const toH = h - hprebn;
  for (let j = firstOf(H, PANEL); j < end; j += PANEL) {
    const at = j << 2;
    inferencePanel(panelAt(hprebn, n, j), toH, bnmean + at, bnvar + at, bngain + at, bnbias + at, n);
  }
}

// @ts-ignore: decorator
@inline
function inferencePanel(hprebn: usize, toH: usize, bnmean: usize, bnvar: usize, bngain: usize, bnbias: usize, n: usize): void {
  const scale0 = inferenceScale(bngain, bnvar);
  const scale1 = inferenceScale(bngain + 16, bnvar + 16);
  const scale2 = inferenceScale(bngain + 32, bnvar + 32);
  const scale3 = inferenceScale(bngain + 48, bnvar + 48);
  inferRows(hprebn, toH, bnmean, bnbias, n, scale0, scale1, scale2, scale3);
}

/** A function of its own, because V8 would move the division and the square root of each scale into the loop: 3.3 instead of 1.9 us. */
function inferRows(
  hprebn: usize, toH: usize, bnmean: usize, bnbias: usize, n: usize, scale0: v128, scale1: v128, scale2: v128, scale3: v128,
): void {
  for (const end = hprebn + n * ROW; hprebn < end; hprebn += ROW) {
    storeTanh16(
      hprebn + toH,
      inferred(hprebn, scale0, bnmean, bnbias),
      inferred(hprebn + 16, scale1, bnmean + 16, bnbias + 16),
      inferred(hprebn + 32, scale2, bnmean + 32, bnbias + 32),
      inferred(hprebn + 48, scale3, bnmean + 48, bnbias + 48),
    );
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
