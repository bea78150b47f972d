// What a learner is told who takes Xb or Yb for a tensor or an array. The lines run as in a check.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker } from '../../src/dojo/check.js';
import type { ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const checker = new LineChecker({ inspect });

// biome-ignore lint/suspicious/noExplicitAny: a learner's file runs without type checking.
type Untyped = any;

function problemOf(name: GradientName, line: (at: Untyped) => unknown): string {
  const { verdict, problem = '' } = checker.check(lineOf(1, name), line);
  expect(verdict).toBe('failed');
  return problem;
}

describe('Yb taken for a tensor', () => {
  const TENSOR = 'Yb is a list of indices, not a tensor: Yb.data[i] is one of them, Tensor.oneHot(Yb, logits.shape[1]) is a tensor';
  it.each<[string, (at: Untyped) => unknown]>([
    ['Yb.oneHot(27)', ({ Yb }) => Yb.oneHot(27)],
    ['Yb.mul(-1)', ({ Yb }) => Yb.mul(-1)],
    ['Yb.neg().div(n)', ({ Yb, n }) => Yb.neg().div(n)],
    ['Yb.view([-1, 1])', ({ Yb }) => Yb.view([-1, 1])],
    ['Yb.T', ({ Yb }) => Yb.T],
    ['Yb.one_hot()', ({ Yb }) => Yb.one_hot()],
  ])('%s', (_, line) => {
    expect(problemOf('dlogprobs', line)).toContain(TENSOR);
  });

  const OPERAND = 'got a list of indices';
  const WAY = 'Yb.data[i] is one index, Tensor.oneHot(Yb, logits.shape[1]) is a tensor';
  it.each<[string, (at: Untyped) => unknown]>([
    ['logits.sub(Yb)', ({ logits, Yb }) => logits.sub(Yb)],
    ['logprobs.mul(Yb)', ({ logprobs, Yb }) => logprobs.mul(Yb)],
    ['logprobs.matmul(Yb)', ({ logprobs, Yb }) => logprobs.matmul(Yb)],
    ['counts_sum.div(Yb), which would broadcast', ({ counts_sum, Yb }) => counts_sum.div(Yb)],
    ['zerosLike(C).scatterAddRows(Xb, Yb)', ({ C, Xb, Yb }) => Tensor.zerosLike(C).scatterAddRows(Xb, Yb)],
  ])('%s', (_, line) => {
    const problem = problemOf('dlogprobs', line);
    expect(problem).toContain(OPERAND);
    expect(problem).toContain(WAY);
  });
});

describe('Yb or Xb taken for an array', () => {
  it.each<[string, (at: Untyped) => unknown, string]>([
    ['Yb[0]', ({ Yb }) => Yb[0], 'write Yb.data[i]'],
    ['Xb[0][1]', ({ Xb }) => Xb[0][1], 'write Xb.data[i * T + t], where T is Xb.shape[1]'],
    ['Yb.length', ({ Yb }) => Yb.length, 'write Yb.data.length'],
    ['Yb.forEach', ({ Yb }) => Yb.forEach(() => {}), 'write Yb.data.forEach'],
    ['for (const y of Yb)', ({ Yb }) => [...Yb], 'write Yb.data'],
    ['Array.from(Xb)', ({ Xb }) => Array.from(Xb), 'write Xb.data'],
    ['probs[Yb]', ({ probs, Yb }) => probs[Yb], 'write Yb.data[i]'],
    ['-Yb', ({ Yb }) => -Yb, 'write Yb.data[i]'],
    ['logprobs.at(0, Yb)', ({ logprobs, Yb }) => logprobs.at(0, Yb), 'write Yb.data[i]'],
  ])('%s', (_, line, advice) => {
    expect(problemOf('dlogprobs', line)).toContain(advice);
  });

  it('returned as it is', () => {
    expect(problemOf('dlogprobs', ({ Yb }) => Yb)).toBe('it returns a list of indices, expected a Tensor');
  });
});

describe('Xb and Yb used as they are', () => {
  it('are accepted, printed and copied', () => {
    const line = (at: ValuesAndGradients) => {
      expect(inspect(at.Yb)).toContain('Int32Array');
      expect(JSON.stringify(at.Yb)).toContain('"shape"');
      expect({ ...at.Xb }.shape).toEqual(at.Xb.shape);
      return exercise1.dC(at);
    };
    expect(checker.check(lineOf(1, 'dC'), line).verdict).toBe('right');
  });
});
