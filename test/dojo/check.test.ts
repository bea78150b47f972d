import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker, type LineReport } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseNumber } from '../../src/dojo/exercises.js';
import type { ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const checker = new LineChecker();
const LINES = Object.values(EXERCISES).flatMap(({ number, lines }) => lines.map((line) => ({ number, name: line.name, line })));

function check(name: GradientName, line: unknown, exercise: ExerciseNumber = 1): LineReport {
  return checker.check(lineOf(exercise, name), line);
}

/** The values with every tensor rounded to float32. */
function narrow(at: ValuesAndGradients): ValuesAndGradients {
  const entries = Object.entries(at).map(([key, value]) => [key, value instanceof Tensor ? value.to('float32') : value]);
  return Object.fromEntries(entries) as ValuesAndGradients;
}

/** The sum over a dimension, from the last entry to the first. */
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
  ])('may sum in another order: %s, even where the right result is 0', (name, line) => {
    expect(check(name, line)).toMatchObject({ verdict: 'right' });
    expect(check(name, line)).not.toHaveProperty('note');
  });

  it('may write batch norm as a difference of three terms, even at n = 2, where they almost cancel', () => {
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

  it.each(LINES)('may round to float32: Exercise $number, $name', ({ number, name, line }) => {
    const report = check(name, (at: ValuesAndGradients) => line.solution(narrow(at)), number);
    expect(report).toMatchObject({ verdict: 'right' });
    expect(report).not.toHaveProperty('findings');
    expect(report).not.toHaveProperty('note');
  });

  it('may start from a tensor of the default type, float32', () => {
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
    ['the tensor itself', (tensor) => tensor],
  ])('may return %s', (_, as) => {
    expect(check('dprobs', (at: ValuesAndGradients) => as(exercise1.dprobs(at)))).toMatchObject({ verdict: 'right' });
    expect(check('demb', (at: ValuesAndGradients) => as(exercise1.demb(at)))).toMatchObject({ verdict: 'right' });
  });
});

describe('a size that is written as a number', () => {
  interface Size {
    number: number;
    size: string;
    instead: string;
  }
  const N: Size = { number: 32, size: 'n', instead: 'n' };
  const V: Size = { number: 27, size: 'V', instead: 'logits.shape[1]' };
  const T: Size = { number: 3, size: 'T', instead: 'Xb.shape[1]' };
  const E: Size = { number: 10, size: 'E', instead: 'C.shape[1]' };

  it.each<[string, GradientName, Size[], (at: ValuesAndGradients) => Tensor]>([
    ['n', 'dlogprobs', [N], ({ logprobs, Yb }) => Tensor.oneHot(Yb, logprobs.shape[1], logprobs.dtype).div(-32)],
    ['n, in float32', 'dlogprobs', [N], ({ logprobs, Yb }) => Tensor.oneHot(Yb, logprobs.shape[1]).neg().div(32)],
    [
      'n - 1',
      'dbndiff2',
      [{ number: 31, size: 'n - 1', instead: 'n - 1' }],
      ({ bndiff2, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar).div(31),
    ],
    ['V', 'dlogprobs', [V], ({ Yb, n }) => Tensor.oneHot(Yb, 27).neg().div(n)],
    ['V and n', 'dlogprobs', [V, N], ({ Yb }) => Tensor.oneHot(Yb, 27).neg().div(32)],
    ['T', 'demb', [T], ({ dembact, n }) => dembact.view([n, 3, -1])],
    ['V in a wrong line', 'dlogprobs', [V], ({ Yb, n }) => Tensor.oneHot(Yb, 27).div(n)],
  ])('is reported: %s', (_, name, sizes, line) => {
    const report = check(name, line);
    expect(report).toMatchObject({ verdict: 'wrong', figures: expect.anything(), findings: [{ id: 'sizes-as-numbers', sizes }] });
  });

  it.each<[string, GradientName, Size[], (at: ValuesAndGradients) => Tensor]>([
    ['E', 'demb', [E], ({ dembact, n }) => dembact.view([n, -1, 10])],
    ['n, T and E', 'demb', [N, T, E], ({ dembact }) => dembact.view([32, 3, 10])],
    ['V and E', 'dC', [V, E], ({ Xb, demb }) => Tensor.zeros([27, 10], 'float64').scatterAddRows(Xb, demb)],
  ])('is reported with the error that it causes on another batch: %s', (_, name, sizes, line) => {
    expect(check(name, line)).toMatchObject({
      verdict: 'failed',
      findings: [
        { id: 'sizes-as-numbers', sizes },
        { id: 'other-batch', sizes: { n: 2, T: 5, E: 3, H: 8, V: 13 }, fault: { id: 'threw' } },
      ],
    });
  });

  it('is reported without the number where the text of the line does not have it', () => {
    expect(check('dlogprobs', ({ Yb, n }: ValuesAndGradients) => Tensor.oneHot(Yb, Number('27')).div(-n))).toMatchObject({
      verdict: 'wrong',
      findings: [{ id: 'lesson-batch-only' }],
    });
  });
});

describe('a wrong answer without a name', () => {
  const off = (at: ValuesAndGradients): Tensor => {
    const wrong = exercise1.dh(at);
    if (at.n === 32) wrong.data[64 * 3 + 5] += 7;
    return wrong;
  };

  it('shows its worst entry with the true gradients above, as the figures do', () => {
    const { worst, figures } = check('dh', off);
    expect(worst).toMatchObject({ index: [3, 5] });
    expect(worst).not.toHaveProperty('random');
    expect((worst?.yours ?? 0) - (worst?.truth ?? 0)).toBeCloseTo(7, 6);
    expect(figures?.maxDiff).toBeCloseTo(7, 4);
  });

  it('shows its worst entry with random gradients above, where only these show it', () => {
    // Each row times another number.
    const line = (at: ValuesAndGradients) =>
      exercise1.dlogit_maxes(at).mul(
        Tensor.of(
          Array.from({ length: at.n }, (_, i) => 0.7 + i / 7),
          [at.n, 1],
        ),
      );
    expect(check('dlogit_maxes', line)).toMatchObject({ verdict: 'wrong', worst: { random: true } });
  });
});

describe('an answer of three dimensions', () => {
  it('comes from indices that kept a dimension', () => {
    const line = ({ logits, dlogit_maxes, dnorm_logits }: ValuesAndGradients) =>
      dnorm_logits.add(Tensor.oneHot(logits.max(1, { keepdim: true }).indices, logits.shape[1]).mul(dlogit_maxes));
    expect(check('dlogits', line)).toMatchObject({
      verdict: 'wrong',
      findings: [{ id: 'wrong-shape', found: [32, 32, 27], expected: [32, 27], indicesKeptDimension: true }],
    });
  });
});
