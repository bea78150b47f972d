// emb [rows,E]   C [V,E]   Xb [rows]

/** See layers/embedding.ts. */
export function embeddingForward(emb: usize, C: usize, Xb: usize, rows: usize, E: usize): void {
  const width = E << 2;
  for (let r: usize = 0; r < rows; r++) {
    memory.copy(emb, C + (load<i32>(Xb + (r << 2)) as usize) * width, width);
    emb += width;
  }
}

/** See layers/embedding.ts. */
export function embeddingBackward(dC: usize, demb: usize, Xb: usize, rows: usize, E: usize, V: usize): void {
  const width = E << 2;
  memory.fill(dC, 0, V * width);
  for (let r: usize = 0; r < rows; r++) {
    addRow(dC + (load<i32>(Xb + (r << 2)) as usize) * width, demb, E);
    demb += width;
  }
}

/** out [N] += a [N] */
export function addRow(out: usize, a: usize, N: usize): void {
  const end = a + (N << 2);
  for (const vectors = a + ((N & ~3) << 2); a < vectors; a += 16) {
    v128.store(out, f32x4.add(v128.load(out), v128.load(a)));
    out += 16;
  }
  for (; a < end; a += 4) {
    store<f32>(out, load<f32>(out) + load<f32>(a));
    out += 4;
  }
}
