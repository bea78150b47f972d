import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker, LineJudge, type LineReport } from '../../src/dojo/check.js';
import type { ExerciseNumber } from '../../src/dojo/exercises.js';
import type { Finding } from '../../src/dojo/findings.js';
import { TodoError, type ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { exercise3 } from '../../src/lesson/exercise3.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const checker = new LineChecker({ inspect });

function check(name: GradientName, line: unknown, exercise: ExerciseNumber = 1): LineReport {
  return checker.check(lineOf(exercise, name), line);
}

/** A line that does something before it returns the solution. */
const doing =
  (name: GradientName, first: (at: ValuesAndGradients) => void) =>
  (at: ValuesAndGradients): Tensor => {
    first(at);
    return exercise1[name](at);
  };

const thrower = new Proxy(
  {},
  {
    get: () => {
      throw new Error('a trap');
    },
  },
);

describe('a return value that is not a tensor is refused:', () => {
  it.each<[string, unknown, Finding]>([
    ['nothing', undefined, { id: 'returns-nothing' }],
    ['null', null, { id: 'returns-other', found: 'null' }],
    ['a number', 3, { id: 'returns-other', found: 'a number' }],
    ['a list', [1, 2], { id: 'returns-other', found: 'a list' }],
    ['an object', {}, { id: 'returns-other', found: 'an object' }],
    ['a function', () => 1, { id: 'returns-other', found: 'a function' }],
    ['bare data', new Float64Array(2), { id: 'returns-other', found: 'a Float64Array' }],
    ['a list as data', { data: [1, 2], shape: [2] }, { id: 'returns-other', found: 'an object' }],
    [
      'a shape that does not fit',
      { data: new Float32Array(3), shape: [2] },
      { id: 'invalid-tensor', thrown: { text: 'ShapeError: shape [2] holds 2 entries, the data has 3' } },
    ],
    [
      'a shape of strings',
      { data: new Float32Array(3), shape: ['3'] },
      { id: 'invalid-tensor', thrown: { text: 'ShapeError: sizes must be non-negative integers, got shape [3]' } },
    ],
    ['a proxy that throws', thrower, { id: 'invalid-tensor', thrown: { text: 'Error: a trap' } }],
    ['a proxy for data', { data: new Proxy(new Float32Array(3), {}), shape: [3] }, { id: 'returns-other', found: 'an object' }],
  ])('%s', (_, answer, finding) => {
    expect(check('dh', () => answer)).toMatchObject({ verdict: 'failed', findings: [finding] });
  });

  it('a promise, of the right tensor or rejected', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const findings = [{ id: 'returns-promise' }];
    expect(check('dh', async (at: ValuesAndGradients) => exercise1.dh(at))).toMatchObject({ verdict: 'failed', findings });
    expect(check('dh', () => Promise.reject(new Error('no')))).toMatchObject({ verdict: 'failed', findings });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  it('a huge tensor, without reading its entries', () => {
    const shape = [20_000, 20_000];
    expect(check('dh', () => ({ data: new Float32Array(20_000 * 20_000), shape }))).toMatchObject({
      verdict: 'wrong',
      findings: [{ id: 'wrong-shape', found: shape, expected: [32, 64] }],
    });
  });

  it('NaN and infinity, with the index of the first', () => {
    expect(check('db2', ({ dlogits }: ValuesAndGradients) => dlogits.sum(0).mul(Number.NaN))).toMatchObject({
      verdict: 'failed',
      findings: [{ id: 'not-finite', entry: 'NaN', index: [0] }],
    });
    expect(check('dh', ({ h }: ValuesAndGradients) => h.div(0))).toMatchObject({
      verdict: 'failed',
      findings: [{ id: 'not-finite', entry: expect.stringMatching(/^-?Infinity$/), index: [0, 0] }],
    });
  });
});

describe('a line that is not a function is refused:', () => {
  it.each<[string, unknown, Finding]>([
    ['nothing', undefined, { id: 'line-missing' }],
    ['null', null, { id: 'not-a-function', found: 'null' }],
    ['an object', {}, { id: 'not-a-function', found: 'an object' }],
    ['an object that cannot be read', thrower, { id: 'not-a-function', found: 'an object' }],
    ['a list', [], { id: 'not-a-function', found: 'a list' }],
    ['a number', 1, { id: 'not-a-function', found: 'a number' }],
    ['a text', '', { id: 'not-a-function', found: 'a string' }],
  ])('%s', (_, line, finding) => {
    expect(check('dh', line)).toMatchObject({ verdict: 'failed', findings: [finding] });
  });

  it('a class', () => {
    expect(check('dh', class {})).toMatchObject({
      verdict: 'failed',
      findings: [{ id: 'threw', thrown: { text: expect.stringMatching(/^TypeError: Class constructor/) } }],
    });
  });
});

describe('a line that throws', () => {
  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('y');
    },
  });
  it.each<[string, unknown, string]>([
    ['an error', new RangeError('no'), 'RangeError: no'],
    ['an error of two lines', new Error('one\ntwo'), 'Error: one'],
    ['an error without a message', new Error(), 'Error'],
    ['a text', 'no', "'no'"],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object', { a: { b: [1, 2] } }, '{ a: { b: [ 1, 2 ] } }'],
    ['an error that cannot be read', hostile, 'a value that cannot be shown'],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error('z');
          },
        },
      ),
      'a value that cannot be shown',
    ],
  ])('%s is quoted', (_, thrown, text) => {
    expect(
      check('dh', () => {
        throw thrown;
      }),
    ).toMatchObject({ verdict: 'failed', findings: [{ id: 'threw', thrown: { text } }] });
  });

  it('todo() is recognised by the name of the error', () => {
    expect(
      check('dh', () => {
        throw new TodoError('not written yet');
      }),
    ).toMatchObject({ verdict: 'todo', findings: [{ id: 'todo' }], problem: 'not written yet' });
    expect(
      check('dh', () => {
        throw Object.assign(new Error('not yet'), { name: 'TodoError' });
      }),
    ).toMatchObject({ verdict: 'todo' });
  });

  it('on another batch only is reported with the sizes of that batch', () => {
    const line = doing('dh', ({ n }) => {
      if (n === 3) throw new Error('three');
    });
    expect(check('dh', line)).toMatchObject({
      verdict: 'failed',
      findings: [{ id: 'other-batch', sizes: { n: 3, T: 4, E: 6, H: 7, V: 11 }, fault: { id: 'threw', thrown: { text: 'Error: three' } } }],
      problem: 'on a batch of 3 examples with V 11, H 7, T 4 and E 6, in float64: it threw Error: three',
    });
    const zeros = ({ C, Xb, demb }: ValuesAndGradients) => Tensor.zeros(C.shape).scatterAddRows(Xb, demb);
    expect(check('dC', zeros).problem).toMatch(
      /^on a batch of 2 examples with V 13, H 8, T 5 and E 3, in float64: it threw ShapeError: .* start from Tensor\.zerosLike$/,
    );
  });
});

