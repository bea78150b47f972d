/** Advice on errors in a learner's lines in Python: the right way to write the line, or to run it. */
import { STEP_NAMES } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../network/parameters.js';

/** What a line reads from its argument. */
const GIVEN: ReadonlySet<string> = new Set([...LESSON_PARAMETER_NAMES, ...STEP_NAMES, 'Xb', 'Yb', 'n', 'T', 'E', 'H', 'V']);

const OTHER_PYTHON = 'name a Python that has it with --python';
const NO_TORCH = 'this Python has no torch, so the values are NumPy arrays: name one that has it with --python, or write it as NumPy does';
const NO_ARRAYS = 'this Python has neither torch nor numpy, so the values are lists: name one that has them with --python';
const ROW = 'a sum or maximum along the row needs';

/** The first group of a message is the name that the advice is about. */
const ON_MESSAGES: readonly (readonly [message: RegExp, advice: string | ((name: string) => string | undefined)])[] = [
  [/^ModuleNotFoundError: No module named '(?:torch|numpy)\b/, OTHER_PYTHON],
  [/'numpy\.ndarray' object has no attribute/, NO_TORCH],
  [/'list' object|sequence by non-int of type|(?:^|: |and )'list'|\(not "list"\)|list indices must be/, NO_ARRAYS],
  // [n,V] and [n], on batches of 2, 3 or 32.
  [/size of tensor a \((?:2|3|32)\) must match the size of tensor b \(\d+\) at non-singleton dimension 1$/, `${ROW} keepdim=True to fit`],
  [/size of tensor a \(\d+\) must match the size of tensor b \((?:2|3|32)\) at non-singleton dimension 1$/, `${ROW} keepdim=True to fit`],
  [/could not be broadcast together with shapes (?:\((\d+),\d+\) \(\1,\)|\((\d+),\) \(\2,\d+\))/, `${ROW} keepdims=True to fit`],
  [/^NameError: name '(\w+)'/, readFrom],
  [/^NameError: name 'torch'/, 'write import torch'],
  [/^NameError: name 'F'/, 'write import torch.nn.functional as F'],
];

/** Advice on an error, if its message has a known form: `NameError: name 'probs' is not defined`. */
export function adviceOnPython(text: string): string | undefined {
  for (const [form, advice] of ON_MESSAGES) {
    const match = form.exec(text);
    const found = match && (typeof advice === 'string' ? advice : advice(match[1]));
    if (found) return found;
  }
  return undefined;
}

/** A value or a gradient belongs to the line's argument. */
function readFrom(name: string): string | undefined {
  return GIVEN.has(name) || (name.startsWith('d') && GIVEN.has(name.slice(1))) ? `write at.${name}` : undefined;
}
