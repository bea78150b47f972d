import type { FloatArray } from '../core/tensor.js';

// emb [n,T,E]   C, dC [V,E]   Xb [n,T]   (rows = n·T)

/** emb = rows of C at Xb. Overwrites emb. */
export function embeddingForward(emb: FloatArray, C: FloatArray, Xb: Int32Array, rows: number, E: number): void {
  for (let r = 0; r < rows; r++) {
    for (let e = 0; e < E; e++) emb[r * E + e] = C[Xb[r] * E + e];
  }
}

/** dC from demb: a row of C that was read several times gets the sum of its gradients. Overwrites dC. */
export function embeddingBackward(dC: FloatArray, demb: FloatArray, Xb: Int32Array, rows: number, E: number, V: number): void {
  // emb[r] = C[Xb[r]]
  dC.fill(0, 0, V * E);
  for (let r = 0; r < rows; r++) {
    for (let e = 0; e < E; e++) dC[Xb[r] * E + e] += demb[r * E + e];
  }
}
