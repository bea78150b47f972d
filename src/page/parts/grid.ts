/** Places in the picture of a tensor: how keys move a cursor, and the rectangles that a set of entries covers. */

/** Rows that Page Up and Page Down move by. */
const PAGE_ROWS = 8;

type Move = (row: number, column: number, rows: number, columns: number) => readonly [row: number, column: number];

const MOVES: Readonly<Record<string, Move>> = {
  ArrowUp: (row, column) => [row - 1, column],
  ArrowDown: (row, column) => [row + 1, column],
  ArrowLeft: (row, column) => [row, column - 1],
  ArrowRight: (row, column) => [row, column + 1],
  Home: (row) => [row, 0],
  End: (row, _, __, columns) => [row, columns - 1],
  PageUp: (row, column) => [row - PAGE_ROWS, column],
  PageDown: (row, column) => [row + PAGE_ROWS, column],
};

/** With Ctrl: to the edge. */
const FAR_MOVES: Readonly<Record<string, Move>> = {
  ArrowUp: (_, column) => [0, column],
  ArrowDown: (_, column, rows) => [rows - 1, column],
  ArrowLeft: (row) => [row, 0],
  ArrowRight: (row, _, __, columns) => [row, columns - 1],
  Home: () => [0, 0],
  End: (_, __, rows, columns) => [rows - 1, columns - 1],
};

/**
 * Where a key moves the cursor: the arrows, Home, End, Page Up and Page Down; with Ctrl, to the edge.
 * @param from the row-major position; without one, the first key chooses the first entry
 * @returns undefined for a key that moves nothing
 */
export function movedBy(
  key: string,
  ctrl: boolean,
  from: number | undefined,
  [rows, columns]: readonly [number, number],
): number | undefined {
  const moves = ctrl ? FAR_MOVES : MOVES;
  const move = Object.hasOwn(moves, key) ? moves[key] : undefined;
  if (!move) return undefined;
  if (from === undefined) return 0;
  const within = (index: number, size: number) => Math.min(size - 1, Math.max(0, index));
  const [row, column] = move(...rowAndColumn(from, columns), rows, columns);
  return within(row, rows) * columns + within(column, columns);
}

/** The part of a mouse event on an element that is read here. */
interface MouseOver {
  clientX: number;
  clientY: number;
  currentTarget: { getBoundingClientRect(): Readonly<Record<'left' | 'top' | 'width' | 'height', number>> };
}

/** The row-major position of the entry of a picture under the mouse. */
export function entryUnder({ currentTarget, clientX, clientY }: MouseOver, [rows, columns]: readonly [number, number]): number {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  const within = (share: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
  return within((clientY - top) / height, rows) * columns + within((clientX - left) / width, columns);
}

/** A rectangle of entries. */
export interface Region {
  row: number;
  column: number;
  rows: number;
  columns: number;
}

/** The rectangle of one entry. */
export function cellAt(row: number, column: number): Region {
  return { row, column, rows: 1, columns: 1 };
}

/** Row and column of a row-major position. */
export function rowAndColumn(position: number, columns: number): [row: number, column: number] {
  return [Math.floor(position / columns), position % columns];
}

/** The rectangles that cover a set of entries: neighbours in a row are one, and equal ones in rows that follow each other. */
export function regionsOf(positions: Iterable<number>, columns: number): Region[] {
  const regions: Region[] = [];
  for (const run of runsOf(positions, columns)) {
    const above = regions.find((one) => one.column === run.column && one.columns === run.columns && one.row + one.rows === run.row);
    if (above) above.rows++;
    else regions.push(run);
  }
  return regions;
}

function runsOf(positions: Iterable<number>, columns: number): Region[] {
  const runs: Region[] = [];
  for (const position of [...new Set(positions)].sort((a, b) => a - b)) {
    const [row, column] = rowAndColumn(position, columns);
    const last = runs.at(-1);
    if (last && last.row === row && last.column + last.columns === column) last.columns++;
    else runs.push(cellAt(row, column));
  }
  return runs;
}
