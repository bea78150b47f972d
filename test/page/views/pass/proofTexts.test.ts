import { describe, expect, it } from 'vitest';
import type { ErrorCurve } from '../../../../src/gradCheck/entryProof.js';
import { besideEachOther, curveText, EPSILONS, placeOfEps, showEps } from '../../../../src/page/views/pass/proofTexts.js';

describe('ε', () => {
  it('goes from 1e-12 to 1 in steps of 1, 2 and 5', () => {
    expect([EPSILONS[0], EPSILONS[21], EPSILONS[22], EPSILONS[23], EPSILONS.at(-1)]).toEqual([1e-12, 1e-5, 2e-5, 5e-5, 1]);
    expect(EPSILONS.map(placeOfEps)).toEqual(EPSILONS.map((_, k) => k));
    expect(EPSILONS[placeOfEps(3.3e-4)]).toBe(5e-4);
  });

  it('is written as a power of ten', () => {
    expect([1, 0.5, 1e-5, 2e-12, 1.46e-3].map(showEps)).toEqual(['1e0', '5e-1', '1e-5', '2e-12', '1.5e-3']);
  });
});

describe('two numbers beside each other', () => {
  it('have the same notation, and the digits that agree are counted', () => {
    expect(besideEachOther(-0.0043801234567, -0.0043801299999)).toEqual({
      texts: ['−0.004380123457', '−0.004380130000'],
      same: '−0.0043801'.length,
      digits: 5,
    });
    expect(besideEachOther(1.5e-7, 1.25e-7)).toMatchObject({ texts: ['1.500000000e−7', '1.250000000e−7'], digits: 1 });
    expect(besideEachOther(12.5, 12.5).digits).toBe(10);
  });

  it('agree in nothing if sign or size differ, or one is NaN', () => {
    expect(besideEachOther(0.5, -0.5).digits).toBe(0);
    expect(besideEachOther(1.5e-7, 1.5e-9).digits).toBe(0);
    expect(besideEachOther(0.25, Number.NaN)).toMatchObject({ texts: ['0.2500000000', 'NaN'], digits: 0 });
    expect(besideEachOther(0, 1e-17).digits).toBe(0);
    for (const same of [Number.NaN, Number.POSITIVE_INFINITY]) expect(besideEachOther(same, same)).toMatchObject({ same: 0, digits: 0 });
  });
});

describe('the sentence about a curve', () => {
  const curve: ErrorCurve = {
    dtype: 'float32',
    gradient: 0.1,
    relativeTo: 'gradient',
    points: [],
    best: 1e-2,
    bestError: 2.3e-5,
    noiseBelow: 1e-3,
    curvatureAbove: 0.1,
    notFiniteFrom: undefined,
  };

  it('says where rounding and curvature begin', () => {
    expect(curveText(curve)).toBe(
      'In float32 the error is least at ε = 1e-2: 2.3e-5 of the gradient; below 1e-3 rounding makes it more than ten times larger, above 1e-1 curvature does.',
    );
  });

  it('leaves out what does not happen, and says from where a loss is not finite', () => {
    expect(curveText({ ...curve, relativeTo: 'one', noiseBelow: undefined, curvatureAbove: undefined, notFiniteFrom: 0.5 })).toBe(
      'In float32 the error is least at ε = 1e-2: 2.3e-5. From 5e-1 on, a loss is not a finite number.',
    );
    expect(curveText({ ...curve, best: undefined })).toContain('no ε gives a finite loss');
  });
});
