import type { Confusion, Place } from '../findings.js';
import type { FunctionName } from '../functions.js';

export const COST = {
  missing: 1,
  near: 1,
  far: 1.3,
  inverted: 1.1,
  squared: 1.2,
  sum: 1,
  function: 1.1,
  rareFunction: 1.7,
  power: 1,
  rarePower: 1.8,
  extra: 1.5,
  extraOwn: 1.2,
  divided: 1.8,
  place: 1,
  parentheses: 1.2,
  added: 1.5,
  epsilon: 1,
  kept: 1.3,
  primitive: 1.25,
  rare: 1.9,
};

/** Functions that people write for the function of a node. */
export const ALTERNATIVES: Partial<Record<FunctionName, readonly FunctionName[]>> = {
  softmax: [
    'exp',
    'exp without its sum',
    'softmax over the batch',
    'softmax over everything',
    'log of the softmax',
    'derivative of the softmax',
    'softmax of the negative',
    'softmax of twice',
    'softmax of 1/n',
    'softmax of a half',
    'sigmoid',
    'tanh',
    'one-hot of its row maximum',
  ],
  '1 - x²': [
    ...(['1/2 - x²', '2 - x²', '1/(1 + x²)', 'derivative of ReLU', 'derivative of the sigmoid', '1 + x³'] as const),
    ...(['1 - x', '1 + x', '1 + x²', 'x²', 'x (1 - x)', '(1 - x)²', '(1 - x²)²', 'sqrt(1 - x²)', '1 - tanh(x)²'] as const),
    ...(['1 - tanh(x)', '-2x', '1 - 2x', '1 - x³', '1 - 2x²', '1 - x²/2', 'tanh', '|x|'] as const),
  ],
};

/** Functions that people apply to a tensor that is a factor already. */
export const APPLIED: readonly FunctionName[] = [
  ...(['exp', 'log', 'tanh', '1 - x', '1 - x²', 'x (1 - x)', '1 + x', 'sqrt(x)', 'x³', '1/sqrt(x)', '|x|', 'sign', 'sigmoid'] as const),
  ...(['minus its mean over the batch', 'minus its mean over the row', 'minus its row maximum'] as const),
  ...(['its first row', 'viewed back'] as const),
];

/** Functions that people apply to the result of a line. */
export const APPLIED_TO_RESULT: readonly FunctionName[] = [...(['x²', '|x|', 'exp', 'log', 'tanh', 'sqrt(x)', 'sign'] as const)];

/** Functions that people apply to the base of a power. */
export const APPLIED_TO_BASE: readonly FunctionName[] = [
  'exp',
  'log',
  'x (1 - x)',
  '1 - x',
  '1 - x²',
  '1 + x',
  '1/(1 + x)',
  '1/(1 + x)²',
  'sqrt(x)',
];

/** Functions of a tensor that belongs nowhere in the line. */
export const APPLIED_TO_OTHERS: readonly FunctionName[] = ['exp', 'x²', 'tanh', '1 - x²'];

export const PLACES: readonly Place[] = [
  ...(['target', 'row-maximum', 'everywhere', 'not-target', 'not-row-maximum'] as const),
  ...(['column-maximum', 'after-target', 'before-target', 'next-entry', 'previous-entry', 'first-column', 'context'] as const),
  ...(['last-character', 'target-columns', 'target-rows', 'row-length-1', 'row-length-1-added', 'row-length-n', 'rows-reversed'] as const),
];

/** The reasons why people confuse one expression with another, by what they write and what belongs. */
export const CONFUSIONS: Record<string, Confusion> = {
  'norm_logits · exp(norm_logits - 1) for counts': 'power-rule',
  '1/logprobs for 1/probs': 'derivative-at-output',
  'logprobs for 1/probs': 'function-for-derivative',
  'h for 1 - h²': 'function-for-derivative',
  'norm_logits for counts': 'input-for-output',
  'exp(counts) for counts': 'exp-twice',
  '1 - tanh(h)² for 1 - h²': 'tanh-twice',
  '-2 · h for 1 - h²': 'derived-twice',
  'h · (1 - h) for 1 - h²': 'sigmoid',
  '1 - hpreact² for 1 - h²': 'derivative-at-input',
  'dhpreact for dhprebn': 'batch-norm-skipped',
};
