import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { Tensor } from '../../src/core/tensor.js';
import { LineChecker } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseLine } from '../../src/dojo/exercises.js';
import type { Finding } from '../../src/dojo/findings.js';
import type { LineKnowledge } from '../../src/dojo/knowledge.js';
import type { Line, ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { nameMistakes } from '../../src/dojo/naming.js';
import { createLessonCase, LESSON_CONFIG, type LessonConfig, randomGradients, randomTensor } from '../../src/lesson/case.js';
import { backward, exercise1 } from '../../src/lesson/exercise1.js';
import type { GradientName } from '../../src/lesson/values.js';
import { largestOf } from '../support/compare.js';
import { lineOf } from '../support/dojo.js';

const KEEP = { keepdim: true };
const LINES = ([1, 2, 3] as const).flatMap((exercise) => EXERCISES[exercise].lines.map((line) => ({ exercise, name: line.name, line })));

/** Forward values with random gradients above, from seeds that the checker does not use. */
const GIVEN: ValuesAndGradients[] = [2, 3, 5, 32].map((n) => {
  const config: LessonConfig = n === 32 ? LESSON_CONFIG : { context: 3, embedding: 4, hidden: [6], vocabulary: 11 };
  const { values } = createLessonCase(config, n, 'naming');
  const random = randomStream('grad-check', `naming ${n}`);
  return { ...values, ...randomGradients(values, random) };
});

let checker: LineChecker;
beforeAll(() => {
  checker = new LineChecker();
});

const sumOf = (tensors: readonly Tensor[]): Tensor => tensors.reduce((a, b) => a.add(b));

/** A line assembled from its branches, some of them exchanged. */
function assembled({ branches, sum }: LineKnowledge, at: ValuesAndGradients, exchanged: Record<number, Line> = {}): Tensor {
  const whole = sumOf(branches.map(({ value }, k) => (exchanged[k] ?? value)(at)));
  // The factor that is left out may be the one with the full shape.
  return sum ? whole.sum(sum.dim, { keepdim: sum.keepdim }) : whole.add(sumOf(branches.map(({ value }) => value(at).mul(0))));
}

function namesOf({ knowledge, solution }: ExerciseLine, planted: Line): readonly Finding[] | undefined {
  return nameMistakes(
    knowledge,
    GIVEN.map((at) => ({ at, expected: solution(at), found: planted(at) })),
  );
}

describe.each(LINES)('Exercise $exercise, $name', ({ name, line }) => {
  const { knowledge, solution } = line;
  const { branches } = knowledge;

  it('is the sum of its branches, with random and with true gradients above', () => {
    const { values } = createLessonCase({ context: 3, embedding: 4, hidden: [6], vocabulary: 11 }, 4, 'naming');
    for (const at of [...GIVEN, { ...values, ...backward(values) }]) {
      const expected = solution(at);
      const found = assembled(knowledge, at);
      expect(found.shape).toEqual(expected.shape);
      // Relative to the largest part: on a batch of 2 the parts of batch norm almost cancel.
      const scale = largestOf(branches.flatMap(({ value }) => Array.from(value(at).data)));
      expect(largestOf(found.sub(expected).data) / scale).toBeLessThan(1e-14);
    }
  });

  it('gives each of its variants a name, and no two the same', () => {
    const mistakes = branches.flatMap(({ variants }, k) => variants.map(({ mistake, value }) => ({ k, mistake, value })));
    for (const { k, mistake, value } of mistakes) {
      expect(namesOf(line, (at) => assembled(knowledge, at, { [k]: value }))).toEqual([mistake]);
    }
    for (const { mistake, by } of knowledge.scaled ?? []) expect(namesOf(line, (at) => solution(at).mul(by(at)))).toEqual([mistake]);
    expect(new Set(mistakes.map(({ mistake }) => JSON.stringify(mistake))).size).toBe(mistakes.length);
  });

  it('names a wrong sign, twice the value, zeros, and a branch that is missing or subtracted', () => {
    expect(namesOf(line, (at) => solution(at).neg())).toEqual([{ id: 'scaled', by: '-1' }]);
    const twice = name === 'dbnvar' ? { id: 'factor-missing', factor: '1/2' } : { id: 'scaled', by: '2' };
    expect(namesOf(line, (at) => solution(at).mul(2))).toEqual([twice]);
    expect(namesOf(line, (at) => Tensor.zerosLike(solution(at)))).toEqual([{ id: 'zero' }]);
    if (branches.length === 1) return;
    for (const [k, { name: branch, value }] of branches.entries()) {
      expect(namesOf(line, (at) => assembled(knowledge, at, { [k]: (given) => value(given).mul(0) }))).toEqual([
        { id: 'branch-missing', branch },
      ]);
      expect(namesOf(line, (at) => assembled(knowledge, at, { [k]: (given) => value(given).neg() }))).toEqual([
        { id: 'scaled', by: '-1', branch },
      ]);
    }
  });

  it('names nothing for random numbers, for changed entries, or for a factor that nobody writes', () => {
    const planted = fc.record({
      seed: fc.integer(),
      kind: fc.constantFrom('random', 'one entry', 'every entry', 'factor'),
      // These are not ratios of the sizes at any batch size.
      amount: fc.constantFrom(0.7, 1.1, -1.3, 3, 10),
    });
    const wrong = (seed: number, kind: string, amount: number): Line => {
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
        expect({ name, verdict: report.verdict, findings: report.findings }).toEqual({ name, verdict: 'wrong', findings: undefined });
        expect(report.worst?.yours).not.toBe(report.worst?.truth);
        if (kind === 'factor') expect(report.worst?.ratio).toBeCloseTo(amount, 6);
      }),
      { numRuns: 6, seed: 1 },
    );
  });
});

