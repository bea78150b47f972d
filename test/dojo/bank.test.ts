import { describe, expect, it } from 'vitest';
import { LineChecker } from '../../src/dojo/check.js';
import { EXERCISES, type ExerciseLine } from '../../src/dojo/exercises.js';
import { CLOSED_FORM_MUTANTS, LINE_MUTANTS } from '../gradCheck/mutants.js';

/** What a learner is told of each planted mistake; undefined where the entry that is furthest off is shown. */
const SAID: readonly (readonly [line: string, mistake: string, said: string | undefined])[] = [
  ['dlogprobs', 'sign forgotten', 'the sign is wrong'],
  ['dlogprobs', 'no division by n', 'it is n times too large'],
  ['dlogprobs', 'n - 1 for n', 'n - 1 stands where n belongs'],
  ['dlogprobs', 'at the maximum, not at the target', 'the entries are at the row maximum, not at the target'],
  ['dprobs', 'derivative of the logarithm left out', 'the derivative of the logarithm, 1/probs, is left out'],
  ['dprobs', 'times probs for divided by', 'it is multiplied by probs, not divided'],
  ['dprobs', 'derivative from the output', '1/logprobs stands for 1/probs: the derivative is taken at the output'],
  [
    'dcounts_sum_inv',
    'sum over the row forgotten',
    'the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
  ],
  ['dcounts_sum_inv', 'averaged over the row', 'it is divided by the length of the row once too often'],
  ['dcounts_sum_inv', 'summed over the batch', 'it is summed over the batch, not over the row, [1, 27] for [32, 1]'],
  ['dcounts_sum_inv', 'counts left out', 'counts is left out'],
  ['dcounts_sum_inv', 'shape [n] for [n,1]', 'right values in the wrong shape, [32] for [32, 1]: sum with { keepdim: true }'],
  ['dcounts_sum', 'sign forgotten', 'the sign is wrong'],
  ['dcounts_sum', 'power -1 for -2', 'the power is -1, not -2'],
  ['dcounts', 'branch through counts_sum forgotten', 'the branch through counts_sum is missing'],
  ['dcounts', 'branch through probs forgotten', 'the branch through probs is missing'],
  ['dcounts', 'branch through counts_sum twice', 'the branch through counts_sum is twice too large'],
  ['dcounts', 'sum taken for a mean', 'the branch through counts_sum is divided by the length of the row once too often'],
  ['dnorm_logits', 'derivative of exp left out', 'the derivative of exp, counts, is left out'],
  ['dnorm_logits', 'derivative from the input', 'norm_logits, the input, stands for its exponential'],
  ['dlogit_maxes', 'sign forgotten', 'the sign is wrong'],
  ['dlogit_maxes', 'averaged over the row', 'it is divided by the length of the row once too often'],
  [
    'dlogit_maxes',
    'sum over the row forgotten',
    'the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
  ],
  ['dlogit_maxes', 'shape [n] for [n,1]', 'right values in the wrong shape, [32] for [32, 1]: sum with { keepdim: true }'],
  [
    'dlogits',
    'branch through the maximum forgotten',
    'right with the true gradients above it, wrong with others: it does not follow from what the line is given',
  ],
  [
    'dlogits',
    "maximum's gradient to every logit",
    'right with the true gradients above it, wrong with others: it does not follow from what the line is given',
  ],
  [
    'dlogits',
    "maximum's gradient to the target",
    'right with the true gradients above it, wrong with others: it does not follow from what the line is given',
  ],
  ['dlogits', 'direct branch forgotten', 'the branch through norm_logits is missing'],
  ['dh', 'sign', 'the sign is wrong'],
  ['dh', 'W2 not transposed', 'it threw ShapeError: matmul needs [n,k] and [k,m], got [2, 13] and [8, 13]'],
  ['dh', 'W2 viewed for transposed', 'W2 is viewed in the other shape: that is no transpose'],
  ['dh', 'divided by n', 'it is divided by n once too often'],
  ['dW2', 'averaged over the batch', 'it is divided by n once too often'],
  ['dW2', 'transposed', 'the transpose of the right answer, [27, 64] for [64, 27]'],
  ['dW2', 'hpreact for h', 'hpreact stands for h'],
  ['dW2', 'h viewed for transposed', 'h is viewed in the other shape: that is no transpose'],
  ['db2', 'averaged over the batch', 'it is divided by n once too often'],
  ['db2', 'sum forgotten', 'the sum over the batch is forgotten, [32, 27] for [27]: what was broadcast must be summed'],
  ['db2', 'summed over the row', 'it is summed over the row, not over the batch, [32] for [27]'],
  ['db2', 'shape [1,V] for [V]', 'right values in the wrong shape, [1, 27] for [27]: sum without keepdim'],
  ['dhpreact', '1 - h for 1 - h²', '1 - h stands for 1 - h²'],
  ['dhpreact', 'derivative of tanh left out', 'the derivative of tanh, 1 - h², is left out'],
  ['dhpreact', 'derivative from the input', '1 - hpreact² stands for 1 - h²: the derivative is taken from the input'],
  ['dhpreact', '1 + h² for 1 - h²', '1 + h² stands for 1 - h²'],
  ['dbngain', 'bnraw left out', 'bnraw is left out'],
  ['dbngain', 'hpreact for bnraw', 'hpreact stands for bnraw'],
  ['dbngain', 'averaged over the batch', 'it is divided by n once too often'],
  ['dbngain', 'sum forgotten', 'the sum over the batch is forgotten, [32, 64] for [1, 64]: what was broadcast must be summed'],
  ['dbngain', 'shape [H] for [1,H]', 'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }'],
  ['dbnraw', 'gain forgotten', 'the gain, bngain, is left out'],
  ['dbnraw', 'divided by the gain', 'it is divided by the gain, not multiplied'],
  ['dbnraw', 'bias for gain', 'bnbias stands for bngain'],
  ['dbnbias', 'averaged over the batch', 'it is divided by n once too often'],
  ['dbnbias', 'times the gain', 'the gain is multiplied in, which does not touch the bias'],
  ['dbnbias', 'shape [H] for [1,H]', 'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }'],
  ['dbnvar_inv', 'bnraw for bndiff', 'bnraw stands for bndiff'],
  ['dbnvar_inv', 'averaged over the batch', 'it is divided by n once too often'],
  ['dbnvar_inv', 'shape [H] for [1,H]', 'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }'],
  ['dbnvar', 'sign forgotten', 'the sign is wrong'],
  ['dbnvar', 'factor 1/2 forgotten', 'there is a factor 2 too many'],
  ['dbnvar', 'power -1/2 for -3/2', 'the power is -1/2, not -3/2'],
  ['dbnvar', 'epsilon forgotten', 'eps is left out'],
  ['dbnvar', 'epsilon added behind the power', 'eps is added behind the power, not inside'],
  ['dbndiff2', 'n for n - 1', "n stands where n - 1 belongs: Bessel's correction"],
  ['dbndiff2', 'divided by n + 1', 'n + 1 stands where n - 1 belongs'],
  [
    'dbndiff2',
    'not broadcast over the batch',
    'right values in one row, [1, 64] for [32, 64]: the gradient has the shape of its tensor, so it must be broadcast over the batch',
  ],
  ['dbndiff', 'branch through the variance forgotten', 'the branch through bndiff2 is missing'],
  ['dbndiff', 'direct branch forgotten', 'the branch through bnraw is missing'],
  ['dbndiff', 'branch through the variance twice', 'the branch through bndiff2 is twice too large'],
  ['dbndiff', 'factor 2 forgotten', 'in the branch through bndiff2, a factor 2 is missing'],
  ['dbndiff', 'bnraw for bndiff', 'bnraw stands for bndiff'],
  ['dbnmeani', 'sign forgotten', 'the sign is wrong'],
  ['dbnmeani', 'averaged over the batch', 'it is divided by n once too often'],
  [
    'dbnmeani',
    "shape [H] for [1,H], as in the lecture's own solution",
    'right values in the wrong shape, [64] for [1, 64]: sum with { keepdim: true }',
  ],
  ['dhprebn', 'branch through the mean forgotten', 'the branch through bnmeani is missing'],
  ['dhprebn', 'branch through the mean twice', 'the branch through bnmeani is twice too large'],
  ['dhprebn', 'no division by n', 'the branch through bnmeani is n times too large'],
  ['dhprebn', 'n - 1 for n', 'in the branch through bnmeani, n - 1 stands where n belongs'],
  ['dhprebn', 'direct branch forgotten', 'the branch through bndiff is missing'],
  ['dembact', 'sign', 'the sign is wrong'],
  ['dembact', 'W1 viewed for transposed', 'W1 is viewed in the other shape: that is no transpose'],
  ['dW1', 'averaged over the batch', 'it is divided by n once too often'],
  ['dW1', 'transposed', 'the transpose of the right answer, [64, 30] for [30, 64]'],
  ['dW1', 'hpreact gradient for hprebn gradient', 'dhpreact stands for dhprebn: batch norm is passed over'],
  ['db1', 'sign', 'the sign is wrong'],
  ['db1', 'averaged over the batch', 'it is divided by n once too often'],
  ['db1', 'hpreact gradient for hprebn gradient', 'dhpreact stands for dhprebn: batch norm is passed over'],
  ['db1', 'shape [1,H] for [H]', 'right values in the wrong shape, [1, 64] for [64]: sum without keepdim'],
  ['demb', 'contexts in reversed order', 'the positions of the context are in reversed order'],
  ['demb', 'transposed before the view', undefined],
  ['demb', 'not viewed', 'right values in the wrong shape, [32, 30] for [32, 3, 10]'],
  ['dC', "'=' for '+='", '= stands where += belongs: of a character that occurs several times, only the last row is kept'],
  ['dC', 'contexts in reversed order', 'the positions of the context are in reversed order'],
  ['dC', 'averaged over the batch', 'it is divided by n once too often'],
];

