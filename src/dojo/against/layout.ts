/** Right values in another shape or order: what a transpose, a permutation or a writer that ignores strides makes of a tensor. */
import { type Shape, sameShape, showShape, sizeOf, Tensor } from '../../core/tensor.js';

/** A tensor whose entries are in another order, and the same with its entries in place. */
export interface Layout {
  id: string;
  text: string;
  tensor: Tensor;
}

/** The entries of a tensor with its dimensions in another order, as a copy: order [1,0,2] of [n,T,E] is [T,n,E]. */
export function permuted({ data, shape }: Tensor, order: readonly number[]): Tensor {
  const strides = shape.map((_, dim) => sizeOf(shape.slice(dim + 1)));
  const to = order.map((dim) => shape[dim]);
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) {
    let [rest, from] = [i, 0];
    for (let dim = to.length - 1; dim >= 0; dim--) {
      from += (rest % to[dim]) * strides[order[dim]];
      rest = Math.floor(rest / to[dim]);
    }
    out[i] = data[from];
  }
  return new Tensor(out, to);
}

/** The other orders of the dimensions of emb [n,T,E]. */
export const EMB_ORDERS = [
  { order: [1, 0, 2], name: '[T,n,E]' },
  { order: [0, 2, 1], name: '[n,E,T]' },
  { order: [2, 0, 1], name: '[E,n,T]' },
  { order: [2, 1, 0], name: '[E,T,n]' },
  { order: [1, 2, 0], name: '[T,E,n]' },
] as const;

/** Whether the shape is that of the lesson without dimensions of 1: [64] for [1,64], [32] for [32,1], [1] for []. */
export function isAccepted(found: Shape, expected: Shape): boolean {
  if (sizeOf(found) !== sizeOf(expected)) return false;
  return sameShape(found, expected) || sizeOf(found) === 1 || (found.length === 1 && expected.includes(1));
}

/** The layouts in which the entries of a file may be read, most usual first. None changes nothing. */
export function layoutsOf(name: string, found: Tensor, expected: Shape): Layout[] {
  if (sizeOf(found.shape) !== sizeOf(expected)) return [];
  const layouts: Layout[] = [];
  const shapes = `${showShape(found.shape)}, expected ${showShape(expected)}`;
  if (!sameShape(found.shape, expected)) {
    layouts.push({ id: 'reshaped', text: `the values are right, the shape is not: ${shapes}`, tensor: found.view(expected) });
  }
  const [a, b] = expected;
  if (expected.length === 2 && a > 1 && b > 1) {
    const tensor = found.view([b, a]).T;
    const square = a === b ? ', or its bytes are in column order' : '';
    if (sameShape(found.shape, [b, a]))
      layouts.push({ id: 'transposed', text: `this is the transpose: ${shapes}${square}: save ${name}.T`, tensor });
    else if (sameShape(found.shape, expected)) layouts.push(columnOrder(name, tensor));
  }
  if (expected.length === 3) {
    for (const { order, name: as } of EMB_ORDERS) {
      const shape = order.map((dim) => expected[dim]);
      const back = order.map((_, dim) => (order as readonly number[]).indexOf(dim));
      const tensor = permuted(found.view(shape), back);
      if (sameShape(found.shape, expected) && as === '[E,T,n]') layouts.push(columnOrder(name, tensor));
      else layouts.push({ id: 'permuted', text: `its dimensions are in another order, ${as}, expected [n,T,E]: ${shapes}`, tensor });
    }
  }
  return layouts;
}

function columnOrder(name: string, tensor: Tensor): Layout {
  const text = `its bytes are in column order: save ${name}.contiguous(), with NumPy np.ascontiguousarray(${name})`;
  return { id: 'column-order', text, tensor };
}
