/** What an error's words mean to somebody who writes these lines: names as the file has them, and what to write in place. */

import { closest, didYouMean } from '../core/spelling.js';
import { Tensor } from '../core/tensor.js';

/** What a learner's file imports from the library, and uses as a value. */
const LIBRARY = ['Tensor', 'softmax', 'todo'];

const ON_CLASS = Object.getOwnPropertyNames(Tensor);
const OWN = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');

/** What stands here for what PyTorch and NumPy have. */
const INSTEAD: Readonly<Record<string, string>> = {
  T: 'the transpose is .T, without parentheses',
  t: 'the transpose is .T, without parentheses',
  ones: 'write Tensor.onesLike(a)',
  ones_like: 'write Tensor.onesLike(a)',
  zeros_like: 'write Tensor.zerosLike(a)',
  one_hot: 'write Tensor.oneHot(Yb, logits.shape[1])',
  full: 'write Tensor.onesLike(a).mul(number)',
  reshape: 'write .view(shape)',
  flatten: 'write .view([n, -1])',
  unsqueeze: 'write .view(shape), or keep the dimension with { keepdim: true }',
  squeeze: 'write .view(shape), or reduce without keepdim',
  expand: 'shapes broadcast by themselves; to fill a shape write Tensor.onesLike(a).mul(b)',
  expand_as: 'shapes broadcast by themselves; to fill a shape write Tensor.onesLike(a).mul(b)',
  repeat: 'shapes broadcast by themselves; to fill a shape write Tensor.onesLike(a).mul(b)',
  softmax: "write softmax(logits), with softmax imported from 'backprop-ninja'",
  argmax: 'write .max(1).indices',
  float: 'leave it out: a tensor has its type already',
  double: 'leave it out: a tensor has its type already',
  detach: 'leave it out: there is no autograd here',
  backward: 'there is no autograd here: the line is its own backward pass',
  size: 'write .shape, without parentheses',
  square: 'write .pow(2)',
  sqrt: 'write .pow(0.5)',
  rsqrt: 'write .pow(-0.5)',
  reciprocal: 'write .pow(-1)',
  mm: 'write .matmul(b)',
  dot: 'write .matmul(b)',
  multiply: 'write .mul(b)',
  divide: 'write .div(b)',
  subtract: 'write .sub(b)',
  index_add: 'write Tensor.zerosLike(C).scatterAddRows(Xb, rows)',
  index_add_: 'write Tensor.zerosLike(C).scatterAddRows(Xb, rows)',
  scatter_add: 'write Tensor.zerosLike(C).scatterAddRows(Xb, rows)',
  scatter_add_: 'write Tensor.zerosLike(C).scatterAddRows(Xb, rows)',
};

/** The message with an import's name as the file has it, not as the transpiler does. */
export function asWritten(message: string): string {
  return message.replace(/\(0 ?, ?_\w+\.(\w+)\)/g, '$1').replaceAll('_backpropNinja.', '');
}

/**
 * What to do about an error, if its words say so much.
 * @param message as {@link asWritten} gives it
 * @param values the names of what a line is given
 */
export function adviceOn(message: string, values: readonly string[]): string | undefined {
  const call = /(?:^|(\w*)\.)(\w+) is not a function/.exec(message);
  if (call) return adviceOnCall(call[1], call[2]);
  const [, unknown] = /^(\w+) is not defined$/.exec(message) ?? [];
  return unknown === undefined ? undefined : adviceOnName(unknown, values);
}

function adviceOnCall(receiver: string | undefined, verb: string): string | undefined {
  if (receiver === undefined) {
    const one = closest(verb, LIBRARY);
    return one && `did you mean ${one}`;
  }
  if (Object.hasOwn(INSTEAD, verb)) return INSTEAD[verb];
  const onClass = receiver === 'Tensor';
  const one = closest(verb, onClass ? ON_CLASS : OWN);
  return one && `did you mean ${onClass ? 'Tensor' : ''}.${one}`;
}

function adviceOnName(name: string, values: readonly string[]): string | undefined {
  if (values.includes(name)) return `name it between the braces of the line: ({ ${name}, … }) =>`;
  if (LIBRARY.includes(name)) return `import { ${name} } from 'backprop-ninja'`;
  if (['torch', 'F', 'np'].includes(name)) return 'README.md lists what a tensor can do';
  return didYouMean(name, [...values, ...LIBRARY]).slice('; '.length) || undefined;
}
