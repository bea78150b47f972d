import { describe, expect, it } from 'vitest';
import { averaged, lossPlot, ticks } from '../../src/run/lossPlot.js';

const points = (count: number) => Array.from({ length: count }, (_, i): [number, number] => [i + 1, 3 - i / count]);

describe('the plot of losses', () => {
  it('has nothing to draw without points', () => {
    expect(lossPlot({ label: 'x', curves: [{ color: 1, points: [] }], levels: [] })).toEqual([]);
  });

  it.each([
    ['one point', points(1)],
    [
      'two equal points',
      [
        [1, 2],
        [2, 2],
      ] as [number, number][],
    ],
    ['10,000 points', points(10_000)],
    [
      'losses far above all levels',
      [
        [1, 900],
        [2, 800],
      ] as [number, number][],
    ],
    ['step 0 alone', [[0, 3.3]] as [number, number][]],
  ])('of %s has finite places inside its box', (_, curve) => {
    const [wide, narrow] = lossPlot({ label: 'x', curves: [{ color: 1, points: curve }], levels: [{ name: 'uniform', loss: 3.3 }] });
    for (const { text } of [wide, narrow]) {
      expect(text).not.toMatch(/NaN|Infinity/);
      expect(text.length).toBeLessThan(8_000);
      for (const [, y] of text.matchAll(/(?:y|y1|cy)="(-?[\d.]+)"/g)) expect(Number(y)).toBeLessThanOrEqual(300);
    }
  });

  it('moves the labels of near levels apart', () => {
    const levels = [2.1, 2.11, 2.12].map((loss, i) => ({ name: `level ${i}`, loss }));
    const [{ text }] = lossPlot({ label: 'x', curves: [{ color: 1, points: points(9) }], levels });
    const places = [...text.matchAll(/y="([\d.]+)">level/g)].map(([, y]) => Number(y)).sort((a, b) => a - b);
    expect(places[1] - places[0]).toBeGreaterThanOrEqual(15);
    expect(places[2] - places[1]).toBeGreaterThanOrEqual(15);
  });
});

describe('round numbers on an axis', () => {
  it.each([
    [0, 200_000, 5, [0, 50_000, 100_000, 150_000, 200_000]],
    [2.05, 3.4, 5, [2.5, 3]],
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ])('from %d to %d', (from, to, about, expected) => {
    expect(ticks(from, to, about)).toEqual(expected);
  });
});

describe('averaged points', () => {
  it('are at most so many, each the mean of neighbours at the step of the last', () => {
    expect(
      averaged(
        [
          [1, 2, 0.1],
          [2, 4, 0.1],
          [3, 6, 0.01],
        ] as const,
        2,
      ),
    ).toEqual([
      [2, 3, 0.1],
      [3, 6, 0.01],
    ]);
  });

  it('stay as they are where there are few', () => {
    expect(averaged(points(3), 3)).toEqual(points(3));
  });
});
