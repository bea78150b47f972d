import { exp4, log, maxOfLanes, sumOfLanes } from './math';

// losses [n]   probs [n,V]   logits [n,V]   dlogits [n,V]   Yb [n]

/** See layers/crossEntropy.ts. In passes over the batch: within a row each one waits for the one before. */
export function crossEntropyForward(losses: usize, probs: usize, logits: usize, Yb: usize, n: usize, V: usize): void {
  const row: usize = V << 2;
  for (let i: usize = 0; i < n; i++) {
    const x = logits + i * row;
    store<f32>(losses + (i << 2), V < 4 ? narrowMax(x, V) : rowMax(x, V));
  }
  for (let i: usize = 0; i < n; i++) {
    const x = logits + i * row;
    const p = probs + i * row;
    const largest = load<f32>(losses + (i << 2));
    const sum = V < 4 ? narrowExp(p, x, largest, V) : rowExp(p, x, largest, V);
    scaleRow(p, 1 / sum, V);
    const target = load<f32>(x + ((load<i32>(Yb + (i << 2)) as usize) << 2));
    store<f32>(losses + (i << 2), log(sum) - (target - largest));
  }
}

/** See layers/crossEntropy.ts. */
export function crossEntropyBackward(dlogits: usize, probs: usize, Yb: usize, n: usize, V: usize): void {
  // loss = mean over i of log(sum over v of exp(logits[i,v])) - logits[i,Yb[i]]
  const share: f32 = 1 / (n as f32);
  for (let i: usize = 0, end = n * V; i < end; i++) store<f32>(dlogits + (i << 2), load<f32>(probs + (i << 2)) * share);
  for (let i: usize = 0; i < n; i++) {
    const at = dlogits + ((i * V + (load<i32>(Yb + (i << 2)) as usize)) << 2);
    store<f32>(at, load<f32>(at) - share);
  }
}

function rowMax(x: usize, V: usize): f32 {
  let largest = v128.load(x + ((V - 4) << 2));
  for (let end = x + ((V & ~3) << 2); x < end; x += 16) largest = f32x4.pmax(largest, v128.load(x));
  return maxOfLanes(largest);
}

/** out = exp(x - largest); returns its sum. The last vector overlaps the one before: what was counted there is masked. */
function rowExp(out: usize, x: usize, largest: f32, V: usize): f32 {
  const shift = f32x4.splat(largest);
  let sum = f32x4.splat(0);
  const last: usize = (V - 4) << 2;
  const whole: usize = (V & ~3) << 2;
  for (let j: usize = 0; j < whole; j += 16) {
    const count = exp4(f32x4.sub(v128.load(x + j), shift));
    v128.store(out + j, count);
    sum = f32x4.add(sum, count);
  }
  if (V & 3) {
    const count = exp4(f32x4.sub(v128.load(x + last), shift));
    v128.store(out + last, count);
    sum = f32x4.add(sum, v128.and(count, i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(4 - ((V & 3) as i32)))));
  }
  return sumOfLanes(sum);
}

function scaleRow(x: usize, factor: f32, V: usize): void {
  const end = x + (V << 2);
  for (const vectors = x + ((V & ~3) << 2); x < vectors; x += 16) v128.store(x, f32x4.mul(v128.load(x), f32x4.splat(factor)));
  for (; x < end; x += 4) store<f32>(x, load<f32>(x) * factor);
}

function narrowMax(x: usize, V: usize): f32 {
  let largest = load<f32>(x);
  for (let j: usize = 1; j < V; j++) largest = max(largest, load<f32>(x + (j << 2)));
  return largest;
}

function narrowExp(out: usize, x: usize, largest: f32, V: usize): f32 {
  let sum: f32 = 0;
  for (let j: usize = 0; j < V; j++) {
    const count = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x + (j << 2)) - largest)), 0);
    store<f32>(out + (j << 2), count);
    sum += count;
  }
  return sum;
}
