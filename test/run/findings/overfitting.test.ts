import { describe, expect, it } from 'vitest';
import { findingsOf } from '../../../src/run/findings/findings.js';
import { overfittingOf } from '../../../src/run/findings/overfitting.js';
import { diagnosedRun } from '../../support/diagnosedRun.js';

describe('overfitting', () => {
  it.each([
    ['no gap', { train: 2.1, val: 2.14, lowest: 2.14 }, 'none'],
    ['a noisy validation loss without a gap', { train: 2.3, val: 2.31, lowest: 2.2 }, 'none'],
    ['a validation loss below the training loss', { train: 2.3, val: 2.2, lowest: 2.2 }, 'none'],
    ['a gap', { train: 1.8, val: 2.1, lowest: 2.1 }, 'a little'],
    ['a slow rise', { train: 2, val: 2.09, lowest: 2.05 }, 'a little'],
    ['a rise', { train: 1.9, val: 2.3, lowest: 2.1 }, 'overfit'],
    ['a wide gap and a rise', { train: 1.5, val: 2.15, lowest: 2.1 }, 'overfit'],
    ['a wide gap while the validation loss falls', { train: 1, val: 2.1, lowest: 2.1 }, 'overfit'],
  ] as const)('of %s: %j: %s', (_, losses, degree) => {
    expect(overfittingOf(losses)).toMatchObject({ degree });
  });

  it('is judged by the losses over all names where they are known', () => {
    const facts = diagnosedRun({ hidden: [32], embedding: 4, steps: 300 });
    expect(findingsOf(facts)).toEqual([]);
    const [found, ...others] = findingsOf({ ...facts, evaluated: { step: 300, train: 1, val: 2.5 } });
    expect(others).toEqual([]);
    expect(found).toMatchObject({ id: 'overfitting', step: 300, value: 1.5 });
    expect(found.text).toMatch(/the training loss is 1\.00: the network learns/);
  });
});
