import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DType, type Indices, type Shape, sameShape, showShape, sizeOf, Tensor } from '../../src/core/tensor.js';
import { dot, plain } from '../support/compare.js';

const f64 = (values: number[], shape?: Shape) => Tensor.of(values, shape, 'float64');
const indices = (values: number[], shape: Shape = [values.length]): Indices => ({ data: Int32Array.from(values), shape });
const A = f64([1, 2, 3, 4, 5, 6], [2, 3]);

// Random shapes, and tensors of integers, whose sums and products are exact, so that `toEqual` may compare them.
const wholeNumbers = (size: number) => fc.array(fc.integer({ min: -9, max: 9 }), { minLength: size, maxLength: size });
const tensorOf = (shape: Shape) => wholeNumbers(sizeOf(shape)).map((values) => f64(values, shape));
const shapes = (minLength: number, maxLength = 4) => fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength });

/** Every index of a shape in row-major order. */
function* indexesOf(shape: Shape): Generator<number[]> {
  if (shape.length === 0) yield [];
  else for (let i = 0; i < shape[0]; i++) for (const rest of indexesOf(shape.slice(1))) yield [i, ...rest];
}

describe('Tensor', () => {
  it('has a shape, a size and a data type', () => {
    expect([A.shape, A.size, A.dtype, Tensor.of([1]).dtype]).toEqual([[2, 3], 6, 'float64', 'float32']);
    expect(plain(Tensor.of([1, 2, 3]))).toEqual({ shape: [3], values: [1, 2, 3] });
    expect(showShape([32, 64])).toBe('[32, 64]');
    expect(showShape([])).toBe('[]');
    expect([sizeOf([]), sizeOf([2, 3]), sizeOf([2, 0])]).toEqual([1, 6, 0]);
    expect([sameShape([64], [1, 64]), sameShape([1, 64], [1, 64]), sameShape([1, 64], [64, 1])]).toEqual([false, true, false]);
  });

  it('can be created as zeros, as ones, like another tensor, or as a copy with its own data', () => {
    expect(plain(Tensor.zeros([2, 1]))).toEqual({ shape: [2, 1], values: [0, 0] });
    expect([Tensor.zeros([1]).dtype, Tensor.zeros([1], 'float64').dtype]).toEqual(['float32', 'float64']);
    expect([Tensor.zerosLike(A), Tensor.onesLike(A)].map(plain)).toEqual([0, 1].map((x) => ({ shape: [2, 3], values: Array(6).fill(x) })));
    expect([Tensor.zerosLike(A).dtype, Tensor.onesLike(A).dtype]).toEqual(['float64', 'float64']);
    const copy = A.clone();
    copy.data[0] = 99;
    expect([A.data[0], copy.data[0]]).toEqual([1, 99]);
  });

  it('keeps its shape if the list passed to it changes', () => {
    const shape = [2, 3];
    const tensor = Tensor.zeros(shape);
    shape[0] = 7;
    expect(tensor.shape).toEqual([2, 3]);
  });

  it('gives an entry with at, and its only entry with item', () => {
    expect([A.at(0, 0), A.at(1, 0), A.at(1, 2)]).toEqual([1, 4, 6]);
    expect([f64([7], []).at(), f64([7], []).item(), f64([7], [1, 1]).item()]).toEqual([7, 7, 7]);
  });

  it('rounds to float32 with to, and is returned unchanged if it has the type', () => {
    expect(f64([0.1]).to('float32').item()).toBe(Math.fround(0.1));
    expect(A.to('float32').shape).toEqual([2, 3]);
    expect(A.to('float64')).toBe(A);
  });
});

