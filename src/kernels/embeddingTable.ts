import { matmul, matmulTransposed } from './matmul';
import { add16, copy16, PANEL, panelAt, panelBytes, panels, ROW, sumOfThree16 } from './panels';
import { afterRooms, endOf, firstOf, isLast, ownPart, ownRoom, reportSums, rowsTogether, waitForSums } from './parts';
import { addRow, gatherRows, sumRows, zeroRow } from './rows';
import { transpose } from './transpose';

// hprebn [n,H]   table, dtable [T,D,H]   C [V,E]   W1 [T·E,H]   b1 [H]   characters [T,D]   counts [T]   slots [n,T]
// workspace: with p threads, p·D·E + T·(D+H)·(E+3) floats
//
// hprebn is in panels, and so is the table, as a matrix of T·D rows. Threads share the panels.

/** See layers/embeddingTable.ts. One thread computes it. slotOf [V], Xb [n,T] */
export function groupCharacters(
  characters: usize, counts: usize, slots: usize, slotOf: usize, Xb: usize, n: usize, T: usize, D: usize, V: usize,
): void {
  const toSlots = slots - Xb;
  const end = Xb + ((n * T) << 2);
  for (let t: usize = 0; t < T; t++) {
    for (let p = slotOf; p < slotOf + (V << 2); p += 4) store<i32>(p, NONE);
    let count = 0;
    for (let x = Xb + (t << 2); x < end; x += T << 2) {
      const character = load<i32>(x);
      const slot = slotOf + ((character as usize) << 2);
      // Whether a character is new is a matter of chance, so there is no branch, which would often be mispredicted
      const old = load<i32>(slot);
      const isNew = old == NONE;
      const own = select<i32>(count, old, isNew);
      store<i32>(slot, own);
      store<i32>(characters + ((own as usize) << 2), character);
      store<i32>(x + toSlots, own);
      count += isNew as i32;
    }
    store<i32>(counts + (t << 2), count);
    characters += D << 2;
  }
}

/** In slotOf, a character that has no slot. */
const NONE: i32 = -1;

/** See layers/embeddingTable.ts. */
export function embeddingTableForward(
  hprebn: usize, table: usize, C: usize, W1: usize, b1: usize, characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, D: usize,
): void {
  const row = H << 2;
  const panel = panelBytes(T * D);
  const first = firstOf(H, PANEL);
  const end = endOf(H, PANEL);
  const at = first << 2;
  table = panelAt(table, T * D, first);
  const rows = ownRoom(workspace, D * E);
  // table[t,d] = C[characters[t,d]] W1[t], plus b1 at t = 0. Every thread gathers its own rows of C: they would take the cache lines from each other.
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    gatherRows(rows, C, characters + ((t * D) << 2), count, E);
    const out = table + t * D * ROW;
    matmul(out, ROW, panel, t == 0 ? b1 + at : 0, 0, rows, E << 2, ROW, W1 + t * E * row + at, row, count, end - first, E);
  }
  for (let j = first; j < end; j += TOGETHER * PANEL) {
    sumRowsOfTable(panelAt(hprebn, n, j), table, slots, n, T, D, min(TOGETHER, panels(end - j)));
    table += TOGETHER * panel;
  }
}

/** Panels that are summed together, because the slots of each example are then read once. */
const TOGETHER: usize = 4;

/** Some panels of hprebn: hprebn[i] = the sum over t of table[t,slots[i,t]], three at a time. */
function sumRowsOfTable(hprebn: usize, table: usize, slots: usize, n: usize, T: usize, D: usize, count: usize): void {
  const panel = panelBytes(T * D);
  const outPanel = panelBytes(n);
  for (const end = hprebn + n * ROW; hprebn < end; hprebn += ROW) {
    let t: usize = 0;
    if (T < 3) {
      const a = tableRow(table, slots, t++, D);
      for (let p: usize = 0; p < count; p++) copy16(hprebn + p * outPanel, a + p * panel);
    } else {
      const a = tableRow(table, slots, 0, D);
      const b = tableRow(table, slots, 1, D);
      const c = tableRow(table, slots, 2, D);
      for (let p: usize = 0; p < count; p++) sumOfThree16(hprebn + p * outPanel, a + p * panel, b + p * panel, c + p * panel);
      t = 3;
    }
    for (; t + 1 < T; t += 2) {
      const a = tableRow(table, slots, t, D);
      const b = tableRow(table, slots, t + 1, D);
      for (let p: usize = 0; p < count; p++) sumOfThree16(hprebn + p * outPanel, hprebn + p * outPanel, a + p * panel, b + p * panel);
    }
    if (t < T) {
      const a = tableRow(table, slots, t, D);
      for (let p: usize = 0; p < count; p++) add16(hprebn + p * outPanel, a + p * panel);
    }
    slots += T << 2;
  }
}

/** The row of a panel of the table for position t of an example. */
// @ts-ignore: decorator
@inline
function tableRow(table: usize, slots: usize, t: usize, D: usize): usize {
  return table + (t * D + (load<i32>(slots + (t << 2)) as usize)) * ROW;
}

/**
 * See layers/embeddingTable.ts. The gradients of the rows of C are sums over the columns of the table: each thread adds its columns to the same sums in
 * turn, see parts.ts.
 * @param turn the number of the sums
 */
