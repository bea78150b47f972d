import { describe, expect, it } from 'vitest';
import { type FileFault, type Finding, sameFindings } from '../../src/dojo/findings.js';
import { sentenceOf, thrownText } from '../../src/dojo/sentences.js';

type Any = Finding | FileFault;

const SHAPES = { found: [32, 27], expected: [32, 1] };
const THROWN = { text: 'TypeError: no' };

/** At least one finding per id, with its sentence. */
const SENTENCES: Record<Any['id'], readonly (readonly [data: object, sentence: string])[]> = {
  'factor-missing': [
    [{ factor: 'counts' }, 'the factor counts is missing'],
    [{ factor: 'dh', role: 'gradient-above' }, 'the gradient above, dh, is missing'],
    [{ factor: '1/probs', role: 'log-derivative' }, 'the derivative of log, 1/probs, is missing'],
    [{ factor: 'bndiff', branch: 'bndiff2' }, 'in the branch through bndiff2, the factor bndiff is missing'],
  ],
  'factor-extra': [
    [{ factor: 'bngain', role: 'gain' }, 'the gain, bngain, does not belong here'],
    [
      { factor: 'bnvar_inv', shared: true, branch: 'bndiff2' },
      'in the branch through bndiff2, the factor bnvar_inv does not belong here: check your parentheses',
    ],
  ],
  'division-extra': [[{ by: 'probs' }, 'you divide by probs, which does not belong here']],
  'factor-squared': [
    [{ factor: 'bnraw' }, 'you have bnraw² where bnraw belongs'],
    [{ factor: 'bnvar_inv' }, 'you have bnvar_inv² where bnvar_inv belongs (as if the square root were forgotten)'],
  ],
  exchanged: [
    [{ found: 'probs', expected: 'counts' }, 'you have probs where counts belongs'],
    [
      { found: 'h · (1 - h)', expected: '1 - h²', confusion: 'sigmoid' },
      'you have h · (1 - h) where 1 - h² belongs: that is the derivative of the sigmoid',
    ],
    [
      { found: 'counts_sum', expected: 'counts_sum_inv', branch: 'probs' },
      'in the branch through probs, you have counts_sum where counts_sum_inv belongs',
    ],
  ],
  'wrong-power': [
    [
      { base: 'counts_sum', found: '2', expected: '-2', same: 'counts_sum_inv^(-2)' },
      'the power of counts_sum is 2 (the same as counts_sum_inv^(-2)), expected -2',
    ],
  ],
  divided: [[{ by: 'counts' }, 'you divide by counts where you should multiply']],
  multiplied: [[{ by: 'probs' }, 'you multiply by probs where you should divide']],
  'factors-added': [[{ a: 'bngain', b: 'dhpreact' }, 'you add bngain and dhpreact where you should multiply them']],
  'factors-subtracted': [[{ a: 'counts', b: 'dcounts' }, 'you take the difference of counts and dcounts where you should multiply them']],
  parentheses: [
    [{ found: '1 - h² · dh', expected: '(1 - h²) · dh' }, 'you have 1 - h² · dh where (1 - h²) · dh belongs: check your parentheses'],
  ],
  'common-factor': [
    [
      { factor: '1/n · bngain', on: ['direct', 'mean'] },
      'the common factor 1/n · bngain multiplies only the direct branch and the branch through the mean: check your parentheses',
    ],
  ],
  'epsilon-other': [[{ found: '1e-8' }, 'the epsilon is 1e-8, expected 1e-5']],
  'epsilon-missing': [[{}, 'the epsilon 1e-5 is missing']],
  'epsilon-outside': [[{}, 'the epsilon 1e-5 is added to the power; it belongs inside']],
  misplaced: [
    [{ found: 'row-maximum', expected: 'target' }, 'the entries are at the row maximum, expected at the target'],
    [
      { found: 'everywhere', expected: 'row-maximum', branch: 'logit_maxes' },
      'in the branch through logit_maxes, the entries are everywhere in the row, expected at the row maximum',
    ],
  ],
  viewed: [[{ value: 'W2' }, 'W2 is viewed in the transposed shape, which does not transpose it: write W2.T']],
  'only-at': [
    [{ place: 'target' }, 'it is kept only at the target; elsewhere it is 0'],
    [{ place: 'not-target', branch: 'softmax' }, 'the softmax term is 0 at the target: it is overwritten or masked there'],
  ],
  rearranged: [
    [{ how: 'contexts-reversed' }, 'the positions of the context are in reverse order'],
    [
      { how: 'viewed-n-E-T' },
      "the entries are in the wrong order: they are viewed as [n,E,T], but each position's E entries are side by side",
    ],
  ],
  scattered: [
    [{ repeated: 'last' }, 'the rows of a repeated character are not added: the last one overwrites the others (= where += belongs)'],
    [{ repeated: 'first' }, 'the rows of a repeated character are not added: only the first one is kept'],
    [{ repeated: 'mean' }, 'the rows of a repeated character are not added: they are averaged'],
    [{ index: 'target' }, 'the rows go to the targets Yb; they belong to the characters of the context, Xb'],
    [{ positions: 'last' }, 'only the last position of each context is used'],
    [{ examples: 'not-last' }, 'the last example of the batch is left out'],
    [{ start: 'C' }, 'it starts from C: start from zeros'],
    [{ stride: '1' }, 'the rows overlap: a row of dC has E entries, so it starts at E times its index'],
  ],
  'softmax-missing': [[{}, 'the softmax is missing: you have the logits themselves where the softmax belongs']],
  'softmax-other': [
    [{ found: 'softmax over the batch' }, 'the softmax runs over the batch, but it belongs along the row'],
    [{ found: 'exp' }, 'the exponentials are not divided by their row sum, so this is not a softmax'],
    [{ found: 'softmax' }, 'you take the softmax twice'],
    [{ found: 'tanh' }, 'you have tanh of the logits where the softmax belongs'],
  ],
  'branches-multiplied': [
    [{}, 'you multiply the two branches where you should add them'],
    [
      { these: ['mean', 'variance'] },
      'you multiply the branch through the mean and the branch through the variance where you should add them',
    ],
  ],
  kept: [
    [{ over: 'batch', kept: 'not-first' }, 'the first example of the batch is left out'],
    [{ over: 'row', kept: 'last' }, 'only the last entry of each row counts (is there = where += belongs?)'],
  ],
  maximum: [[{ over: 'row' }, 'you take the maximum over the row where the sum belongs']],
  'row-offset-missing': [[{}, 'all entries land in the first row: the offset of the row is missing in the index']],
  constant: [
    [{ value: '1/n' }, 'every entry is 1/n, whatever the input'],
    [{ value: '-1', above: 'dh' }, 'every entry is -1, whatever the input: the gradient above, dh, is missing'],
  ],
  'entries-alike': [
    [{ of: 'the sum of all of dh', by: '1/n' }, 'every entry is the same, 1/n · the sum of all of dh'],
    [
      { of: 'the sum of all of dh', by: '1', over: 'batch' },
      'every entry is the same, the sum of all of dh: each needs its own sum over the batch',
    ],
  ],
  'result-applied': [
    [{ found: 'x²' }, 'you have the square of the right result: leave that out'],
    [{ found: 'tanh' }, 'you have tanh of the right result: leave that out'],
  ],
  'sums-run-on': [[{}, 'the sums run on from column to column: set them back to 0 for each']],
  'rows-alike': [[{}, 'every row is the same: it does not use Xb, which says to which row each gradient belongs']],
  'sums-multiplied': [
    [
      { a: 'bnraw', b: 'dhpreact', over: 'batch' },
      'you multiply the sums of bnraw and dhpreact where you should sum their product over the batch',
    ],
    [
      { a: 'dlogits', b: 'W2ᵀ', over: 'inner' },
      'you multiply the sums of dlogits and W2ᵀ where the matrix product, the sum of their products, belongs',
    ],
  ],
  'sum-partial': [
    [{ of: 'dhpreact', outside: 'bnraw', over: 'batch' }, 'you sum only dhpreact over the batch; bnraw belongs inside of the sum'],
  ],
  'sum-extra': [
    [
      { over: 'batch', found: [1, 64], expected: [32, 64] },
      'you sum over the batch, but no sum belongs here: shape [1, 64], expected [32, 64]',
    ],
    [{ over: 'row', of: 'bngain', mean: true }, 'you average bngain over the row, but no mean belongs here'],
  ],
  'term-extra': [
    [{ term: 'bnbias', by: '1' }, 'you add bnbias, which does not belong here'],
    [{ term: 'probs', by: '-1/n' }, 'you subtract 1/n · probs, which does not belong here'],
    [{ term: '1', by: 'n' }, 'you add n, which does not belong here'],
  ],
  'other-expression': [
    [{ found: 'tanh(dh)' }, 'it is tanh(dh), which is another quantity'],
    [{ found: 'h', is: 'value' }, 'it is h itself, not its gradient'],
    [{ found: 'dprobs', is: 'gradient-above' }, 'it is dprobs, the gradient above, unchanged'],
    [{ found: 'dbngain', is: 'other-line' }, 'it is the answer for dbngain'],
    [{ found: 'dlogits', is: 'closed-form' }, 'it is the whole formula for dlogits in one expression, not this step'],
  ],
  independent: [[{ of: 'dh' }, 'it does not use dh, the gradient above']],
  either: [
    [
      { of: [[{ id: 'exchanged', found: 'bnraw', expected: 'bndiff' }], [{ id: 'factor-extra', factor: 'bnvar_inv' }]] },
      'either you have bnraw where bndiff belongs, or the factor bnvar_inv does not belong here',
    ],
  ],
  'result-viewed': [
    [SHAPES, 'row and column are swapped: the values are those of the transpose (a view does not transpose, .T does)'],
    [{ ...SHAPES, indexed: true }, 'row and column are swapped: the values are those of the transpose (check the index)'],
  ],
  repeated: [
    [{ over: 'batch', found: [32, 64], expected: [1, 64] }, 'right values, but repeated over the batch: shape [32, 64], expected [1, 64]'],
  ],
  'other-shape': [[SHAPES, 'that gives shape [32, 27], expected [32, 1]']],
  'branch-missing': [
    [{ branch: 'counts_sum' }, 'the branch through counts_sum is missing'],
    [{ branch: 'one-hot' }, 'the one-hot term is missing'],
    [{ branch: 'direct' }, 'the direct branch is missing'],
    [{ branch: 'variance' }, 'the branch through the variance is missing (or it is 0, as the sum of bnraw alone is)'],
  ],
  zero: [
    [{}, 'it is 0 everywhere'],
    [{ endToEnd: true }, 'it is 0 everywhere: that is what the whole pass gives, but this line must compute it from the gradient above'],
  ],
  scaled: [
    [{ by: '-1' }, 'the sign is wrong'],
    [{ by: '-1', branch: 'mean' }, 'in the branch through the mean, the sign is wrong'],
    [{ by: '2' }, 'it is too large by a factor of 2'],
    [{ by: '1/2' }, 'it is half of what it should be'],
    [{ by: '0.7' }, 'it is 0.7 times what it should be'],
    [{ by: '2', branch: 'counts_sum' }, 'the branch through counts_sum is too large by a factor of 2'],
    [{ by: '1/n' }, 'it is divided by n once too often'],
    [{ by: '1/(n·V)' }, 'it is divided by n·V once too often'],
    [{ by: '1/n', mean: 'batch' }, 'it is divided by n once too often: that is a mean over the batch, and a sum belongs here'],
    [{ by: 'n', expected: '1/n' }, 'the division by n is missing'],
    [{ by: 'n', expected: '1/n', branch: 'one-hot' }, 'in the one-hot term, the division by n is missing'],
    [{ by: '-n', expected: '-1/n' }, 'the factor -1/n is missing'],
    [{ by: '-n', expected: '1/n' }, 'the sign is wrong, and the division by n is missing'],
    [{ by: 'n²', expected: '1/n' }, 'you have the factor n where 1/n belongs'],
    [{ by: '-2', expected: '-1/2' }, 'the factor -1/2 is missing'],
    [{ by: '2', expected: '-1/2' }, 'the factor 1/2 is missing'],
    [{ by: '-n' }, 'the sign is wrong, and it is too large by a factor of n'],
    [{ by: '(n-1)/n', expected: '1/(n-1)' }, "you have the factor 1/n where 1/(n-1) belongs (Bessel's correction)"],
    [{ by: '(n-1)/H', expected: '1/(n-1)' }, 'you have the factor 1/H where 1/(n-1) belongs'],
    [
      { by: '(n-1)²/n²', expected: '-n/(n-1)', branch: 'variance' },
      'in the branch through the variance, you have the factor (n-1)/n where n/(n-1) belongs',
    ],
  ],
  'hidden-by-true-gradients': [[{}, 'the true gradients above it hide this mistake, but random ones show it']],
  reshaped: [
    [{ found: [32, 30], expected: [32, 3, 10] }, 'right values in the wrong shape: [32, 30], expected [32, 3, 10]'],
    [
      { found: [32], expected: [32, 1], keepdim: 'missing' },
      'right values in the wrong shape: [32], expected [32, 1] (sum with { keepdim: true })',
    ],
    [{ found: [1, 27], expected: [27], keepdim: 'extra' }, 'right values in the wrong shape: [1, 27], expected [27] (sum without keepdim)'],
  ],
  transposed: [[{ found: [27, 64], expected: [64, 27] }, 'this is the transpose of the right answer: shape [27, 64], expected [64, 27]']],
  'not-summed': [[{ over: 'row', ...SHAPES }, 'the sum over the row is missing: shape [32, 27], expected [32, 1]']],
  'viewed-before-sum': [
    [{ value: 'dlogits', over: 'batch' }, 'dlogits is viewed in another shape before it is summed over the batch, which mixes its columns'],
  ],
  random: [[{}, 'it returns other numbers each time it runs: a line must be computed from its input']],
  'not-broadcast': [
    [
      { over: 'batch', found: [1, 64], expected: [32, 64] },
      'right values in one row only: shape [1, 64], expected [32, 64] (broadcast it over the batch)',
    ],
    [
      { over: 'row', found: [32, 1], expected: [32, 27] },
      'right values in one column only: shape [32, 1], expected [32, 27] (broadcast it along the row)',
    ],
  ],
  'summed-over': [
    [
      { instead: 'all', over: 'batch', found: [], expected: [27] },
      'you sum over everything where you should sum over the batch: shape [], expected [27]',
    ],
    [
      { instead: 'batch', over: 'row', found: [1, 27], expected: [32, 1] },
      'you sum over the batch where you should sum over the row: shape [1, 27], expected [32, 1]',
    ],
  ],
  todo: [[{}, 'not written yet']],
  'line-missing': [
    [{}, 'missing from the default export'],
    [{ stray: 'dH' }, 'missing from the default export; it has dH, which is not a line of this exercise'],
  ],
  'not-a-function': [[{ found: 'an object' }, 'an object, expected a function']],
  threw: [
    [{ thrown: THROWN }, 'it threw TypeError: no'],
    [{ thrown: { ...THROWN, line: 3, advice: 'write .pow(2)' } }, 'it threw TypeError: no (line 3): write .pow(2)'],
  ],
  'input-changed': [[{ value: 'h' }, 'it changes h, which it may only read']],
  'returns-nothing': [[{}, 'it returns nothing: a body in braces needs a return']],
  'returns-promise': [[{}, 'it returns a promise, expected a Tensor: a line cannot be async']],
  'returns-other': [[{ found: 'a list' }, 'it returns a list, expected a Tensor']],
  'invalid-tensor': [[{ thrown: THROWN }, 'it returns an invalid tensor: TypeError: no']],
  'no-answer': [[{}, 'no tensor came back']],
  'not-finite': [[{ entry: 'NaN', index: [0, 2] }, 'it returns NaN at [0, 2]']],
  'other-batch': [
    [
      { sizes: { n: 3, T: 4, E: 6, H: 7, V: 11 }, fault: { id: 'threw', thrown: THROWN } },
      'on a batch of 3 examples with V 11, H 7, T 4 and E 6, in float64: it threw TypeError: no',
    ],
  ],
  'sizes-as-numbers': [
    [
      {
        sizes: [
          { number: 27, size: 'V', instead: 'logits.shape[1]' },
          { number: 32, size: 'n', instead: 'n' },
        ],
      },
      '27 is V and 32 is n in the lesson: a line must also work for other sizes, so write logits.shape[1] and n',
    ],
  ],
  'lesson-batch-only': [
    [
      { sizes: { n: 2, T: 5, E: 3, H: 8, V: 13 } },
      "right on the lesson's batch of 32, wrong on a batch of 2 examples with V 13, H 8, T 5 and E 3: use n or a shape such as logits.shape[1] where you write a size as a number",
    ],
  ],
  'true-gradients-only': [
    [{}, 'right with the true gradients above it, wrong with random ones: it holds only for the true ones'],
    [{ ignores: true }, 'right with the true gradients above it, wrong with random ones: it must be computed from the gradients above it'],
  ],
  'wrong-shape': [
    [{ found: [1], expected: [27] }, 'shape [1], expected [27]'],
    [
      { found: [32, 32, 27], expected: [32, 27], indicesKeptDimension: true },
      'shape [32, 32, 27], expected [32, 27]: max(1, { keepdim: true }).indices keeps a dimension of 1, max(1).indices has one index per row',
    ],
  ],
  timeout: [[{ seconds: 5 }, 'it did not finish within 5 s']],
  'out-of-time': [[{ seconds: 180 }, 'the check of the whole file did not finish within 180 s']],
  memory: [[{ gigabytes: 1 }, 'it uses more than 1 GB of memory']],
  'calls-exit': [[{ call: 'process.exit' }, 'it calls process.exit, which would end the program']],
  'process-ended': [[{ by: 'SIGTERM' }, 'it ended the program (SIGTERM)']],
  'breaks-channel': [[{}, 'its process sends what is no result: leave built-in objects and file descriptor 4 alone']],
  'never-settles': [[{}, 'it awaits a promise that never settles']],
  'file-threw': [[{ thrown: { ...THROWN, line: 2, source: '};' } }, 'TypeError: no (line 2): };']],
  'no-default-export': [[{ exercise: 2 }, "it has no default export: end the file with 'export default exercise2;'"]],
  'wrong-default-export': [
    [
      { found: 'null', exercise: 3 },
      "its default export is null, expected an object with a function per gradient: end the file with 'export default exercise3;'",
    ],
  ],
};

