import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { bendingLength, centralDifference, chooseEntries, parameterLengths, stepsAfter } from '../../src/gradCheck/differences.js';
import { createLessonCase, createNetworkCase } from '../../src/lesson/case.js';
import { STEP_NAMES } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { SMALL } from '../support/checkOptions.js';

describe('centralDifference', () => {
  const derivative = (f: (x: number) => number, x: number, h: number) => {
    const data = Float64Array.of(7, x);
    return centralDifference(data, 1, h, () => f(data[1]));
  };

  it('is exact within rounding (1e-12) for powers up to the fourth, with a step of 0.5', () => {
    for (const power of [0, 1, 2, 3, 4]) {
      expect(Math.abs(derivative((x) => x ** power, 1, 0.5) - power), `x^${power}`).toBeLessThan(1e-12);
    }
  });

  it('has an error proportional to the fourth power of the step: half the step gives a 16th of the error, within 1 %', () => {
    const error = (h: number) => Math.abs(derivative(Math.exp, 0, h) - 1);
    expect(Math.abs(error(0.1) / error(0.05) / 16 - 1)).toBeLessThan(0.01);
  });

  it('restores the entry to the last bit and touches no other', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.double({ min: 1e-9, max: 1, noNaN: true }), (x, h) => {
        const data = Float64Array.of(1, x, 2);
        centralDifference(data, 1, h, () => data[1]);
        expect([...data]).toEqual([1, x, 2]);
      }),
    );
  });
});

describe('bendingLength', () => {
  const { values } = createLessonCase(SMALL, 3, 'bending');
  const [H] = SMALL.hidden;
  const deviation = (column: number) => Math.sqrt(values.bnvar.data[column] + 1e-5);
  const narrowest = Math.sqrt(Math.min(...values.bnvar.data) + 1e-5);

  it('is the standard deviation of the column before batch norm, its square at the variance, and the smallest one before W1', () => {
    const column = 2;
    for (const name of ['hprebn', 'bndiff', 'W1'] as const) expect(bendingLength(name, H + column, values), name).toBe(deviation(column));
    expect(bendingLength('bnmeani', column, values)).toBe(deviation(column));
    expect(bendingLength('b1', column, values)).toBe(1);
    expect(bendingLength('bnvar', column, values)).toBe(values.bnvar.data[column] + 1e-5);
    expect(bendingLength('bndiff2', H + column, values)).toBe(values.bnvar.data[column] + 1e-5);
    for (const name of ['C', 'emb', 'embact'] as const) expect(bendingLength(name, 1, values), name).toBe(narrowest);
  });

  it('is the value itself where the network divides by it, and the distance to the row maximum for logits', () => {
    for (const name of ['counts', 'counts_sum', 'counts_sum_inv', 'probs'] as const) {
      expect(bendingLength(name, 1, values), name).toBe(values[name].data[1]);
    }
    const moved = { ...values, logits: values.logits.clone() };
    moved.logits.data.set([0.25, 0, 0.5, 0, 0, 0, 0]);
    expect([0, 1, 2].map((entry) => bendingLength('logits', entry, moved))).toEqual([0.25, 0.5, 0.25]);
    moved.logits.data.set([-9, 0, 0.5]);
    expect(bendingLength('logits', 0, moved)).toBe(1);
  });

  it('is 1 elsewhere', () => {
    expect((['W2', 'b2', 'bngain', 'h', 'norm_logits', 'logprobs'] as const).map((name) => bendingLength(name, 0, values))).toEqual(
      Array(6).fill(1),
    );
  });
});

describe('the parameter lengths', () => {
  it("of one block equal the lesson's bending lengths", () => {
    const networkCase = createLessonCase(SMALL, 3, 'bending');
    const length = parameterLengths(networkCase);
    for (const name of LESSON_PARAMETER_NAMES) {
      for (let entry = 0; entry < networkCase.parameters[name].size; entry++) {
        expect(length(name, entry), `${name} ${entry}`).toBe(bendingLength(name, entry, networkCase.values));
      }
    }
  });

  const networkCase = createNetworkCase({ ...SMALL, hidden: [2, 3] }, 3, 'bending');
  const length = parameterLengths(networkCase);
  const deviation = (k: number, column: number) => Math.sqrt(networkCase.blocks[k].bnvar.data[column] + 1e-5);

  it('of the last block are as in the lesson: the standard deviation for weights, 1 for gain and bias', () => {
    for (let entry = 0; entry < 6; entry++) expect(length('blocks.2.W', entry)).toBe(deviation(1, entry % 3));
    expect((['blocks.2.bngain', 'blocks.2.bnbias', 'blocks.2.b', 'W2', 'b2', 'b1'] as const).map((name) => length(name, 1))).toEqual(
      Array(6).fill(1),
    );
  });

  it('of a block below are divided by the distance that the columns above move, in their lengths, but never grow', () => {
    const W = networkCase.parameters['blocks.2.W'].data;
    for (const j of [0, 1]) {
      const moved = [0, 1, 2].map((i) => W[3 * j + i] / deviation(1, i));
      const expected = 1 / Math.max(1, Math.hypot(...moved));
      for (const name of ['bngain', 'bnbias'] as const) expect(length(name, j), name).toBeCloseTo(expected, 12);
      expect(length('W1', 2 * 5 + j)).toBeCloseTo(expected * deviation(0, j), 12);
    }
    expect(length('C', 4)).toBe(Math.min(length('W1', 0), length('W1', 1)));
    const flat = {
      ...networkCase,
      parameters: { ...networkCase.parameters, 'blocks.2.W': networkCase.parameters['blocks.2.W'].mul(1e-3) },
    };
    expect(parameterLengths(flat)('bngain', 0)).toBe(1);
  });
});

describe('chooseEntries', () => {
  const random = () => randomStream('grad-check', 'entries');

  it('takes all entries for "all" and for at least as many as there are', () => {
    expect(chooseEntries(4, 'all', random())).toEqual([0, 1, 2, 3]);
    expect(chooseEntries(4, 4, random())).toEqual([0, 1, 2, 3]);
    expect(chooseEntries(4, 100, random())).toEqual([0, 1, 2, 3]);
  });

  it('takes the given number of different entries, in ascending order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(50), fc.integer(), (size, entries, seed) => {
        const chosen = chooseEntries(size, entries, randomStream('grad-check', seed));
        expect(chosen.length).toBe(Math.min(size, entries));
        chosen.forEach((entry, i) => {
          expect(entry > (chosen[i - 1] ?? -1) && entry < size).toBe(true);
        });
      }),
    );
  });

  it('can choose every entry', () => {
    const stream = random();
    const reached = new Set(Array.from({ length: 200 }, () => chooseEntries(20, 2, stream)).flat());
    expect(reached.size).toBe(20);
  });
});

describe('the steps', () => {
  it.each([
    ['logprobs', ['loss']],
    ['counts_sum', ['counts_sum_inv', 'probs', 'logprobs', 'loss']],
    ['b2', STEP_NAMES.slice(STEP_NAMES.indexOf('logits'))],
    ['bnvar', ['bnvar_inv', 'bnraw', 'hpreact', 'h', ...STEP_NAMES.slice(STEP_NAMES.indexOf('logits'))]],
    ['C', STEP_NAMES],
  ] as const)('after %s are %j', (name, steps) => {
    expect(stepsAfter(name)).toEqual(steps);
  });
});
