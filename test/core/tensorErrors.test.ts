import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Indices, type Shape, ShapeError, Tensor } from '../../src/core/tensor.js';
import { plain } from '../support/compare.js';

const f64 = (values: number[], shape?: Shape) => Tensor.of(values, shape, 'float64');
const indices = (values: number[], shape: Shape = [values.length]): Indices => ({ data: Int32Array.from(values), shape });

describe('a ShapeError gives the found and the expected shape', () => {
  const x = (shape: Shape) => Tensor.zeros(shape);
  it.each<[string, () => unknown, string]>([
    ['data that is too short', () => new Tensor(new Float32Array(3), [2, 2]), 'shape [2, 2] holds 4 entries, the data has 3'],
    ['a negative size', () => new Tensor(new Float32Array(4), [-2, -2]), 'sizes must be non-negative integers, got shape [-2, -2]'],
    ['half a row', () => new Tensor(new Float32Array(3), [1.5, 2]), 'sizes must be non-negative integers, got shape [1.5, 2]'],
    ['add', () => x([2, 3]).add(x([2])), 'add: shapes [2, 3] and [2] do not broadcast (3 and 2)'],
    ['sub', () => x([2, 3]).sub(x([3, 1])), 'sub: shapes [2, 3] and [3, 1] do not broadcast (2 and 3)'],
    ['mul', () => x([4]).mul(x([2, 3])), 'mul: shapes [4] and [2, 3] do not broadcast (4 and 3)'],
    ['div', () => x([2, 3]).div(x([0, 3])), 'div: shapes [2, 3] and [0, 3] do not broadcast (2 and 0)'],
    ['matmul', () => x([2, 3]).matmul(x([2, 3])), 'matmul needs [n,k] and [k,m], got [2, 3] and [2, 3]'],
    ['matmul with a vector', () => x([2, 3]).matmul(x([3])), 'matmul needs [n,k] and [k,m], got [2, 3] and [3]'],
    ['transpose of a vector', () => x([3]).T, 'transpose needs a matrix, got shape [3]'],
    ['view of another size', () => x([2, 3]).view([4]), 'view: shape [2, 3] does not fit [4]'],
    ['view with a remainder', () => x([2, 3]).view([4, -1]), 'view: shape [2, 3] does not fit [4, -1]'],
    ['view with two unknown sizes', () => x([2, 3]).view([-1, -1]), 'view: shape [2, 3] does not fit [-1, -1]'],
    ['view with an ambiguous size', () => x([0, 3]).view([0, -1]), 'view: shape [0, 3] does not fit [0, -1]'],
    ['item of two', () => x([2, 1]).item(), 'item needs a tensor with one entry, got shape [2, 1]'],
    ['at with one index', () => x([2, 3]).at(1), 'at needs 2 indices for shape [2, 3], got 1'],
    ['at outside', () => x([2, 3]).at(1, 3), 'at: index 3 is outside the range 0 to 2'],
    ['sum over a third dimension', () => x([2, 3]).sum(2), 'sum: shape [2, 3] has no dimension 2'],
    ['mean over dimension -3', () => x([2, 3]).mean(-3), 'shape [2, 3] has no dimension -3'],
    ['max over dimension 0.5', () => x([2, 3]).max(0.5), 'max: shape [2, 3] has no dimension 0.5'],
    ['max over an empty dimension', () => x([2, 0]).max(1), 'max: dimension 1 of shape [2, 0] is empty'],
    ['oneHot of a tensor', () => Tensor.oneHot(Tensor.of([0.5], [1]) as unknown as Indices, 3), 'oneHot: index 0.5 is not a whole number'],
    ['oneHot outside', () => Tensor.oneHot(indices([3]), 3), 'oneHot: index 3 is outside the range 0 to 2'],
    ['gatherRows of a vector', () => x([3]).gatherRows(indices([0])), 'gatherRows needs a matrix, got shape [3]'],
    ['gatherRows outside', () => x([2, 3]).gatherRows(indices([2])), 'gatherRows: index 2 is outside the range 0 to 1'],
    [
      'scatterAddRows with rows of another size',
      () => x([2, 3]).scatterAddRows(indices([0]), x([1, 2])),
      'rows of shape [1, 2], expected [1, 3]',
    ],
    [
      'scatterAddRows outside',
      () => x([2, 3]).scatterAddRows(indices([-1]), x([1, 3])),
      'scatterAddRows: index -1 is outside the range 0 to 1',
    ],
    [
      'scatterAddRows that would round',
      () => x([2, 3]).scatterAddRows(indices([0]), f64([1, 2, 3], [1, 3])),
      'adding float64 rows to a float32 tensor would round them',
    ],
    ['pick of too many', () => x([2, 3]).pick(indices([0, 1, 2])), 'pick: indices of shape [3], expected [2] for [2, 3]'],
    ['pick outside', () => x([2, 3]).pick(indices([0, 3])), 'pick: index 3 is outside the range 0 to 2'],
  ])('for %s', (_, run, message) => {
    expect(run).toThrow(ShapeError);
    expect(run).toThrow(message);
  });
});

