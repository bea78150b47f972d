/** What a line may call, for the completion and the reference beside the editor: one row per method. */

export interface ReferenceRow {
  /** The method or property. */
  name: string;
  /** How it is called. */
  call: string;
  /** What it gives, in a few words. */
  text: string;
}

/** Methods and properties of a tensor. */
export const TENSOR_METHODS: readonly ReferenceRow[] = [
  { name: 'add', call: 'a.add(b)', text: 'a + b; b is a tensor or a number' },
  { name: 'sub', call: 'a.sub(b)', text: 'a − b' },
  { name: 'mul', call: 'a.mul(b)', text: 'a · b, entry by entry' },
  { name: 'div', call: 'a.div(b)', text: 'a / b' },
  { name: 'pow', call: 'a.pow(2)', text: 'each entry to a power' },
  { name: 'neg', call: 'a.neg()', text: '−a' },
  { name: 'exp', call: 'a.exp()', text: 'e to each entry' },
  { name: 'log', call: 'a.log()', text: 'natural logarithm of each entry' },
  { name: 'tanh', call: 'a.tanh()', text: 'tanh of each entry' },
  { name: 'sum', call: 'a.sum(0, { keepdim: true })', text: 'sum over dimension 0: [n,V] to [1,V]; without keepdim [V]' },
  { name: 'mean', call: 'a.mean(0, { keepdim: true })', text: 'mean over a dimension' },
  { name: 'max', call: 'a.max(1)', text: '{ values, indices } of the largest entries of each row' },
  { name: 'matmul', call: 'a.matmul(b)', text: 'matrix product: [n,k] and [k,m] to [n,m]' },
  { name: 'T', call: 'a.T', text: 'transpose, without parentheses' },
  { name: 'transpose', call: 'a.transpose()', text: 'the same as .T' },
  { name: 'view', call: 'a.view([n, -1])', text: 'the same entries in another shape; −1 is computed' },
  { name: 'gatherRows', call: 'a.gatherRows(Xb)', text: 'the rows of a at the indices' },
  { name: 'scatterAddRows', call: 'a.scatterAddRows(Xb, rows)', text: 'adds each row at its index, in place' },
  { name: 'pick', call: 'a.pick(Yb)', text: 'one entry of each row, [n]' },
  { name: 'shape', call: 'a.shape[1]', text: 'the sizes' },
  { name: 'data', call: 'a.data[i]', text: 'the entries, row by row' },
  { name: 'size', call: 'a.size', text: 'the number of entries' },
  { name: 'dtype', call: 'a.dtype', text: "'float32' or 'float64'" },
  { name: 'to', call: "a.to('float32')", text: 'in another data type' },
  { name: 'clone', call: 'a.clone()', text: 'a copy' },
  { name: 'item', call: 'a.item()', text: 'the entry of a tensor that has one' },
  { name: 'at', call: 'a.at(i, j)', text: 'the entry at an index' },
  { name: 'toArray', call: 'a.toArray()', text: 'nested arrays of numbers' },
];

/** Functions of the class. */
export const TENSOR_STATICS: readonly ReferenceRow[] = [
  { name: 'oneHot', call: 'Tensor.oneHot(Yb, logits.shape[1])', text: 'rows with a 1 at the index: [n,V]' },
  { name: 'zerosLike', call: 'Tensor.zerosLike(a)', text: 'zeros in the shape of a' },
  { name: 'onesLike', call: 'Tensor.onesLike(a)', text: 'ones in the shape of a' },
  { name: 'zeros', call: 'Tensor.zeros([n, 1])', text: 'zeros in a shape' },
  { name: 'of', call: 'Tensor.of(numbers, shape)', text: 'a tensor of the numbers, row by row' },
];

/** What else is there. */
export const FUNCTIONS: readonly ReferenceRow[] = [
  { name: 'softmax', call: 'softmax(logits)', text: 'each row as probabilities: [n,V]' },
  { name: 'todo', call: 'todo()', text: 'not written yet' },
];
