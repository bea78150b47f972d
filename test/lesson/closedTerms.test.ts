import { describe, expect, it } from 'vitest';
import { difference } from '../../src/core/numbers.js';
import { Tensor } from '../../src/core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { closedTerms } from '../../src/lesson/closedTerms.js';
import { backward, exercise1, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { consumersOf, type StepName, type ValueName } from '../../src/lesson/values.js';

describe.each([2, 3, 32])('the terms of the closed forms, n = %i', (n) => {
  const { values } = createLessonCase(LESSON_CONFIG, n, 'closed terms');
  const at = { ...values, ...backward(values) };
  const alike = (a: Tensor, b: Tensor) => {
    expect(a.shape).toEqual(b.shape);
    const { maxAbs, largest } = difference(a.data, b.data);
    // With n = 2, batch norm's backward pass cancels almost everything.
    expect(maxAbs).toBeLessThanOrEqual(1e-12 * Math.max(largest, 1));
  };

  it.each(['dlogits', 'dhprebn'] as const)('add up to %s: by the closed form, and by the atomic lines', (name) => {
    const { terms, value } = closedTerms(at, name);
    const sum = terms.map((term) => term.value).reduce((a, b) => a.add(b));
    alike(sum, value);
    alike(sum, at[name]);
    for (const term of terms) expect(term.value.shape).toEqual(at[name].shape);
  });

  /** What one step that reads a tensor adds to its gradient: the line is linear in the gradients that it reads, and those of other steps are 0. */
  const contribution = (name: ValueName, step: StepName): Tensor => {
    const others = consumersOf(name).filter((one): one is Exclude<StepName, 'loss'> => one !== step && one !== 'loss');
    return exercise1[`d${name}`]({ ...at, ...Object.fromEntries(others.map((one) => [`d${one}`, Tensor.zerosLike(at[`d${one}`])])) });
  };

  it.each([
    ['dlogits', 'through the sum of the row', 'counts', 'counts_sum'],
    ['dlogits', 'at the target', 'counts', 'probs'],
    ['dhprebn', 'directly', 'bndiff', 'bnraw'],
    ['dhprebn', 'through the mean', 'hprebn', 'bnmeani'],
    ['dhprebn', 'through the variance', 'bndiff', 'bndiff2'],
  ] as const)('of %s %s are what one use of %s, in %s, adds to the atomic gradient', (closed, label, name, step) => {
    const term = closedTerms(at, closed).terms.find((one) => one.label === label);
    const part = contribution(name, step);
    // The gradient of counts is carried on to the logits: times counts.
    alike(term?.value as Tensor, closed === 'dlogits' ? at.counts.mul(part) : part);
  });

  it.each(['dlogits', 'dhprebn'] as const)('of %s come with sums that vanish, one for each row or unit', (name) => {
    for (const { formula, sums, largest, largestEntry } of closedTerms(at, name).vanishes) {
      expect(sums.shape, formula).toEqual([name === 'dlogits' ? n : 64]);
      expect(largest, formula).toBeLessThan(1e-13 * Math.max(largestEntry, 1));
      expect(largestEntry, formula).toBeGreaterThan(1e-9);
    }
  });

  it.each(['dlogits', 'dhprebn'] as const)('of %s go along atomic lines that the closed form replaces, in backward order', (name) => {
    const { atomic, terms } = closedTerms(at, name);
    for (const term of terms) expect(atomic.filter((line) => term.atomic.includes(line))).toEqual(term.atomic);
    const onTheWay = new Set(terms.flatMap((term) => term.atomic));
    expect(atomic.filter((line) => !onTheWay.has(line))).toEqual(name === 'dlogits' ? ['dlogit_maxes'] : []);
    expect(GRADIENT_NAMES.filter((line) => atomic.includes(line))).toEqual(atomic);
  });
});