export function embeddingTableBackward(
  dC: usize, dW1: usize, db1: usize, dtable: usize, dhprebn: usize, C: usize, W1: usize,
  characters: usize, counts: usize, slots: usize, workspace: usize,
  n: usize, T: usize, E: usize, H: usize, V: usize, D: usize, turn: i32,
): void {
  const row = H << 2;
  const panel = panelBytes(T * D);
  const first = firstOf(H, PANEL);
  const end = endOf(H, PANEL);
  const columns = end - first;
  const at = first << 2;
  const own = panelAt(dtable, T * D, first);
  const rows = ownRoom(workspace, D * E);
  // drows is padded to whole vectors: its columns from E on are computed from whatever follows in memory, and never read.
  const width = (E + 3) & ~3;
  const drows = afterRooms(workspace, D * E);
  const transposed = drows + ((T * D * width) << 2);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const G = own + t * D * ROW;
    // Examples with the same character share a row of the table, so the gradient of that row is the sum of theirs
    for (let j: usize = 0; j < columns; j += TOGETHER * PANEL) {
      sumBySlot(G + j / PANEL * panel, panel, panelAt(dhprebn, n, first + j), slots + (t << 2), n, T, min(TOGETHER, panels(columns - j)));
    }
    if (t == 0) {
      for (let j: usize = 0; j < columns; j += PANEL) sumRows(db1 + at + (j << 2), G + j / PANEL * panel, ROW, count, min(PANEL, columns - j));
    }
    const weights = W1 + t * E * row + at;
    for (let e: usize = 0; e < E; e += PACKED) {
      const packed = min(PACKED, width - e);
      transpose(transposed + ((t * H * width + H * e + first * packed) << 2), packed << 2, weights + e * row, row, min(PACKED, E - e), columns);
    }
  }
  // The first thread begins the sums, and the others have something else to do before they continue them
  if (ownPart() > 0) weightGradients(dW1 + at, row, own, panel, C, characters, counts, rows, T, E, D, columns);
  let groups = 0;
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    const together = rowsTogether(count);
    for (let d: usize = 0; d < count; d += together) {
      const sums = drows + (((t * D + d) * width) << 2);
      const G = own + (t * D + d) * ROW;
      waitForSums(turn, ++groups);
      for (let e: usize = 0; e < E; e += PACKED) {
        const packed = min(PACKED, width - e);
        const out = sums + (e << 2);
        const weights = transposed + ((t * H * width + H * e + first * packed) << 2);
        matmul(out, width << 2, ROW, first ? out : 0, width << 2, G, ROW, panel, weights, packed << 2, min(together, count - d), packed, columns);
      }
      reportSums(turn, groups);
    }
  }
  if (ownPart() == 0) weightGradients(dW1 + at, row, own, panel, C, characters, counts, rows, T, E, D, columns);
  if (isLast()) addToCharacters(dC, drows, characters, counts, T, E, V, D, width);
}

/** dW1, for this thread's columns: that of W1[t] is the sum over d of C[characters[t,d]]ᵀ dtable[t,d]. rows [D,E] is scratch. */
function weightGradients(
  dW1: usize, row: usize, dtable: usize, panel: usize, C: usize, characters: usize, counts: usize, rows: usize,
  T: usize, E: usize, D: usize, columns: usize,
): void {
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    gatherRows(rows, C, characters + ((t * D) << 2), count, E);
    matmulTransposed(dW1 + t * E * row, row, rows, E << 2, ROW, dtable + t * D * ROW, ROW, panel, E, columns, count);
  }
}

/** Columns of W1ᵀ that are packed together: as rows of all T·E columns they would evict each other from the cache. */
const PACKED: usize = 16;

/** dC[characters[t,d]] += drows[t,d] */
// @ts-ignore: decorator
@inline
function addToCharacters(dC: usize, drows: usize, characters: usize, counts: usize, T: usize, E: usize, V: usize, D: usize, width: usize): void {
  zeroRow(dC, V * E);
  for (let t: usize = 0; t < T; t++) {
    const count = load<i32>(counts + (t << 2)) as usize;
    for (let d: usize = 0; d < count; d++) {
      const character = load<i32>(characters + ((t * D + d) << 2)) as usize;
      addRow(dC + ((character * E) << 2), drows + (((t * D + d) * width) << 2), E);
    }
  }
}

/**
 * Some panels of sums [D,H], which are `panel` bytes apart: for each slot, the sum of the rows of a [n,H] with that slot. Slots are numbered in
 * order of first appearance.
 */
function sumBySlot(sums: usize, panel: usize, a: usize, slots: usize, n: usize, T: usize, count: usize): void {
  const aPanel = panelBytes(n);
  let seen: usize = 0;
  for (const end = a + n * ROW; a < end; a += ROW) {
    const slot = load<i32>(slots) as usize;
    const sum = sums + slot * ROW;
    if (slot == seen) {
      for (let p: usize = 0; p < count; p++) copy16(sum + p * panel, a + p * aPanel);
      seen++;
    } else for (let p: usize = 0; p < count; p++) add16(sum + p * panel, a + p * aPanel);
    slots += T << 2;
  }
}
