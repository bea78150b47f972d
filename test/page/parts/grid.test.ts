import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryUnder, movedBy, regionsOf } from '../../../src/page/parts/grid.js';

const GRID = [32, 64] as const;
const at = (row: number, column: number) => row * 64 + column;

describe('keys', () => {
  it.each([
    ['ArrowUp', at(2, 17)],
    ['ArrowDown', at(4, 17)],
    ['ArrowLeft', at(3, 16)],
    ['ArrowRight', at(3, 18)],
    ['Home', at(3, 0)],
    ['End', at(3, 63)],
    ['PageUp', at(0, 17)],
    ['PageDown', at(11, 17)],
  ])('%s moves the cursor from row 3, column 17', (key, to) => {
    expect(movedBy(key, false, at(3, 17), GRID)).toBe(to);
  });

  it.each([
    ['ArrowUp', at(0, 17)],
    ['ArrowDown', at(31, 17)],
    ['ArrowLeft', at(3, 0)],
    ['ArrowRight', at(3, 63)],
    ['Home', at(0, 0)],
    ['End', at(31, 63)],
  ])('Ctrl+%s moves it to the edge', (key, to) => {
    expect(movedBy(key, true, at(3, 17), GRID)).toBe(to);
  });

  it('stop at the edges, begin at the first entry, and leave other keys alone', () => {
    expect(movedBy('ArrowLeft', false, at(3, 0), GRID)).toBe(at(3, 0));
    expect(movedBy('ArrowDown', false, 5, [1, 64])).toBe(5);
    expect(movedBy('ArrowDown', false, undefined, GRID)).toBe(0);
    for (const key of ['Tab', 'a', '[', 'toString', 'Enter']) expect(movedBy(key, false, 0, GRID)).toBeUndefined();
  });
});

describe('regions', () => {
  it('of a row, a column and scattered entries are one rectangle each', () => {
    expect(regionsOf([at(3, 1), at(3, 2), at(3, 3)], 64)).toEqual([{ row: 3, column: 1, rows: 1, columns: 3 }]);
    expect(regionsOf([at(5, 9), at(3, 9), at(4, 9), at(3, 9)], 64)).toEqual([{ row: 3, column: 9, rows: 3, columns: 1 }]);
    expect(regionsOf([at(0, 63), at(1, 0)], 64)).toHaveLength(2);
  });

  it('cover every entry once, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.array(fc.integer({ min: 0, max: 40 })), (columns, positions) => {
        const covered = regionsOf(positions, columns).flatMap((region) =>
          Array.from({ length: region.rows * region.columns }, (_, k) => {
            const [row, column] = [region.row + Math.floor(k / region.columns), region.column + (k % region.columns)];
            return row * columns + column;
          }),
        );
        expect(covered.sort((a, b) => a - b)).toEqual([...new Set(positions)].sort((a, b) => a - b));
      }),
    );
  });
});

describe('the mouse', () => {
  const currentTarget = { getBoundingClientRect: () => ({ left: 100, top: 50, width: 640, height: 320 }) };
  it.each([
    [100, 50, at(0, 0)],
    [109, 59, at(0, 0)],
    [110, 60, at(1, 1)],
    [739, 369, at(31, 63)],
    // On the border.
    [99, 371, at(31, 0)],
  ])('at %d, %d is over one entry', (clientX, clientY, entry) => {
    expect(entryUnder({ clientX, clientY, currentTarget }, GRID)).toBe(entry);
  });
});
