import { describe, expect, it } from 'vitest';
import { difference } from '../../src/core/numbers.js';
import { Tensor } from '../../src/core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward } from '../../src/lesson/exercise1.js';
import { usesOf } from '../../src/lesson/uses.js';
import { consumersOf, VALUE_NAMES, type ValueName } from '../../src/lesson/values.js';

const sumOver = (tensor: Tensor, over: 'batch' | 'row') => tensor.sum(over === 'batch' ? 0 : 1);

describe.each([2, 3, 32])('the uses of each tensor, n = %i', (n) => {
  const { values } = createLessonCase(LESSON_CONFIG, n, 'uses');
  const at = { ...values, ...backward(values) };

  it.each(VALUE_NAMES)('add up to the gradient of %s, one for each step that reads it', (name) => {
    const uses = usesOf(at, name);
    expect(uses.map(({ step }) => step)).toEqual(consumersOf(name));
    const sum = uses.map(({ contribution }) => contribution).reduce((a, b) => a.add(b));
    for (const { contribution } of uses) expect(contribution.shape).toEqual(values[name].shape);
    expect(difference(sum.data, at[`d${name}`].data).maxAbs).toBeLessThan(1e-15);
  });

  it.each(VALUE_NAMES)(
    'are broadcasts of %s where a step has more entries than it: the gradients of the copies sum to the contribution',
    (name) => {
      for (const { step, contribution, broadcast } of usesOf(at, name)) {
        const repeats =
          step !== 'loss' && name !== 'C' && values[step].size > values[name].size && values[name].shape.some((size) => size === 1);
        const isBias = name === 'b1' || name === 'b2';
        expect(broadcast !== undefined, step).toBe(repeats || isBias);
        if (!broadcast) continue;
        expect(broadcast.before.size).toBe(contribution.size * broadcast.copies);
        expect(sumOver(broadcast.before, broadcast.over).data).toEqual(contribution.data);
      }
    },
  );

  it('spread the gradient of a sum to every row or column', () => {
    const spreads = VALUE_NAMES.flatMap((name) =>
      usesOf(at, name).flatMap(({ step, spread, contribution }) => (spread ? [{ name, step, spread, contribution }] : [])),
    );
    expect(spreads.map(({ name, step, spread }) => [name, step, spread.over, spread.copies])).toEqual([
      ['hprebn', 'bnmeani', 'batch', n],
      ['bndiff2', 'bnvar', 'batch', n],
      ['counts', 'counts_sum', 'row', 27],
    ]);
    for (const { spread, contribution } of spreads) expect(Tensor.zerosLike(contribution).add(spread.each).data).toEqual(contribution.data);
  });

  it('say how often the batch uses each row of C, and the gradients of these copies', () => {
    const [{ rows, contribution }] = usesOf(at, 'C');
    const times = rows?.times ?? [];
    expect([...times].reduce((sum, k) => sum + k, 0)).toBe(3 * n);
    expect(times[values.Xb.data[0]]).toBeGreaterThanOrEqual(3);
    expect(rows?.before.shape).toEqual([n, 3, 10]);
    const unused = [...times].indexOf(0);
    if (unused >= 0) expect([...contribution.data.subarray(unused * 10, unused * 10 + 10)]).toEqual(new Array(10).fill(0));
  });
});

it('are two for the four tensors that two steps read', () => {
  const { values } = createLessonCase(LESSON_CONFIG, 32, 'uses');
  const at = { ...values, ...backward(values) };
  const twice = (name: ValueName) => usesOf(at, name).map(({ step }) => step);
  expect(VALUE_NAMES.filter((name) => twice(name).length === 2)).toEqual(['hprebn', 'bndiff', 'logits', 'counts']);
  expect(twice('counts')).toEqual(['counts_sum', 'probs']);
});
