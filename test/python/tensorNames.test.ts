import { expect, it } from 'vitest';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { lessonName, similarName } from '../../src/lesson/tensorNames.js';
import { INTERMEDIATE_NAMES } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { runPython } from '../support/python.js';
import { tempDirectory } from '../support/tempDirectory.js';

const NAMES: readonly string[] = [...GRADIENT_NAMES, ...LESSON_PARAMETER_NAMES, 'Xb', 'Yb', ...INTERMEDIATE_NAMES, 'loss'];

/** A name as it is written, and the lesson's; null where it is none of the lesson's. */
const PAIRS: readonly (readonly [written: string, lesson: string | null])[] = [
  ['dlogit', 'dlogits'],
  ['dLogits', 'dlogits'],
  ['d_logits', 'dlogits'],
  ['dlogist', 'dlogits'],
  ['logit', 'logits'],
  ['dlogprob', 'dlogprobs'],
  ['dlog_probs', 'dlogprobs'],
  ['dprob', 'dprobs'],
  ['dcount_sum_inv', 'dcounts_sum_inv'],
  ['dcountssuminv', 'dcounts_sum_inv'],
  ['dcount_sum', 'dcounts_sum'],
  ['dcount', 'dcounts'],
  ['dnormlogits', 'dnorm_logits'],
  ['norm_logit', 'norm_logits'],
  ['dlogit_maxs', 'dlogit_maxes'],
  ['dlogit_max', 'dlogit_maxes'],
  ['dhpreac', 'dhpreact'],
  ['dh_preact', 'dhpreact'],
  ['dhprebm', 'dhprebn'],
  ['hpre_bn', 'hprebn'],
  ['dbn_gain', 'dbngain'],
  ['dbngian', 'dbngain'],
  ['dbn_bias', 'dbnbias'],
  ['dBNbias', 'dbnbias'],
  ['dbnvarinv', 'dbnvar_inv'],
  ['dbn_var', 'dbnvar'],
  ['dbndif2', 'dbndiff2'],
  ['dbnmean', 'dbnmeani'],
  ['bnmean_i', 'bnmeani'],
  ['dembcat', 'dembact'],
  ['demb_cat', 'dembact'],
  ['embcat', 'embact'],
  ['demb_act', 'dembact'],
  ['dEmb', 'demb'],
  ['dw1', 'dW1'],
  ['dW_1', 'dW1'],
  ['d_W2', 'dW2'],
  ['grad_W1', 'dW1'],
  ['gradW1', 'dW1'],
  ['W1_grad', 'dW1'],
  ['grad_of_W1', 'dW1'],
  ['gradient_b1', 'db1'],
  ['C_grad', 'dC'],
  ['grad_C', 'dC'],
  ['xb', 'Xb'],
  ['YB', 'Yb'],
  ['Loss', 'loss'],
  ['x', null],
  ['dx', null],
  ['lr', null],
  ['ix', null],
  ['i', null],
  ['words', null],
  ['optimizer', null],
  ['parameters', null],
];

// A name that a word continues, dhpreactivation, is for the program alone: it only proposes, while ninja.py saves what it finds.
it('a misspelt name means the same to ninja.py and to the program', async () => {
  const script = `
import json, ninja
print(json.dumps([ninja._meant(name) for name in json.loads('${JSON.stringify(PAIRS.map(([written]) => written))}')]))
`;
  const { stdout, stderr } = await runPython(tempDirectory(), script);
  expect(stderr).toBe('');
  const meant = (JSON.parse(stdout) as string[][]).map(([first]) => (first === undefined ? null : lessonName(first)));
  expect(PAIRS.map(([written], i) => [written, meant[i]])).toEqual(PAIRS);
  expect(PAIRS.map(([written]) => [written, similarName(written, NAMES) ?? null])).toEqual(PAIRS);
});
