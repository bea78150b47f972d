import { describe, expect, it } from 'vitest';
import { backward, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import * as exercise4 from '../../src/lesson/exercise4.js';
import { forward } from '../../src/lesson/forward.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { largestOf, relativeError } from '../support/compare.js';
import { batchOf, GRADIENT_FIXTURES, loadFixture, TRACE_FIXTURES, traceBatches } from '../support/fixtures.js';

/** Structural zeros: compared with 0, because both sides are rounding errors. */
const ZEROS = ['db1', 'dlogit_maxes'];

describe.each(GRADIENT_FIXTURES)(
  '$name: the lesson and PyTorch agree within $limit of the largest entry in',
  ({ name: file, dtype, limit }) => {
    const fixture = loadFixture(file);
    const values = forward(fixture.parameters(), batchOf(fixture));
    const gradients = backward(values);

    it(`the loss, computed in ${dtype}`, () => {
      expect(values.loss.dtype).toBe(dtype);
      expect(relativeError(values.loss.data, fixture.tensor('loss').data)).toBeLessThan(limit);
    });

    it.each(GRADIENT_NAMES)('%s', (name) => {
      const theirs = fixture.tensor(name);
      expect(gradients[name].shape).toEqual(theirs.shape);
      if (ZEROS.includes(name)) expect(Math.max(largestOf(gradients[name].data), largestOf(theirs.data))).toBeLessThan(1e-7);
      else expect(relativeError(gradients[name].data, theirs.data)).toBeLessThan(limit);
    });
  },
);

describe.each(TRACE_FIXTURES)('$name: 10 steps of exercise 4 and of PyTorch agree within $limit in', ({ name: file, dtype, limit }) => {
  const fixture = loadFixture(file);
  const batches = traceBatches(fixture);
  const { parameters, losses } = exercise4.train(fixture.parameters('initial.'), (step) => batches[step], batches.length, 0.1);

  it('the loss before each update', () => {
    expect(losses.length).toBe(10);
    expect(relativeError(losses, fixture.tensor('losses').data)).toBeLessThan(limit);
  });

  it('moving every parameter by more than 1e-3, except b1, which batch norm cancels', () => {
    const initial = fixture.parameters('initial.');
    const still = LESSON_PARAMETER_NAMES.filter((name) => relativeError(parameters[name].data, initial[name].data) < 1e-3);
    expect(still).toEqual(['b1']);
  });

  it.each(LESSON_PARAMETER_NAMES)(`the final %s, in ${dtype}`, (name) => {
    expect(parameters[name].dtype).toBe(dtype);
    expect(relativeError(parameters[name].data, fixture.tensor(`final.${name}`).data)).toBeLessThan(limit);
  });
});
