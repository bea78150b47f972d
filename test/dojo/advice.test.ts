import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { adviceOn, asWritten } from '../../src/dojo/advice.js';

const VALUES = ['bndiff2', 'dlogits', 'h', 'n'];

describe('the message of an error', () => {
  it.each([
    ['_backpropNinja.Tensor.onehot is not a function', 'Tensor.onehot is not a function'],
    ['(0 , _backpropNinja.softmx) is not a function', 'softmx is not a function'],
    ['h.foo is not a function', 'h.foo is not a function'],
  ])('has names as the file has them: %s', (message, written) => {
    expect(asWritten(message)).toBe(written);
  });

  it.each([
    ['Tensor.onehot is not a function', 'did you mean Tensor.oneHot'],
    ['Tensor.ones is not a function', 'write Tensor.onesLike(a)'],
    ['W2.T is not a function', 'the transpose is .T, without parentheses'],
    ['h.pow(...).sumn is not a function', 'did you mean .sum'],
    ['logits.argmax is not a function', 'write .max(1).indices'],
    ['logits.softmax is not a function', "write softmax(logits), with softmax imported from 'backprop-ninja'"],
    ['h.reshape is not a function', 'write .view(shape)'],
    ['softmx is not a function', 'did you mean softmax'],
    ['bndiff2 is not defined', 'name it between the braces of the line: ({ bndiff2, … }) =>'],
    ['Tensor is not defined', "import { Tensor } from 'backprop-ninja'"],
    ['True is not defined', 'write true; an option is written { keepdim: true }'],
    ['torch is not defined', 'README.md lists the methods of a tensor'],
    ['np is not defined', 'README.md lists the methods of a tensor'],
    ['F is not defined', "write softmax(logits), imported from 'backprop-ninja', and Tensor.oneHot(Yb, logits.shape[1])"],
    ['view needs a list of sizes, got number', 'write the sizes as a list: .view([n, -1])'],
    ['div: shapes [32, 27] and [32] do not broadcast (27 and 32)', 'a sum or maximum along the row needs { keepdim: true } to fit'],
    ['mul: shapes [2] and [2, 13] do not broadcast (2 and 13)', 'a sum or maximum along the row needs { keepdim: true } to fit'],
    ['dlogitz is not defined', 'did you mean dlogits'],
    ['V is not defined', 'write logits.shape[1]'],
    ['T is not defined', 'write Xb.shape[1]'],
    ['n.mul is not a function', 'n is a number: write n - 1, 1 / n, or a.mul(n)'],
    ['oneHot needs a number of classes, got undefined', 'write Tensor.oneHot(Yb, logits.shape[1])'],
    ['oneHot: index 0.25 is not a whole number', 'the row maxima are .max(1).values, their indices are .max(1).indices'],
  ])('%s leads to advice: %s', (message, advice) => {
    expect(adviceOn(message, VALUES)).toBe(advice);
  });

  it.each([
    'h.nothing is not a function',
    'toString is not a function',
    'something is not defined',
    'add: shapes [32, 27] and [27, 32] do not broadcast (27 and 32)',
    'no',
    '',
    'x.constructor is not a function',
  ])('%j leads to no advice', (message) => {
    expect(adviceOn(message, VALUES)).toBeUndefined();
  });

  it('leads to no method that a tensor does not have', () => {
    const habits = [
      'ones',
      'reshape',
      'unsqueeze',
      'squeeze',
      'expand',
      'argmax',
      'square',
      'sqrt',
      'mm',
      'multiply',
      'index_add',
      'one_hot',
    ];
    for (const habit of habits) {
      const advice = adviceOn(`h.${habit} is not a function`, VALUES) ?? '';
      const verbs = [...advice.matchAll(/(Tensor)?\.(\w+)\(/g)];
      expect(verbs.length, habit).toBeGreaterThan(0);
      for (const [, onClass, verb] of verbs) expect(verb in (onClass ? Tensor : Tensor.prototype), verb).toBe(true);
    }
  });
});
