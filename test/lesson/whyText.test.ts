import { expect, it } from 'vitest';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import type { TensorName } from '../../src/lesson/entry.js';
import { backward } from '../../src/lesson/exercise1.js';
import { why } from '../../src/lesson/why.js';
import { numbersText, showValue } from '../../src/lesson/whyText.js';

it.each([
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [-0.5, '-0.5'],
  [0.0032937307, '0.003294'],
  [0.00001234567, '0.00001235'],
  [0.00000123456, '1.235e-6'],
  [-2.602e-18, '-2.602e-18'],
  [123456.7, '123500'],
  [1.5e9, '1.5e9'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('%d is shown as %s', (x, text) => expect(showValue(x)).toBe(text));

const { values } = createLessonCase(LESSON_CONFIG, 32, 1);
const pass = { ...values, ...backward(values) };

it('the formula in numbers', () => {
  const entries: [TensorName, number[]][] = [
    ['dW1', [3, 7]],
    ['dlogprobs', [3, 1]],
    ['dlogit_maxes', [3, 0]],
    ['dcounts_sum', [3, 0]],
    ['dbndiff', [3, 7]],
    ['dhpreact', [3, 7]],
    ['bndiff', [3, 7]],
    ['bndiff2', [3, 7]],
    ['h', [3, 7]],
    ['counts', [3, 7]],
    ['hpreact', [3, 7]],
    ['hprebn', [3, 7]],
    ['norm_logits', [3, 7]],
    ['dcounts_sum_inv', [3, 0]],
    ['dprobs', [3, 7]],
    ['dprobs', [3, 1]],
    ['loss', []],
    ['W1', [3, 7]],
  ];
  const texts = entries.map(([name, at]) => `${why(pass, name, at).formula.split(' = ')[0]} = ${why(pass, name, at).numbers}`);
  expect(texts.join('\n')).toMatchInlineSnapshot(`
    "dW1[3,7] = 1.554 · (-0.003638) + 1.097 · 0.003384 - 1.395 · (-0.001391) + 29 more
    dlogprobs[3,1] = -0.03125
    dlogit_maxes[3,0] = -(-0.03008) - 0.004351 - 0.002846 + 24 more
    dcounts_sum[3,0] = -1/7.182² · (-0.2245)
    dbndiff[3,7] = 0.6031 · (-0.001816) + 2 · (-1.543) · (-0.00001267)
    dhpreact[3,7] = (1 - (-0.6751)²) · (-0.003045)
    bndiff[3,7] = -1.323 - 0.2208
    bndiff2[3,7] = (-1.543)²
    h[3,7] = tanh(-0.82)
    counts[3,7] = exp(-1.574)
    hpreact[3,7] = 1.096 · (-0.9307) + 0.1998
    hprebn[3,7] = 1.915 · (-0.4654) + 1.834 · (-0.4108) - 1.662 · 0.3507 + 27 more + 0.07671
    norm_logits[3,7] = 0.1142 - 1.688
    dcounts_sum_inv[3,0] = 0.269 · (-0.8345) + 26 terms that are 0
    dprobs[3,7] = 1/0.02884 · 0
    dprobs[3,1] = 1/0.03745 · (-0.03125)
    loss = -0.03125 · (-4.215) - 0.03125 · (-4.157) - 0.03125 · (-4.068) + 29 more
    W1[3,7] is a parameter: training sets it, no step computes it = "
  `);
});

it('a sum of four terms is written out in full', () => {
  const { terms } = why(pass, 'dW1', [3, 7]);
  const text = (count: number) => numbersText([terms.slice(0, count)]);
  expect(text(4).split('·')).toHaveLength(5);
  expect(text(4)).not.toContain('more');
  expect(text(5)).toMatch(/ \+ 2 more$/);
});
