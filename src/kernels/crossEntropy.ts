import { exp4, expPairInPlace, log, maxOfLanes, storeLanes, sumOfLanes } from './math';
import { endOf, firstOf } from './parts';

// losses [n]   probs [n,V]   logits [n,V]   dlogits [n,V]   Yb [n]

/**
 * See layers/crossEntropy.ts. Three passes over all rows, because the steps within a row depend on each other: this way the exponentials
 * are one loop of independent vectors. The threads share the rows.
 */
export function crossEntropyForward(losses: usize, probs: usize, logits: usize, Yb: usize, n: usize, V: usize): void {
  const row: usize = V << 2;
  const first = firstOf(n, 2);
  const end = endOf(n, 2);
  for (let i = first; i < end; i++) {
    const x = logits + i * row;
    const largest = rowMax(x, V);
    subtractFromRow(probs + i * row, x, largest, V);
    const target = load<f32>(x + ((load<i32>(Yb + (i << 2)) as usize) << 2));
    store<f32>(losses + (i << 2), largest - target);
  }
  expInPlace(probs + first * row, (end - first) * V);
  for (let i = first; i < end; i++) {
    const p = probs + i * row;
    const sum = rowSum(p, V);
    scaleRow(p, 1 / sum, V);
    const at = losses + (i << 2);
    store<f32>(at, log(sum) + load<f32>(at));
  }
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
  for (const pairs = x + ((size & ~7) << 2); x < pairs; x += 32) expPairInPlace(x);
  if (size & 4) {
    v128.store(x, exp4(v128.load(x)));
    x += 16;
  }
  const left = size & 3;
  if (left) storeLanes(x, exp4(v128.load(x)), left);
}

// The last vector of a row overlaps the one before it; computing an entry twice gives the same result.

// @ts-ignore: decorator
@inline
function rowMax(x: usize, V: usize): f32 {
  if (V < 4) {
    let largest = load<f32>(x);
    for (let j: usize = 1; j < V; j++) largest = max(largest, load<f32>(x + (j << 2)));
    return largest;
  }
  const last: usize = (V - 4) << 2;
  let lanes = v128.load(x + last);
  for (let j: usize = 0; j < last; j += 16) lanes = f32x4.pmax(lanes, v128.load(x + j));
  return maxOfLanes(lanes);
}

// @ts-ignore: decorator
@inline
function subtractFromRow(out: usize, x: usize, shift: f32, V: usize): void {
  if (V < 4) {
    for (let j: usize = 0; j < V << 2; j += 4) store<f32>(out + j, load<f32>(x + j) - shift);
    return;
  }
  const vector = f32x4.splat(shift);
  const last: usize = (V - 4) << 2;
  for (let j: usize = 0; j < last; j += 16) v128.store(out + j, f32x4.sub(v128.load(x + j), vector));
  v128.store(out + last, f32x4.sub(v128.load(x + last), vector));
}

// @ts-ignore: decorator
@inline
function rowSum(x: usize, V: usize): f32 {
  let lanes = f32x4.splat(0);
  let j: usize = 0;
  for (; j + 16 <= V << 2; j += 16) lanes = f32x4.add(lanes, v128.load(x + j));
  let sum = sumOfLanes(lanes);
  for (; j < V << 2; j += 4) sum += load<f32>(x + j);
  return sum;
}

// @ts-ignore: decorator
@inline
function scaleRow(x: usize, factor: f32, V: usize): void {
  const vector = f32x4.splat(factor);
  let j: usize = 0;
  for (; j + 16 <= V << 2; j += 16) v128.store(x + j, f32x4.mul(v128.load(x + j), vector));
  for (; j < V << 2; j += 4) store<f32>(x + j, load<f32>(x + j) * factor);
}