describe('an elementwise operation', () => {
  const B = f64([10, 20, 30], [3]);
  const column = f64([1, 2], [2, 1]);

  it.each([
    ['add', A.add(B), [11, 22, 33, 14, 25, 36]],
    ['sub', A.sub(B), [-9, -18, -27, -6, -15, -24]],
    ['mul', A.mul(B), [10, 40, 90, 40, 100, 180]],
    ['div', A.div(f64([1, 2, 4], [3])), [1, 1, 0.75, 4, 2.5, 1.5]],
    ['add a number', A.add(1), [2, 3, 4, 5, 6, 7]],
    ['sub a number', A.sub(1), [0, 1, 2, 3, 4, 5]],
    ['mul a number', A.mul(2), [2, 4, 6, 8, 10, 12]],
    ['div by a number', A.div(2), [0.5, 1, 1.5, 2, 2.5, 3]],
    ['neg', A.neg(), [-1, -2, -3, -4, -5, -6]],
    ['add a column', A.add(column), [2, 3, 4, 6, 7, 8]],
    ['add a scalar tensor', A.add(f64([5], [])), [6, 7, 8, 9, 10, 11]],
    ['add to a scalar tensor', f64([5], []).add(A), [6, 7, 8, 9, 10, 11]],
    ['row times column', B.mul(column), [10, 20, 30, 20, 40, 60]],
  ])('gives the expected values: %s', (_, result, values) => {
    expect(plain(result)).toEqual({ shape: [2, 3], values });
  });

  it('gives the numbers of Math for pow, exp, log and tanh; pow(-1), pow(2) and pow(-0.5) are 1/x, x·x and 1/sqrt(x)', () => {
    const xs = [0.1, 0.7, 3, 49];
    const x = f64(xs);
    expect(plain(x.pow(-1)).values).toEqual(xs.map((v) => 1 / v));
    expect(plain(x.pow(2)).values).toEqual(xs.map((v) => v * v));
    expect(plain(x.pow(-0.5)).values).toEqual(xs.map((v) => 1 / Math.sqrt(v)));
    expect(plain(x.pow(-1.5)).values).toEqual(xs.map((v) => v ** -1.5));
    expect(plain(x.exp()).values).toEqual(xs.map(Math.exp));
    expect(plain(x.log()).values).toEqual(xs.map(Math.log));
    expect(plain(x.tanh()).values).toEqual(xs.map(Math.tanh));
  });

  it('broadcasts as NumPy does: the index along a size of 1 or a missing dimension is 0', () => {
    const operands = shapes(0).chain((shape) => {
      const operand = fc
        .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
        .chain(([missing, ones]) => tensorOf(shape.map((size, dim) => (ones[dim] ? 1 : size)).slice(missing)));
      return fc.tuple(operand, operand);
    });
    const entry = (tensor: Tensor, index: number[]) =>
      tensor.at(...index.slice(index.length - tensor.shape.length).map((i, dim) => (tensor.shape[dim] === 1 ? 0 : i)));
    fc.assert(
      fc.property(operands, ([a, b]) => {
        const rank = Math.max(a.shape.length, b.shape.length);
        const size = (shape: Shape, dim: number) => shape[dim - rank + shape.length] ?? 1;
        const shape = Array.from({ length: rank }, (_, dim) => Math.max(size(a.shape, dim), size(b.shape, dim)));
        const values = [...indexesOf(shape)].map((index) => entry(a, index) - entry(b, index));
        expect(plain(a.sub(b))).toEqual({ shape, values });
      }),
      { numRuns: 300 },
    );
  });

  it('does not change its operands', () => {
    const before = plain(A);
    A.add(B).mul(A).exp();
    expect(plain(A)).toEqual(before);
    expect(plain(B).values).toEqual([10, 20, 30]);
  });

  it('works on tensors without entries', () => {
    expect(plain(Tensor.zeros([0, 3]).add(f64([1, 2, 3])))).toEqual({ shape: [0, 3], values: [] });
  });
});

describe('the data type', () => {
  const fine = f64([0.1], [1, 1]);
  const coarse = Tensor.of([0.1], [1, 1]);

  it.each<[string, (a: Tensor, b: Tensor) => Tensor]>([
    ['add', (a, b) => a.add(b)],
    ['sub', (a, b) => a.sub(b)],
    ['mul', (a, b) => a.mul(b)],
    ['div', (a, b) => a.div(b)],
    ['matmul', (a, b) => a.matmul(b)],
  ])('of %s with float32 and float64 is float64, in either order; with two float32 it is float32', (_, operation) => {
    const dtypes = [operation(fine, coarse), operation(coarse, fine), operation(coarse, coarse)].map(({ dtype }) => dtype);
    expect(dtypes).toEqual(['float64', 'float64', 'float32']);
  });

  it('keeps a float64 operand in full precision next to float32', () => {
    expect(
      Tensor.of([1])
        .mul(f64([0.1]))
        .item(),
    ).toBe(0.1);
    expect(Tensor.of([1], [1, 1]).matmul(fine).item()).toBe(0.1);
  });

  it.each<[string, (a: Tensor) => Tensor]>([
    ['sum', (a) => a.sum()],
    ['sum over a dimension', (a) => a.sum(0)],
    ['mean', (a) => a.mean()],
    ['max', (a) => a.max(0).values],
    ['transpose', (a) => a.T],
    ['view', (a) => a.view([1])],
    ['exp', (a) => a.exp()],
    ['a number added', (a) => a.add(0.1)],
    ['gatherRows', (a) => a.gatherRows(indices([0]))],
    ['pick', (a) => a.pick(indices([0]))],
    ['oneHot', (a) => Tensor.oneHot(indices([0]), 1, a.dtype)],
  ])('stays the same: %s', (_, operation) => {
    expect([operation(coarse).dtype, operation(fine).dtype]).toEqual<DType[]>(['float32', 'float64']);
  });

  it('float32 gives the float64 result, rounded once', () => {
    const floats = fc.float({ noNaN: true, min: 2 ** -60, max: 2 ** 60 });
    fc.assert(
      fc.property(floats, floats, (x, y) => {
        const [a, b] = [Tensor.of([x]), Tensor.of([y])];
        expect([a.add(b), a.sub(b), a.mul(b), a.div(b)].map((c) => c.item())).toEqual([x + y, x - y, x * y, x / y].map(Math.fround));
      }),
    );
  });

  it('float32 accumulates sums and products in float64: 2^24 + 1 + 1 is 2^24 + 2', () => {
    const row = Tensor.of([2 ** 24, 1, 1], [1, 3]);
    const expected = 2 ** 24 + 2;
    expect(row.sum().item()).toBe(expected);
    expect(row.sum(1).item()).toBe(expected);
    expect(row.matmul(Tensor.of([1, 1, 1], [3, 1])).item()).toBe(expected);
  });
});