describe('an operand of the wrong type', () => {
  const a = Tensor.of([1, 2], [1, 2]);
  const none = undefined as unknown as Tensor;
  const ONE: Indices = { data: Int32Array.of(0), shape: [1] };
  it.each<[string, () => unknown, string]>([
    ['add', () => a.add(none), 'add needs a tensor or a number, got undefined'],
    ['mul', () => a.mul(null as unknown as Tensor), 'mul needs a tensor or a number, got null'],
    ['div', () => a.div([1, 2] as unknown as Tensor), 'div needs a tensor or a number, got object'],
    ['sub', () => a.sub('1' as unknown as number), 'sub needs a tensor or a number, got string'],
    ['pow', () => a.pow(a as unknown as number), 'pow needs a number, got object'],
    ['matmul', () => a.matmul(none), 'matmul needs a tensor, got undefined'],
    ['sub of indices', () => a.sub(ONE as unknown as Tensor), 'sub needs a tensor or a number, got a list of indices'],
    ['matmul of indices', () => a.matmul(ONE as unknown as Tensor), 'matmul needs a tensor, got a list of indices'],
    [
      'scatterAddRows of indices',
      () => a.scatterAddRows(ONE, ONE as unknown as Tensor),
      'scatterAddRows needs a tensor, got a list of indices',
    ],
    [
      'scatterAddRows',
      () => a.scatterAddRows({ data: Int32Array.of(0), shape: [1] }, none),
      'scatterAddRows needs a tensor, got undefined',
    ],
    ['gatherRows', () => a.gatherRows(none as unknown as Indices), 'gatherRows needs indices, got undefined'],
    ['oneHot', () => Tensor.oneHot(none as unknown as Indices, 3), 'oneHot needs indices, got undefined'],
    [
      'oneHot without a size',
      () => Tensor.oneHot({ data: Int32Array.of(0), shape: [1] }, none as unknown as number),
      'oneHot needs a number of classes, got undefined',
    ],
    ['view', () => a.view(2 as unknown as Shape), 'view needs a list of sizes, got number'],
    ['zeros', () => Tensor.zeros(2 as unknown as Shape), 'zeros needs a list of sizes, got number'],
  ])('is named in a TypeError by %s', (_, run, message) => {
    expect(run).toThrow(TypeError);
    expect(run).toThrow(message);
  });

  it('does not include a tensor from another copy of the class', () => {
    const { data, shape } = Tensor.of([3, 4], [1, 2]);
    expect(plain(a.add({ data, shape } as Tensor))).toEqual({ shape: [1, 2], values: [4, 6] });
  });
});

describe('a tensor in JavaScript', () => {
  const tensor = Tensor.of([1, -2.000001, 1 / 3, 4, 5, 6, 7, 8], [2, 4]);

  it.each<[string, () => unknown]>([
    ['-', () => 1 - (tensor as unknown as number)],
    ['+', () => (tensor as unknown as number) + (tensor as unknown as number)],
    ['*', () => (tensor as unknown as number) * 2],
    ['/', () => 1 / (tensor as unknown as number)],
    ['**', () => (tensor as unknown as number) ** 2],
    ['-T', () => -(tensor as unknown as number)],
    ['<', () => (tensor as unknown as number) < 1],
  ])('throws with the operator %s, rather than becoming NaN', (_, compute) => {
    expect(compute).toThrow("JavaScript's operators do not work on tensors: use .add .sub .mul .div .neg .pow");
  });

  it('has its shape and type as text, and its first entries in the console', () => {
    expect(`${tensor}`).toBe('Tensor [2, 4] float32');
    expect(inspect(tensor)).toBe('Tensor [2, 4] float32 [ 1, -2, 0.3333, 4, 5, 6, … ]');
    expect(inspect(Tensor.of([1, 2], [2], 'float64'))).toBe('Tensor [2] float64 [ 1, 2 ]');
  });
});
