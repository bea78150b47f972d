/**
 * "Exercise 5": embedding and first linear layer as one table look-up. The function is the same, by algebra.
 *
 * embact[i] is T rows of C side by side, so embact W1 is a sum over the positions t. Position t uses only W1[t], which is E of the T·E
 * rows of W1:
 *
 *     hprebn[i] = b1 + Σ_t C[Xb[i,t]] W1[t]
 *
 * The product C[c] W1[t] depends only on the character c and the position t. A batch of 32 has about 14 distinct characters at a
 * position, so 14 products per position serve all 32 examples. Each example looks up its products and adds T rows.
 *
 * Backward, write P[t,c] = C[c] W1[t]. Every example with the character c at position t used the row P[t,c], so the gradient of that row
 * is the sum over these examples: dP[t,c] = Σ_i dhprebn[i]. And P[t,c] = C[c] W1[t] is itself a linear layer:
 *
 *     dW1[t] = Σ_c C[c]ᵀ dP[t,c]        dC[c] = Σ_t dP[t,c] W1[t]ᵀ        db1 = Σ_c dP[0,c]
 *
 * The products are computed once per distinct character, not once per example. The sums are those of the embedding and the linear
 * layer, in another order.
 */
import type { FloatArray } from '../core/tensor.js';

// hprebn, dhprebn [n,H]   table [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]
// characters [T,D]   counts [T]   slots [n,T]

/** The distinct characters of a batch at each position, in order of first appearance, and the slot of each example. */
export interface CharacterGroups {
  /** Shape [T,D]: the distinct characters at each position; the first counts[t] entries of row t are in use. */
  readonly characters: Int32Array;
  /** Shape [T]: the number of distinct characters at each position. */
  readonly counts: Int32Array;
  /** Shape [n,T]: example i has the character in slot slots[i,t] at position t. */
  readonly slots: Int32Array;
  /** Shape [V], scratch: the slot of each character at the position being grouped. */
  readonly slotOf: Int32Array;
}

/** The sizes of the table, apart from n. D is the number of rows at a position, at least min(n,V). */
export interface TableSizes {
  readonly T: number;
  readonly E: number;
  readonly H: number;
  readonly V: number;
  readonly D: number;
}

/** Groups the characters of Xb [n,T] by position. Overwrites all arrays of the groups. */
export function groupCharacters(
  { characters, counts, slots, slotOf }: CharacterGroups,
  Xb: Int32Array,
  n: number,
  T: number,
  D: number,
): void {
  for (let t = 0; t < T; t++) {
    slotOf.fill(NONE);
    let count = 0;
    for (let i = 0; i < n; i++) {
      const character = Xb[i * T + t];
      if (slotOf[character] === NONE) {
        slotOf[character] = count;
        characters[t * D + count] = character;
        count++;
      }
      slots[i * T + t] = slotOf[character];
    }
    counts[t] = count;
  }
}

/** In slotOf, a character that has no slot. */
const NONE = -1;

/** hprebn = embact W1 + b1. Overwrites hprebn and the table. */
export function embeddingTableForward(
  hprebn: FloatArray,
  table: FloatArray,
  C: FloatArray,
  W1: FloatArray,
  b1: FloatArray,
  { characters, counts, slots }: CharacterGroups,
  n: number,
  { T, E, H, D }: TableSizes,
): void {
  for (let t = 0; t < T; t++) {
    for (let d = 0; d < counts[t]; d++) {
      const character = characters[t * D + d];
      for (let j = 0; j < H; j++) {
        let sum = t === 0 ? b1[j] : 0;
        for (let e = 0; e < E; e++) sum += C[character * E + e] * W1[(t * E + e) * H + j];
        table[(t * D + d) * H + j] = sum;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < H; j++) {
      let sum = 0;
      for (let t = 0; t < T; t++) sum += table[(t * D + slots[i * T + t]) * H + j];
      hprebn[i * H + j] = sum;
    }
  }
}

/** dC, dW1 and db1 from dhprebn. Overwrites all three, and dtable with the gradients of the table's rows. */
export function embeddingTableBackward(
  dC: FloatArray,
  dW1: FloatArray,
  db1: FloatArray,
  dtable: FloatArray,
  dhprebn: FloatArray,
  C: FloatArray,
  W1: FloatArray,
  { characters, counts, slots }: CharacterGroups,
  n: number,
  { T, E, H, V, D }: TableSizes,
): void {
  // hprebn[i] = sum over t of table[t,slots[i,t]]
  dtable.fill(0, 0, T * D * H);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < H; j++) dtable[(t * D + slots[i * T + t]) * H + j] += dhprebn[i * H + j];
    }
  }
  // table[t,d] = C[characters[t,d]] W1[t], plus b1 at t = 0
  dC.fill(0, 0, V * E);
  dW1.fill(0, 0, T * E * H);
  db1.fill(0, 0, H);
  for (let t = 0; t < T; t++) {
    for (let d = 0; d < counts[t]; d++) {
      const character = characters[t * D + d];
      for (let j = 0; j < H; j++) {
        const drow = dtable[(t * D + d) * H + j];
        if (t === 0) db1[j] += drow;
        for (let e = 0; e < E; e++) {
          dC[character * E + e] += drow * W1[(t * E + e) * H + j];
          dW1[(t * E + e) * H + j] += C[character * E + e] * drow;
        }
      }
    }
  }
}
