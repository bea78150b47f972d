/** Xb and Yb as a learner's line gets them. Code that treats one as a tensor or an array gets an error that says what it is. */
import { type Indices, Tensor } from '../core/tensor.js';

/** What other code asks of any object; a list of indices has none of it. */
const ASKED = ['toJSON', 'then', 'asymmetricMatch', 'nodeType', 'inspect'];

/** The same indices, except that reading anything but data and shape throws an error. */
export function indexList(name: string, indices: Indices): Indices {
  return new Proxy(indices, {
    get: (target, key) => {
      if (key === Symbol.toPrimitive) return primitiveOf(name);
      if (key === Symbol.iterator) throw new TypeError(`${name} is a list of indices: write ${name}.data`);
      if (typeof key === 'string' && !(key in target) && !ASKED.includes(key)) throw new TypeError(whyNot(name, key));
      return Reflect.get(target, key);
    },
  });
}

/** Operators would silently turn it into NaN, and probs[Yb] into undefined. */
function primitiveOf(name: string): () => never {
  return () => {
    throw new TypeError(`${name} is a list of indices: write ${name}.data[i]`);
  };
}

function whyNot(name: string, key: string): string {
  if (/^\d+$/.test(key))
    return `${name} is a list of indices: write ${name}.data[${name === 'Xb' ? 'i * T + t], where T is Xb.shape[1' : 'i'}]`;
  if (key in Int32Array.prototype && !(key in Tensor.prototype)) return `${name} is a list of indices: write ${name}.data.${key}`;
  const classes = name === 'Xb' ? 'C.shape[0]' : 'logits.shape[1]';
  return `${name} is a list of indices, not a tensor: ${name}.data[i] is one of them, Tensor.oneHot(${name}, ${classes}) is a tensor`;
}
