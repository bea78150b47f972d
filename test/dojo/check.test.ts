import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker, type LineReport } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseNumber } from '../../src/dojo/exercises.js';
import { TodoError, type ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { exercise3 } from '../../src/lesson/exercise3.js';
import type { GradientName } from '../../src/lesson/values.js';

const checker = new LineChecker();
const LINES = Object.values(EXERCISES).flatMap(({ number, lines }) => lines.map((line) => ({ number, name: line.name, line })));

function check(name: GradientName, line: unknown, exercise: ExerciseNumber = 1): LineReport {
  const known = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!known) throw new Error(`Exercise ${exercise} has no ${name}`);
  return checker.check(known, line);
}

/** A line with its solution behind something that it does first. */
const doing =
  (name: GradientName, first: (at: ValuesAndGradients) => void) =>
  (at: ValuesAndGradients): Tensor => {
    first(at);
    return exercise1[name](at);
  };

/** Every tensor of the values rounded to float32. */
function narrow(at: ValuesAndGradients): ValuesAndGradients {
  const entries = Object.entries(at).map(([key, value]) => [key, value instanceof Tensor ? value.to('float32') : value]);
  return Object.fromEntries(entries) as ValuesAndGradients;
}

/** A sum over a dimension from the last entry to the first. */
function sumBackwards(a: Tensor, dim: 0 | 1, keepdim: boolean): Tensor {
  const [rows, columns] = a.shape;
  const [count, shape] = dim === 0 ? [columns, [1, columns]] : [rows, [rows, 1]];
  const out = Tensor.zeros(keepdim ? shape : [count], a.dtype);
  for (let i = rows - 1; i >= 0; i--) for (let j = columns - 1; j >= 0; j--) out.data[dim === 0 ? j : i] += a.at(i, j);
  return out;
}

describe('a right line', () => {
  it.each<[GradientName, (at: ValuesAndGradients) => Tensor]>([
    ['db1', ({ dhprebn }) => sumBackwards(dhprebn, 0, false)],
    ['dlogit_maxes', ({ dnorm_logits }) => sumBackwards(dnorm_logits.neg(), 1, true)],
    ['dbnmeani', ({ dbndiff }) => sumBackwards(dbndiff, 0, true).neg()],
    ['dcounts_sum_inv', ({ counts, dprobs }) => sumBackwards(counts.mul(dprobs), 1, true)],
    ['dbnvar_inv', ({ bndiff, dbnraw }) => sumBackwards(bndiff.mul(dbnraw), 0, true)],
  ])('may sum in another order: %s, also where the truth is 0', (name, line) => {
    expect(check(name, line)).toMatchObject({ verdict: 'right' });
    expect(check(name, line)).not.toHaveProperty('note');
  });

  it('may write batch norm as a difference of three terms, also at n = 2, where they almost cancel', () => {
    const line = ({ bngain, bnvar_inv, bnraw, dhpreact, n }: ValuesAndGradients): Tensor => {
      const dbnraw = bngain.mul(dhpreact);
      const direct = dbnraw.mul(bnvar_inv);
      const variance = bnraw
        .mul(bnvar_inv)
        .mul(dbnraw.mul(bnraw).sum(0))
        .div(n - 1);
      return direct.sub(direct.mean(0)).sub(variance);
    };
    expect(check('dhprebn', line, 3)).toMatchObject({ verdict: 'right' });
  });

  it.each(LINES)('in float32 is right, without a remark: Exercise $number, $name', ({ number, name, line }) => {
    const report = check(name, (at: ValuesAndGradients) => line.solution(narrow(at)), number);
    expect(report).toMatchObject({ verdict: 'right' });
    expect(report).not.toHaveProperty('problem');
    expect(report).not.toHaveProperty('note');
  });

  it('may start from a tensor of the default type', () => {
    const report = check('dlogprobs', ({ logprobs, Yb, n }: ValuesAndGradients) => Tensor.oneHot(Yb, logprobs.shape[1]).neg().div(n));
    expect(report).toMatchObject({ verdict: 'right' });
    expect(report).not.toHaveProperty('note');
  });

  it.each<[string, (tensor: Tensor) => unknown]>([
    ['an object with data and shape', ({ data, shape }) => ({ data, shape: [...shape] })],
    [
      'another copy of the class',
      ({ data, shape }) =>
        new (class Tensor {
          data = data;
          shape = shape;
        })(),
    ],
    ['a subclass', ({ data, shape }) => new (class extends Tensor {})(data, shape)],
    ['a tensor of what it was given', (tensor) => tensor],
  ])('may return %s', (_, as) => {
    expect(check('dprobs', (at: ValuesAndGradients) => as(exercise1.dprobs(at)))).toMatchObject({ verdict: 'right' });
    expect(check('demb', (at: ValuesAndGradients) => as(exercise1.demb(at)))).toMatchObject({ verdict: 'right' });
  });
});

