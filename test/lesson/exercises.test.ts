import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward, exercise1, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { exercise2 } from '../../src/lesson/exercise2.js';
import { exercise3, normalise } from '../../src/lesson/exercise3.js';
import * as exercise4 from '../../src/lesson/exercise4.js';
import { softmax } from '../../src/lesson/softmax.js';
import { type GradientName, VALUE_NAMES, type ValueName } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { largestOf, plain, relativeError } from '../support/compare.js';

const LIMIT = 1e-12;
const CASES = [2, 3, 5, 32].map((n) => {
  const lessonCase = createLessonCase({ context: 3, embedding: 4, hidden: [7], vocabulary: 9 }, n, 'exercises');
  return { ...lessonCase, gradients: backward(lessonCase.values) };
});

describe('exercise 1', () => {
  it('has a line for each of the 26 tensors that have a gradient', () => {
    expect([...GRADIENT_NAMES].sort()).toEqual(VALUE_NAMES.map((name) => `d${name}`).sort());
    expect(GRADIENT_NAMES.length).toBe(26);
  });

  it.each(CASES)('gives each gradient the shape and type of its tensor, n = $n', ({ values, gradients }) => {
    for (const name of GRADIENT_NAMES) {
      const value = values[name.slice(1) as ValueName];
      expect([name, gradients[name].shape, gradients[name].dtype]).toEqual([name, value.shape, value.dtype]);
    }
  });

  it('runs the given lines, each with the gradients of the lines before it', () => {
    const seen: GradientName[][] = [];
    const lines = { ...exercise1 };
    for (const name of GRADIENT_NAMES) {
      lines[name] = (at) => {
        seen.push(GRADIENT_NAMES.filter((other) => at[other] !== undefined));
        return exercise1[name](at);
      };
    }
    backward(CASES[0].values, lines);
    expect(seen).toEqual(GRADIENT_NAMES.map((_, i) => GRADIENT_NAMES.slice(0, i)));
  });

  it('passes the gradient of a tied maximum to the first of the equal entries only', () => {
    const at = {
      logits: Tensor.of([1, 5, 5], [1, 3]),
      dnorm_logits: Tensor.zeros([1, 3]),
      dlogit_maxes: Tensor.of([2], [1, 1]),
    } as Parameters<typeof exercise1.dlogits>[0];
    expect(plain(exercise1.dlogits(at)).values).toEqual([0, 2, 0]);
  });
});

describe(`the exercises agree in float64, within ${LIMIT} of the largest entry`, () => {
  it.each(CASES)('exercise 2 with loss and dlogits of the atomic chain, n = $n', ({ values, gradients }) => {
    expect(relativeError(exercise2.loss(values).data, values.loss.data)).toBeLessThan(LIMIT);
    expect(relativeError(exercise2.dlogits(values).data, gradients.dlogits.data)).toBeLessThan(LIMIT);
    expect(relativeError(softmax(values.logits).data, values.probs.data)).toBeLessThan(LIMIT);
  });

  it.each(CASES)('exercise 3 with hpreact and dhprebn of the atomic chain, n = $n', ({ n, values, gradients }) => {
    expect(relativeError(exercise3.hpreact(values).data, values.hpreact.data)).toBeLessThan(LIMIT);
    const { bnvar_inv } = normalise(values);
    expect(bnvar_inv.shape).toEqual(values.bnvar_inv.shape);
    expect(relativeError(bnvar_inv.data, values.bnvar_inv.data)).toBeLessThan(LIMIT);
    // At n = 2 dhprebn cancels to rounding and the effect of 1e-5 in the variance, so the error is relative to dbndiff.
    const scale = n === 2 ? largestOf(gradients.dbndiff.data) : largestOf(gradients.dhprebn.data);
    const difference = exercise3.dhprebn({ ...values, ...gradients }).sub(gradients.dhprebn);
    expect(largestOf(difference.data) / scale).toBeLessThan(LIMIT);
  });

  it.each(CASES.slice(1))(
    'exercise 4 with loss and parameter gradients of the atomic chain, n = $n',
    ({ values, parameters, batch, gradients }) => {
      const saved = exercise4.forward(parameters, batch);
      const inOneGo = exercise4.backward(saved);
      expect(relativeError(saved.loss.data, values.loss.data)).toBeLessThan(LIMIT);
      for (const name of LESSON_PARAMETER_NAMES.filter((name) => name !== 'b1')) {
        expect(inOneGo[`d${name}`].shape, name).toEqual(parameters[name].shape);
        expect(relativeError(inOneGo[`d${name}`].data, gradients[`d${name}`].data), name).toBeLessThan(LIMIT);
      }
      // Batch norm cancels b1, so both sides are rounding errors.
      expect(Math.max(largestOf(inOneGo.db1.data), largestOf(gradients.db1.data))).toBeLessThan(LIMIT);
    },
  );
});

describe('the closed forms stay finite where the atomic steps do not:', () => {
  it('exercise 2 where a probability rounds to 0', () => {
    const inputs = { logits: Tensor.of([1e4, -1e4], [1, 2]), Yb: { data: Int32Array.of(1), shape: [1] }, n: 1 };
    expect(exercise2.loss(inputs).item()).toBe(20_000);
    expect(plain(exercise2.dlogits(inputs)).values).toEqual([1, -1]);
  });

  it('exercise 3 on a batch of equal rows', () => {
    const [n, H] = [4, 2];
    const inputs = { hprebn: Tensor.of([3, -1, 3, -1, 3, -1, 3, -1], [n, H]), n };
    const { bnraw, bnvar_inv } = normalise(inputs);
    const [bngain, bnbias] = [Tensor.of([1, 1], [1, H]), Tensor.of([5, 6], [1, H])];
    expect(plain(exercise3.hpreact({ ...inputs, bngain, bnbias })).values).toEqual([5, 6, 5, 6, 5, 6, 5, 6]);
    const dhpreact = Tensor.of([1, 2, 3, 4, 5, 6, 7, 8], [n, H]);
    expect(exercise3.dhprebn({ bngain, bnraw, bnvar_inv, n, dhpreact }).data.every(Number.isFinite)).toBe(true);
  });
});

describe('exercise 4: train', () => {
  const { parameters, batch } = createLessonCase(LESSON_CONFIG, 32, 'train');

  it('starts near ln 27 and overfits a single batch', () => {
    const { losses } = exercise4.train(parameters, () => batch, 40, 1);
    expect(Math.abs(losses[0] - Math.log(27))).toBeLessThan(0.5);
    expect(losses[39]).toBeLessThan(losses[0] / 2);
  });

  it('asks for the batch of each step once, in order, and leaves the initial parameters unchanged', () => {
    const asked: number[] = [];
    const before = JSON.stringify(parameters);
    exercise4.train(
      parameters,
      (step) => {
        asked.push(step);
        return batch;
      },
      3,
      0.1,
    );
    expect(asked).toEqual([0, 1, 2]);
    expect(JSON.stringify(parameters)).toBe(before);
  });

  it('returns the initial parameters for 0 steps', () => {
    expect(exercise4.train(parameters, () => batch, 0, 0.1)).toEqual({ parameters, losses: [] });
  });
});
