// Operations on rows of N floats. They avoid memory.copy and memory.fill: V8 calls out of the module for these, which costs more than copying
// a short row.

/** out = 0 */
// @ts-ignore: decorator
@inline
export function zeroRow(out: usize, N: usize): void {
  const end = out + (N << 2);
  for (const vectors = out + ((N & ~3) << 2); out < vectors; out += 16) v128.store(out, f32x4.splat(0));
  for (; out < end; out += 4) store<f32>(out, 0);
}

/** out = a */
// @ts-ignore: decorator
@inline
function copyRow(out: usize, a: usize, N: usize): void {
  const end = a + (N << 2);
  const distance = out - a;
  for (const vectors = a + ((N & ~3) << 2); a < vectors; a += 16) v128.store(a + distance, v128.load(a));
  for (; a < end; a += 4) store<f32>(a + distance, load<f32>(a));
}

/** out += a */
// @ts-ignore: decorator
@inline
export function addRow(out: usize, a: usize, N: usize): void {
  const end = a + (N << 2);
  const distance = out - a;
  for (const vectors = a + ((N & ~3) << 2); a < vectors; a += 16) {
    v128.store(a + distance, f32x4.add(v128.load(a + distance), v128.load(a)));
  }
  for (; a < end; a += 4) store<f32>(a + distance, load<f32>(a + distance) + load<f32>(a));
}

/** out [N] = the sum of the rows of a [M,N], which are stride bytes apart */
export function sumRows(out: usize, a: usize, stride: usize, M: usize, N: usize): void {
  const end = a + M * stride;
  let j: usize = 0;
  for (; j + 4 <= N; j += 4) {
    let sum = f32x4.splat(0);
    for (let p = a + (j << 2); p < end; p += stride) sum = f32x4.add(sum, v128.load(p));
    v128.store(out + (j << 2), sum);
  }
  for (; j < N; j++) {
    let sum: f32 = 0;
    for (let p = a + (j << 2); p < end; p += stride) sum += load<f32>(p);
    store<f32>(out + (j << 2), sum);
  }
}

/** out [M,N] = rows of a at the indices */
export function gatherRows(out: usize, a: usize, indices: usize, M: usize, N: usize): void {
  const stride = N << 2;
  for (let i: usize = 0; i < M; i++) copyRow(out + i * stride, a + (load<i32>(indices + (i << 2)) as usize) * stride, N);
}
