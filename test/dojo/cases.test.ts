import { describe, expect, it } from 'vitest';
import { difference } from '../../src/core/numbers.js';
import { Tensor } from '../../src/core/tensor.js';
import { type Answers, ExerciseCases } from '../../src/dojo/cases.js';
import { randomInputs } from '../../src/dojo/check.js';
import { EXERCISE_NUMBERS, EXERCISES } from '../../src/dojo/exercises.js';
import type { Finding, RunFault } from '../../src/dojo/findings.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { type StoredTensor, storeFloats } from '../../src/run/safetensors.js';
import { answersOf, CASE_MUTANTS, expectNamed, type Lines } from '../support/cases.js';
import { lineOf } from '../support/dojo.js';

const CASES = Object.fromEntries(EXERCISE_NUMBERS.map((number) => [number, new ExerciseCases(number, 0)])) as Record<
  1 | 2 | 3 | 4,
  ExerciseCases
>;
const solutions = (exercise: 1 | 2 | 3 | 4): Lines =>
  Object.fromEntries(EXERCISES[exercise].lines.map(({ name, solution }) => [name, solution]));

describe('the cases', () => {
  it('say what each line is given, and which files hold it', () => {
    const { format, version, exercise, seed, cases, lines } = CASES[1].describe();
    expect({ format, version, exercise, seed }).toEqual({ format: 'backprop-ninja cases', version: 1, exercise: 1, seed: 0 });
    expect(cases.map(({ n }) => n)).toEqual([2, 3, 32]);
    expect(cases[0]).toEqual({ file: 'n2.safetensors', answers: 'n2.answers.safetensors', n: 2, T: 5, E: 3, H: 8, V: 13 });
    expect(lines.map(({ name }) => name)).toEqual(GRADIENT_NAMES);
    expect(lines[1]).toEqual({ name: 'dprobs', given: ['dlogprobs'], shape: ['n', 'V'] });
    expect([...CASES[1].files().keys()]).toEqual(['n2.safetensors', 'n3.safetensors', 'n32.safetensors']);
  });

  it.each([
    [2, 'dlogits', []],
    [3, 'dhprebn', ['dlogits', 'dh', 'dW2', 'db2', 'dhpreact', 'dbngain', 'dbnbias']],
    [4, 'dW2', ['dlogits', 'dh']],
  ] as const)(
    'give a closed form of Exercise %i the gradients above it, not those of the steps that it replaces',
    (number, name, given) => {
      expect(CASES[number].describe().lines.find((line) => line.name === name)?.given).toEqual(given);
    },
  );

  it('are the same for the same seed, and others for another', () => {
    const bytes = (cases: ExerciseCases) => [...cases.files().values()].map(({ tensors }) => tensors.get('dprobs')?.bytes);
    expect(bytes(new ExerciseCases(1, 5))).toEqual(bytes(new ExerciseCases(1, 5)));
    expect(bytes(new ExerciseCases(1, 5))).not.toEqual(bytes(CASES[1]));
  });

  it('hold no right answer of any line, nor a multiple of one', () => {
    const { inputs } = randomInputs(0);
    for (const exercise of EXERCISE_NUMBERS) {
      for (const [i, { tensors }] of [...CASES[exercise].files().values()].entries()) {
        for (const { name, solution } of EXERCISES[exercise].lines) {
          const truth = solution(inputs[i].at);
          for (const [key, { dtype, bytes, shape }] of tensors) {
            if (dtype !== 'F64' || `${shape}` !== `${truth.shape}`) continue;
            const data = new Float64Array(bytes.slice().buffer);
            const sum = (f: (i: number) => number) => data.reduce((total, _, j) => total + f(j), 0);
            const factor = sum((j) => truth.data[j] * data[j]) / sum((j) => data[j] ** 2);
            const { maxAbs, largest } = difference(
              truth.data,
              data.map((x) => factor * x),
            );
            expect([exercise, name, key, maxAbs > 1e-3 * largest]).toEqual([exercise, name, key, true]);
          }
        }
      }
    }
  });
});