describe('a name claims no mistake that the line does not make', () => {
  it.each<[line: GradientName, done: string, findings: Finding[], planted: Line]>([
    ['dhpreact', 'a division by n in a line without a sum', [{ id: 'scaled', by: '1/n' }], (at) => exercise1.dhpreact(at).div(at.n)],
    ['dbnraw', 'a division by n in a line without a sum', [{ id: 'scaled', by: '1/n' }], (at) => exercise1.dbnraw(at).div(at.n)],
    ['dembact', 'a division by n in a sum over the units', [{ id: 'scaled', by: '1/n' }], (at) => exercise1.dembact(at).div(at.n)],
    [
      'dlogprobs',
      'a mean over all entries in a line without a sum',
      [{ id: 'scaled', by: '1/V' }],
      (at) => exercise1.dlogprobs(at).div(at.logits.shape[1]),
    ],
    ['db2', 'n times the sum, which nothing divides', [{ id: 'scaled', by: 'n' }], (at) => exercise1.db2(at).mul(at.n)],
    ['dh', 'n times the product, which nothing divides', [{ id: 'scaled', by: 'n' }], (at) => exercise1.dh(at).mul(at.n)],
    [
      'dlogit_maxes',
      'twice, without the sign: there is no 1/2',
      [{ id: 'scaled', by: '-2' }],
      ({ dnorm_logits }) => dnorm_logits.mul(2).sum(1, KEEP),
    ],
    [
      'dcounts',
      'a branch twice, with the wrong sign: there is no 1/2',
      [{ id: 'scaled', by: '-2', branch: 'counts_sum' }],
      ({ counts_sum_inv, dprobs, dcounts_sum }) => counts_sum_inv.mul(dprobs).sub(dcounts_sum.mul(2)),
    ],
    [
      'dbndiff',
      'bndiff left out, the 2 kept: nothing is twice too large',
      [{ id: 'factor-missing', factor: 'bndiff', branch: 'bndiff2' }],
      ({ bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(dbndiff2.mul(2)),
    ],
    [
      'dbndiff',
      'bndiff and the 2 left out',
      [
        { id: 'factor-missing', factor: 'bndiff', branch: 'bndiff2' },
        { id: 'scaled', by: '1/2', branch: 'bndiff2' },
      ],
      ({ bnvar_inv, dbnraw, dbndiff2 }) => bnvar_inv.mul(dbnraw).add(dbndiff2),
    ],
    ['db2', 'the sum of everything', [{ id: 'summed-over-all', over: 'batch', found: [], expected: [27] }], ({ dlogits }) => dlogits.sum()],
    ['db2', 'a number from nowhere', [{ id: 'wrong-shape', found: [1], expected: [27] }], () => Tensor.of([1], [1], 'float64')],
    [
      'demb',
      'one dimension too many, without a sum',
      [{ id: 'reshaped', found: [32, 3, 10, 1], expected: [32, 3, 10] }],
      ({ emb, dembact }) => dembact.view([...emb.shape, 1]),
    ],
    [
      'dcounts_sum',
      'one dimension too few, without a sum',
      [{ id: 'reshaped', found: [32], expected: [32, 1] }],
      (at) => exercise1.dcounts_sum(at).view([at.n]),
    ],
  ])('%s: %s', (name, _, findings, planted) => {
    expect(checker.check(lineOf(1, name), planted)).toMatchObject({ verdict: 'wrong', findings });
  });
});

describe('a mistake that makes no difference on a batch of 2', () => {
  const findingsOn = (planted: Line) => checker.check(lineOf(1, 'dbndiff2'), planted).findings;

  it('is named when the division by n - 1 is missing', () => {
    expect(findingsOn(({ bndiff2, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar))).toEqual([{ id: 'scaled', by: 'n-1' }]);
  });

  it('is named when it divides by n - 1 once too often', () => {
    expect(findingsOn((at) => exercise1.dbndiff2(at).div(at.n - 1))).toEqual([{ id: 'scaled', by: '1/(n-1)' }]);
  });
});

describe('without observations', () => {
  it('nothing is named', () => {
    expect(nameMistakes(lineOf(1, 'dh').knowledge, [])).toBeUndefined();
  });
});
