import { describe, expect, it } from 'vitest';
import { checkBackend, FLOAT32_VARIANCE } from '../../src/gradCheck/backendCheck.js';
import { createCase, LESSON_CONFIG } from '../../src/gradCheck/case.js';
import { FLOAT32_BACKENDS } from '../backends.js';
import { BACKEND_MUTANTS, type BackendMutant, withMistake } from './backendMutants.js';
import { OPTIONS, redRows } from './support.js';

const CASES = [2, 3, 32].map((n) => createCase(LESSON_CONFIG, n, OPTIONS.seed, FLOAT32_VARIANCE));
/**
 * At n = 2 bnraw is about ±0.7 whatever hprebn is, and dhprebn is what cancelling leaves, in float32 mostly rounding:
 * a mistake in front of batch norm may stay below it.
 */
const hiddenAtTwo = ({ layer, first }: BackendMutant) => layer === 'embeddingForward' || ['dhprebn', 'dC', 'dW1'].includes(first);

describe.each(FLOAT32_BACKENDS)('the check of $name against the float64 reference, lesson network, n = 2, 3 and 32', ({ create }) => {
  it.each(CASES)('passes the backend as it is, n = $n', (given) => {
    const rows = checkBackend(given, create);
    expect(rows.map((row) => row.name).join(' ')).toBe('loss dlogits dh dhprebn dC dW1 db1 dbngain dbnbias dW2 db2');
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) expect(row).toMatchObject({ part: 'backend', witness: 'float64 reference', n: given.n });
  });

  it('allows 1e-5 of the largest entry, and 1e-7 where the gradient is 0', () => {
    const rows = checkBackend(CASES[2], create);
    expect(rows.filter(({ limit }) => limit !== 1e-5)).toMatchObject([{ name: 'db1', limit: 1e-7, structuralZero: true }]);
    for (const { name, error, maxRelDiff } of rows) if (name !== 'db1') expect(maxRelDiff, name).toBe(error);
  });

  it('says ULPs of all but db1, of which they would say nothing', () => {
    const rows = checkBackend(CASES[2], create);
    expect(rows.filter((row) => row.maxUlps === undefined).map((row) => row.name)).toEqual(['db1']);
    expect(rows.every((row) => row.maxUlps === undefined || Number.isInteger(row.maxUlps))).toBe(true);
  });

  it.each(BACKEND_MUTANTS)('$layer, $mistake: the first red row is $first', (mutant) => {
    for (const given of CASES) {
      if (mutant.batches?.includes(given.n) === false || (given.n === 2 && hiddenAtTwo(mutant))) continue;
      expect(redRows(checkBackend(given, (size) => withMistake(create(size), mutant)))[0], `n = ${given.n}`).toBe(mutant.first);
    }
  });

  it('a loss that is off by 1e-4 of itself turns red, and NaN does', () => {
    for (const factor of [1 + 1e-4, Number.NaN]) {
      const backend = create();
      const off = {
        ...backend,
        crossEntropyForward: (...args: Parameters<typeof backend.crossEntropyForward>) => {
          backend.crossEntropyForward(...args);
          for (let i = 0; i < args[4]; i++) args[0][i] *= factor;
        },
      };
      expect(redRows(checkBackend(CASES[1], () => off)), String(factor)).toEqual(['loss']);
    }
  });

  it('products rounded to 16 bits (7 of them behind the point) turn red', () => {
    const backend = create();
    const coarse = {
      ...backend,
      linearForward: (...args: Parameters<typeof backend.linearForward>) => {
        backend.linearForward(...args);
        const [out, , , , n, , O] = args;
        const bits = new Int32Array(out.buffer, out.byteOffset, n * O);
        for (let i = 0; i < bits.length; i++) bits[i] &= 0xffff0000;
      },
    };
    expect(redRows(checkBackend(CASES[2], () => coarse))[0]).toBe('loss');
  });
});