const SAID_OF_CLOSED_FORMS: readonly (readonly [line: string, mistake: string, said: string | undefined])[] = [
  ['dlogits', 'no division by n', 'it is n times too large'],
  ['dlogits', 'n - 1 for n', 'n - 1 stands where n belongs'],
  ['dlogits', 'softmax without minus one-hot', 'the branch through the target: minus one-hot is missing'],
  ['dlogits', 'sign of the one-hot', 'in the branch through the target: minus one-hot, the sign is wrong'],
  ['dlogits', 'one-hot not divided', 'the branch through the target: minus one-hot is n times too large'],
  ['dlogits', 'softmax over the batch', 'the softmax runs over the batch, not along the row'],
  ['dlogits', 'summed over the batch', 'shape [27], expected [32, 27]'],
  ['dhprebn', 'Bessel factor 1 for n/(n-1)', "in the branch through the variance, n stands where n - 1 belongs: Bessel's correction"],
  ['dhprebn', 'Bessel factor the other way up', 'in the branch through the variance, the factor n/(n-1) is the other way up'],
  ['dhprebn', 'path through the variance dropped', 'the branch through the variance is missing'],
  ['dhprebn', 'sign of the path through the variance', 'in the branch through the variance, the sign is wrong'],
  ['dhprebn', 'path through the mean dropped', 'the branch through the mean is missing'],
  ['dhprebn', 'mean not divided by n', 'the branch through the mean is n times too large'],
  ['dhprebn', 'statistics as constants', 'the branch through the mean is missing; the branch through the variance is missing'],
  ['dhprebn', 'gain forgotten', 'the gain, bngain, is left out'],
  ['dhprebn', 'bnvar_inv forgotten', 'bnvar_inv is left out'],
  ['dhprebn', 'bnvar_inv squared', 'bnvar_inv is squared'],
];