describe('what comes back', () => {
  it.each([...EXERCISE_NUMBERS])('is right for the solutions of Exercise %i, in float64 and in float32', (exercise) => {
    for (const dtype of ['float64', 'float32'] as const) {
      const { ok, lines, notGiven, strays } = CASES[exercise].judge(answersOf(CASES[exercise], solutions(exercise), dtype));
      expect(lines.filter(({ verdict }) => verdict !== 'right')).toEqual([]);
      expect({ ok, count: lines.length, notGiven, strays }).toEqual({ ok: true, count: EXERCISES[exercise].lines.length });
    }
  });

  it('takes a vector for a row, as the lecture writes it, and remarks on it', () => {
    const { solution } = lineOf(1, 'dbnmeani');
    const asVector = (factor: number): Lines => ({ dbnmeani: (at) => solution(at).mul(factor).view([-1]) });
    const right = CASES[1].judge(answersOf(CASES[1], asVector(1)));
    expect(right).toMatchObject({ ok: true, lines: [{ verdict: 'right', note: 'its shape [64] is read as [1, 64]' }] });
    const wrong = CASES[1].judge(answersOf(CASES[1], asVector(-1)));
    expect(wrong.lines[0]).toMatchObject({ verdict: 'wrong', problem: 'the sign is wrong', note: right.lines[0].note });
  });

  // One in six; test/long/cases.test.ts has all.
  it.each(CASE_MUTANTS.filter((_, i) => i % 6 === 0))('is wrong for $name, with the name that the dojo gives it', (mutant) =>
    expectNamed(CASES[mutant.exercise], mutant),
  );

  it('lists the lines of which nothing came back; only the others are judged', () => {
    const { ok, lines, notGiven } = CASES[1].judge(answersOf(CASES[1], { dh: lineOf(1, 'dh').solution }));
    expect({ ok, names: lines.map(({ name }) => name), notGiven }).toEqual({
      ok: true,
      names: ['dh'],
      notGiven: GRADIENT_NAMES.filter((name) => name !== 'dh'),
    });
  });

  it('is not right if there is nothing', () => {
    expect(CASES[2].judge({ tensors: [], lines: new Map(), strays: [] })).toEqual({
      exercise: 2,
      ok: false,
      lines: [],
      notGiven: ['dlogits'],
    });
  });

  it('is in Python: the words are those of Python', () => {
    const withoutKeepdim: Lines = { dcounts_sum_inv: (at) => lineOf(1, 'dcounts_sum_inv').solution(at).view([at.n]) };
    expect(CASES[1].judge(answersOf(CASES[1], withoutKeepdim)).lines[0].problem).toBe(
      'right values in the wrong shape: [32], expected [32, 1] (sum with keepdim=True)',
    );
  });
});

/** Right answers to Exercise 1, changed case by case. */
function changed(change: (tensors: Map<string, StoredTensor>, i: number) => void, more: Partial<Answers> = {}) {
  const answers = answersOf(CASES[1], { dh: lineOf(1, 'dh').solution });
  const tensors = answers.tensors.map((one, i) => {
    const copy = new Map(one);
    change(copy, i);
    return copy;
  });
  return CASES[1].judge({ ...answers, ...more, tensors });
}

const floats = (shape: readonly number[], value = 1) => storeFloats(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);

