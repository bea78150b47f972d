/** Plots curves in a terminal. */
import { extentOf } from '../../core/numbers.js';

export interface Curve {
  /** The character that draws the curve. */
  mark: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  /** Size of the whole plot in characters and lines. */
  width: number;
  height: number;
  showX: (x: number) => string;
  showY: (y: number) => string;
  /** The range of y; points outside are drawn at its edge. Default: the range of all curves. */
  range?: readonly [lowest: number, highest: number];
}

/** The mark where two curves meet. */
export const BOTH = '*';

/** The lines of a plot with axes; the first and the last x are below. Points that are not finite are left out. */
export function plotCurves(curves: readonly Curve[], { width, height, showX, showY, range }: PlotOptions): string[] {
  const points = curves.flatMap(({ points }) => points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)));
  if (points.length === 0) return [];
  const [left, right] = extentOf(points.map(([x]) => x));
  const [bottom, top] = range ?? extentOf(points.map(([, y]) => y));
  const rows = Math.max(2, height - 2);
  const labels = Array.from({ length: rows }, (_, row) => showY(top - ((top - bottom) * row) / (rows - 1)));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(2, width - labelWidth - 3);
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
  for (const { mark, points } of curves) {
    for (const [x, y] of points) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const column = place(x, left, right, columns);
      const row = rows - 1 - place(y, bottom, top, rows);
      grid[row][column] = grid[row][column] === ' ' || grid[row][column] === mark ? mark : BOTH;
    }
  }
  const [first, last] = [showX(left), showX(right)];
  return [
    // Every other line has its y, including the top and the bottom.
    ...grid.map((cells, row) =>
      `${(row % 2 === 0 || row === rows - 1 ? labels[row] : '').padStart(labelWidth)} │ ${cells.join('').trimEnd()}`.trimEnd(),
    ),
    `${' '.repeat(labelWidth)} └${'─'.repeat(columns + 1)}`,
    `${' '.repeat(labelWidth + 3)}${first}${last.padStart(Math.max(last.length + 1, columns - first.length))}`,
  ];
}

/** The cell of a value, among cells that divide the range; the first one if the range is a single value. */
function place(value: number, from: number, to: number, cells: number): number {
  if (from === to) return 0;
  return Math.min(cells - 1, Math.max(0, Math.round(((value - from) / (to - from)) * (cells - 1))));
}
