/** How large the pixels of an equation are, and how its parts lie: as large as the place allows, with one pixel size for all. */
import { gridOf } from '../../parts/numbers.js';
import { type Block, type Item, type MapBlock, mapsOf } from './equation.js';

/** `wide`: factors side by side. `below`: the sum of branches is below them. `tall`: factors one below the other. */
export type Mode = 'wide' | 'below' | 'tall';

export interface Layout {
  mode: Mode;
  /** CSS pixels of an entry. */
  pixel: number;
}

/** Heights and gaps in CSS pixels; equation.css has the same. */
const CAPTION = 36;
const GAP = 4;
const ARROW = 32;
const SIDE_ARROW = 80;
const JOINT = 64;
const ROW_GAP = 16;
const TALL_SIGN = 40;
const TALL_GAP = 4;
const CHARACTER = 8;
/** Characters of a shape and a range: [32,64] ±0.01234. */
const SECOND_LINE = 16;

interface Size {
  width: number;
  height: number;
}

/** Rows and columns of the picture of a map. */
export function gridOfMap({ tensor, transposed }: MapBlock): readonly [rows: number, columns: number] {
  const [rows, columns] = gridOf(tensor.shape);
  return transposed ? [columns, rows] : [rows, columns];
}

/** Width of a sign. Without one there is a gap, except before the first part. */
export function signWidth(sign: string, place: number): number {
  if (sign === '') return place === 0 ? 0 : 24;
  return 14 + 9.1 * sign.length;
}

function mapSize(map: MapBlock, pixel: number): Size {
  const [rows, columns] = gridOfMap(map);
  const { along, count = 0 } = map.copies ?? {};
  const width = columns * pixel + (along === 'columns' ? GAP + count * pixel : 0);
  const height = rows * pixel + (along === 'rows' ? GAP + count * pixel : 0);
  return { width: Math.max(width, CHARACTER * Math.max(map.text.length, SECOND_LINE)), height: CAPTION + height };
}

function blockSize(block: Block, layout: Layout): Size {
  const size = (map: MapBlock) => mapSize(map, layout.pixel);
  switch (block.kind) {
    case 'map':
      return size(block);
    case 'matmul': {
      const [left, right, result] = [size(block.left), size(block.right), size(block.result)];
      return {
        width: left.width + ROW_GAP + Math.max(right.width, result.width),
        height: right.height + Math.max(left.height, result.height),
      };
    }
    case 'reduced': {
      const [of, result] = [size(block.of), size(block.result)];
      return block.over === 'batch'
        ? { width: Math.max(of.width, result.width), height: of.height + ARROW + result.height }
        : { width: of.width + SIDE_ARROW + result.width, height: Math.max(of.height, result.height) };
    }
    case 'branches': {
      const branches = block.branches.map(({ items }) => lineSize(items, layout));
      const width = Math.max(...branches.map((branch) => branch.width));
      const height = branches.reduce((sum, branch) => sum + branch.height + ARROW, 0);
      const result = size(block.result);
      return layout.mode === 'wide'
        ? { width: width + JOINT + result.width, height: Math.max(height, result.height) }
        : { width: Math.max(width, result.width), height: height + ARROW + result.height };
    }
  }
}

function lineSize(items: readonly Item[], layout: Layout): Size {
  const sizes = items.map(({ block }) => blockSize(block, layout));
  const signs = items.map(({ sign }, i) => signWidth(sign, i));
  if (isTall(items, layout.mode)) {
    const sign = tallSignWidth(items);
    return {
      width: sign + Math.max(...sizes.map(({ width }) => width)),
      height: sizes.reduce((sum, { height }) => sum + height + TALL_GAP, 0),
    };
  }
  const width = sizes.reduce((sum, size, i) => sum + size.width + (signs[i] as number), 0);
  return { width, height: Math.max(...sizes.map(({ height }) => height)) };
}

/** The width of the column of signs where the parts lie one below the other. */
export function tallSignWidth(items: readonly Item[]): number {
  return items.every(({ sign }) => sign === '') ? 0 : Math.max(TALL_SIGN, ...items.map(({ sign }, i) => signWidth(sign, i)));
}

/** Rows are compared one below the other; so is everything where there is no width. */
export function isTall(items: readonly Item[], mode: Mode): boolean {
  return mode === 'tall' || items.every(({ block }) => block.kind === 'map' && gridOfMap(block)[0] === 1 && !block.copies);
}

const PIXELS = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3.5, 3, 2.5, 2, 1.5, 1];
/** The smallest pixel at which entries are told apart. */
const DISTINCT = 2.5;

/** A side from which on a matrix is better seen as a whole than entry by entry: the characters of a large alphabet. */
const VAST = 150;

/**
 * The largest pixels with which the equation fits; else it is as small as it may be, and scrolls.
 * @param height what is seen at a glance. A higher equation is better than entries that are not told apart.
 */
export function layoutOf(items: readonly Item[], width: number, height: number): Layout {
  const branched = items.some(({ block }) => block.kind === 'branches');
  const modes: readonly Mode[] = branched ? ['wide', 'below', 'tall'] : ['wide', 'tall'];
  const fits = (most: number, from: number, to: number) => {
    for (const pixel of PIXELS) {
      if (pixel > from || pixel < to) continue;
      for (const mode of modes) {
        const size = lineSize(items, { mode, pixel });
        if (size.width <= width && size.height <= most) return { mode, pixel };
      }
    }
    return undefined;
  };
  return (
    fits(height, 12, DISTINCT) ??
    fits(1.4 * height, 4, DISTINCT) ??
    fits(2 * height, 4, DISTINCT) ??
    (items.some(isVast) ? fits(2 * height, 2, 1) : undefined) ??
    fits(Number.POSITIVE_INFINITY, 5, 2) ?? { mode: 'tall', pixel: 2 }
  );
}

function isVast({ block }: Item): boolean {
  return mapsOf(block).some((map) => Math.max(...gridOfMap(map)) > VAST);
}
