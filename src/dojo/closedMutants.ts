/** The bank for Exercises 2 and 3: mistakes that people make in the closed forms. */
import type { Tensor } from '../core/tensor.js';
import type { ClosedForm } from '../gradCheck/closedForms.js';
import { softmax } from '../lesson/softmax.js';
import type { Mistake } from './findings.js';
import { hot, type PlantedMistake } from './mutant.js';

export const CROSS_ENTROPY_MISTAKES: Record<string, PlantedMistake<ClosedForm>> = {
  'no-division-by-n': {
    mistake: 'no division by n',
    expected: [{ id: 'scaled', by: 'n', expected: '1/n' }],
    planted: ({ logits, Yb }) => softmax(logits).sub(hot(Yb, logits)),
  },
  'n-minus-1-for-n': {
    mistake: 'n - 1 instead of n',
    expected: [{ id: 'scaled', by: 'n/(n-1)', expected: '1/n' }],
    planted: ({ logits, Yb, n }) =>
      softmax(logits)
        .sub(hot(Yb, logits))
        .div(n - 1),
  },
  'softmax-without-minus-one-hot': {
    mistake: 'one-hot not subtracted',
    expected: [{ id: 'branch-missing', branch: 'one-hot' }],
    planted: ({ logits, n }) => softmax(logits).div(n),
  },
  'sign-of-the-one-hot': {
    mistake: 'wrong sign of the one-hot',
    expected: [{ id: 'scaled', by: '-1', branch: 'one-hot' }],
    planted: ({ logits, Yb, n }) => softmax(logits).add(hot(Yb, logits)).div(n),
  },
  'one-hot-not-divided': {
    mistake: 'one-hot not divided',
    expected: [{ id: 'scaled', by: 'n', expected: '1/n', branch: 'one-hot' }],
    planted: ({ logits, Yb, n }) => softmax(logits).div(n).sub(hot(Yb, logits)),
  },
  'softmax-over-the-batch': {
    mistake: 'softmax over the batch',
    expected: [{ id: 'softmax-other', found: 'softmax over the batch', branch: 'softmax' }],
    planted: ({ logits, Yb, n }) => softmax(logits.T).T.sub(hot(Yb, logits)).div(n),
  },
  'softmax-forgotten': {
    mistake: 'softmax forgotten',
    expected: [{ id: 'softmax-missing', branch: 'softmax' }],
    planted: ({ logits, Yb, n }) => logits.sub(hot(Yb, logits)).div(n),
  },
  'softmax-twice': {
    mistake: 'softmax twice',
    expected: [{ id: 'softmax-other', found: 'softmax', branch: 'softmax' }],
    planted: ({ logits, Yb, n }) => softmax(softmax(logits)).sub(hot(Yb, logits)).div(n),
  },
  'one-subtracted-everywhere': {
    mistake: '1 subtracted everywhere',
    expected: [{ id: 'misplaced', found: 'everywhere', expected: 'target', branch: 'one-hot' }],
    planted: ({ logits, n }) => softmax(logits).sub(1).div(n),
  },
  'set-to-minus-one': {
    mistake: 'set to -1 at the target',
    expected: [{ id: 'only-at', place: 'not-target', branch: 'softmax' }],
    planted: ({ logits, Yb, n }) => softmax(logits).mul(hot(Yb, logits).neg().add(1)).sub(hot(Yb, logits)).div(n),
  },
  'summed-over-the-batch': {
    mistake: 'summed over the batch',
    expected: [{ id: 'sum-extra', over: 'batch', found: [27], expected: [32, 27] }],
    planted: ({ logits, Yb, n }) => softmax(logits).sub(hot(Yb, logits)).div(n).sum(0),
  },
};

