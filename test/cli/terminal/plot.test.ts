import { describe, expect, it } from 'vitest';
import { plotCurves } from '../../../src/cli/terminal/plot.js';

const OPTIONS = { width: 20, height: 7, showX: (x: number) => `${x}`, showY: (y: number) => y.toFixed(0) };

describe('a plot of curves', () => {
  it('has a mark at each point, y at every other line, and the first and last x', () => {
    const rising = {
      mark: 'o',
      points: [
        [0, 0],
        [5, 2],
        [10, 4],
      ] as const,
    };
    expect(plotCurves([rising], OPTIONS)).toEqual([
      '4 │                o',
      '  │',
      '2 │         o',
      '  │',
      '0 │ o',
      '  └─────────────────',
      '    0             10',
    ]);
  });

  it('marks where curves meet, and uses the mark of each elsewhere', () => {
    const lines = plotCurves(
      [
        {
          mark: 'a',
          points: [
            [0, 0],
            [1, 1],
          ],
        },
        {
          mark: 'b',
          points: [
            [0, 0],
            [1, 0],
          ],
        },
      ],
      OPTIONS,
    );
    expect(lines[0]).toMatch(/a$/);
    expect(lines[4]).toMatch(/\* +b$/);
  });

  it('leaves out points that are not finite, and draws those out of range at the edge', () => {
    const lines = plotCurves(
      [
        {
          mark: 'o',
          points: [
            [0, 1],
            [1, Number.NaN],
            [2, 1e9],
          ],
        },
      ],
      { ...OPTIONS, range: [0, 4] },
    );
    expect(lines.join('').match(/o/g)).toHaveLength(2);
    expect(lines[0]).toMatch(/o$/);
    expect(plotCurves([{ mark: 'o', points: [[0, Number.NaN]] }], OPTIONS)).toEqual([]);
  });

  it.each([1, 5, 12, 200])('is at most %i wide, unless its labels are wider', (width) => {
    const lines = plotCurves(
      [
        {
          mark: 'o',
          points: [
            [0, 0],
            [1, 1],
          ],
        },
      ],
      { ...OPTIONS, width },
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, 9));
  });

  it('draws a level curve and a single point', () => {
    expect(
      plotCurves(
        [
          {
            mark: 'o',
            points: [
              [3, 1],
              [4, 1],
            ],
          },
        ],
        OPTIONS,
      )
        .join('')
        .match(/o/g),
    ).toHaveLength(2);
    expect(plotCurves([{ mark: 'o', points: [[3, 1]] }], OPTIONS).join('')).toContain('o');
  });
});
