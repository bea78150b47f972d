/** The lines of Exercises 2 and 3: the closed forms. */
import { apply, number, place, product, sum, total, upstream, value } from './expression.js';
import type { LineKnowledge } from './knowledge.js';

/** The closed forms of Exercises 2 and 3, as trees. */
export const CLOSED_LINES: Record<'dlogits' | 'dhprebn', LineKnowledge> = {
  dlogits: {
    formula: 'dlogits = (softmax(logits) - one-hot of Yb) / n',
    expression: product(
      number(1, { n: -1 }),
      total({ softmax: apply('softmax', value('logits')), 'one-hot': product(number(-1), place('target')) }),
    ),
  },
  dhprebn: {
    formula:
      'dhprebn = bngain · bnvar_inv / n · (n · dhpreact - Σ dhpreact - n/(n-1) · bnraw · Σ (dhpreact · bnraw)), with sums over the batch',
    expression: product(
      number(1, { n: -1 }),
      value('bngain', 'gain'),
      value('bnvar_inv'),
      total({
        direct: product(number(1, { n: 1 }), upstream('dhpreact')),
        mean: product(number(-1), sum('batch', upstream('dhpreact'))),
        variance: product(number(-1, { n: 1, 'n-1': -1 }), value('bnraw'), sum('batch', product(upstream('dhpreact'), value('bnraw')))),
      }),
    ),
    hasOtherForms: true,
  },
};
