import { exp4, expInPlace16, logOfTwo, maxOfLanes, storeLanes, sumOfLanes } from './math';
import { endOf, firstOf } from './parts';

// losses [n]   probs [n,V]   logits [n,V]   dlogits [n,V]   Yb [n]

/**
 * See layers/crossEntropy.ts. Three passes over all rows, because the steps within a row depend on each other: this way the exponentials
 * are one loop of independent vectors, and the other passes take two rows at a time. The threads share the rows.
 */
export function crossEntropyForward(losses: usize, probs: usize, logits: usize, Yb: usize, n: usize, V: usize): void {
  const row: usize = V << 2;
  const first = firstOf(n, 2);
  const end = endOf(n, 2);
  const shifted = probs - logits;
  for (let i = first; i < end; i += 2) {
    const x = logits + i * row;
    const second = i + 1 < end ? row : 0;
    const at = losses + (i << 2);
    shiftRows(x + shifted, x, second, V);
    store<f32>(at, -shiftedTarget(x + shifted, Yb + (i << 2)));
    if (second) store<f32>(at + 4, -shiftedTarget(x + shifted + row, Yb + (i << 2) + 4));
  }
  expInPlace(probs + first * row, (end - first) * V);
  for (let i = first; i < end; i += 2) {
    normaliseRows(probs + i * row, i + 1 < end ? row : 0, losses + (i << 2), V);
  }
}

/** The entry of the target in a row. */
// @ts-ignore: decorator
@inline
function shiftedTarget(row: usize, target: usize): f32 {
  return load<f32>(row + ((load<i32>(target) as usize) << 2));
}

/** See layers/crossEntropy.ts. The threads share the rows. */
export function crossEntropyBackward(dlogits: usize, probs: usize, Yb: usize, n: usize, V: usize): void {
  // loss = mean over i of log(sum over v of exp(logits[i,v])) - logits[i,Yb[i]]
  const share: f32 = 1 / (n as f32);
  const vectors = f32x4.splat(share);
  const first = firstOf(n, 2);
  const last = endOf(n, 2);
  const end = (last * V) << 2;
  let at = (first * V) << 2;
  for (; at + 16 <= end; at += 16) v128.store(dlogits + at, f32x4.mul(v128.load(probs + at), vectors));
  for (; at < end; at += 4) store<f32>(dlogits + at, load<f32>(probs + at) * share);
  for (let i = first; i < last; i++) {
    const target = dlogits + ((i * V + (load<i32>(Yb + (i << 2)) as usize)) << 2);
    store<f32>(target, load<f32>(target) - share);
  }
}

function expInPlace(x: usize, size: usize): void {
  for (const blocks = x + ((size & ~15) << 2); x < blocks; x += 64) expInPlace16(x);
  for (let left = size & 15; left > 0; left -= min(left, 4)) {
    storeLanes(x, exp4(v128.load(x)), min(left, 4));
    x += 16;
  }
}

// Two rows, of which the second begins second bytes after the first; for a single row, 0. The last vector of a row overlaps the one before it;
// computing an entry twice gives the same result.

/** out = x minus the largest entry of its row */
// @ts-ignore: decorator
@inline
function shiftRows(out: usize, x: usize, second: usize, V: usize): void {
  if (V < 4) {
    shiftShortRow(out, x, V);
    shiftShortRow(out + second, x + second, V);
    return;
  }
  const last: usize = (V - 4) << 2;
  let lanes0 = v128.load(x + last);
  let lanes1 = v128.load(x + second + last);
  for (let p = x; p < x + last; p += 16) {
    lanes0 = f32x4.pmax(lanes0, v128.load(p));
    lanes1 = f32x4.pmax(lanes1, v128.load(p + second));
  }
  const largest0 = f32x4.splat(maxOfLanes(lanes0));
  const largest1 = f32x4.splat(maxOfLanes(lanes1));
  for (let j: usize = 0; j < last; j += 16) {
    v128.store(out + j, f32x4.sub(v128.load(x + j), largest0));
    v128.store(out + second + j, f32x4.sub(v128.load(x + second + j), largest1));
  }
  v128.store(out + last, f32x4.sub(v128.load(x + last), largest0));
  v128.store(out + second + last, f32x4.sub(v128.load(x + second + last), largest1));
}

function shiftShortRow(out: usize, x: usize, V: usize): void {
  let largest = load<f32>(x);
  for (let j: usize = 1; j < V; j++) largest = max(largest, load<f32>(x + (j << 2)));
  for (let j: usize = 0; j < V << 2; j += 4) store<f32>(out + j, load<f32>(x + j) - largest);
}

/** p divided by the sum of its row, whose logarithm is added to the row's loss */
// @ts-ignore: decorator
@inline
function normaliseRows(p: usize, second: usize, losses: usize, V: usize): void {
  const vectors: usize = (V & ~3) << 2;
  const size: usize = V << 2;
  let lanes0 = f32x4.splat(0);
  let lanes1 = lanes0;
  let j: usize = 0;
  for (; j < vectors; j += 16) {
    lanes0 = f32x4.add(lanes0, v128.load(p + j));
    lanes1 = f32x4.add(lanes1, v128.load(p + second + j));
  }
  let sum0 = sumOfLanes(lanes0);
  let sum1 = sumOfLanes(lanes1);
  for (; j < size; j += 4) {
    sum0 += load<f32>(p + j);
    sum1 += load<f32>(p + second + j);
  }
  const share0 = f32x4.splat(1 / sum0);
  const share1 = f32x4.splat(1 / sum1);
  for (j = 0; j < vectors; j += 16) {
    const a = f32x4.mul(v128.load(p + j), share0);
    v128.store(p + second + j, f32x4.mul(v128.load(p + second + j), share1));
    v128.store(p + j, a);
  }
  for (; j < size; j += 4) {
    const a = load<f32>(p + j) * f32x4.extract_lane(share0, 0);
    store<f32>(p + second + j, load<f32>(p + second + j) * f32x4.extract_lane(share1, 0));
    store<f32>(p + j, a);
  }
  const logarithms = logOfTwo(f64x2.promote_low_f32x4(f32x4.replace_lane(f32x4.splat(sum0), 1, sum1)));
  store<f32>(losses, f32x4.extract_lane(logarithms, 0) + load<f32>(losses));
  if (second) store<f32>(losses + 4, f32x4.extract_lane(logarithms, 1) + load<f32>(losses + 4));
}
