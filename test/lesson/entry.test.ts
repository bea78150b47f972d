import { describe, expect, it } from 'vitest';
import type { UsageError } from '../../src/core/errors.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { readEntry, type TensorName } from '../../src/lesson/entry.js';
import { backward } from '../../src/lesson/exercise1.js';

const { values } = createLessonCase(LESSON_CONFIG, 32, 1);
const pass = { ...values, ...backward(values) };

describe('an entry is read', () => {
  it.each([
    ['dW1[3,17]', 'dW1', [3, 17]],
    ['dW1[3, 17]', 'dW1', [3, 17]],
    ['dW1 [3, 17]', 'dW1', [3, 17]],
    ['dW1 3,17', 'dW1', [3, 17]],
    ['dW1 3, 17', 'dW1', [3, 17]],
    ['  dW1  3 17 ', 'dW1', [3, 17]],
    ['dW1[3][17]', 'dW1', [3, 17]],
    ['dW1(3,17)', 'dW1', [3, 17]],
    ['dW1［3，17］', 'dW1', [3, 17]],
    ['dW1', 'dW1', undefined],
    ['dW1[]', 'dW1', undefined],
    ['emb[31,2,9]', 'emb', [31, 2, 9]],
    ['b1[17]', 'b1', [17]],
    ['dbngain 17', 'dbngain', [0, 17]],
    ['dbngain[0,17]', 'dbngain', [0, 17]],
    ['counts_sum 31', 'counts_sum', [31, 0]],
    ['loss', 'loss', []],
    ['loss[]', 'loss', []],
    ['dembcat[1,2]', 'dembact', [1, 2]],
  ])('%j', (text, name, at) => expect(readEntry(text, pass)).toEqual(at === undefined ? { name } : { name, at }));

  it.each([
    ['3,17', 'dW1', [3, 17]],
    ['[3,17]', 'dW1', [3, 17]],
    ['3 17', 'dW1', [3, 17]],
    ['', 'dW1', undefined],
    ['17', 'bnvar', [0, 17]],
    ['', 'loss', []],
    ['dC[3,2]', 'dW1', [3, 2]],
  ] as const)('%j, where the tensor is %s', (text, known, at) => {
    const name = text.startsWith('d') ? 'dC' : known;
    expect(readEntry(text, pass, known)).toEqual(at === undefined ? { name } : { name, at });
  });
});

describe('is refused, with the way out:', () => {
  it.each([
    ['dw1 3,17', "there is no tensor 'dw1'", 'did you mean dW1'],
    ['W1.grad[3,17]', "there is no tensor 'W1.grad'", 'did you mean dW1'],
    ['dhpreactt', "there is no tensor 'dhpreactt'", 'did you mean dhpreact'],
    ['toString', "there is no tensor 'toString'", /^the tensors are C, W1, .* and loss; d in front, as in dlogits, is the gradient/],
    ['x\u001b[1,2]', "there is no tensor 'x\\x1b'", /^the tensors are/],
    ['С 1,2', "there is no tensor 'С' (with U+0421)", /^the tensors are/],
    ['3,17', "there is no tensor '3'", /^the tensors are/],
    ['', 'the name of a tensor is missing', /^the tensors are/],
    ['dloss', 'dloss is 1: the gradient of the loss by itself', 'dlogprobs is the first below it'],
    ['Xb[1,2]', 'Xb is the batch, which no step computes and which has no gradient', 'name a tensor, such as emb'],
    ['dW1 3', 'dW1 has shape [30, 64]: expected 2 indices, found 1', 'name an entry from dW1[0,0] to dW1[29,63]'],
    ['dW1 1,3,17', 'dW1 has shape [30, 64]: expected 2 indices, found 3', 'name an entry from dW1[0,0] to dW1[29,63]'],
    ['dbngain 0,0,17', 'dbngain has shape [1, 64]: expected 2 indices, found 3', 'name an entry from dbngain[0,0] to dbngain[0,63]'],
    ['b1 0,17', 'b1 has shape [64]: expected 1 index, found 2', 'name an entry from b1[0] to b1[63]'],
    ['loss 3', 'loss is a single number, but an index was given: 3', 'leave it out'],
    ['dW1 30,17', 'dW1[30,17] is outside of dW1, whose shape is [30, 64]: the first index is 30, expected 0 to 29', 'indices count from 0'],
    ['db1 64', 'db1[64] is outside of db1, whose shape is [64]: the index is 64, expected 0 to 63', 'indices count from 0'],
    ['dW1 3,-1', /: the second index is -1, expected 0 to 63$/, 'indices count from 0: the last one is 63'],
    ['dW1 3.5,1', "dW1[3.5,1]: '3.5' is not a whole number", 'name an entry from dW1[0,0] to dW1[29,63]'],
    ['dW1[:,3]', "dW1[:,3]: ':' is not a whole number", 'name an entry from dW1[0,0] to dW1[29,63]'],
    ['dW1 1e3,3', "dW1[1e3,3]: '1e3' is not a whole number", 'name an entry from dW1[0,0] to dW1[29,63]'],
    ['loss x', "loss[x]: 'x' is not a whole number", 'loss is a single number: leave the index out'],
  ])('%j', (text, message, hint) => {
    const error = thrownBy(() => readEntry(text, pass));
    expect(error).toMatchObject({ name: 'UsageError' });
    expect(error.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(error.hint).toEqual(typeof hint === 'string' ? hint : expect.stringMatching(hint));
  });

  it('a long text, which is quoted in part', () => {
    const error = thrownBy(() => readEntry(`dW1 ${'1'.repeat(5000)}x`, pass, 'dW1' as TensorName));
    expect(error.message.length).toBeLessThan(200);
  });
});

function thrownBy(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    return error as UsageError;
  }
  throw new Error('nothing was thrown');
}