describe('an answer that is no tensor is refused in words', () => {
  const thrower = new Proxy(
    {},
    {
      get: () => {
        throw new Error('a trap');
      },
    },
  );
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'it returns nothing: a function with braces needs a return'],
    ['null', null, 'it returns null, expected a Tensor'],
    ['a number', 3, 'it returns a number, expected a Tensor'],
    ['a list', [1, 2], 'it returns a list, expected a Tensor'],
    ['an object', {}, 'it returns an object, expected a Tensor'],
    ['a function', () => 1, 'it returns a function, expected a Tensor'],
    ['bare data', new Float64Array(2), 'it returns a Float64Array, expected a Tensor'],
    ['lists for data', { data: [1, 2], shape: [2] }, 'it returns an object, expected a Tensor'],
    [
      'a shape that does not fit',
      { data: new Float32Array(3), shape: [2] },
      'what it returns is no tensor: ShapeError: shape [2] holds 2 entries, the data has 3',
    ],
    [
      'a shape of words',
      { data: new Float32Array(3), shape: ['3'] },
      'what it returns is no tensor: ShapeError: a shape has whole sizes from 0, got [3]',
    ],
    ['a proxy that throws', thrower, 'what it returns is no tensor: Error: a trap'],
    ['a proxy of data', { data: new Proxy(new Float32Array(3), {}), shape: [3] }, 'it returns an object, expected a Tensor'],
  ])('%s', (_, answer, problem) => {
    expect(check('dh', () => answer)).toMatchObject({ verdict: 'failed', problem });
  });

  it('a promise, also of the right answer, and one that rejects', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const problem = 'it returns a promise, expected a Tensor: a line cannot be async';
    expect(check('dh', async (at: ValuesAndGradients) => exercise1.dh(at))).toMatchObject({ verdict: 'failed', problem });
    expect(check('dh', () => Promise.reject(new Error('no')))).toMatchObject({ verdict: 'failed', problem });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  it('a huge tensor, without looking through it', () => {
    const shape = [20_000, 20_000];
    expect(check('dh', () => ({ data: new Float32Array(20_000 * 20_000), shape }))).toMatchObject({
      verdict: 'wrong',
      problem: 'shape [20000, 20000], expected [32, 64]',
    });
  });

  it('numbers that are none, with the first place', () => {
    expect(check('db2', ({ dlogits }: ValuesAndGradients) => dlogits.sum(0).mul(Number.NaN))).toMatchObject({
      verdict: 'failed',
      problem: 'it holds NaN at [0]',
    });
    expect(check('dh', ({ h }: ValuesAndGradients) => h.div(0))).toMatchObject({
      verdict: 'failed',
      problem: expect.stringMatching(/^it holds -?Infinity at \[0, 0\]$/),
    });
  });
});

describe('what is no line is refused in words', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'missing from what the file exports'],
    ['null', null, 'null, expected a function'],
    ['an object', {}, 'an object, expected a function'],
    ['a list', [], 'a list, expected a function'],
    ['a number', 1, 'a number, expected a function'],
    ['a text', '', 'a string, expected a function'],
    ['a class', class {}, "it threw TypeError: Class constructor class {} cannot be invoked without 'new'"],
  ])('%s', (_, line, problem) => {
    const report = check('dh', line);
    expect(report.verdict).toBe('failed');
    if (typeof line !== 'function') expect(report.problem).toBe(problem);
    else expect(report.problem).toMatch(/^it threw TypeError: Class constructor/);
  });
});

describe('a line that throws', () => {
  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('y');
    },
  });
  it.each<[string, unknown, string]>([
    ['an error', new RangeError('no'), 'it threw RangeError: no'],
    ['an error of two lines', new Error('one\ntwo'), 'it threw Error: one'],
    ['an error without words', new Error(), 'it threw Error'],
    ['a text', 'no', "it threw 'no'"],
    ['nothing', undefined, 'it threw undefined'],
    ['null', null, 'it threw null'],
    ['an object', { a: { b: [1, 2] } }, 'it threw { a: { b: [ 1, 2 ] } }'],
    ['an error that cannot be read', hostile, 'it threw what cannot be shown'],
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
      'it threw what cannot be shown',
    ],
  ])('%s is quoted', (_, thrown, problem) => {
    expect(
      check('dh', () => {
        throw thrown;
      }),
    ).toMatchObject({ verdict: 'failed', problem });
  });

  it('todo() is to be written, by the name of the error', () => {
    expect(
      check('dh', () => {
        throw new TodoError('not written yet');
      }),
    ).toMatchObject({ verdict: 'todo', problem: 'not written yet' });
    expect(
      check('dh', () => {
        throw Object.assign(new Error('not yet'), { name: 'TodoError' });
      }),
    ).toMatchObject({ verdict: 'todo' });
  });

  it('on one of the other batches only is said to do so there', () => {
    const line = doing('dh', ({ n }) => {
      if (n === 3) throw new Error('three');
    });
    expect(check('dh', line)).toMatchObject({
      verdict: 'failed',
      problem: 'with n 3, E 4, H 8 and V 13, in float64: it threw Error: three',
    });
    const zeros = ({ C, Xb, demb }: ValuesAndGradients) => Tensor.zeros(C.shape).scatterAddRows(Xb, demb);
    expect(check('dC', zeros).problem).toMatch(
      /^with n 2, E 4, H 8 and V 13, in float64: it threw ShapeError: .* start from Tensor\.zerosLike$/,
    );
  });
});

