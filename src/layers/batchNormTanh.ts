import type { FloatArray } from '../core/tensor.js';
import { batchNormBackward, batchNormForward, batchNormInference } from './batchNorm.js';
import { tanhBackward, tanhForward } from './tanh.js';

// h, bnraw, hprebn, dh, dhprebn [n,H]   bnvar_inv, bngain, bnbias, bnmean, bnvar [H]
//
// Two layers in one: hpreact is never stored, so that a kernel can apply both layers to a column while it is in registers.

/** h = tanh(batch norm of hprebn). Overwrites h, bnraw and bnvar_inv. */
export function batchNormTanhForward(
  h: FloatArray,
  bnraw: FloatArray,
  bnvar_inv: FloatArray,
  hprebn: FloatArray,
  bngain: FloatArray,
  bnbias: FloatArray,
  n: number,
  H: number,
): void {
  batchNormForward(h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
  tanhForward(h, h, n * H);
}

/** dhprebn, dbngain and dbnbias from dh. Overwrites all three. */
export function batchNormTanhBackward(
  dhprebn: FloatArray,
  dbngain: FloatArray,
  dbnbias: FloatArray,
  dh: FloatArray,
  h: FloatArray,
  bnraw: FloatArray,
  bnvar_inv: FloatArray,
  bngain: FloatArray,
  n: number,
  H: number,
): void {
  tanhBackward(dhprebn, dh, h, n * H);
  batchNormBackward(dhprebn, dbngain, dbnbias, dhprebn, bnraw, bnvar_inv, bngain, n, H);
}

/** h with given statistics instead of the batch's. Overwrites h. */
export function batchNormTanhInference(
  h: FloatArray,
  hprebn: FloatArray,
  bnmean: FloatArray,
  bnvar: FloatArray,
  bngain: FloatArray,
  bnbias: FloatArray,
  n: number,
  H: number,
): void {
  batchNormInference(h, hprebn, bnmean, bnvar, bngain, bnbias, n, H);
  tanhForward(h, h, n * H);
}
