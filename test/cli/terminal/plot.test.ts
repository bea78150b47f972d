import { describe, expect, it } from 'vitest';
import { plotCurves } from '../../../src/cli/terminal/plot.js';

const OPTIONS = { width: 20, height: 7, showX: (x: number) => `${x}`, showY: (y: number) => y.toFixed(0) };

describe('a plot of curves', () => {
  it('has a mark where each point lies, the numbers of y at every other line, and the first and last x', () => {
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

  it('shows where curves meet, and which is which elsewhere', () => {
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

  it('leaves out what is not finite, and draws at the edge what lies out of the range', () => {
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

  it.each([1, 5, 12, 200])('keeps to a width of %i where its labels do', (width) => {
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

  it('draws a curve that is level, and a single point', () => {
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
