import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { type Indices, Tensor } from '../../src/core/tensor.js';
import { LineChecker, type LineReport } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseLine } from '../../src/dojo/exercises.js';
import type { ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import type { LineKnowledge } from '../../src/dojo/lines.js';
import { nameMistake } from '../../src/dojo/naming.js';
import { createLessonCase, LESSON_CONFIG, type LessonConfig, randomTensor } from '../../src/lesson/case.js';
import { backward, exercise1, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { exercise3 } from '../../src/lesson/exercise3.js';
import { softmax } from '../../src/lesson/softmax.js';
import { type GradientName, type LessonGradients, valueNamed } from '../../src/lesson/values.js';
import { largestOf } from '../support/compare.js';

type Planted = (at: ValuesAndGradients) => Tensor;

const KEEP = { keepdim: true };
const LINES = ([1, 2, 3] as const).flatMap((exercise) => EXERCISES[exercise].lines.map((line) => ({ exercise, name: line.name, line })));

/** Forward values with random gradients above, of seeds that the checker does not use. */
const GIVEN: ValuesAndGradients[] = [2, 3, 5, 32].map((n) => {
  const config: LessonConfig = n === 32 ? LESSON_CONFIG : { context: 3, embedding: 4, hidden: [6], vocabulary: 11 };
  const { values } = createLessonCase(config, n, 'naming');
  const random = randomStream('grad-check', `naming ${n}`);
  const upstream = GRADIENT_NAMES.map((name) => [name, randomTensor(values[valueNamed(name)].shape, random)]);
  return { ...values, ...(Object.fromEntries(upstream) as LessonGradients) };
});

let checker: LineChecker;
beforeAll(() => {
  checker = new LineChecker();
});

function lineOf(exercise: 1 | 2 | 3, name: GradientName): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no ${name}`);
  return line;
}

const sumOf = (tensors: readonly Tensor[]): Tensor => tensors.reduce((a, b) => a.add(b));

/** A line from its parts, some of them exchanged. */
function assembled({ branches, sum }: LineKnowledge, at: ValuesAndGradients, exchanged: Record<number, Planted> = {}): Tensor {
  const whole = sumOf(branches.map(({ value }, k) => (exchanged[k] ?? value)(at)));
  // A factor that is left out may have been the one with the shape.
  return sum ? whole.sum(sum.dim, { keepdim: sum.keepdim }) : whole.add(sumOf(branches.map(({ value }) => value(at).mul(0))));
}

function nameOf({ knowledge, solution }: ExerciseLine, planted: Planted): string | undefined {
  return nameMistake(
    knowledge,
    GIVEN.map((at) => ({ at, expected: solution(at), found: planted(at) })),
  );
}

/** One-hot in float64. */
const hot = (indices: Indices, like: Tensor): Tensor => Tensor.oneHot(indices, like.shape[1], 'float64');

describe.each(LINES)('Exercise $exercise, $name', ({ name, line }) => {
  const { knowledge, solution } = line;
  const { branches } = knowledge;

  it('is the sum of its branches, with random gradients above and with the true ones', () => {
    const { values } = createLessonCase({ context: 3, embedding: 4, hidden: [6], vocabulary: 11 }, 4, 'naming');
    for (const at of [...GIVEN, { ...values, ...backward(values) }]) {
      const expected = solution(at);
      const found = assembled(knowledge, at);
      expect(found.shape).toEqual(expected.shape);
      // Of the largest part: at a batch of 2 batch norm's parts almost cancel.
      const scale = largestOf(branches.flatMap(({ value }) => Array.from(value(at).data)));
      expect(largestOf(found.sub(expected).data) / scale).toBeLessThan(1e-14);
    }
  });

  it('has a name for each of its variants, which is that of the variant and of no other', () => {
    const mistakes = branches.flatMap(({ variants }, k) => variants.map(({ mistake, value }) => ({ k, mistake, value })));
    for (const { k, mistake, value } of mistakes) {
      expect(nameOf(line, (at) => assembled(knowledge, at, { [k]: value }))).toBe(mistake);
    }
    for (const { mistake, by } of knowledge.scaled ?? []) expect(nameOf(line, (at) => solution(at).mul(by(at)))).toBe(mistake);
    expect(new Set(mistakes.map(({ mistake }) => mistake)).size).toBe(mistakes.length);
  });

  it('has a name for a wrong sign, for twice the value, for zeros, for a branch that is missing or subtracted', () => {
    expect(nameOf(line, (at) => solution(at).neg())).toBe('the sign is wrong');
    const twice = name === 'dbnvar' ? 'a factor 1/2 is missing' : 'there is a factor 2 too many';
    expect(nameOf(line, (at) => solution(at).mul(2))).toBe(twice);
    expect(nameOf(line, (at) => Tensor.zerosLike(solution(at)))).toBe('it is 0 everywhere');
    if (branches.length === 1) return;
    for (const [k, { through, value }] of branches.entries()) {
      expect(nameOf(line, (at) => assembled(knowledge, at, { [k]: (given) => value(given).mul(0) }))).toBe(
        `the branch through ${through} is missing`,
      );
      expect(nameOf(line, (at) => assembled(knowledge, at, { [k]: (given) => value(given).neg() }))).toBe(
        `in the branch through ${through}, the sign is wrong`,
      );
    }
  });

  it('is not named at random numbers, nor at the truth with one entry or all of them changed, nor at a factor that nobody writes', () => {
    const planted = fc.record({
      seed: fc.integer(),
      kind: fc.constantFrom('random', 'one entry', 'every entry', 'factor'),
      // No ratio of the sizes, at any batch size.
      amount: fc.constantFrom(0.7, 1.1, -1.3, 3, 10),
    });
    const wrong = (seed: number, kind: string, amount: number): Planted => {
      return (at) => {
        const truth = solution(at);
        const noise = randomTensor(truth.shape, randomStream('grad-check', `${seed}`));
        if (kind === 'random') return noise;
        if (kind === 'factor') return truth.mul(amount);
        if (kind === 'every entry') return truth.add(noise.mul(amount / 100));
        const changed = truth.clone();
        changed.data[Math.abs(seed) % changed.size] += amount;
        return changed;
      };
    };
    fc.assert(
      fc.property(planted, ({ seed, kind, amount }) => {
        const report = checker.check(line, wrong(seed, kind, amount));
        expect({ name, verdict: report.verdict, problem: report.problem }).toEqual({ name, verdict: 'wrong', problem: undefined });
        expect(report.worst?.yours).not.toBe(report.worst?.truth);
        if (kind === 'factor') expect(report.worst?.ratio).toBeCloseTo(amount, 6);
      }),
      { numRuns: 6, seed: 1 },
    );
  });
});

/** Two mistakes in a line, and what is said of them; undefined where the furthest entry is shown. */
const FRESH: readonly (readonly [exercise: 1 | 2 | 3, line: GradientName, mistake: string, said: string | undefined, planted: Planted])[] =
  [
    [
      1,
      'dlogprobs',
      'no sign, no division by n',
      'the sign is wrong, and it is n times too large',
      ({ logprobs, Yb }) => hot(Yb, logprobs),
    ],
    [
      1,
      'dlogprobs',
      'at the maximum, and not divided by n',
      'the entries are at the row maximum, not at the target; it is n times too large',
      ({ logprobs }) => hot(logprobs.max(1).indices, logprobs).neg(),
    ],
    [
      1,
      'dprobs',
      'no derivative, and the sign',
      'the derivative of the logarithm, 1/probs, is left out; the sign is wrong',
      ({ dlogprobs }) => dlogprobs.neg(),
    ],
    [
      1,
      'dcounts_sum_inv',
      'counts left out, and averaged',
      'counts is left out; it is divided by the length of the row once too often',
      ({ dprobs }) => dprobs.mean(1, KEEP),
    ],
    [
      1,
      'dcounts_sum_inv',
      'probs for counts, and not summed',
      'probs stands for counts; the sum over the row is forgotten, too, [32, 27] for [32, 1]',
      ({ probs, dprobs }) => probs.mul(dprobs),
    ],
    [
      1,
      'dcounts_sum',
      'power -1, no sign',
      'the power is -1, not -2; the sign is wrong',
      ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-1).mul(dcounts_sum_inv),
    ],
    [
      1,
      'dcounts',
      'one branch missing, the other negative',
      'in the branch through probs, the sign is wrong; the branch through counts_sum is missing',
      ({ counts_sum_inv, dprobs }) => counts_sum_inv.mul(dprobs).neg(),
    ],
    [
      1,
      'dcounts',
      'one branch missing, a factor left out of the other',
      'counts_sum_inv is left out; the branch through counts_sum is missing',
      ({ dprobs }) => dprobs,
    ],
    [
      1,
      'dlogit_maxes',
      'no sign, and averaged',
      'the sign is wrong, and it is divided by the length of the row once too often',
      ({ dnorm_logits }) => dnorm_logits.mean(1, KEEP),
    ],
    [
      1,
      'dlogit_maxes',
      'no sign, and not summed',
      'the sign is wrong; the sum over the row is forgotten, too, [32, 27] for [32, 1]',
      ({ dnorm_logits }) => dnorm_logits,
    ],
    [
      1,
      'dh',
      'transposed, and negative',
      'the sign is wrong; it is transposed, too, [64, 32] for [32, 64]',
      ({ W2, dlogits }) => W2.matmul(dlogits.T).neg(),
    ],
    [
      1,
      'dW2',
      'transposed, and divided by n',
      'it is divided by n once too often; it is transposed, too, [27, 64] for [64, 27]',
      ({ h, dlogits, n }) => dlogits.T.matmul(h).div(n),
    ],
    [
      1,
      'db2',
      'averaged, in the wrong shape',
      'it is divided by n once too often; the shape is wrong, too, [1, 27] for [27]: sum without keepdim',
      ({ dlogits }) => dlogits.mean(0, KEEP),
    ],
    [1, 'dhpreact', 'h - 1 for 1 - h²', '1 - h stands for 1 - h²; the sign is wrong', ({ h, dh }) => h.sub(1).mul(dh)],
    [1, 'dhpreact', 'a parenthesis in the wrong place', undefined, ({ h, dh }) => h.pow(2).mul(dh).neg().add(1)],
    [
      1,
      'dbngain',
      'bnraw left out, and not summed',
      'bnraw is left out; the sum over the batch is forgotten, too, [32, 64] for [1, 64]',
      ({ dhpreact }) => dhpreact,
    ],
    [1, 'dbngain', 'the gain for bnraw', undefined, ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP)],
    [
      1,
      'dbnraw',
      'divided by the gain, and negative',
      'it is divided by the gain, not multiplied; the sign is wrong',
      ({ bngain, dhpreact }) => dhpreact.div(bngain).neg(),
    ],
    [1, 'dbnraw', 'summed as if it had been broadcast', 'shape [1, 64], expected [32, 64]', (at) => exercise1.dbnraw(at).sum(0, KEEP)],
    [
      1,
      'dbnbias',
      'times the gain, and negative',
      'the gain is multiplied in, which does not touch the bias; the sign is wrong',
      ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP).neg(),
    ],
    [1, 'dbnvar', 'no -1/2', 'the factor -1/2 is missing', ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(dbnvar_inv)],
    [
      1,
      'dbnvar',
      'power -1/2, and no 1/2',
      'the power is -1/2, not -3/2; a factor 1/2 is missing',
      ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-0.5).neg().mul(dbnvar_inv),
    ],
    [
      1,
      'dbndiff',
      'bnvar_inv left out of one branch, the 2 of the other',
      'bnvar_inv is left out; in the branch through bndiff2, a factor 2 is missing',
      ({ bndiff, dbnraw, dbndiff2 }) => dbnraw.add(bndiff.mul(dbndiff2)),
    ],
    [
      1,
      'dbndiff',
      'one branch missing, the other negative',
      'the branch through bnraw is missing; in the branch through bndiff2, the sign is wrong',
      ({ bndiff, dbndiff2 }) => bndiff.mul(-2).mul(dbndiff2),
    ],
    [
      1,
      'dbndiff',
      'two exchanged factors at once',
      undefined,
      ({ bndiff2, bnvar, dbnraw, dbndiff2 }) => bnvar.mul(dbnraw).add(bndiff2.mul(2).mul(dbndiff2)),
    ],
    [
      1,
      'dbnmeani',
      'no sign, and averaged',
      'the sign is wrong, and it is divided by n once too often',
      ({ dbndiff }) => dbndiff.mean(0, KEEP),
    ],
    [
      1,
      'dbnmeani',
      'no sign, in the wrong shape',
      'the sign is wrong; the shape is wrong, too, [64] for [1, 64]: sum with { keepdim: true }',
      ({ dbndiff }) => dbndiff.sum(0),
    ],
    [
      1,
      'dhprebn',
      'the mean subtracted, and not divided by n',
      'in the branch through bnmeani, the sign is wrong, and it is n times too large',
      ({ dbndiff, dbnmeani }) => dbndiff.sub(dbnmeani),
    ],
    [
      1,
      'dembact',
      'viewed for transposed, and negative',
      'W1 is viewed in the other shape: that is no transpose; the sign is wrong',
      ({ W1, dhprebn }) => dhprebn.matmul(W1.view([W1.shape[1], W1.shape[0]])).neg(),
    ],
    [
      1,
      'dW1',
      'batch norm passed over, and negative',
      'dhpreact stands for dhprebn: batch norm is passed over; the sign is wrong',
      ({ embact, dhpreact }) => embact.T.matmul(dhpreact).neg(),
    ],
    [1, 'dC', 'from C, not from zeros', undefined, ({ C, Xb, demb }) => C.clone().scatterAddRows(Xb, demb)],
    [
      2,
      'dlogits',
      'one-hot minus softmax, not divided by n',
      'the sign is wrong, and it is n times too large',
      ({ logits, Yb }) => hot(Yb, logits).sub(softmax(logits)),
    ],
    [
      2,
      'dlogits',
      'at the maximum, and not divided by n',
      '1 is subtracted at the row maximum, not at the target; it is n times too large',
      ({ logits }) => softmax(logits).sub(hot(logits.max(1).indices, logits)),
    ],
    [2, 'dlogits', 'the logits for their softmax', undefined, ({ logits, Yb, n }) => logits.sub(hot(Yb, logits)).div(n)],
    [
      3,
      'dhprebn',
      'negative, and not divided by n',
      'the sign is wrong, and it is n times too large',
      (at) => exercise3.dhprebn(at).mul(-at.n),
    ],
    [
      3,
      'dhprebn',
      "no mean, and no Bessel's correction",
      "the branch through the mean is missing; in the branch through the variance, n stands where n - 1 belongs: Bessel's correction",
      ({ bngain, bnraw, bnvar_inv, n, dhpreact }) =>
        bngain
          .mul(bnvar_inv)
          .div(n)
          .mul(dhpreact.mul(n).sub(bnraw.mul(dhpreact.mul(bnraw).sum(0)))),
    ],
    [
      3,
      'dhprebn',
      'mean and variance added',
      'in the branch through the mean, the sign is wrong; in the branch through the variance, the sign is wrong',
      ({ bngain, bnraw, bnvar_inv, n, dhpreact }) =>
        bngain
          .mul(bnvar_inv)
          .div(n)
          .mul(
            dhpreact
              .mul(n)
              .add(dhpreact.sum(0))
              .add(bnraw.mul(n / (n - 1)).mul(dhpreact.mul(bnraw).sum(0))),
          ),
    ],
    [
      3,
      'dhprebn',
      'statistics as constants, no gain',
      'the gain, bngain, is left out; the branch through the mean is missing; the branch through the variance is missing',
      ({ bnvar_inv, dhpreact }) => bnvar_inv.mul(dhpreact),
    ],
  ];

describe('two mistakes in one line', () => {
  it.each(FRESH.map(([exercise, name, mistake, said, planted]) => ({ exercise, name, mistake, said, planted })))(
    'Exercise $exercise, $name: $mistake',
    ({ exercise, name, said, planted }) => {
      const report = checker.check(lineOf(exercise, name), planted);
      expect({ name: report.name, verdict: report.verdict, problem: report.problem }).toEqual({ name, verdict: 'wrong', problem: said });
      expect(report.worst === undefined).toBe(said !== undefined);
    },
  );
});

describe('a name says nothing that was not done', () => {
  it.each<[line: GradientName, done: string, said: string, planted: Planted]>([
    ['dhpreact', 'a division by n in a line without a sum', 'it is divided by n once too often', (at) => exercise1.dhpreact(at).div(at.n)],
    ['dbnraw', 'a division by n in a line without a sum', 'it is divided by n once too often', (at) => exercise1.dbnraw(at).div(at.n)],
    ['dembact', 'a division by n in a sum over the units', 'it is divided by n once too often', (at) => exercise1.dembact(at).div(at.n)],
    [
      'dlogprobs',
      'a mean over all entries in a line without a sum',
      'it is divided by the length of the row once too often',
      (at) => exercise1.dlogprobs(at).div(at.logits.shape[1]),
    ],
    ['db2', 'n times the sum, which nothing divides', 'it is n times too large', (at) => exercise1.db2(at).mul(at.n)],
    ['dh', 'n times the product, which nothing divides', 'it is n times too large', (at) => exercise1.dh(at).mul(at.n)],
    [
      'dlogit_maxes',
      'twice, without the sign: there is no 1/2',
      'the sign is wrong, and it is twice too large',
      ({ dnorm_logits }) => dnorm_logits.mul(2).sum(1, KEEP),
    ],
    [
      'dcounts',
      'a branch twice, with the wrong sign: there is no 1/2',
      'in the branch through counts_sum, the sign is wrong, and it is twice too large',
      ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).sub(dcounts_sum.mul(2)),
    ],
    [
      'dbndiff',
      'bndiff left out and the 2 there: nothing is twice too large',
      'bndiff is left out',
      ({ bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(dbndiff2.mul(2)),
    ],
    [
      'dbndiff',
      'bndiff and the 2 left out',
      'bndiff is left out; in the branch through bndiff2, a factor 2 is missing',
      ({ bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(dbndiff2),
    ],
    ['db2', 'the sum of everything', 'it is summed over everything, not over the batch alone, [] for [27]', ({ dlogits }) => dlogits.sum()],
    ['db2', 'a number from nowhere', 'shape [1], expected [27]', () => Tensor.of([1], [1], 'float64')],
    [
      'demb',
      'one dimension too many, without a sum',
      'right values in the wrong shape, [32, 3, 10, 1] for [32, 3, 10]',
      ({ emb, dembact }) => dembact.view([...emb.shape, 1]),
    ],
    [
      'dcounts_sum',
      'one dimension too few, without a sum',
      'right values in the wrong shape, [32] for [32, 1]',
      (at) => exercise1.dcounts_sum(at).view([at.n]),
    ],
  ])('%s: %s', (name, _, said, planted) => {
    expect(checker.check(lineOf(1, name), planted)).toMatchObject({ verdict: 'wrong', problem: said });
  });
});

describe('a mistake that makes no difference at a batch of 2 has a name all the same', () => {
  const said = (planted: Planted): LineReport['problem'] => checker.check(lineOf(1, 'dbndiff2'), planted).problem;

  it('no division by n - 1', () => {
    expect(said(({ bndiff2, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar))).toBe('the division by n - 1 is missing');
  });

  it('a division by n - 1 too many', () => {
    expect(said((at) => exercise1.dbndiff2(at).div(at.n - 1))).toBe('it is divided by n - 1 once too often');
  });
});

describe('without observations', () => {
  it('nothing is named', () => {
    expect(nameMistake(lineOf(1, 'dh').knowledge, [])).toBeUndefined();
  });
});
