import { describe, expect, it } from 'vitest';
import { adviceOnPython } from '../../src/dojo/pythonAdvice.js';

const NO_ARRAYS = 'this Python has neither torch nor numpy, so the values are lists: name one that has them with --python';

describe('advice on errors in Python', () => {
  it.each([
    ["ModuleNotFoundError: No module named 'torch'", 'name a Python that has it with --python'],
    ["ModuleNotFoundError: No module named 'torch.nn'", 'name a Python that has it with --python'],
    [
      "AttributeError: 'numpy.ndarray' object has no attribute 'unsqueeze'",
      'this Python has no torch, so the values are NumPy arrays: name one that has it with --python, or write it as NumPy does',
    ],
    ["AttributeError: 'list' object has no attribute 'sum'", NO_ARRAYS],
    ["TypeError: can't multiply sequence by non-int of type 'list'", NO_ARRAYS],
    ["TypeError: unsupported operand type(s) for -: 'list' and 'list'", NO_ARRAYS],
    ['TypeError: can only concatenate list (not "float") to list', undefined],
    [
      'RuntimeError: The size of tensor a (13) must match the size of tensor b (2) at non-singleton dimension 1',
      'a sum or maximum along the row needs keepdim=True to fit',
    ],
    ['RuntimeError: The size of tensor a (13) must match the size of tensor b (8) at non-singleton dimension 1', undefined],
    [
      'ValueError: operands could not be broadcast together with shapes (2,13) (2,)',
      'a sum or maximum along the row needs keepdims=True to fit',
    ],
    ['ValueError: operands could not be broadcast together with shapes (2,13) (8,)', undefined],
    ["NameError: name 'probs' is not defined", 'write at.probs'],
    ["NameError: name 'dlogprobs' is not defined", 'write at.dlogprobs'],
    ["NameError: name 'torch' is not defined", 'write import torch'],
    ["NameError: name 'F' is not defined", 'write import torch.nn.functional as F'],
    ["NameError: name 'foo' is not defined", undefined],
    ['ZeroDivisionError: division by zero', undefined],
  ])('%s', (text, advice) => {
    expect(adviceOnPython(text)).toBe(advice);
  });
});
