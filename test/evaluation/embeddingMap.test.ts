import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { embeddingMap } from '../../src/evaluation/embeddingMap.js';

/** Whole numbers from -5 to 5, the same in Python. */
const table = (V: number, E: number) =>
  Float64Array.from({ length: V * E }, (_, i) => {
    const [v, e] = [Math.floor(i / E), i % E];
    return ((7 * v * v + 3 * e + v * e * e) % 11) - 5;
  });

describe('the map of an embedding', () => {
  // X = C - C.mean(0); values, vectors = torch.linalg.eigh(X.T @ X), in float64; the signs as embeddingMap fixes them.
  it.each([
    { V: 27, E: 10, first: [7.8622701536, 0.2571594979], last: [8.7394540445, -1.7804549359], explained: [0.3183196975, 0.2299311325] },
    { V: 200, E: 16, first: [-7.3641028383, 9.2699945412], last: [-6.5399352046, -6.5119626712], explained: [0.2826971313, 0.2592094198] },
    { V: 5, E: 2, first: [3.0427196795, -3.4499068033], last: [6.2196765189, 2.0188174758], explained: [0.7689054553, 0.2310945447] },
    { V: 4, E: 6, first: [8.3279404387, 1.0590426491], last: [-4.8301437671, 4.609347668], explained: [0.653259005, 0.2600768822] },
  ])('of [$V,$E] has the coordinates and the variance of PyTorch', ({ V, E, first, last, explained }) => {
    const map = embeddingMap(table(V, E), V, E);
    expect(map.points).toHaveLength(V);
    for (const k of [0, 1]) {
      expect(map.points[0][k]).toBeCloseTo(first[k], 8);
      expect(map.points[V - 1][k]).toBeCloseTo(last[k], 8);
      expect(map.explained[k]).toBeCloseTo(explained[k], 9);
    }
  });

  it('of many numbers per character takes no longer than of few, and keeps distances', () => {
    const random = randomStream('initialisation', 1);
    for (const [V, E] of [
      [27, 27],
      [27, 64],
      [27, 4096],
      [64, 60],
    ] as const) {
      const C = Float64Array.from({ length: V * E }, () => random() - 0.5);
      const { points, explained } = embeddingMap(C, V, E);
      const total = points.reduce((sum, [x, y]) => sum + x * x + y * y, 0);
      const mean = Array.from({ length: E }, (_, e) => points.reduce((sum, _, v) => sum + C[v * E + e], 0) / V);
      const all = points.reduce((sum, _, v) => sum + mean.reduce((part, m, e) => part + (C[v * E + e] - m) ** 2, 0), 0);
      expect(total / all).toBeCloseTo(explained[0] + explained[1], 9);
    }
  }, 2000);

  it('of one number per character has one axis', () => {
    const { points, explained } = embeddingMap([1, 2, 6], 3, 1);
    expect(points).toEqual([
      [-2, 0],
      [-1, 0],
      [3, 0],
    ]);
    expect(explained).toEqual([1, 0]);
  });

  it.each([
    ['of equal rows', new Float32Array(12).fill(0.5), 4, 3],
    ['of a single character', [1, 2, 3], 1, 3],
  ])('%s is a point that explains nothing', (_, C, V, E) => {
    const { points, explained } = embeddingMap(C, V, E);
    expect(points.every(([x, y]) => x === 0 && y === 0)).toBe(true);
    expect(explained).toEqual([0, 0]);
  });

  it('keeps the distances of a plane, whatever the scale', () => {
    const sizes = fc.tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: -20, max: 20 }));
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.integer({ min: -50, max: 50 })), ([V, power], numbers) => {
        const C = Float64Array.from({ length: 2 * V }, () => (numbers.next().value as number) * 10 ** power);
        const { points } = embeddingMap(C, V, 2);
        const distance = ([x, y]: readonly number[]) => Math.hypot(x, y) / 10 ** power;
        for (let v = 1; v < V; v++) {
          const apart = distance([points[v][0] - points[0][0], points[v][1] - points[0][1]]);
          expect(apart).toBeCloseTo(distance([C[2 * v] - C[0], C[2 * v + 1] - C[1]]), 6);
        }
      }),
    );
  });
});
