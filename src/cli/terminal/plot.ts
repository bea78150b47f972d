/** Plots curves in a terminal. */
import { extentOf } from '../../core/numbers.js';

export interface Curve {
  /** The character that draws the curve. */
  mark: string;
  points: readonly Point[];
}

export type Point = readonly [x: number, y: number];

export interface PlotOptions {
  /** Size of the whole plot in characters and lines. */
  width: number;
  height: number;
  /** Labels the first and the last x, in a line below the axis; without it, there is no such line. */
  showX?: (x: number) => string;
  showY: (y: number) => string;
  /** The range of x. Default: that of all curves. */
  domain?: readonly [first: number, last: number];
  /** The range of y; points outside are drawn at its edge. Default: the range of all curves. */
  range?: readonly [lowest: number, highest: number];
  /** A y to compare with: a broken line behind the curves, and always in the range. */
  level?: number;
}

/** The mark where two curves meet. */
export const BOTH = '*';
const LEVEL = '-';

/**
 * The lines of a plot with axes; the first and the last x are below. A curve has at most one mark in each column, at the mean of its points
 * there. Points that are not finite are left out.
 */
export function plotCurves(curves: readonly Curve[], { width, height, showX, showY, domain, range, level }: PlotOptions): string[] {
  const drawn = curves.map(({ mark, points }) => ({ mark, points: points.filter(isFinitePoint) }));
  const points = drawn.flatMap((curve) => curve.points);
  if (points.length === 0) return [];
  const [left, right] = domain ?? extentOf(points.map(([x]) => x));
  const [bottom, top] = range ?? extentOf([...points.map(([, y]) => y), ...(level === undefined ? [] : [level])]);
  const rows = Math.max(2, height - (showX ? 2 : 1));
  const labels = Array.from({ length: rows }, (_, row) => showY(top - ((top - bottom) * row) / (rows - 1)));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(2, width - labelWidth - 3);
  const grid = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '));
  for (const { mark, points } of drawn) {
    for (const [column, y] of columnMeans(points, ([x]) => place(x, left, right, columns))) {
      const row = rows - 1 - place(y, bottom, top, rows);
      grid[row][column] = grid[row][column] === ' ' ? mark : BOTH;
    }
  }
  if (level !== undefined) {
    const row = rows - 1 - place(level, bottom, top, rows);
    grid[row] = grid[row].map((cell) => (cell === ' ' ? LEVEL : cell));
  }
  const [first, last] = showX ? [showX(left), showX(right)] : ['', ''];
  return [
    // Every other line has its y, including the top and the bottom.
    ...grid.map((cells, row) =>
      `${(row % 2 === 0 || row === rows - 1 ? labels[row] : '').padStart(labelWidth)} │ ${cells.join('').trimEnd()}`.trimEnd(),
    ),
    `${' '.repeat(labelWidth)} └${'─'.repeat(columns + 1)}`,
    ...(showX ? [`${' '.repeat(labelWidth + 3)}${first}${last.padStart(Math.max(last.length + 1, columns - first.length))}`] : []),
  ];
}

function isFinitePoint([x, y]: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

/** The mean of y in each column that has points. */
function columnMeans(points: readonly Point[], columnOf: (point: Point) => number): [column: number, mean: number][] {
  const sums = new Map<number, [sum: number, count: number]>();
  for (const point of points) {
    const column = columnOf(point);
    const [sum, count] = sums.get(column) ?? [0, 0];
    sums.set(column, [sum + point[1], count + 1]);
  }
  return [...sums].map(([column, [sum, count]]) => [column, sum / count]);
}

/** The cell of a value, among cells that divide the range; the first one if the range is a single value. */
function place(value: number, from: number, to: number, cells: number): number {
  if (from === to) return 0;
  return Math.min(cells - 1, Math.max(0, Math.round(((value - from) / (to - from)) * (cells - 1))));
}
