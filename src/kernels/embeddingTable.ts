import { matmul, matmulTransposed } from './matmul';
import { endOf, firstOf, meet } from './parts';
import { addRow, copyRow, gatherRows, sumOfThree, sumRows, zeroRow } from './rows';
import { transpose } from './transpose';

// hprebn [n,H]   table, dtable [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]   characters [T,D]   counts [T]   slots [n,T]
// workspace: T·(D·E + (D+H)·(E+3)) floats
//
// Threads share the columns of H, and in the end the rows of the gradients of C.

/** See layers/embeddingTable.ts. */
export function embeddingTableForward(
  hprebn: usize, table: usize, C: usize, W1: usize, b1: usize, characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, D: usize,
): void {
  const row = H << 2;
  const first = firstOf(H, 16);
  const end = endOf(H, 16);
  const at = first << 2;
  // table[t,d] = C[characters[t,d]] W1[t], plus b1 at t = 0
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    // All threads gather the same rows into the same place
    const rows = workspace + ((t * D * E) << 2);
    gatherRows(rows, C, characters + ((t * D) << 2), count, E);
    matmul(table + t * D * row + at, row, t == 0 ? b1 + at : 0, rows, E << 2, W1 + t * E * row + at, row, count, end - first, E);
  }
  // hprebn[i] = sum over t of table[t,slots[i,t]]; columns in groups that stay in the cache take up to 1.4 times as long, here and backward
  for (let i: usize = 0; i < n; i++) {
    addTableRows(hprebn + i * row + at, table + at, slots + ((i * T) << 2), T, end - first, D, row);
  }
}

/** out [N] = the sum of N columns of an example's T rows, three at a time. */
// @ts-ignore: decorator
@inline
function addTableRows(out: usize, table: usize, slots: usize, T: usize, N: usize, D: usize, row: usize): void {
  let t: usize = 0;
  if (T < 3) copyRow(out, tableRow(table, slots, t++, D, row), N);
  else {
    sumOfThree(out, tableRow(table, slots, 0, D, row), tableRow(table, slots, 1, D, row), tableRow(table, slots, 2, D, row), N);
    t = 3;
  }
  for (; t + 1 < T; t += 2) sumOfThree(out, out, tableRow(table, slots, t, D, row), tableRow(table, slots, t + 1, D, row), N);
  if (t < T) addRow(out, tableRow(table, slots, t, D, row), N);
}

// @ts-ignore: decorator
@inline
function tableRow(table: usize, slots: usize, t: usize, D: usize, row: usize): usize {
  return table + (t * D + (load<i32>(slots + (t << 2)) as usize)) * row;
}

/** See layers/embeddingTable.ts. */
export function embeddingTableBackward(
  dC: usize, dW1: usize, db1: usize, dtable: usize, dhprebn: usize, C: usize, W1: usize,
  characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, V: usize, D: usize,
): void {
  const row = H << 2;
  const first = firstOf(H, 16);
  const columns = endOf(H, 16) - first;
  const at = first << 2;
  // drows is padded to whole vectors: its columns from E on are computed from whatever follows in memory, and never read.
  const width = (E + 3) & ~3;
  const drows = workspace + ((T * D * E) << 2);
  const transposed = drows + ((T * D * width) << 2);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const G = dtable + t * D * row + at;
    // Examples with the same character share a row of the table, so the gradient of that row is the sum of theirs
    sumBySlot(G, dhprebn + at, slots + (t << 2), n, T, columns, row);
    if (t == 0) sumRows(db1 + at, G, row, count, columns);
    // table[t,d] = C[characters[t,d]] W1[t]; all threads gather the same rows into the same place
    const rows = workspace + ((t * D * E) << 2);
    gatherRows(rows, C, characters + ((t * D) << 2), count, E);
    const weights = W1 + t * E * row + at;
    matmulTransposed(dW1 + t * E * row + at, row, rows, E << 2, G, row, E, columns, count);
    for (let e: usize = 0; e < E; e += PANEL) {
      const panel = min(PANEL, width - e);
      transpose(transposed + ((t * H * width + H * e + first * panel) << 2), panel << 2, weights + e * row, row, min(PANEL, E - e), columns);
    }
  }
  meet();
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const d = firstOf(count, 2);
    const own = endOf(count, 2) - d;
    for (let e: usize = 0; e < E; e += PANEL) {
      const panel = min(PANEL, width - e);
      const out = drows + (((t * D + d) * width + e) << 2);
      matmul(out, width << 2, 0, dtable + (t * D + d) * row, row, transposed + ((t * H * width + H * e) << 2), panel << 2, own, panel, H);
    }
  }
  meet();
  addToCharacters(dC, drows, characters, counts, T, E, V, D, width);
}

/** Columns of W1ᵀ that are packed together: a cache line. As rows of all T·E columns they would evict each other from the cache. */
const PANEL: usize = 16;

/** dC[characters[t,d]] += drows[t,d], for this thread's share of the characters */
// @ts-ignore: decorator
@inline
function addToCharacters(dC: usize, drows: usize, characters: usize, counts: usize, T: usize, E: usize, V: usize, D: usize, width: usize): void {
  const first = firstOf(V, 1);
  const own = endOf(V, 1) - first;
  zeroRow(dC + ((first * E) << 2), own * E);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    for (let d: usize = 0; d < count; d++) {
      const character = load<i32>(characters + ((t * D + d) << 2)) as usize;
      if (character - first < own) addRow(dC + ((character * E) << 2), drows + (((t * D + d) * width) << 2), E);
    }
  }
}

/** sums [count,N]: for each slot, the sum of the rows of a [n,N] with that slot. Slots are numbered in order of first appearance. */
function sumBySlot(sums: usize, a: usize, slots: usize, n: usize, T: usize, N: usize, row: usize): void {
  let seen: usize = 0;
  for (let i: usize = 0; i < n; i++) {
    const slot = load<i32>(slots + ((i * T) << 2)) as usize;
    if (slot == seen) {
      copyRow(sums + slot * row, a, N);
      seen++;
    } else addRow(sums + slot * row, a, N);
    a += row;
  }
}
