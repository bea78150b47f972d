import { matmul, matmulTransposed } from './matmul';
import { addRow, copyRow, gatherRows, sumOfThree, sumRows, zeroRow } from './rows';
import { transpose } from './transpose';

// hprebn [n,H]   table, dtable [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]   characters [T,D]   counts [T]   slots [n,T]
// workspace: D·(2·E + 3) + T·E·H + 3 floats

/** See layers/embeddingTable.ts. */
export function embeddingTableForward(
  hprebn: usize, table: usize, C: usize, W1: usize, b1: usize, characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, D: usize,
): void {
  const row = H << 2;
  // table[t,d] = C[characters[t,d]] W1[t], plus b1 at t = 0
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    gatherRows(workspace, C, characters + ((t * D) << 2), count, E);
    matmul(table + t * D * row, row, t == 0 ? b1 : 0, workspace, E << 2, W1 + t * E * row, row, count, H, E);
  }
  // hprebn[i] = sum over t of table[t,slots[i,t]]
  for (let i: usize = 0; i < n; i++) addTableRows(hprebn + i * row, table, slots + ((i * T) << 2), T, H, D);
}

/** out [H] = the sum of an example's T rows, three at a time. */
// @ts-ignore: decorator
@inline
function addTableRows(out: usize, table: usize, slots: usize, T: usize, H: usize, D: usize): void {
  let t: usize = 0;
  if (T < 3) copyRow(out, tableRow(table, slots, t++, H, D), H);
  else {
    sumOfThree(out, tableRow(table, slots, 0, H, D), tableRow(table, slots, 1, H, D), tableRow(table, slots, 2, H, D), H);
    t = 3;
  }
  for (; t + 1 < T; t += 2) sumOfThree(out, out, tableRow(table, slots, t, H, D), tableRow(table, slots, t + 1, H, D), H);
  if (t < T) addRow(out, tableRow(table, slots, t, H, D), H);
}

// @ts-ignore: decorator
@inline
function tableRow(table: usize, slots: usize, t: usize, H: usize, D: usize): usize {
  return table + (((t * D + (load<i32>(slots + (t << 2)) as usize)) * H) << 2);
}

/** See layers/embeddingTable.ts. */
export function embeddingTableBackward(
  dC: usize, dW1: usize, db1: usize, dtable: usize, dhprebn: usize, C: usize, W1: usize,
  characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, V: usize, D: usize,
): void {
  const row = H << 2;
  const rows = workspace;
  const drows = rows + ((D * E) << 2);
  // drows is padded to whole vectors: its columns from E on are computed from whatever follows in memory, and never read.
  const width = (E + 3) & ~3;
  const transposed = drows + ((D * width) << 2);
  transpose(transposed, (T * E) << 2, W1, T * E, H);
  zeroRow(dC, V * E);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const own = characters + ((t * D) << 2);
    const G = dtable + t * D * row;
    // Examples with the same character share a row of the table, so the gradient of that row is the sum of theirs
    sumBySlot(G, dhprebn, slots + (t << 2), n, T, H);
    if (t == 0) sumRows(db1, G, row, count, H);
    // table[t,d] = C[characters[t,d]] W1[t]
    gatherRows(rows, C, own, count, E);
    matmulTransposed(dW1 + t * E * row, row, rows, E << 2, G, row, E, H, count);
    matmul(drows, width << 2, 0, G, row, transposed + ((t * E) << 2), (T * E) << 2, count, width, H);
    for (let d: usize = 0; d < count; d++) {
      addRow(dC + (((load<i32>(own + (d << 2)) as usize) * E) << 2), drows + ((d * width) << 2), E);
    }
  }
}

/** sums [count,H]: for each slot, the sum of the rows of a [n,H] with that slot. Slots are numbered in order of first appearance. */
function sumBySlot(sums: usize, a: usize, slots: usize, n: usize, T: usize, H: usize): void {
  const row = H << 2;
  let seen: usize = 0;
  for (let i: usize = 0; i < n; i++) {
    const slot = load<i32>(slots + ((i * T) << 2)) as usize;
    if (slot == seen) {
      copyRow(sums + slot * row, a, H);
      seen++;
    } else addRow(sums + slot * row, a, H);
    a += row;
  }
}