describe('a size that is written as a number', () => {
  const V = 27;
  it.each<[string, GradientName, string, (at: ValuesAndGradients) => Tensor]>([
    ['n', 'dlogprobs', '32 is n', ({ logprobs, Yb }) => Tensor.oneHot(Yb, logprobs.shape[1], logprobs.dtype).div(-32)],
    ['n, in float32', 'dlogprobs', '32 is n', ({ logprobs, Yb }) => Tensor.oneHot(Yb, logprobs.shape[1]).neg().div(32)],
    ['n - 1', 'dbndiff2', '31 is n - 1', ({ bndiff2, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar).div(31)],
    ['V', 'dlogprobs', '27 is V', ({ Yb, n }) => Tensor.oneHot(Yb, 27).neg().div(n)],
    ['V and n', 'dlogprobs', '27 is V and 32 is n', ({ Yb }) => Tensor.oneHot(Yb, 27).neg().div(32)],
    ['sizes that only a wrong line has', 'dlogprobs', '27 is V', ({ Yb, n }) => Tensor.oneHot(Yb, 27).div(n)],
  ])('%s, is said to be one', (_, name, size, line) => {
    const report = check(name, line);
    expect(report).toMatchObject({ verdict: 'wrong', figures: expect.anything() });
    expect(report.problem).toMatch(new RegExp(`^${size} on the lesson's batch of 32: a line must hold for every batch, so write `));
  });

  it.each<[string, GradientName, string, (at: ValuesAndGradients) => Tensor]>([
    ['E', 'demb', '10 is E', ({ dembact, n }) => dembact.view([n, -1, 10])],
    ['n, T and E', 'demb', '32 is n and 10 is E', ({ dembact }) => dembact.view([32, 3, 10])],
    ['V and E', 'dC', '27 is V and 10 is E', ({ Xb, demb }) => Tensor.zeros([27, 10], 'float64').scatterAddRows(Xb, demb)],
  ])('%s, also where the line cannot run on another batch', (_, name, size, line) => {
    const report = check(name, line);
    expect(report.verdict).toBe('failed');
    expect(report.problem).toMatch(
      new RegExp(`^${size} on the lesson's batch of 32: .*; with n 2, E 4, H 8 and V 13, in float64: it threw `),
    );
  });

  it('says what to write', () => {
    expect(check('dC', ({ Xb, demb }: ValuesAndGradients) => Tensor.zeros([27, 10]).scatterAddRows(Xb, demb)).problem).toContain(
      'so write logits.shape[1] and C.shape[1]; ',
    );
  });

  it('is said without the number where the line does not have it, or has it in a text', () => {
    expect(check('dlogprobs', ({ Yb, n }: ValuesAndGradients) => Tensor.oneHot(Yb, Number('27'.slice(0, V))).div(-n))).toMatchObject({
      verdict: 'wrong',
      problem:
        "right on the lesson's batch of 32, not on smaller ones: a size is written as a number where it must be read, as n or logits.shape[1]",
    });
  });
});

describe('an answer whose mistake has no name shows its worst entry', () => {
  const off = (at: ValuesAndGradients): Tensor => {
    const wrong = exercise1.dh(at);
    if (at.n === 32) wrong.data[64 * 3 + 5] += 7;
    return wrong;
  };

  it('with the true gradients above, whose figures the row has', () => {
    const { worst, figures } = check('dh', off);
    expect(worst).toMatchObject({ index: [3, 5] });
    expect(worst).not.toHaveProperty('random');
    expect((worst?.yours ?? 0) - (worst?.truth ?? 0)).toBeCloseTo(7, 6);
    expect(figures?.maxDiff).toBeCloseTo(7, 4);
  });

  it('and says so where only random ones show it', () => {
    const line = (at: ValuesAndGradients) => exercise1.dlogit_maxes(at).mul(0.7);
    expect(check('dlogit_maxes', line)).toMatchObject({ verdict: 'wrong', worst: { random: true, ratio: expect.closeTo(0.7, 6) } });
  });
});

describe('an answer of three dimensions', () => {
  it('comes from indices that kept theirs', () => {
    const line = ({ logits, dlogit_maxes, dnorm_logits }: ValuesAndGradients) =>
      dnorm_logits.add(Tensor.oneHot(logits.max(1, { keepdim: true }).indices, logits.shape[1]).mul(dlogit_maxes));
    expect(check('dlogits', line)).toMatchObject({
      verdict: 'wrong',
      problem:
        'shape [32, 32, 27], expected [32, 27]: indices of max(1, { keepdim: true }) have a dimension of 1, max(1).indices have one index per row',
    });
  });
});

describe('what a line may be surprised by', () => {
  it.each<[string, (at: ValuesAndGradients) => unknown, string]>([
    [
      '1 - a tensor',
      ({ h }) => 1 - (h.pow(2) as unknown as number),
      "JavaScript's operators know no tensors: use .add .sub .mul .div .neg .pow",
    ],
    ['a product', ({ h, dh }) => (h as unknown as number) * (dh as unknown as number), "JavaScript's operators know no tensors: "],
    ['a sum', ({ h, dh }) => (h as unknown as number) + (dh as unknown as number), "JavaScript's operators know no tensors: "],
    ['a sign', ({ dh }) => -(dh as unknown as number), "JavaScript's operators know no tensors: "],
    ['a power', ({ h }) => (h as unknown as number) ** 2, "JavaScript's operators know no tensors: "],
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
    ['a name like no other', ({ gradient }: ValuesAndGradients & { gradient?: Tensor }) => gradient, 'there is no value gradient'],
  ])('%s is said to be an error', (_, line, said) => {
    expect(check('dhpreact', line)).toMatchObject({ verdict: 'failed', problem: expect.stringContaining(`it threw TypeError: ${said}`) });
  });

  it('its values can be spread and looked for', () => {
    const line = (at: ValuesAndGradients) => exercise1.dh({ ...at, h: Object.hasOwn(at, 'h') ? at.h : at.dh });
    expect(check('dh', line)).toMatchObject({ verdict: 'right' });
  });

  it('a misspelt key is mentioned where the line is missing', () => {
    const [dh] = EXERCISES[1].lines.filter(({ name }) => name === 'dh');
    expect(new LineChecker({ strays: ['other', 'dH'] }).check(dh, undefined).problem).toBe(
      'missing from what the file exports; it has dH, which no line is called',
    );
    expect(new LineChecker({ strays: ['helper'] }).check(dh, undefined).problem).toBe('missing from what the file exports');
  });
});

describe('a line that changes what it was given to read', () => {
  const data = (tensor: Tensor): number[] => tensor.data as unknown as number[];
  it.each<[string, (at: ValuesAndGradients) => void, string]>([
    [
      'an entry',
      ({ h }) => {
        data(h)[0] += 1;
      },
      'it changes h, which it was given to read',
    ],
    [
      'an index',
      ({ Xb }) => {
        Xb.data[0] += 1;
      },
      'it changes Xb, which it was given to read',
    ],
    [
      'a shape',
      ({ W2 }) => {
        (W2.shape as number[])[0] = 1;
      },
      'it changes W2, which it was given to read',
    ],
    [
      'the data',
      ({ h }) => {
        Object.assign(h, { data: null });
      },
      'it changes h, which it was given to read',
    ],
    [
      'a tensor',
      (at) => {
        Object.assign(at, { h: at.dh });
      },
      'it changes h, which it was given to read',
    ],
    [
      'the batch size',
      (at) => {
        at.n = 1;
      },
      'it changes n, which it was given to read',
    ],
    [
      'by adding in place',
      ({ C, Xb, demb }) => {
        C.scatterAddRows(Xb, demb);
      },
      'it changes C, which it was given to read',
    ],
  ])('%s is told so', (_, change, problem) => {
    expect(check('dh', doing('dh', change))).toMatchObject({ verdict: 'failed', problem });
  });

  it('and no other line feels it', () => {
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

describe('what a line prints', () => {
  it('is seen of one run only, the one that is shown', () => {
    const seen: [number, string][] = [];
    let quiet = false;
    const quietly = <T>(run: () => T): T => {
      quiet = true;
      try {
        return run();
      } finally {
        quiet = false;
      }
    };
    const line = doing('dh', ({ n, h }) => {
      if (!quiet) seen.push([n, h.dtype]);
    });
    const [known] = EXERCISES[1].lines.filter(({ name }) => name === 'dh');
    expect(new LineChecker({ quietly }).check(known, line)).toMatchObject({ verdict: 'right' });
    expect(seen).toEqual([[32, 'float32']]);
  });
});
