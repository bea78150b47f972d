/**
 * Exercise 3: backpropagate through batch norm in one expression.
 *
 * For one column, write g = bngain, s = bnvar_inv, r = bnraw, d = dhpreact; sums run over the batch. hprebn[i] reaches
 * the loss along three paths, and each gives one term:
 *
 *   directly:              g·s·d[i]
 *   through the mean:     -g·s·(1/n)·Σ d       (a shift leaves the variance unchanged: Σ bndiff = 0)
 *   through the variance: -g·s·r[i]/(n-1)·Σ d·r   (dbnvar = -g·s²/2·Σ d·r, and d bnvar / d hprebn[i] = 2·bndiff[i]/(n-1))
 *
 * Their sum, with g·s/n factored out, is the line below.
 *
 * Source: Exercise 3 of "Becoming a backprop ninja" (Andrej Karpathy, makemore part 4).
 */
import type { Tensor } from '../core/tensor.js';
import type { LessonGradients, LessonValues } from './values.js';

type NormaliseInputs = Pick<LessonValues, 'hprebn' | 'n'>;
type BatchNormInputs = Pick<LessonValues, 'bngain' | 'bnraw' | 'bnvar_inv' | 'n'> & Pick<LessonGradients, 'dhpreact'>;

/** The closed forms of batch norm, solved. */
export const exercise3 = {
  /** hpreact [n,H] from hprebn [n,H]; the variance divides by n-1. */
  hpreact: ({ bngain, bnbias, ...inputs }: NormaliseInputs & Pick<LessonValues, 'bngain' | 'bnbias'>): Tensor =>
    bngain.mul(normalise(inputs).bnraw).add(bnbias),

  /** dhprebn [n,H] from dhpreact [n,H] */
  dhprebn: ({ bngain, bnraw, bnvar_inv, n, dhpreact }: BatchNormInputs): Tensor =>
    bngain
      .mul(bnvar_inv)
      .div(n)
      .mul(
        dhpreact
          .mul(n)
          .sub(dhpreact.sum(0))
          .sub(bnraw.mul(n / (n - 1)).mul(dhpreact.mul(bnraw).sum(0))),
      ),
};

/** bnraw [n,H] and bnvar_inv [1,H] from hprebn [n,H]; n is at least 2. */
export function normalise({ hprebn, n }: NormaliseInputs): Pick<LessonValues, 'bnraw' | 'bnvar_inv'> {
  const bndiff = hprebn.sub(hprebn.mean(0, { keepdim: true }));
  const bnvar = bndiff
    .pow(2)
    .sum(0, { keepdim: true })
    .div(n - 1);
  const bnvar_inv = bnvar.add(1e-5).pow(-0.5);
  return { bnraw: bndiff.mul(bnvar_inv), bnvar_inv };
}
