import { addRow } from './embedding';
import { sumRows } from './linear';
import { matmul } from './matmul';
import { transpose } from './transpose';

// hprebn [n,H]   table, sums [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]   characters [T,D]   counts [T]   slots [n,T]
// workspace: room for 2·D·E + T·E·H floats

/** See layers/embeddingTable.ts. */
export function embeddingTableForward(
  hprebn: usize, table: usize, C: usize, W1: usize, b1: usize, characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, D: usize,
): void {
  const row = H << 2;
  // table[t,d] = C[characters[t,d]] W1[t], and b1 where t = 0
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    gatherRows(workspace, C, characters + ((t * D) << 2), count, E);
    matmul(table + t * D * row, row, t == 0 ? b1 : 0, workspace, E << 2, 4, W1 + t * E * row, row, count, H, E);
  }
  // hprebn[i] = sum over t of table[t,slots[i,t]]
  for (let i: usize = 0; i < n; i++) {
    const slot = slots + ((i * T) << 2);
    const first = table + (load<i32>(slot) as usize) * row;
    if (T == 1) memory.copy(hprebn, first, row);
    else sumOfRows(hprebn, first, table + (D + (load<i32>(slot, 4) as usize)) * row, H);
    for (let t: usize = 2; t < T; t++) addRow(hprebn, table + (t * D + (load<i32>(slot + (t << 2)) as usize)) * row, H);
    hprebn += row;
  }
}

/** See layers/embeddingTable.ts. */
export function embeddingTableBackward(
  dC: usize, dW1: usize, db1: usize, sums: usize, dhprebn: usize, C: usize, W1: usize,
  characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, V: usize, D: usize,
): void {
  const row = H << 2;
  const rows = workspace;
  const drows = rows + ((D * E) << 2);
  const transposed = drows + ((D * E) << 2);
  transpose(transposed, W1, T * E, H);
  memory.fill(dC, 0, (V * E) << 2);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const own = characters + ((t * D) << 2);
    const G = sums + t * D * row;
    // Examples with the same character share a row of the table: its gradient is the sum of theirs
    sumBySlot(G, dhprebn, slots + (t << 2), n, T, H, count);
    if (t == 0) sumRows(db1, G, count, H);
    // table[t,d] = C[characters[t,d]] W1[t]
    gatherRows(rows, C, own, count, E);
    matmul(dW1 + t * E * row, row, 0, rows, 4, E << 2, G, row, E, H, count);
    matmul(drows, E << 2, 0, G, row, 4, transposed + ((t * E) << 2), (T * E) << 2, count, E, H);
    for (let d: usize = 0; d < count; d++) {
      addRow(dC + (((load<i32>(own + (d << 2)) as usize) * E) << 2), drows + ((d * E) << 2), E);
    }
  }
}

/** out [count,E] = rows of C at the characters. */
function gatherRows(out: usize, C: usize, characters: usize, count: usize, E: usize): void {
  const width = E << 2;
  for (let d: usize = 0; d < count; d++) memory.copy(out + d * width, C + (load<i32>(characters + (d << 2)) as usize) * width, width);
}

/** sums [count,H]: for each slot the rows of a [n,H] that have it. Slots are numbered in the order they first occur. */
function sumBySlot(sums: usize, a: usize, slots: usize, n: usize, T: usize, H: usize, count: usize): void {
  const row = H << 2;
  let seen: usize = 0;
  for (let i: usize = 0; i < n; i++) {
    const slot = load<i32>(slots + ((i * T) << 2)) as usize;
    if (slot == seen) {
      memory.copy(sums + slot * row, a, row);
      seen++;
    } else addRow(sums + slot * row, a, H);
    a += row;
  }
}

/** out [N] = a [N] + b [N] */
function sumOfRows(out: usize, a: usize, b: usize, N: usize): void {
  const end = a + (N << 2);
  for (const vectors = a + ((N & ~3) << 2); a < vectors; a += 16) {
    v128.store(out, f32x4.add(v128.load(a), v128.load(b)));
    b += 16;
    out += 16;
  }
  for (; a < end; a += 4) {
    store<f32>(out, load<f32>(a) + load<f32>(b));
    b += 4;
    out += 4;
  }
}