const CASES = Object.entries(SENTENCES).flatMap(([id, cases]) => cases.map(([data, sentence]) => ({ id, data, sentence })));

describe('the sentence for a finding', () => {
  it.each(CASES)('$id: $sentence', ({ id, data, sentence }) => {
    expect(sentenceOf([{ id, ...data } as Any])).toBe(sentence);
  });
});

describe('the sentence for several findings', () => {
  it.each<[Finding[], string]>([
    [
      [
        { id: 'scaled', by: '-1' },
        { id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' },
      ],
      'the sign is wrong; the shape is wrong too: [64], expected [1, 64] (sum with { keepdim: true })',
    ],
    [
      [
        { id: 'scaled', by: '-1' },
        { id: 'transposed', found: [64, 32], expected: [32, 64] },
      ],
      'the sign is wrong; it is transposed too: shape [64, 32], expected [32, 64]',
    ],
    [
      [
        { id: 'exchanged', found: 'probs', expected: 'counts' },
        { id: 'not-summed', over: 'row', ...SHAPES },
      ],
      'you have probs where counts belongs; the sum over the row is missing too: shape [32, 27], expected [32, 1]',
    ],
    [
      [
        { id: 'branch-missing', branch: 'probs' },
        { id: 'not-broadcast', over: 'row', found: [32, 1], expected: [32, 27] },
      ],
      'the branch through probs is missing; it is not broadcast either: shape [32, 1], expected [32, 27] (broadcast it along the row)',
    ],
    [
      [{ id: 'branch-missing', branch: 'logit_maxes' }, { id: 'hidden-by-true-gradients' }],
      'the branch through logit_maxes is missing; the true gradients above it hide this mistake, but random ones show it',
    ],
  ])('joins them: %#', (findings, sentence) => {
    expect(sentenceOf(findings)).toBe(sentence);
  });
});

describe('the sentence about a line in Python', () => {
  it.each<[Any, string]>([
    [{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }, '(sum with keepdim=True)'],
    [{ id: 'wrong-shape', ...SHAPES, indicesKeptDimension: true }, 'max(1, keepdim=True).indices keeps a dimension of 1'],
    [{ id: 'line-missing', stray: 'dprob' }, 'missing from your lines; it has dprob'],
    [{ id: 'returns-nothing' }, 'it returns None: a def needs a return'],
    [{ id: 'returns-promise' }, 'it returns a coroutine, expected a tensor or an array'],
    [{ id: 'returns-other', found: 'a list' }, 'it returns a list, expected a tensor or an array'],
    [{ id: 'other-batch', sizes: { n: 3, T: 2, E: 3, H: 4, V: 5 }, fault: { id: 'returns-nothing' } }, 'in float64: it returns None'],
    [{ id: 'either', of: [[{ id: 'reshaped', found: [64], expected: [1, 64], keepdim: 'missing' }]] }, 'keepdim=True'],
    [
      { id: 'no-default-export', exercise: 1 },
      "it has no functions named like a gradient: write one per gradient, as in 'def dlogits(at): …'",
    ],
    [{ id: 'wrong-default-export', exercise: 1, found: 'None' }, 'it has None where functions named like a gradient belong'],
  ])('speaks of Python: %j', (finding, part) => {
    expect(sentenceOf([finding], 'python')).toContain(part);
  });

  it.each(CASES)('has no word of TypeScript: $id', ({ id, data }) => {
    expect(sentenceOf([{ id, ...data } as Any], 'python')).not.toMatch(/keepdim: true|Tensor\b|export|promise|braces/);
  });
});

describe('the text for an error', () => {
  it('has the line, then the advice or the source', () => {
    expect(thrownText(THROWN)).toBe('TypeError: no');
    expect(thrownText({ ...THROWN, line: 7 })).toBe('TypeError: no (line 7)');
    expect(thrownText({ ...THROWN, advice: 'write .T' })).toBe('TypeError: no: write .T');
  });
});

describe('two lists of findings', () => {
  const missing: Finding = { id: 'branch-missing', branch: 'probs' };

  it('are the same with the same data, whatever the order of the keys', () => {
    expect(sameFindings([missing], [{ branch: 'probs', id: 'branch-missing' }])).toBe(true);
    expect(sameFindings([], [])).toBe(true);
  });

  it.each<[string, Finding[]]>([
    ['other data', [{ id: 'branch-missing', branch: 'counts_sum' }]],
    ['another id', [{ id: 'scaled', by: '-1', branch: 'probs' }]],
    ['one more', [missing, { id: 'hidden-by-true-gradients' }]],
    ['none', []],
  ])('differ with %s', (_, other) => {
    expect(sameFindings([missing], other)).toBe(false);
  });
});
