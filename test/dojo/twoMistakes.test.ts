import { describe, expect, it } from 'vitest';
import { type Indices, Tensor } from '../../src/core/tensor.js';
import { LineChecker } from '../../src/dojo/check.js';
import type { Finding } from '../../src/dojo/findings.js';
import type { Line } from '../../src/dojo/learnerFile.js';
import { exercise1 } from '../../src/lesson/exercise1.js';
import { exercise3 } from '../../src/lesson/exercise3.js';
import { softmax } from '../../src/lesson/softmax.js';
import type { GradientName } from '../../src/lesson/values.js';
import { lineOf } from '../support/dojo.js';

const KEEP = { keepdim: true };
const checker = new LineChecker();

/** One-hot rows in float64. */
const hot = (indices: Indices, like: Tensor): Tensor => Tensor.oneHot(indices, like.shape[1], 'float64');

/** Empty where the check shows the worst entry instead. */
const TWO_MISTAKES: readonly (readonly [
  exercise: 1 | 2 | 3,
  line: GradientName,
  mistakes: string,
  findings: readonly Finding[],
  planted: Line,
])[] = [
  [1, 'dlogprobs', 'no sign, no division by n', [{ id: 'scaled', by: '-n', expected: '-1/n' }], ({ logprobs, Yb }) => hot(Yb, logprobs)],
  [
    1,
    'dlogprobs',
    'at the maximum, and not divided by n',
    [
      { id: 'misplaced', found: 'row-maximum', expected: 'target' },
      { id: 'scaled', by: 'n', expected: '-1/n' },
    ],
    ({ logprobs }) => hot(logprobs.max(1).indices, logprobs).neg(),
  ],
  [
    1,
    'dprobs',
    'derivative missing, and negative',
    [
      { id: 'factor-missing', factor: '1/probs', role: 'log-derivative' },
      { id: 'scaled', by: '-1' },
    ],
    ({ dlogprobs }) => dlogprobs.neg(),
  ],
  [
    1,
    'dcounts_sum_inv',
    'counts left out, and averaged',
    [
      { id: 'factor-missing', factor: 'counts' },
      { id: 'scaled', by: '1/V', mean: 'row' },
    ],
    ({ dprobs }) => dprobs.mean(1, KEEP),
  ],
  [
    1,
    'dcounts_sum_inv',
    'probs instead of counts, and not summed',
    [
      { id: 'exchanged', found: 'probs', expected: 'counts' },
      { id: 'not-summed', over: 'row', found: [32, 27], expected: [32, 1] },
    ],
    ({ probs, dprobs }) => probs.mul(dprobs),
  ],
  [
    1,
    'dcounts_sum',
    'power -1, and the sign missing',
    [{ id: 'exchanged', found: 'counts_sum_inv', expected: '-counts_sum^(-2)', confusion: 'function-for-derivative' }],
    ({ counts_sum, dcounts_sum_inv }) => counts_sum.pow(-1).mul(dcounts_sum_inv),
  ],
  [
    1,
    'dcounts',
    'one branch missing, the other negative',
    [
      { id: 'scaled', by: '-1', branch: 'probs' },
      { id: 'branch-missing', branch: 'counts_sum' },
    ],
    ({ counts_sum_inv, dprobs }) => counts_sum_inv.mul(dprobs).neg(),
  ],
  [
    1,
    'dcounts',
    'one branch missing, a factor left out of the other',
    [{ id: 'other-expression', found: 'dprobs', is: 'gradient-above' }],
    ({ dprobs }) => dprobs,
  ],
  [
    1,
    'dlogit_maxes',
    'no sign, and averaged',
    [{ id: 'scaled', by: '-1/V', mean: 'row' }],
    ({ dnorm_logits }) => dnorm_logits.mean(1, KEEP),
  ],
  [
    1,
    'dlogit_maxes',
    'sign missing, and not summed',
    [
      { id: 'not-summed', over: 'row', found: [32, 27], expected: [32, 1] },
      { id: 'scaled', by: '-1' },
    ],
    ({ dnorm_logits }) => dnorm_logits,
  ],
  [
    1,
    'dh',
    'transposed, and negative',
    [
      { id: 'scaled', by: '-1' },
      { id: 'transposed', found: [64, 32], expected: [32, 64] },
    ],
    ({ W2, dlogits }) => W2.matmul(dlogits.T).neg(),
  ],
  [
    1,
    'dW2',
    'transposed, and divided by n',
    [
      { id: 'scaled', by: '1/n' },
      { id: 'transposed', found: [27, 64], expected: [64, 27] },
    ],
    ({ h, dlogits, n }) => dlogits.T.matmul(h).div(n),
  ],
  [
    1,
    'db2',
    'averaged, and in the wrong shape',
    [
      { id: 'scaled', by: '1/n', mean: 'batch' },
      { id: 'reshaped', found: [1, 27], expected: [27], keepdim: 'extra' },
    ],
    ({ dlogits }) => dlogits.mean(0, KEEP),
  ],
  [
    1,
    'dhpreact',
    'h - 1 instead of 1 - h²',
    [
      { id: 'exchanged', found: '1 - h', expected: '1 - h²' },
      { id: 'scaled', by: '-1' },
    ],
    ({ h, dh }) => h.sub(1).mul(dh),
  ],
  [
    1,
    'dhpreact',
    'a parenthesis in the wrong place',
    [{ id: 'parentheses', found: '1 - h² · dh', expected: '(1 - h²) · dh' }],
    ({ h, dh }) => h.pow(2).mul(dh).neg().add(1),
  ],
  [
    1,
    'dbngain',
    'bnraw left out, and not summed',
    [
      { id: 'other-expression', found: 'dhpreact', is: 'gradient-above' },
      { id: 'other-shape', found: [32, 64], expected: [1, 64] },
    ],
    ({ dhpreact }) => dhpreact,
  ],
  [
    1,
    'dbngain',
    'bngain instead of bnraw',
    [{ id: 'exchanged', found: 'bngain', expected: 'bnraw' }],
    ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP),
  ],
  [
    1,
    'dbnraw',
    'divided by the gain, and negative',
    [
      { id: 'divided', by: 'bngain' },
      { id: 'scaled', by: '-1' },
    ],
    ({ bngain, dhpreact }) => dhpreact.div(bngain).neg(),
  ],
  [
    1,
    'dbnraw',
    'summed as if it had been broadcast',
    [{ id: 'sum-extra', over: 'batch', found: [1, 64], expected: [32, 64] }],
    (at) => exercise1.dbnraw(at).sum(0, KEEP),
  ],
  [
    1,
    'dbnbias',
    'times the gain, and negative',
    [
      { id: 'factor-extra', factor: 'bngain', role: 'gain' },
      { id: 'scaled', by: '-1' },
    ],
    ({ bngain, dhpreact }) => bngain.mul(dhpreact).sum(0, KEEP).neg(),
  ],
  [
    1,
    'dbnvar',
    'no -1/2',
    [{ id: 'scaled', by: '-2', expected: '-1/2' }],
    ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-1.5).mul(dbnvar_inv),
  ],
  [
    1,
    'dbnvar',
    'power -1/2, and the 1/2 missing',
    [
      { id: 'wrong-power', base: '(bnvar + 1e-5)', found: '-1/2', expected: '-3/2', same: 'bnvar_inv' },
      { id: 'scaled', by: '2', expected: '-1/2' },
    ],
    ({ bnvar, dbnvar_inv }) => bnvar.add(1e-5).pow(-0.5).neg().mul(dbnvar_inv),
  ],
  [
    1,
    'dbndiff',
    'bnvar_inv left out of one branch, the 2 left out of the other',
    [
      { id: 'factor-missing', factor: 'bnvar_inv', branch: 'bnraw' },
      { id: 'scaled', by: '1/2', expected: '2', branch: 'bndiff2' },
    ],
    ({ bndiff, dbnraw, dbndiff2 }) => dbnraw.add(bndiff.mul(dbndiff2)),
  ],
  [
    1,
    'dbndiff',
    'one branch missing, the other negative',
    [
      { id: 'branch-missing', branch: 'bnraw' },
      { id: 'scaled', by: '-1', branch: 'bndiff2' },
    ],
    ({ bndiff, dbndiff2 }) => bndiff.mul(-2).mul(dbndiff2),
  ],
  [
    1,
    'dbndiff',
    'two exchanged factors at once',
    [
      { id: 'exchanged', found: 'bnvar', expected: 'bnvar_inv', branch: 'bnraw' },
      { id: 'exchanged', found: 'bndiff2', expected: 'bndiff', branch: 'bndiff2' },
    ],
    ({ bndiff2, bnvar, dbnraw, dbndiff2 }) => bnvar.mul(dbnraw).add(bndiff2.mul(2).mul(dbndiff2)),
  ],
  [1, 'dbnmeani', 'no sign, and averaged', [{ id: 'scaled', by: '-1/n', mean: 'batch' }], ({ dbndiff }) => dbndiff.mean(0, KEEP)],
  [
    1,
    'dbnmeani',
    'sign missing, and in the wrong shape',
    [
      { id: 'scaled', by: '-1' },
      { id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' },
    ],
    ({ dbndiff }) => dbndiff.sum(0),
  ],
  [
    1,
    'dhprebn',
    'the mean subtracted, and not divided by n',
    [{ id: 'scaled', by: '-n', expected: '1/n', branch: 'bnmeani' }],
    ({ dbndiff, dbnmeani }) => dbndiff.sub(dbnmeani),
  ],
  [
    1,
    'dembact',
    'viewed instead of transposed, and negative',
    [
      { id: 'viewed', value: 'W1' },
      { id: 'scaled', by: '-1' },
    ],
    ({ W1, dhprebn }) => dhprebn.matmul(W1.view([W1.shape[1], W1.shape[0]])).neg(),
  ],
  [
    1,
    'dW1',
    'batch norm skipped, and negative',
    [
      { id: 'exchanged', found: 'dhpreact', expected: 'dhprebn', confusion: 'batch-norm-skipped' },
      { id: 'scaled', by: '-1' },
    ],
    ({ embact, dhpreact }) => embact.T.matmul(dhpreact).neg(),
  ],
  [1, 'dC', 'from C, not from zeros', [{ id: 'scattered', start: 'C' }], ({ C, Xb, demb }) => C.clone().scatterAddRows(Xb, demb)],
  [
    2,
    'dlogits',
    'one-hot minus softmax, not divided by n',
    [{ id: 'scaled', by: '-n', expected: '1/n' }],
    ({ logits, Yb }) => hot(Yb, logits).sub(softmax(logits)),
  ],
  [
    2,
    'dlogits',
    'at the maximum, and not divided by n',
    [
      { id: 'misplaced', found: 'row-maximum', expected: 'target', branch: 'one-hot' },
      { id: 'scaled', by: 'n', expected: '1/n' },
    ],
    ({ logits }) => softmax(logits).sub(hot(logits.max(1).indices, logits)),
  ],
  [
    2,
    'dlogits',
    'logits instead of their softmax',
    [{ id: 'softmax-missing', branch: 'softmax' }],
    ({ logits, Yb, n }) => logits.sub(hot(Yb, logits)).div(n),
  ],
  [3, 'dhprebn', 'negative, and not divided by n', [{ id: 'scaled', by: '-n' }], (at) => exercise3.dhprebn(at).mul(-at.n)],
  [
    3,
    'dhprebn',
    "no mean, and no Bessel's correction",
    [
      { id: 'branch-missing', branch: 'mean' },
      { id: 'scaled', by: '(n-1)/n', branch: 'variance' },
    ],
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
    [
      { id: 'scaled', by: '-1', branch: 'mean' },
      { id: 'scaled', by: '-1', branch: 'variance' },
    ],
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
    'statistics treated as constants, and the gain missing',
    [
      { id: 'factor-missing', factor: 'bngain', role: 'gain' },
      { id: 'branch-missing', branch: 'mean' },
      { id: 'branch-missing', branch: 'variance' },
    ],
    ({ bnvar_inv, dhpreact }) => bnvar_inv.mul(dhpreact),
  ],
];

describe('two mistakes in one line', () => {
  it.each(TWO_MISTAKES.map(([exercise, name, mistakes, findings, planted]) => ({ exercise, name, mistakes, findings, planted })))(
    'in Exercise $exercise, $name: $mistakes',
    ({ exercise, name, findings, planted }) => {
      const report = checker.check(lineOf(exercise, name), planted);
      expect({ name: report.name, verdict: report.verdict, findings: report.findings ?? [] }).toEqual({ name, verdict: 'wrong', findings });
      expect(report.worst === undefined).toBe(findings.length > 0);
    },
  );
});
