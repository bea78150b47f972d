import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/core/random.js';
import { Tensor } from '../../../src/core/tensor.js';
import { LineChecker } from '../../../src/dojo/check.js';
import { EXERCISES, type ExerciseLine } from '../../../src/dojo/exercises.js';
import { Evaluator } from '../../../src/dojo/expression.js';
import type { Finding } from '../../../src/dojo/findings.js';
import { scaleOf } from '../../../src/dojo/knowledge.js';
import type { Line, ValuesAndGradients } from '../../../src/dojo/learnerFile.js';
import { nameMistakes } from '../../../src/dojo/naming/naming.js';
import { createLessonCase, LESSON_CONFIG, type LessonConfig, randomGradients, randomTensor } from '../../../src/lesson/case.js';
import { backward, exercise1 } from '../../../src/lesson/exercise1.js';
import type { GradientName } from '../../../src/lesson/values.js';
import { largestOf } from '../../support/compare.js';
import { lineOf } from '../../support/dojo.js';

const KEEP = { keepdim: true };
const LINES = ([1, 2, 3] as const).flatMap((exercise) => EXERCISES[exercise].lines.map((line) => ({ exercise, name: line.name, line })));

/** Forward values with random gradients above, from seeds that the checker does not use. */
const GIVEN: ValuesAndGradients[] = [2, 3, 5, 32].map((n) => {
  const config: LessonConfig = n === 32 ? LESSON_CONFIG : { context: 4, embedding: 5, hidden: [6], vocabulary: 11 };
  const { values } = createLessonCase(config, n, 'naming');
  const random = randomStream('grad-check', `naming ${n}`);
  return { ...values, ...randomGradients(values, random) };
});

let checker: LineChecker;
beforeAll(() => {
  checker = new LineChecker();
});

/** The branches of a line. */
function branchesOf({ knowledge }: ExerciseLine, at: ValuesAndGradients): Tensor[] {
  return new Evaluator(at).terms(knowledge.expression);
}

/** The branches with factors, in the shape of the result. */
function combined(line: ExerciseLine, at: ValuesAndGradients, factors: readonly number[]): Tensor {
  const shape = line.solution(at).shape;
  return branchesOf(line, at)
    .map((branch, k) =>
      Tensor.zeros(shape, 'float64')
        .add(branch.size === line.solution(at).size ? branch.view(shape) : branch)
        .mul(factors[k]),
    )
    .reduce((a, b) => a.add(b));
}

function namesOf({ name, knowledge, solution }: ExerciseLine, planted: Line): readonly Finding[] | undefined {
  return nameMistakes(
    name,
    knowledge,
    GIVEN.map((at) => ({ at, expected: solution(at), found: planted(at) })),
  );
}

describe.each(LINES)('Exercise $exercise, $name', ({ line }) => {
  const { knowledge, solution } = line;
  const branches = branchesOf(line, GIVEN[0]).length;

  it('is the value of its tree, with random and with true gradients above', () => {
    const { values } = createLessonCase({ context: 4, embedding: 5, hidden: [6], vocabulary: 11 }, 4, 'naming');
    for (const at of [...GIVEN, { ...values, ...backward(values) }]) {
      const expected = solution(at);
      const found = combined(line, at, new Array(branches).fill(1));
      expect(largestOf(found.sub(expected).data) / scaleOf(knowledge, at)).toBeLessThan(1e-14);
    }
  });

  it('names a wrong sign, twice the value, zeros, and a branch that is missing or subtracted', () => {
    expect(namesOf(line, (at) => solution(at).neg())).toEqual([{ id: 'scaled', by: '-1' }]);
    expect(namesOf(line, (at) => solution(at).mul(2))).toEqual([expect.objectContaining({ id: 'scaled', by: '2' })]);
    expect(namesOf(line, (at) => solution(at).mul(0.7))).toEqual([expect.objectContaining({ id: 'scaled', by: '0.7' })]);
    expect(namesOf(line, (at) => Tensor.zerosLike(solution(at)))).toEqual([expect.objectContaining({ id: 'zero' })]);
    if (branches === 1) return;
    for (let k = 0; k < branches; k++) {
      const factors = (factor: number) => Array.from({ length: branches }, (_, i) => (i === k ? factor : 1));
      const named = (factor: number) => namesOf(line, (at) => combined(line, at, factors(factor)))?.[0];
      // What is left of two branches may be the gradient above.
      expect(['branch-missing', 'other-expression', 'either']).toContain(named(0)?.id);
      expect(named(-1)).toMatchObject({ id: 'scaled', by: '-1', branch: expect.any(String) });
    }
  });
});

describe('nothing is named', () => {
  it.each(LINES.filter((_, k) => k % 5 === 0))('for random numbers or for changed entries: Exercise $exercise, $name', ({ name, line }) => {
    const noise = (at: ValuesAndGradients) => randomTensor(line.solution(at).shape, randomStream('grad-check', `noise ${at.n}`));
    const wrong: Line[] = [
      // Every entry is off by another factor.
      (at) => line.solution(at).mul(noise(at).mul(0.3).add(1)),
      (at) => line.solution(at).add(noise(at).mul(0.01)),
      (at) => {
        const changed = line.solution(at).clone();
        changed.data[Math.floor(changed.size / 2)] += 1;
        return changed;
      },
    ];
    for (const planted of wrong) {
      const report = checker.check(line, planted);
      expect({ name, verdict: report.verdict, findings: report.findings }).toEqual({ name, verdict: 'wrong', findings: undefined });
      expect(report.worst?.yours).not.toBe(report.worst?.truth);
    }
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
    [
      'db2',
      'the sum of everything',
      [{ id: 'summed-over', instead: 'all', over: 'batch', found: [], expected: [27] }],
      ({ dlogits }) => dlogits.sum(),
    ],
    [
      'db2',
      'a number from nowhere',
      [
        { id: 'constant', value: '1' },
        { id: 'other-shape', found: [1], expected: [27] },
      ],
      () => Tensor.of([1], [1], 'float64'),
    ],
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
    expect(findingsOn(({ bndiff2, dbnvar }) => Tensor.onesLike(bndiff2).mul(dbnvar))).toEqual([
      { id: 'scaled', by: 'n-1', expected: '1/(n-1)' },
    ]);
  });

  it('is named when it divides by n - 1 once too often', () => {
    expect(findingsOn((at) => exercise1.dbndiff2(at).div(at.n - 1))).toEqual([{ id: 'scaled', by: '1/(n-1)', expected: '1/(n-1)' }]);
  });
});

describe('without observations', () => {
  it('nothing is named', () => {
    expect(nameMistakes('dh', lineOf(1, 'dh').knowledge, [])).toBeUndefined();
  });
});
