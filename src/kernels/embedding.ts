import { addRow, gatherRows, zeroRow } from './rows';

// emb [rows,E]   C [V,E]   Xb [rows]

/** See layers/embedding.ts. */
export function embeddingForward(emb: usize, C: usize, Xb: usize, rows: usize, E: usize): void {
  gatherRows(emb, C, Xb, rows, E);
}

/** See layers/embedding.ts. */
export function embeddingBackward(dC: usize, demb: usize, Xb: usize, rows: usize, E: usize, V: usize): void {
  // emb[r] = C[Xb[r]]
  const width = E << 2;
  zeroRow(dC, V * E);
  for (let r: usize = 0; r < rows; r++) addRow(dC + (load<i32>(Xb + (r << 2)) as usize) * width, demb + r * width, E);
}
