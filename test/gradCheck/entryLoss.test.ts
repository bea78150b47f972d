import { describe, expect, it } from 'vitest';
import { entryLoss } from '../../src/gradCheck/entryLoss.js';
import { createLessonCase, float32Values, LESSON_CONFIG } from '../../src/lesson/case.js';
import { forwardLines } from '../../src/lesson/forward.js';
import { type LessonValues, stepsAfter, VALUE_NAMES, type ValueName } from '../../src/lesson/values.js';

function wholePass(values: LessonValues, name: ValueName, entry: number, x: number): number {
  const moved = { ...values, [name]: values[name].clone() };
  moved[name].data[entry] = x;
  for (const step of stepsAfter(name)) moved[step] = forwardLines[step](moved);
  return moved.loss.item();
}

describe.each([2, 3, 32])('the loss as a function of one entry, n = %i', (n) => {
  const given = createLessonCase(LESSON_CONFIG, n, 'entry loss');

  it.each(VALUE_NAMES)('is that of all steps after %s, in float64 and float32', (name) => {
    for (const [values, rounding] of [[given.values, 1e-14] as const, [float32Values(given), 1e-6] as const]) {
      const { data } = values[name];
      for (const entry of new Set([0, Math.floor(data.length / 3), data.length - 1])) {
        const lossAt = entryLoss(values, name, entry);
        for (const shift of [0.01, -0.3, 0]) {
          const x = data[entry] + shift;
          const [found, right] = [lossAt(x), wholePass(values, name, entry, x)];
          if (Number.isFinite(right)) expect(Math.abs(found - right), `${entry}`).toBeLessThanOrEqual(rounding);
          else expect(found, `${entry}`).toBe(right);
        }
      }
    }
  });

  it.each(VALUE_NAMES)('leaves %s and all other values as they are', (name) => {
    const before = VALUE_NAMES.map((one) => given.values[one].data.slice());
    entryLoss(given.values, name, 0)(7);
    expect(VALUE_NAMES.map((one) => given.values[one].data)).toEqual(before);
  });
});

it('moves an intermediate alone: emb moves embact, but embact does not depend on what C holds', () => {
  const { values } = createLessonCase(LESSON_CONFIG, 3, 'alone');
  const other = { ...values, C: values.C.mul(2), W1: values.W1.clone() };
  expect(entryLoss(other, 'embact', 0)(0.5)).toBe(entryLoss(values, 'embact', 0)(0.5));
  expect(entryLoss(values, 'emb', 4)(0.5)).toBe(entryLoss(values, 'embact', 4)(0.5));
});

it('is constant in a row of C that no context has', () => {
  const { values } = createLessonCase(LESSON_CONFIG, 2, 'constant');
  const unused = Array.from({ length: 27 }, (_, row) => row).find((row) => !values.Xb.data.includes(row)) as number;
  expect(entryLoss(values, 'C', unused * 10)(1e6)).toBe(values.loss.item());
});