const checker = new LineChecker();

/** Names that are no more than what was found, which a learner has to explain himself. */
const UNNAMED = /^(shape |it threw )/;

function lineOf(exercise: 1 | 2 | 3, name: string): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no ${name}`);
  return line;
}

describe('the bank of mistakes', () => {
  it('is all in the tables', () => {
    expect(SAID.map(([line, mistake]) => [line, mistake])).toEqual(LINE_MUTANTS.map(({ line, mistake }) => [line, mistake]));
    expect(SAID_OF_CLOSED_FORMS.map(([line, mistake]) => [line, mistake])).toEqual(
      CLOSED_FORM_MUTANTS.map(({ form, mistake }) => [form, mistake]),
    );
  });

  it.each(LINE_MUTANTS.map((mutant, i) => ({ ...mutant, said: SAID[i][2] })))('$line: $mistake', ({ line, planted, said }) => {
    const report = checker.check(lineOf(1, line), planted);
    expect(report.verdict).not.toBe('right');
    expect(report.problem).toBe(said);
    expect(report.worst === undefined).toBe(said !== undefined);
  });

  it.each(CLOSED_FORM_MUTANTS.map((mutant, i) => ({ ...mutant, said: SAID_OF_CLOSED_FORMS[i][2] })))(
    '$form in one expression: $mistake',
    ({ form, planted, said }) => {
      const report = checker.check(lineOf(form === 'dlogits' ? 2 : 3, form), planted);
      expect(report.verdict).toBe('wrong');
      expect(report.problem).toBe(said);
    },
  );

  it('is named in more than nine cases of ten', () => {
    const said = [...SAID, ...SAID_OF_CLOSED_FORMS].map(([, , text]) => text);
    const named = said.filter((text) => text !== undefined && !UNNAMED.test(text));
    expect(named.length / said.length).toBeGreaterThan(0.9);
  });
});

describe('what is right', () => {
  it.each(Object.values(EXERCISES).flatMap(({ number, lines }) => lines.map((line) => ({ number, name: line.name, line }))))(
    'in Exercise $number: $name',
    ({ line }) => {
      const { verdict, figures, problem } = checker.check(line, line.solution);
      expect({ verdict, problem }).toEqual({ verdict: 'right', problem: undefined });
      expect(figures).toEqual({ exact: true, close: true, maxDiff: 0, maxUlps: 0 });
    },
  );
});
