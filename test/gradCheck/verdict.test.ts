import { describe, expect, it } from 'vitest';
import { isRight, verdictOn } from '../../src/gradCheck/verdict.js';

describe('verdictOn', () => {
  it('passes entries up to their own limits, and shows the one closest to its limit', () => {
    expect(verdictOn([1, 2, 3], [1, 2.5, 3.25], [0.1, 1, 0.25])).toEqual({ ok: true, wrong: 0, shown: 2 });
  });

  it('counts wrong entries, and shows the first that is at least half as wrong as the worst', () => {
    expect(verdictOn([0, 2, 8, 10], [0, 0, 0, 0], [1, 1, 1, 1])).toEqual({ ok: false, wrong: 3, shown: 2 });
  });

  it.each([Number.NaN, Infinity, -Infinity])('fails %d on either side', (bad) => {
    expect(verdictOn([1, bad], [1, 1], [9, 9])).toEqual({ ok: false, wrong: 1, shown: 1 });
    expect(verdictOn([1, 1], [bad, 1], [9, 9])).toEqual({ ok: false, wrong: 1, shown: 0 });
  });

  it('fails a difference whose limit is 0 or NaN, and passes equal numbers', () => {
    expect([isRight(1e-300, 0, 0), isRight(1, 2, Number.NaN), isRight(0, 0, 0)]).toEqual([false, false, true]);
  });
});