describe('a line', () => {
  it.each<[string, (at: ValuesAndGradients) => unknown, string]>([
    [
      '1 - a tensor',
      ({ h }) => 1 - (h.pow(2) as unknown as number),
      "JavaScript's operators do not work on tensors: use .add .sub .mul .div .neg .pow",
    ],
    ['a product', ({ h, dh }) => (h as unknown as number) * (dh as unknown as number), "JavaScript's operators do not work on tensors: "],
    ['a sum', ({ h, dh }) => (h as unknown as number) + (dh as unknown as number), "JavaScript's operators do not work on tensors: "],
    ['a negation', ({ dh }) => -(dh as unknown as number), "JavaScript's operators do not work on tensors: "],
    ['a power', ({ h }) => (h as unknown as number) ** 2, "JavaScript's operators do not work on tensors: "],
    [
      'a misspelt value',
      ({ dlogitz }: ValuesAndGradients & { dlogitz?: Tensor }) => dlogitz?.neg(),
      'there is no value dlogitz; did you mean dlogits',
    ],
    [
      "the lecture's name",
      ({ embcat }: ValuesAndGradients & { embcat?: Tensor }) => embcat,
      'there is no value embcat; did you mean embact',
    ],
    ['an unknown name', ({ gradient }: ValuesAndGradients & { gradient?: Tensor }) => gradient, 'there is no value gradient'],
  ])('gets an error for %s', (_, line, message) => {
    expect(check('dhpreact', line)).toMatchObject({
      verdict: 'failed',
      problem: expect.stringContaining(`it threw TypeError: ${message}`),
    });
  });

  it.each<[string, GradientName, (at: ValuesAndGradients) => unknown, string]>([
    ['its own gradient', 'dW1', ({ dW1 }) => dW1, 'dW1 is what this line computes'],
    ['a later one', 'dW1', ({ dC }) => dC, 'dC is computed after dW1: a line reads only the gradients above it'],
    ['a later one of the same step', 'dh', (at) => at.dW2, 'dW2 is computed after dh: a line reads only the gradients above it'],
  ])('cannot read %s', (_, name, line, message) => {
    expect(check(name, line)).toMatchObject({ verdict: 'failed', problem: expect.stringContaining(`it threw TypeError: ${message}`) });
  });

  it('may spread its values and test whether it has one', () => {
    const line = (at: ValuesAndGradients) => exercise1.dh({ ...at, h: Object.hasOwn(at, 'dh') ? at.dh : at.h });
    expect(check('dh', line)).toMatchObject({ verdict: 'right' });
  });

  it('that is missing is reported with a key that is spelt like it', () => {
    const dh = lineOf(1, 'dh');
    const judged = (strays: string[]) => new LineJudge().judge(dh, { outcomes: [{ fault: { id: 'line-missing' } }], text: '', strays });
    expect(judged(['other', 'dH']).findings).toEqual([{ id: 'line-missing', stray: 'dH' }]);
    expect(judged(['grad_h']).findings).toEqual([{ id: 'line-missing', stray: 'grad_h' }]);
    expect(judged(['helper']).findings).toEqual([{ id: 'line-missing' }]);
  });
});