describe('a reduction', () => {
  it.each<[string, Tensor, Shape, number[]]>([
    ['sum()', A.sum(), [], [21]],
    ['sum(0)', A.sum(0), [3], [5, 7, 9]],
    ['sum(1)', A.sum(1), [2], [6, 15]],
    ['sum(-1)', A.sum(-1), [2], [6, 15]],
    ['sum(-2)', A.sum(-2), [3], [5, 7, 9]],
    ['sum(0, keepdim)', A.sum(0, { keepdim: true }), [1, 3], [5, 7, 9]],
    ['sum(1, keepdim)', A.sum(1, { keepdim: true }), [2, 1], [6, 15]],
    ['sum over an empty dimension', Tensor.zeros([0, 2]).sum(0), [2], [0, 0]],
    ['mean()', A.mean(), [], [3.5]],
    ['mean(0)', A.mean(0), [3], [2.5, 3.5, 4.5]],
    ['mean(-1, keepdim)', A.mean(-1, { keepdim: true }), [2, 1], [2, 5]],
    ['max(0)', A.max(0).values, [3], [4, 5, 6]],
    ['max(-1, keepdim)', A.max(-1, { keepdim: true }).values, [2, 1], [3, 6]],
  ])('gives the expected values: %s', (_, result, shape, values) => {
    expect(plain(result)).toEqual({ shape, values });
  });

  it('gives sum, mean and max of the lists along any dimension of any shape', () => {
    const given = shapes(1).chain((shape) => fc.tuple(tensorOf(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })));
    fc.assert(
      fc.property(given, fc.boolean(), ([a, dim], keepdim) => {
        const along = (dim + a.shape.length) % a.shape.length;
        const kept = a.shape.map((size, d) => (d === along ? 1 : size));
        const shape = keepdim ? kept : kept.filter((_, d) => d !== along);
        const lists = [...indexesOf(kept)].map((index) =>
          Array.from({ length: a.shape[along] }, (_, k) => a.at(...index.map((i, d) => (d === along ? k : i)))),
        );
        const sums = lists.map((list) => list.reduce((sum, x) => sum + x, 0));
        const { values, indices } = a.max(dim, { keepdim });
        expect(plain(a.sum(dim, { keepdim }))).toEqual({ shape, values: sums });
        expect(plain(a.mean(dim, { keepdim }))).toEqual({ shape, values: sums.map((sum) => sum / a.shape[along]) });
        expect(plain(values)).toEqual({ shape, values: lists.map((list) => Math.max(...list)) });
        expect({ ...indices, data: [...indices.data] }).toEqual({ shape, data: lists.map((list) => list.indexOf(Math.max(...list))) });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['the first of two equal entries', [5, 7, 7], 7, 1],
    ['the first if all entries are equal', [5, 5, 5], 5, 0],
    ['NaN above everything', [9, Number.NaN, Infinity], Number.NaN, 1],
    ['the first NaN', [Number.NaN, 1, Number.NaN], Number.NaN, 0],
    ['a number above -Infinity', [-Infinity, -1e300], -1e300, 1],
  ])('by max takes %s', (_, row, value, index) => {
    const { values, indices } = f64(row, [1, row.length]).max(1);
    expect([values.item(), indices.data[0]]).toEqual([value, index]);
  });
});

describe('a matrix', () => {
  it('[2,3] times a matrix [3,2] is [2,2] in matmul', () => {
    expect(plain(A.matmul(f64([1, 0, 0, 1, 2, 2], [3, 2])))).toEqual({ shape: [2, 2], values: [7, 8, 16, 17] });
  });

  it('product is the sum over the shared dimension, and (A B)ᵀ = Bᵀ Aᵀ', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const given = fc.tuple(size, fc.integer({ min: 1, max: 9 }), size).chain(([n, k, m]) => fc.tuple(tensorOf([n, k]), tensorOf([k, m])));
    fc.assert(
      fc.property(given, ([a, b]) => {
        const shape = [a.shape[0], b.shape[1]];
        const entry = ([i, j]: number[]) =>
          Array.from({ length: a.shape[1] }, (_, k) => a.at(i, k) * b.at(k, j)).reduce((x, y) => x + y, 0);
        const product = a.matmul(b);
        expect(plain(product)).toEqual({ shape, values: [...indexesOf(shape)].map(entry) });
        expect(plain(product.T)).toEqual(plain(b.T.matmul(a.T)));
      }),
    );
  });

  it('product propagates NaN, even times 0', () => {
    expect(
      f64([0, 1], [1, 2])
        .matmul(f64([Number.NaN, 1], [2, 1]))
        .item(),
    ).toBeNaN();
  });

  it('has a transpose, which is a copy; T is the same', () => {
    expect(plain(A.transpose())).toEqual({ shape: [3, 2], values: [1, 4, 2, 5, 3, 6] });
    expect(plain(A.T.T)).toEqual(plain(A));
    expect(A.T.data.buffer).not.toBe(A.data.buffer);
  });

  it.each<[Shape, Shape]>([
    [
      [3, 2],
      [3, 2],
    ],
    [[-1], [6]],
    [
      [1, -1],
      [1, 6],
    ],
    [
      [3, -1, 1],
      [3, 2, 1],
    ],
    [
      [6, -1],
      [6, 1],
    ],
  ])('viewed as %j is the same data with shape %j', (shape, resolved) => {
    const view = A.view(shape);
    expect(view.shape).toEqual(resolved);
    expect(view.data).toBe(A.data);
  });
});

describe('indexing with', () => {
  it('oneHot puts a 1 at each index, along a new last dimension', () => {
    expect(plain(Tensor.oneHot(indices([2, 0]), 3))).toEqual({ shape: [2, 3], values: [0, 0, 1, 1, 0, 0] });
    expect(plain(Tensor.oneHot(indices([1, 0], [2, 1]), 2))).toEqual({ shape: [2, 1, 2], values: [0, 1, 1, 0] });
  });

  it('gatherRows gives C[Xb], which is oneHot(Xb) C', () => {
    const Xb = indices([1, 0, 1, 1], [2, 2]);
    expect(plain(A.gatherRows(Xb))).toEqual({ shape: [2, 2, 3], values: [4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6] });
    expect(plain(A.gatherRows(Xb)).values).toEqual(plain(Tensor.oneHot(Xb, 2, 'float64').view([4, 2]).matmul(A)).values);
  });

  it('scatterAddRows adds to the existing rows, twice if an index occurs twice, and returns the tensor', () => {
    const C = f64([100, 0, 0, 0], [2, 2]);
    expect(C.scatterAddRows(indices([0, 1, 0]), f64([1, 2, 3, 4, 5, 6], [3, 2]))).toBe(C);
    expect(plain(C)).toEqual({ shape: [2, 2], values: [106, 8, 3, 4] });
  });

  it('scatterAddRows is the adjoint of gatherRows: <gather(C), G> = <C, scatter(G)>', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const given = fc.tuple(size, size, shapes(1, 3)).chain(([V, E, shape]) =>
      fc.tuple(
        tensorOf([V, E]),
        fc.array(fc.nat(V - 1), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((values) => indices(values, shape)),
        tensorOf([...shape, E]),
      ),
    );
    fc.assert(
      fc.property(given, ([C, Xb, G]) => {
        expect(dot(C.gatherRows(Xb).data, G.data)).toBe(dot(C.data, Tensor.zerosLike(C).scatterAddRows(Xb, G).data));
      }),
    );
  });

  it('pick takes one entry of each row', () => {
    expect(plain(A.pick(indices([2, 0])))).toEqual({ shape: [2], values: [3, 4] });
  });
});
