/**
 * out [N,M] = the transpose of a [M,N], in 4 by 4 blocks; the last ones overlap the ones before. The rows of out are outs bytes apart, those of a
 * as.
 */
export function transpose(out: usize, outs: usize, a: usize, as: usize, M: usize, N: usize): void {
  if (M < 4 || N < 4) {
    for (let i: usize = 0; i < M; i++) {
      for (let j: usize = 0; j < N; j++) store<f32>(out + j * outs + (i << 2), load<f32>(a + i * as + (j << 2)));
    }
    return;
  }
  const last = outs * (N - 4);
  for (let i: usize = 0; i < M; i += 4) {
    const i0 = min(i, M - 4);
    const column = out + (i0 << 2);
    const end = column + last;
    let p = a + i0 * as;
    let o = column;
    for (; o < end; o += outs << 2) {
      transposeBlock(o, outs, p, as);
      p += 16;
    }
    transposeBlock(end, outs, a + i0 * as + ((N - 4) << 2), as);
  }
}

// @ts-ignore: decorator
@inline
function transposeBlock(out: usize, outs: usize, a: usize, as: usize): void {
  const r0 = v128.load(a);
  const r1 = v128.load(a + as);
  const r2 = v128.load(a + 2 * as);
  const r3 = v128.load(a + 3 * as);
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
  v128.store(out + outs, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7));
  v128.store(out + 2 * outs, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5));
  v128.store(out + 3 * outs, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7));
}
