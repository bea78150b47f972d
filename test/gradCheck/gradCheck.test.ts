import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { BATCH_SIZES, checkPart, DEEP_BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { modelOf } from '../../src/gradCheck/modelCheck.js';
import { createNetworkCase, DEEP_CONFIG } from '../../src/lesson/case.js';
import { backward, forward } from '../../src/network/passes.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { largestOf } from '../support/compare.js';

const OPTIONS = { eps: 1e-3, tolerance: 1e-6, entries: 1, seed: 0 };

describe('checkPart', () => {
  it.each([
    ['atomic', 2 * 26],
    ['closed-forms', 4],
    ['model', 7],
    ['backend', 11],
  ] as const)('checks %s in %i rows of the lesson network for each of n = 2, 3 and 32', (part, rows) => {
    expect(BATCH_SIZES).toEqual([2, 3, 32]);
    const checked = checkPart(part, OPTIONS, createWasmBackend).filter(({ hidden }) => hidden.length === 1);
    expect(checked.every((row) => row.hidden[0] === 64 && row.part === part)).toBe(true);
    expect(BATCH_SIZES.map((n) => checked.filter((row) => row.n === n).length)).toEqual([rows, rows, rows]);
  });

  it.each([
    ['atomic', 0],
    ['closed-forms', 0],
    ['model', 15],
    ['backend', 23],
  ] as const)('checks %s in %i rows of three blocks for each of n = 3 and 32', (part, rows) => {
    expect(DEEP_BATCH_SIZES).toEqual([3, 32]);
    const checked = checkPart(part, OPTIONS, createWasmBackend).filter(({ hidden, norm }) => hidden.length > 1 && !norm);
    expect(checked.every((row) => row.hidden === DEEP_CONFIG.hidden && row.part === part)).toBe(true);
    expect([2, 3, 32].map((n) => checked.filter((row) => row.n === n).length)).toEqual([0, rows, rows]);
  });

  it.each([
    ['atomic', 0],
    ['closed-forms', 0],
    ['model', 9],
    ['backend', 17],
  ] as const)('checks %s in %i rows of three blocks without batch norm for each of n = 2, 3 and 32', (part, rows) => {
    const checked = checkPart(part, OPTIONS, createWasmBackend).filter(({ norm }) => norm === 'none');
    expect(BATCH_SIZES.map((n) => checked.filter((row) => row.n === n && row.part === part && row.ok).length)).toEqual([rows, rows, rows]);
  });

  it.each([
    [2, 1e-9, 1e-5],
    [3, 0.1, 10],
    [32, 0.1, 10],
  ])('at n = %i, the first of three blocks gets %d to %d of the gradient of the last, in the median', (n, least, most) => {
    const shares = Array.from({ length: 21 }, (_, seed) => {
      const { model, activations } = modelOf(createNetworkCase(DEEP_CONFIG, n, seed), createReferenceBackend('float64'));
      forward(model, activations);
      backward(model, activations);
      return largestOf(activations.blocks[0].dh) / largestOf(activations.blocks[2].dh);
    });
    const median = shares.sort((a, b) => a - b)[10];
    expect(median).toBeGreaterThan(least);
    expect(median).toBeLessThan(most);
  });

  it('depends on its options only', () => {
    expect(checkPart('model', OPTIONS, createWasmBackend)).toEqual(checkPart('model', OPTIONS, createWasmBackend));
    expect(checkPart('model', OPTIONS, createWasmBackend)).not.toEqual(checkPart('model', { ...OPTIONS, seed: 1 }, createWasmBackend));
  });

  it.each([1e-5, 0.1])('passes with steps from %d on', (eps) => {
    expect(checkPart('model', { ...OPTIONS, eps }, createWasmBackend).filter((row) => !row.ok)).toEqual([]);
  });
});
