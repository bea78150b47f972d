/**
 * "Exercise 5": embedding and first linear layer as one table look-up. The same function, by algebra.
 *
 * embact[i] is T rows of C laid side by side, so embact W1 is a sum over the positions t, in which only the rows
 * W1[t] (E of the T·E) take part:
 *
 *     hprebn[i] = b1 + Σ_t C[Xb[i,t]] W1[t]
 *
 * The product C[c] W1[t] depends on the character and the position only. A batch of 32 has about 14 different characters at
 * a position: 14 products a position do for all 32 examples, which look theirs up in a table and add T rows.
 *
 * Backward, the same table read from the other side. Write P[t,c] = C[c] W1[t]. Every example with the character c at t
 * used the row P[t,c], so its gradient collects theirs: dP[t,c] = Σ dhprebn[i] over those i. And P[t,c] = C[c] W1[t] is a
 * linear layer of its own:
 *
 *     dW1[t] = Σ_c C[c]ᵀ dP[t,c]        dC[c] = Σ_t dP[t,c] W1[t]ᵀ        db1 = Σ_c dP[0,c]
 *
 * The products are done once per different character in place of once per example; the sums are the plain pair's in another
 * order.
 */
import type { FloatArray } from '../core/tensor.js';

// hprebn, dhprebn [n,H]   table [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]
// characters [T,D]   counts [T]   slots [n,T], where D = min(n,V)

/** The different characters of a batch at each position, in the order they occur, and which of them each example has. */
export interface CharacterGroups {
  /** The d-th different character at position t stands at t·D + d; counts[t] of them. */
  characters: Int32Array;
  counts: Int32Array;
  /** Example i has the slots[i·T + t]-th of them. */
  slots: Int32Array;
  /** [V], room to work in: the slot of each character at the position being grouped. */
  slotOf: Int32Array;
}

export function groupCharacters(
  { characters, counts, slots, slotOf }: CharacterGroups,
  Xb: Int32Array,
  n: number,
  T: number,
  D: number,
): void {
  for (let t = 0; t < T; t++) {
    let count = 0;
    for (let i = 0; i < n; i++) {
      const character = Xb[i * T + t];
      let slot = slotOf[character];
      // What stands in slotOf may be from an earlier position: it counts only if the character is listed there.
      if (slot >= count || characters[t * D + slot] !== character) {
        slot = count++;
        slotOf[character] = slot;
        characters[t * D + slot] = character;
      }
      slots[i * T + t] = slot;
    }
    counts[t] = count;
  }
}

/** hprebn = embact W1 + b1 through the table, which is overwritten. */
export function embeddingTableForward(
  hprebn: FloatArray,
  table: FloatArray,
  C: FloatArray,
  W1: FloatArray,
  b1: FloatArray,
  { characters, counts, slots }: CharacterGroups,
  n: number,
  T: number,
  E: number,
  H: number,
  D: number,
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

/** dC, dW1 and db1 from dhprebn. Overwrites all three, and the table with the gradients of its rows. */
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
  T: number,
  E: number,
  H: number,
  V: number,
  D: number,
): void {
  // hprebn[i] = sum over t of table[t,slots[i,t]]
  dtable.fill(0, 0, T * D * H);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < H; j++) dtable[(t * D + slots[i * T + t]) * H + j] += dhprebn[i * H + j];
    }
  }
  // table[t,d] = C[characters[t,d]] W1[t], and b1 where t = 0
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
