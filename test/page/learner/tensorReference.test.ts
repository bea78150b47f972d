import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/core/tensor.js';
import { FUNCTIONS, TENSOR_METHODS, TENSOR_STATICS } from '../../../src/page/learner/tensorReference.js';

const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name).sort();

describe('the reference beside the editor', () => {
  it('has every public method and property of a tensor, and nothing else', () => {
    const own = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');
    expect(names(TENSOR_METHODS)).toEqual([...own, ...Object.keys(Tensor.zeros([1]))].sort());
  });

  it('has every function of the class', () => {
    const own = Object.getOwnPropertyNames(Tensor).filter((name) => !['length', 'name', 'prototype'].includes(name));
    expect(names(TENSOR_STATICS)).toEqual(own.sort());
  });

  it('calls each row by its name', () => {
    for (const { name, call, text } of [...TENSOR_METHODS, ...TENSOR_STATICS, ...FUNCTIONS]) {
      expect(call).toMatch(new RegExp(`(^|\\.)${name}\\b`));
      expect(text).not.toBe('');
    }
  });
});