describe('a broken answer is a finding', () => {
  it.each<[string, StoredTensor, Finding]>([
    ['NaN', floats([32, 64], Number.NaN), { id: 'not-finite', entry: 'NaN', index: [0, 0] }],
    ['infinite', floats([32, 64], Number.POSITIVE_INFINITY), { id: 'not-finite', entry: 'Infinity', index: [0, 0] }],
    ['huge', floats([1024, 1024]), { id: 'wrong-shape', found: [1024, 1024], expected: [32, 64] }],
    [
      'of 100 dimensions',
      floats(new Array(100).fill(1)),
      { id: 'invalid-tensor', thrown: { text: '100 dimensions, at most 64 are possible' } },
    ],
    [
      'of integers',
      { dtype: 'I64', shape: [32, 64], bytes: new Uint8Array(8 * 2048) },
      { id: 'invalid-tensor', thrown: { text: 'its numbers are I64, expected F64 or F32' } },
    ],
    [
      'in half precision',
      { dtype: 'F16', shape: [32, 64], bytes: new Uint8Array(2 * 2048) },
      { id: 'invalid-tensor', thrown: { text: 'its numbers are F16, expected F64 or F32' } },
    ],
  ])('%s', (_, tensor, finding) => {
    const { ok, lines } = changed((tensors, i) => i === 2 && tensors.set('dh', tensor));
    expect({ ok, findings: lines[0].findings }).toEqual({ ok: false, findings: [finding] });
  });

  it('of only some cases', () => {
    const sizes = { n: 2, T: 5, E: 3, H: 8, V: 13 };
    const { lines } = changed((tensors, i) => i === 0 && tensors.delete('dh'));
    expect(lines[0]).toMatchObject({ verdict: 'failed', findings: [{ id: 'other-batch', sizes, fault: { id: 'no-answer' } }] });
  });

  it('of a line that failed on some cases: sizes that are written as numbers are named', () => {
    const fault: RunFault = { id: 'threw', thrown: { text: 'RuntimeError: shape mismatch', line: 3 } };
    const line = { text: 'dh = lambda at: (at.dlogits @ at.W2.T).view(32, 64)', fault };
    const { lines } = changed((tensors, i) => i < 2 && tensors.delete('dh'), { lines: new Map([['dh', line]]) });
    expect(lines[0].problem).toContain(
      '32 is n and 64 is H in the lesson: a line must also work for other sizes, so write n and h.shape[1]',
    );
    expect(lines[0].problem).toContain('on a batch of 2');
    expect(lines[0].problem).toContain('it threw RuntimeError: shape mismatch (line 3)');
  });

  it('of a line that failed although all tensors came back', () => {
    const { lines } = changed(() => {}, { lines: new Map([['dh', { fault: { id: 'input-changed', value: 'W2' } }]]) });
    expect(lines[0]).toMatchObject({ verdict: 'failed', problem: 'it changes W2, which it may only read' });
  });

  it('of a line that no tensor and no fault came of', () => {
    const { lines } = changed((tensors) => tensors.delete('dh'), { lines: new Map([['dh', { text: 'dh = …' }]]) });
    expect(lines[0]).toMatchObject({ verdict: 'failed', problem: 'no tensor came back' });
  });

  it('under an unknown name, listed with what was meant', () => {
    const { ok, strays } = changed((tensors) => tensors.set('dprob', floats([1])).set('foo', floats([1])), {
      strays: ['dprob', 'dhpreac'],
    });
    expect({ ok, strays }).toEqual({
      ok: false,
      strays: [{ key: 'dprob', suggestion: 'dprobs' }, { key: 'foo' }, { key: 'dhpreac', suggestion: 'dhpreact' }],
    });
  });

  it('of a line of another exercise', () => {
    const answers = answersOf(CASES[1], { dprobs: lineOf(1, 'dprobs').solution });
    expect(CASES[4].judge(answers).strays).toEqual([{ key: 'dprobs', exercise: 1 }]);
  });

  it('for a file that could not be loaded', () => {
    const fault = { id: 'file-threw', thrown: { text: 'SyntaxError: invalid syntax', line: 3, source: 'dh = = 1' } } as const;
    const { ok, broken, lines } = CASES[1].judge({ tensors: [], lines: new Map(), strays: [], fault });
    expect({ ok, broken, lines }).toEqual({ ok: false, broken: 'SyntaxError: invalid syntax (line 3): dh = = 1', lines: [] });
  });
});

describe('a file with all lines', () => {
  it('has lines that are not written yet, and misspelt ones', () => {
    const answers = { ...answersOf(CASES[4], { dh: lineOf(4, 'dh').solution }), strays: ['dlogit'] };
    const { ok, lines, strays } = CASES[4].judge(answers, { complete: true });
    expect({ ok, count: lines.length, strays }).toEqual({ ok: false, count: 13, strays: [{ key: 'dlogit', suggestion: 'dlogits' }] });
    expect(lines[0]).toMatchObject({ name: 'dlogits', verdict: 'failed', findings: [{ id: 'line-missing', stray: 'dlogit' }] });
    expect(lines[1].verdict).toBe('right');
    expect(lines[2]).toMatchObject({ name: 'dW2', verdict: 'todo' });
  });

  it('is judged by one line alone', () => {
    const wrong = (at: Parameters<NonNullable<Lines['dh']>>[0]) => Tensor.zerosLike(at.h);
    const answers = { ...answersOf(CASES[4], { dh: lineOf(4, 'dh').solution, dW2: wrong }), strays: ['dlogit'] };
    const { ok, lines, strays } = CASES[4].judge(answers, { gradient: 'dh', complete: true });
    expect({ ok, names: lines.map(({ name }) => name), strays }).toEqual({ ok: true, names: ['dh'] });
  });
});
