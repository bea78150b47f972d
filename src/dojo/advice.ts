/** Advice on errors in a learner's line: names as the file has them, and the right way to write the line. */

import { closest } from '../core/spelling.js';
import { Tensor } from '../core/tensor.js';

/** The values that a learner's file imports from the library. */
const LIBRARY = ['Tensor', 'softmax', 'todo'];

const ON_CLASS = Object.getOwnPropertyNames(Tensor);
const OWN = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');

/** Advice for the methods of PyTorch and NumPy that a tensor does not have. */
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
  float: 'leave it out: a tensor already has a type',
  double: 'leave it out: a tensor already has a type',
  detach: 'leave it out: there is no autograd here',
  backward: 'there is no autograd here: your line is the backward pass',
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

/** The message with the names of imports as they are in the file, not as the transpiler writes them. */
export function asWritten(message: string): string {
  return message.replace(/\(0 ?, ?_\w+\.(\w+)\)/g, '$1').replaceAll('_backpropNinja.', '');
}

/** Advice on the messages of a tensor's methods. */
const ON_MESSAGES: readonly (readonly [message: RegExp, advice: string])[] = [
  [
    / needs .*, got a list of indices$/,
    'Xb and Yb are such lists: Yb.data[i] is one index, Tensor.oneHot(Yb, logits.shape[1]) is a tensor',
  ],
  [/: index .* is not a whole number$/, 'the row maxima are .max(1).values, their indices are .max(1).indices'],
  [/^oneHot needs a number of classes/, 'write Tensor.oneHot(Yb, logits.shape[1])'],
  [/^view needs a list of sizes/, 'write the sizes as a list: .view([n, -1])'],
  [
    /: shapes (?:\[(\d+), \d+\] and \[\1\]|\[(\d+)\] and \[\2, \d+\]) do not broadcast/,
    'a sum or maximum along the row needs { keepdim: true } to fit',
  ],
];

/** The sizes of the lesson, which are not values of a line. */
const SIZES: Readonly<Record<string, string>> = {
  V: 'logits.shape[1]',
  H: 'h.shape[1]',
  T: 'Xb.shape[1]',
  E: 'C.shape[1]',
};

/**
 * Advice on an error, if its message has a known form.
 * @param message as {@link asWritten} returns it
 * @param values the names of a line's input
 */
export function adviceOn(message: string, values: readonly string[]): string | undefined {
  const [, advice] = ON_MESSAGES.find(([form]) => form.test(message)) ?? [];
  if (advice !== undefined) return advice;
  const call = /(?:^|(\w*)\.)(\w+) is not a function/.exec(message);
  if (call) return adviceOnCall(call[1], call[2]);
  const [, unknown] = /^(\w+) is not defined$/.exec(message) ?? [];
  return unknown === undefined ? undefined : adviceOnName(unknown, values);
}

function adviceOnCall(receiver: string | undefined, verb: string): string | undefined {
  if (receiver === undefined) {
    return proposal(closest(verb, LIBRARY));
  }
  if (receiver === 'n') return 'n is a number: write n - 1, 1 / n, or a.mul(n)';
  if (Object.hasOwn(INSTEAD, verb)) return INSTEAD[verb];
  const onClass = receiver === 'Tensor';
  return proposal(closest(verb, onClass ? ON_CLASS : OWN), onClass ? 'Tensor.' : '.');
}

function adviceOnName(name: string, values: readonly string[]): string | undefined {
  if (values.includes(name)) return `name it between the braces of the line: ({ ${name}, … }) =>`;
  if (Object.hasOwn(SIZES, name)) return `write ${SIZES[name]}`;
  if (name === 'True' || name === 'False') return `write ${name.toLowerCase()}; an option is written { keepdim: true }`;
  if (LIBRARY.includes(name)) return `import { ${name} } from 'backprop-ninja'`;
  if (name === 'F') return "write softmax(logits), imported from 'backprop-ninja', and Tensor.oneHot(Yb, logits.shape[1])";
  if (['torch', 'nn', 'np', 'numpy', 'jnp', 'tf'].includes(name)) return 'README.md lists the methods of a tensor';
  return proposal(closest(name, [...values, ...LIBRARY]));
}

function proposal(word: string | undefined, before = ''): string | undefined {
  return word === undefined ? undefined : `did you mean ${before}${word}`;
}