export const BATCH_NORM_MISTAKES: Record<string, PlantedMistake<ClosedForm>> = {
  'bessel-factor-1-for-n-over-n-minus-1': batchNorm(
    'Bessel factor 1 instead of n/(n-1)',
    [{ id: 'scaled', by: '(n-1)/n', branch: 'variance' }],
    {
      bessel: () => 1,
    },
  ),
  'bessel-factor-the-other-way-up': batchNorm('Bessel factor inverted', [{ id: 'scaled', by: '(n-1)²/n²', branch: 'variance' }], {
    bessel: (n) => (n - 1) / n,
  }),
  'path-through-the-variance-dropped': batchNorm('branch through the variance dropped', [{ id: 'branch-missing', branch: 'variance' }], {
    bessel: () => 0,
  }),
  'sign-of-the-path-through-the-variance': batchNorm(
    'wrong sign of the branch through the variance',
    [{ id: 'scaled', by: '-1', branch: 'variance' }],
    {
      bessel: (n) => -n / (n - 1),
    },
  ),
  'path-through-the-mean-dropped': batchNorm('branch through the mean dropped', [{ id: 'branch-missing', branch: 'mean' }], {
    mean: () => 0,
  }),
  'mean-not-divided-by-n': batchNorm('mean not divided by n', [{ id: 'scaled', by: 'n', branch: 'mean' }], {
    mean: (n) => n,
  }),
  'statistics-as-constants': batchNorm(
    'statistics treated as constants',
    [
      { id: 'branch-missing', branch: 'mean' },
      { id: 'branch-missing', branch: 'variance' },
    ],
    { bessel: () => 0, mean: () => 0 },
  ),
  'gain-forgotten': batchNorm('gain forgotten', [{ id: 'factor-missing', factor: 'bngain', role: 'gain' }], {
    scale: ({ bnvar_inv }) => bnvar_inv,
  }),
  'bnvar-inv-forgotten': batchNorm('bnvar_inv forgotten', [{ id: 'factor-missing', factor: 'bnvar_inv' }], {
    scale: ({ bngain }) => bngain,
  }),
  'bnvar-inv-squared': batchNorm('bnvar_inv squared', [{ id: 'factor-squared', factor: 'bnvar_inv' }], {
    scale: ({ bngain, bnvar_inv }) => bngain.mul(bnvar_inv.pow(2)),
  }),
  'sum-of-the-mean-forgotten': {
    mistake: 'sum over the batch forgotten in the branch through the mean',
    expected: [{ id: 'not-summed', over: 'batch', of: 'dhpreact', branch: 'mean' }],
    planted: ({ bngain, bnraw, bnvar_inv, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d)
            .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
        ),
  },
  'bnraw-forgotten-in-the-sum': {
    mistake: 'bnraw forgotten in the sum',
    expected: [{ id: 'factor-missing', factor: 'bnraw', branch: 'variance', at: 'inside-sum' }],
    planted: ({ bngain, bnraw, bnvar_inv, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(
          d
            .mul(n)
            .sub(d.sum(0))
            .sub(bnraw.mul(n / (n - 1)).mul(d.sum(0))),
        ),
  },
  'common-factor-on-one-term': {
    mistake: 'common factor on the direct branch only',
    expected: [{ id: 'common-factor', factor: '1/n · bngain · bnvar_inv', on: ['direct'] }],
    planted: ({ bngain, bnraw, bnvar_inv, n, dhpreact: d }) =>
      bngain
        .mul(bnvar_inv)
        .div(n)
        .mul(d.mul(n))
        .sub(d.sum(0))
        .sub(bnraw.mul(n / (n - 1)).mul(d.mul(bnraw).sum(0))),
  },
};

interface BatchNormFactors {
  /** The factor of the branch through the variance; n/(n-1) is right. */
  bessel?: (n: number) => number;
  /** The factor of the branch through the mean; 1 is right. */
  mean?: (n: number) => number;
  /** The factor of all branches; bngain · bnvar_inv is right. */
  scale?: (at: { bngain: Tensor; bnvar_inv: Tensor }) => Tensor;
}

/** dhprebn with wrong factors. */
function batchNorm(
  mistake: string,
  expected: readonly Mistake[],
  { bessel = (n) => n / (n - 1), mean = () => 1, scale }: BatchNormFactors,
): PlantedMistake<ClosedForm> {
  const planted: ClosedForm = ({ bngain, bnraw, bnvar_inv, n, dhpreact }) =>
    (scale?.({ bngain, bnvar_inv }) ?? bngain.mul(bnvar_inv)).div(n).mul(
      dhpreact
        .mul(n)
        .sub(dhpreact.sum(0).mul(mean(n)))
        .sub(bnraw.mul(bessel(n)).mul(dhpreact.mul(bnraw).sum(0))),
    );
  return { mistake, expected, planted };
}
