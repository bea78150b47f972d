import type { FloatArray } from '../core/tensor.js';

// hpreact [n,H]   hprebn [n,H]   bnraw [n,H]   bnvar_inv, bngain, bnbias, mean, variance [H]

/** Added to the variance, so that a batch of equal rows gives finite numbers. */
export const BATCH_NORM_EPSILON = 1e-5;

/**
 * hpreact = bngain·bnraw + bnbias with bnraw = (hprebn - mean)·(variance + eps)^(-1/2), mean and variance over the batch.
 * The variance is unbiased (n-1, Bessel's correction), so n must be at least 2. Overwrites hpreact, bnraw and bnvar_inv.
 */
export function batchNormForward(
  hpreact: FloatArray,
  bnraw: FloatArray,
  bnvar_inv: FloatArray,
  hprebn: FloatArray,
  bngain: FloatArray,
  bnbias: FloatArray,
  n: number,
  H: number,
): void {
  for (let j = 0; j < H; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += hprebn[i * H + j];
    const mean = sum / n;
    let squares = 0;
    for (let i = 0; i < n; i++) squares += (hprebn[i * H + j] - mean) ** 2;
    const inverse = 1 / Math.sqrt(squares / (n - 1) + BATCH_NORM_EPSILON);
    bnvar_inv[j] = inverse;
    for (let i = 0; i < n; i++) {
      const raw = (hprebn[i * H + j] - mean) * inverse;
      bnraw[i * H + j] = raw;
      hpreact[i * H + j] = bngain[j] * raw + bnbias[j];
    }
  }
}

/**
 * dhprebn, dbngain and dbnbias from dhpreact: the closed form of Exercise 3. Overwrites all three.
 * hprebn reaches hpreact directly, through the mean and through the variance, which gives the three terms of dhprebn.
 */
export function batchNormBackward(
  dhprebn: FloatArray,
  dbngain: FloatArray,
  dbnbias: FloatArray,
  dhpreact: FloatArray,
  bnraw: FloatArray,
  bnvar_inv: FloatArray,
  bngain: FloatArray,
  n: number,
  H: number,
): void {
  for (let j = 0; j < H; j++) {
    // hpreact[i,j] = bngain[j]·bnraw[i,j] + bnbias[j]
    let gain = 0;
    let bias = 0;
    for (let i = 0; i < n; i++) {
      gain += dhpreact[i * H + j] * bnraw[i * H + j];
      bias += dhpreact[i * H + j];
    }
    dbngain[j] = gain;
    dbnbias[j] = bias;
    // bnraw[i,j] = (hprebn[i,j] - mean)·(variance + eps)^(-1/2), with n-1 in the variance
    const scale = (bngain[j] * bnvar_inv[j]) / n;
    for (let i = 0; i < n; i++) {
      dhprebn[i * H + j] = scale * (n * dhpreact[i * H + j] - bias - (n / (n - 1)) * bnraw[i * H + j] * gain);
    }
  }
}

/** hpreact with given statistics instead of the batch's: for evaluation and sampling, where examples must not influence each other. */
export function batchNormInference(
  hpreact: FloatArray,
  hprebn: FloatArray,
  mean: FloatArray,
  variance: FloatArray,
  bngain: FloatArray,
  bnbias: FloatArray,
  n: number,
  H: number,
): void {
  for (let j = 0; j < H; j++) {
    const inverse = 1 / Math.sqrt(variance[j] + BATCH_NORM_EPSILON);
    for (let i = 0; i < n; i++) {
      hpreact[i * H + j] = bngain[j] * (hprebn[i * H + j] - mean[j]) * inverse + bnbias[j];
    }
  }
}

/** The mean of each column of x [n,H], and the sum of the squared deviations from it. Overwrites both. */
export function columnMoments(mean: FloatArray, squares: FloatArray, x: FloatArray, n: number, H: number): void {
  for (let j = 0; j < H; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x[i * H + j];
    mean[j] = sum / n;
    squares[j] = 0;
    for (let i = 0; i < n; i++) squares[j] += (x[i * H + j] - mean[j]) ** 2;
  }
}
