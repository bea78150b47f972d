import { describe, expect, it } from 'vitest';
import { BATCH_SIZES, checkPart } from '../../src/gradCheck/gradCheck.js';
import { PARTS } from '../../src/gradCheck/options.js';

const OPTIONS = { eps: 1e-3, tolerance: 1e-6, entries: 1, seed: 0 };

describe('checkPart', () => {
  it.each([
    ['atomic', 2 * 26],
    ['closed-forms', 4],
    ['model', 7],
    ['backend', 11],
  ] as const)('%s: %i rows for each of n = 2, 3 and 32', (part, rows) => {
    expect(BATCH_SIZES).toEqual([2, 3, 32]);
    const checked = checkPart(part, OPTIONS);
    expect(BATCH_SIZES.map((n) => checked.filter((row) => row.part === part && row.n === n).length)).toEqual([rows, rows, rows]);
  });

  it('depends on nothing but its options', () => {
    expect(checkPart('model', OPTIONS)).toEqual(checkPart('model', OPTIONS));
    expect(checkPart('model', OPTIONS)).not.toEqual(checkPart('model', { ...OPTIONS, seed: 1 }));
  });

  it('a step that is far too large turns rows red: eps matters', () => {
    expect(checkPart('model', { ...OPTIONS, eps: 0.5 }).every((row) => row.ok)).toBe(false);
  });
});

describe('no false alarm in the lesson network', () => {
  // At n = 2 most of the gradients in front of batch norm cancels, and some entries are tiny beside the others.
  it.each([
    ['atomic', 12],
    ['closed-forms', 20],
    ['model', 20],
    ['backend', 80],
  ] as const)('%s, %i seeds: every row is green, even if one entry of each tensor is compared', (part, seeds) => {
    const failures = Array.from({ length: seeds }, (_, seed) => checkPart(part, { ...OPTIONS, seed }).filter((row) => !row.ok)).flat();
    expect(failures.map(({ n, name, witness, error }) => `${name} by ${witness} at n = ${n}: ${error}`)).toEqual([]);
  });

  it('every part at more entries, for a seed: 10 of the atomic gradients, 100 of the others', () => {
    const rows = PARTS.flatMap((part) => checkPart(part, { ...OPTIONS, entries: part === 'atomic' ? 10 : 100, seed: 1 }));
    expect(rows.filter((row) => !row.ok)).toEqual([]);
  });
});
