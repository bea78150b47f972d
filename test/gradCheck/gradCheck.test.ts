import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { BATCH_SIZES, checkPart, DEEP_BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { modelOf } from '../../src/gradCheck/modelCheck.js';
import { PARTS } from '../../src/gradCheck/options.js';
import { createCase, DEEP_CONFIG } from '../../src/lesson/case.js';
import { backward, forward } from '../../src/network/model.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { largestOf } from '../support/compare.js';

const OPTIONS = { eps: 1e-3, tolerance: 1e-6, entries: 1, seed: 0 };

describe('checkPart', () => {
  it.each([
    ['atomic', 2 * 26],
    ['closed-forms', 4],
    ['model', 7],
    ['backend', 11],
  ] as const)('%s: %i rows in the lesson network for each of n = 2, 3 and 32', (part, rows) => {
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
  ] as const)('%s: %i rows in three blocks for each of n = 3 and 32', (part, rows) => {
    expect(DEEP_BATCH_SIZES).toEqual([3, 32]);
    const checked = checkPart(part, OPTIONS, createWasmBackend).filter(({ hidden }) => hidden.length > 1);
    expect(checked.every((row) => row.hidden === DEEP_CONFIG.hidden && row.part === part)).toBe(true);
    expect([2, 3, 32].map((n) => checked.filter((row) => row.n === n).length)).toEqual([0, rows, rows]);
  });

  it.each([
    [2, 1e-9, 1e-5],
    [3, 0.1, 10],
    [32, 0.1, 10],
  ])('of three blocks at n = %i, the first is given %d to %d of the gradient of the last: next to nothing at n = 2', (n, least, most) => {
    const shares = Array.from({ length: 21 }, (_, seed) => {
      const { model, activations } = modelOf(createCase(DEEP_CONFIG, n, seed), createReferenceBackend('float64'));
      forward(model, activations);
      backward(model, activations);
      return largestOf(activations.blocks[0].dh) / largestOf(activations.blocks[2].dh);
    });
    const median = shares.sort((a, b) => a - b)[10];
    expect(median).toBeGreaterThan(least);
    expect(median).toBeLessThan(most);
  });

  it('depends on nothing but its options', () => {
    expect(checkPart('model', OPTIONS, createWasmBackend)).toEqual(checkPart('model', OPTIONS, createWasmBackend));
    expect(checkPart('model', OPTIONS, createWasmBackend)).not.toEqual(checkPart('model', { ...OPTIONS, seed: 1 }, createWasmBackend));
  });

  it('a step that is far too large turns rows red: eps matters', () => {
    expect(checkPart('model', { ...OPTIONS, eps: 0.5 }, createWasmBackend).every((row) => row.ok)).toBe(false);
  });
});

describe('no false alarm, in either network', () => {
  // At n = 2 most of the gradients in front of batch norm cancels, and some entries are tiny beside the others.
  it.each([
    ['atomic', 12],
    ['closed-forms', 20],
    ['model', 20],
    ['backend', 80],
  ] as const)('%s, %i seeds: every row is green, even if one entry of each tensor is compared', (part, seeds) => {
    const failures = Array.from({ length: seeds }, (_, seed) =>
      checkPart(part, { ...OPTIONS, seed }, createWasmBackend).filter((row) => !row.ok),
    ).flat();
    expect(failures.map(({ n, name, witness, error }) => `${name} by ${witness} at n = ${n}: ${error}`)).toEqual([]);
  });

  it('every part at more entries, for a seed: 10 of the atomic gradients, 100 of the others', () => {
    const rows = PARTS.flatMap((part) =>
      checkPart(part, { ...OPTIONS, entries: part === 'atomic' ? 10 : 100, seed: 1 }, createWasmBackend),
    );
    expect(rows.filter((row) => !row.ok)).toEqual([]);
  });
});
