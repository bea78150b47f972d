import { endOf, firstOf, meet } from './parts';
import { addRow, gatherRows, zeroRow } from './rows';

// emb [rows,E]   C [V,E]   Xb [rows]

/** See layers/embedding.ts. The threads share the rows. */
export function embeddingForward(emb: usize, C: usize, Xb: usize, rows: usize, E: usize): void {
  const r = firstOf(rows, 1);
  gatherRows(emb + ((r * E) << 2), C, Xb + (r << 2), endOf(rows, 1) - r, E);
}

/** See layers/embedding.ts. The threads share the columns of dC, so that each adds the rows in their order. */
export function embeddingBackward(dC: usize, demb: usize, Xb: usize, rows: usize, E: usize, V: usize): void {
  // emb[r] = C[Xb[r]]
  const width = E << 2;
  const first = firstOf(V * E, 16);
  zeroRow(dC + (first << 2), endOf(V * E, 16) - first);
  meet();
  const j = firstOf(E, 4);
  const own = endOf(E, 4) - j;
  if (own == 0) return;
  dC += j << 2;
  demb += j << 2;
  for (let r: usize = 0; r < rows; r++) addRow(dC + (load<i32>(Xb + (r << 2)) as usize) * width, demb + r * width, own);
}