describe('a line that changes its input', () => {
  const data = (tensor: Tensor): number[] => tensor.data as unknown as number[];
  it.each<[string, (at: ValuesAndGradients) => void, string]>([
    [
      'an entry',
      ({ h }) => {
        data(h)[0] += 1;
      },
      'h',
    ],
    [
      'an index',
      ({ Xb }) => {
        Xb.data[0] += 1;
      },
      'Xb',
    ],
    [
      'a shape',
      ({ W2 }) => {
        (W2.shape as number[])[0] = 1;
      },
      'W2',
    ],
    [
      'the data',
      ({ h }) => {
        Object.assign(h, { data: null });
      },
      'h',
    ],
    [
      'a tensor',
      (at) => {
        Object.assign(at, { h: at.hpreact });
      },
      'h',
    ],
    [
      'the batch size',
      (at) => {
        at.n = 1;
      },
      'n',
    ],
    [
      'by adding in place',
      ({ C, Xb, emb }) => {
        C.scatterAddRows(Xb, emb);
      },
      'C',
    ],
  ])('is refused: %s', (_, change, value) => {
    expect(check('dh', doing('dh', change))).toMatchObject({ verdict: 'failed', findings: [{ id: 'input-changed', value }] });
  });

  it('does not affect other lines', () => {
    check(
      'dh',
      doing('dh', ({ W2 }) => {
        W2.data.fill(0);
      }),
    );
    expect(check('dh', exercise1.dh)).toMatchObject({ verdict: 'right', figures: { exact: true } });
    expect(check('dhprebn', exercise3.dhprebn, 3)).toMatchObject({ verdict: 'right' });
  });
});
