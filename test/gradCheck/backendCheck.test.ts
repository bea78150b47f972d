import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/core/tensor.js';
import { checkBackend, FLOAT32_VARIANCE } from '../../src/gradCheck/backendCheck.js';
import { DEEP_BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { createNetworkCase, DEEP_CONFIG, LESSON_CONFIG, PLAIN_CONFIG } from '../../src/lesson/case.js';
import { blockName, type ModelConfig, parameterNames } from '../../src/network/parameters.js';
import { BACKEND_MUTANTS, type BackendMutant, deepFirst, withMistake } from '../support/backendMutants.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { OPTIONS, redRows } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createNetworkCase(LESSON_CONFIG, n, OPTIONS.seed, FLOAT32_VARIANCE));
const DEEP_CASES = DEEP_BATCH_SIZES.map((n) => createNetworkCase(DEEP_CONFIG, n, OPTIONS.seed, FLOAT32_VARIANCE));
/**
 * At n = 2 bnraw is about ±0.7 for any hprebn, and dhprebn cancels almost completely, so that in float32 mostly rounding remains. A
 * mistake below batch norm can be smaller than that.
 */
const hiddenAtTwo = ({ layer, first }: BackendMutant) => layer === 'embeddingForward' || ['dhprebn', 'dC', 'dW1'].includes(first);

describe.each(FLOAT32_BACKENDS)('the check of $name against the float64 reference', ({ create }) => {
  it.each(CASES)('passes in the lesson network, n = $n', (networkCase) => {
    const rows = checkBackend(networkCase, create);
    expect(rows.map((row) => row.name).join(' ')).toBe('loss dlogits dh dhprebn dC dW1 db1 dbngain dbnbias dW2 db2');
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) expect(row).toMatchObject({ part: 'backend', witness: 'float64 reference', n: networkCase.n });
  });

  it.each(DEEP_CASES)('passes in three blocks, n = $n', (networkCase) => {
    const rows = checkBackend(networkCase, create);
    expect(rows.map((row) => row.name)).toEqual([
      'loss',
      'dlogits',
      ...[3, 2, 1].flatMap((K) => [`d${blockName(K, 'h')}`, `d${blockName(K, 'hprebn')}`]),
      ...parameterNames(DEEP_CONFIG).map((name) => `d${name}`),
    ]);
    expect(redRows(rows)).toEqual([]);
    for (const { hidden, shape, entries } of rows) expect([hidden, sizeOf(shape)]).toEqual([[24, 16, 8], entries]);
  });

  it.each([2, 3, 32])('passes in three blocks without batch norm, n = %i', (n) => {
    for (let seed = 0; seed < 10; seed++) {
      const rows = checkBackend(createNetworkCase(PLAIN_CONFIG, n, seed, FLOAT32_VARIANCE), create);
      expect(rows).toHaveLength(2 + 2 * 3 + 9);
      expect(redRows(rows), `seed ${seed}`).toEqual([]);
      for (const row of rows) expect(row).toMatchObject({ norm: 'none', limit: 3 * 1e-5, structuralZero: false });
    }
  });

  it.each(BACKEND_MUTANTS.filter(({ layer }) => layer.startsWith('tanh')))(
    'fails first in $first of the last block without batch norm, too: $layer, $mistake',
    (mutant) => {
      const networkCase = createNetworkCase(PLAIN_CONFIG, 32, OPTIONS.seed);
      expect(redRows(checkBackend(networkCase, (size) => withMistake(create(size), mutant)))[0]).toBe(deepFirst(mutant, 3));
    },
  );

  it('multiplies the limits by the number of blocks', () => {
    const rows = checkBackend(DEEP_CASES[1], create);
    const zeros = rows.filter(({ structuralZero }) => structuralZero);
    expect(zeros.map(({ name, limit }) => [name, limit])).toEqual(['db1', 'dblocks.2.b', 'dblocks.3.b'].map((name) => [name, 3 * 1e-7]));
    for (const { limit } of rows.filter((row) => !zeros.includes(row))) expect(limit).toBe(3 * 1e-5);
  });

  it.each(BACKEND_MUTANTS)('fails first in $first of the last block, in three blocks: $layer, $mistake', (mutant) => {
    for (const networkCase of DEEP_CASES.filter(({ n }) => mutant.batches?.includes(n) !== false)) {
      expect(redRows(checkBackend(networkCase, (size) => withMistake(create(size), mutant)))[0], `n = ${networkCase.n}`).toBe(
        deepFirst(mutant, 3),
      );
    }
  });

  // Networks that bench accepts, where cancellation leaves float32 no digits.
  it.each<[what: string, n: number, config: Partial<ModelConfig>]>([
    ['a deep network at n = 2', 2, { hidden: [24, 16, 8] }],
    ['sixteen blocks at n = 3', 3, { hidden: Array(16).fill(16) }],
    ['a block of one input', 32, { hidden: [4, 1, 6] }],
    ['a context of one number', 32, { context: 1, embedding: 1 }],
  ])('raises no false alarm in %s', (_, n, config) => {
    for (let seed = 0; seed < 20; seed++) {
      expect(
        redRows(checkBackend(createNetworkCase({ ...LESSON_CONFIG, ...config }, n, seed, FLOAT32_VARIANCE), create)),
        `${seed}`,
      ).toEqual([]);
    }
  });

  it('allows 1e-5 of the largest entry, and 1e-7 for a structural zero', () => {
    const rows = checkBackend(CASES[2], create);
    expect(rows.filter(({ limit }) => limit !== 1e-5)).toMatchObject([{ name: 'db1', limit: 1e-7, structuralZero: true }]);
    for (const { name, error, maxRelDiff } of rows) if (name !== 'db1') expect(maxRelDiff, name).toBe(error);
  });

  it('reports ULPs except for db1, where they mean nothing', () => {
    const rows = checkBackend(CASES[2], create);
    expect(rows.filter((row) => row.maxUlps === undefined).map((row) => row.name)).toEqual(['db1']);
    expect(rows.every((row) => row.maxUlps === undefined || Number.isInteger(row.maxUlps))).toBe(true);
  });

  it.each(BACKEND_MUTANTS)('fails first in $first: $layer, $mistake', (mutant) => {
    for (const networkCase of CASES) {
      if (mutant.batches?.includes(networkCase.n) === false || (networkCase.n === 2 && hiddenAtTwo(mutant))) continue;
      expect(redRows(checkBackend(networkCase, (size) => withMistake(create(size), mutant)))[0], `n = ${networkCase.n}`).toBe(mutant.first);
    }
  });

  it('fails a loss with a relative error of 1e-4, and NaN', () => {
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

  it('fails products rounded to 16 bits (7 bits of fraction)', () => {
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
