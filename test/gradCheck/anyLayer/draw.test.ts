import { describe, expect, it } from 'vitest';
import { type DrawMode, startDraw } from '../../../src/gradCheck/anyLayer/draw.js';

const draw = (mode: DrawMode = 'generic', precision: 'float64' | 'float32' = 'float64', seed = 'a') => startDraw({ seed, mode, precision });

describe('draw', () => {
  it('gives float64 tensors of the shape asked for, and numbers without a shape', () => {
    const x = draw().normal(2, 3);
    expect([x.shape, x.dtype, x.toArray()]).toEqual([[2, 3], 'float64', [expect.any(Array), expect.any(Array)]]);
    expect(typeof draw().normal()).toBe('number');
    expect(typeof draw().near(1)).toBe('number');
    expect(typeof draw().positive()).toBe('number');
  });

  it('gives the same numbers again for the same key, and others for another seed', () => {
    expect(draw().normal(5).data).toEqual(draw().normal(5).data);
    expect(draw('generic', 'float64', 'b').normal(5).data).not.toEqual(draw().normal(5).data);
  });

  it('draws near a value, never at it', () => {
    for (const value of [1, -2, 0.5, 0]) {
      const distances = draw()
        .near(value, 200)
        .data.map((x) => Math.abs(x - value) / Math.abs(value || 1));
      expect(Math.min(...distances)).toBeGreaterThanOrEqual(0.05);
      expect(Math.max(...distances)).toBeLessThanOrEqual(0.3);
    }
  });

  it('draws positive numbers', () => {
    expect(Math.min(...draw().positive(500).data)).toBeGreaterThan(0);
  });

  it('repeats an index wherever it can', () => {
    for (let i = 0; i < 50; i++) {
      const index = draw('generic', 'float64', `${i}`).index(4, 100);
      expect(new Set(index).size).toBeLessThan(4);
    }
    expect(draw().index(1, 3)).toHaveLength(1);
    expect(draw().integer(7)).toHaveLength(1);
  });

  it('draws zeros and large values where those are tried, with normal only', () => {
    expect([...draw('zeros').normal(4).data]).toEqual([0, 0, 0, 0]);
    const some = draw('some-zeros').normal(50).data;
    expect(some.some((x) => x === 0) && some.some((x) => x !== 0)).toBe(true);
    expect(Math.min(...draw('large').normal(50).data.map(Math.abs))).toBeGreaterThanOrEqual(5);
    expect(
      draw('zeros')
        .near(1, 4)
        .data.every((x) => x !== 0),
    ).toBe(true);
    expect(Math.max(...draw('large').positive(50).data)).toBeLessThan(10);
  });

  it('draws multiples of a power of two in float32, so that shifts do not round', () => {
    for (const x of draw('generic', 'float32').normal(50).data) expect(x * 512).toBe(Math.round(x * 512));
  });

  it('refuses a size that is no whole number', () => {
    expect(() => draw().normal(2.5)).toThrow('draw: sizes must be whole numbers, found 2.5');
    expect(() => draw().normal(Number.NaN)).toThrow('found NaN');
  });
});
