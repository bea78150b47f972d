/**
 * Exercise 3: backpropagate through batch norm in one expression.
 *
 * Write g = bngain, s = bnvar_inv and r = bnraw of a column, d = dhpreact; sums run over the batch. hprebn[i] reaches
 * bnraw in three ways, and each is one term:
 *
 *   directly:              g·s·d[i]
 *   through the mean:     -g·s·(1/n)·Σ d       (the variance does not feel a shift: Σ bndiff = 0)
 *   through the variance: -g·s·r[i]/(n-1)·Σ d·r   (dbnvar = -g·s²/2·Σ d·r, and d bnvar / d hprebn[i] = 2·bndiff[i]/(n-1))
 *
 * Their sum with g·s/n taken out is the line below.
 */
import type { Tensor } from '../core/tensor.js';
import type { Gradients, Values } from './values.js';

type Statistics = Pick<Values, 'hprebn' | 'n'>;
type Given = Pick<Values, 'bngain' | 'bnraw' | 'bnvar_inv' | 'n'> & Pick<Gradients, 'dhpreact'>;

export const exercise3 = {
  /** hpreact [n,H] from hprebn [n,H], with the unbiased variance. */
  hpreact: ({ bngain, bnbias, ...given }: Statistics & Pick<Values, 'bngain' | 'bnbias'>): Tensor =>
    bngain.mul(normalise(given).bnraw).add(bnbias),

  /** dhprebn [n,H] */
  dhprebn: ({ bngain, bnraw, bnvar_inv, n, dhpreact }: Given): Tensor =>
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

/** bnraw [n,H] and bnvar_inv [1,H] of a batch. */
export function normalise({ hprebn, n }: Statistics): Pick<Values, 'bnraw' | 'bnvar_inv'> {
  const bndiff = hprebn.sub(hprebn.mean(0, { keepdim: true }));
  const bnvar = bndiff
    .pow(2)
    .sum(0, { keepdim: true })
    .div(n - 1);
  const bnvar_inv = bnvar.add(1e-5).pow(-0.5);
  return { bnraw: bndiff.mul(bnvar_inv), bnvar_inv };
}
