/** The sentences for the findings. No other module puts a finding into words. */
import { showShape } from '../core/tensor.js';
import type { BatchSizes, BranchName, Coefficient, Confusion, Dimension, FileFault, Finding, Place, Role, Thrown } from './findings.js';

/** One sentence for everything that is wrong with a line or a file. */
export function sentenceOf(findings: readonly (Finding | FileFault)[]): string {
  return findings.map((finding, i) => textOf(finding, i > 0)).join('; ');
}

/** The sentence for a wrong answer whose mistake has no name. */
export const NO_NAME = 'it has no name for this mistake, and shows the entry with the largest error';

/** An error in one line: name and message, the line of the file, and the advice. */
export function thrownText({ text, line, source, advice }: Thrown): string {
  const place = line === undefined ? '' : ` (line ${line})`;
  return [`${text}${place}`, advice, source].filter((part) => part !== undefined).join(': ');
}

function textOf(finding: Finding | FileFault, also = false): string {
  return (TEXTS[finding.id] as (finding: Finding | FileFault, also: boolean) => string)(finding, also);
}

type Texts = { readonly [Id in (Finding | FileFault)['id']]: (finding: (Finding | FileFault) & { id: Id }, also: boolean) => string };

/** The sentences by id; `also` is set for a finding that follows another one. */
const TEXTS: Texts = {
  // Values
  'factor-missing': ({ branch, factor, role }) => `${inBranch(branch)}${factorText(factor, role)} is missing`,
  'factor-extra': ({ branch, factor, role }) => `${inBranch(branch)}${factorText(factor, role)} does not belong here`,
  'factor-squared': ({ branch, factor }) => `${inBranch(branch)}you have ${factor}² where ${factor} belongs`,
  exchanged: ({ branch, found, expected, confusion }) =>
    `${inBranch(branch)}you have ${found} where ${expected} belongs${confusion ? `: ${CONFUSIONS[confusion]}` : ''}`,
  'wrong-power': ({ branch, found, expected }) => `${inBranch(branch)}the power is ${found}, expected ${expected}`,
  divided: ({ branch, by }) => `${inBranch(branch)}you divide by ${by} where you should multiply`,
  multiplied: ({ branch, by }) => `${inBranch(branch)}you multiply by ${by} where you should divide`,
  'epsilon-missing': () => 'the epsilon 1e-5 is missing',
  'epsilon-outside': () => 'the epsilon 1e-5 is added to the power; it belongs inside',
  misplaced: ({ branch, found, expected }) => `${inBranch(branch)}the entries are ${PLACES[found]}, expected ${PLACES[expected]}`,
  viewed: ({ value }) => `${value} is viewed in the transposed shape, which does not transpose it: write ${value}.T`,
  'contexts-reversed': () => 'the positions of the context are in reverse order',
  'rows-not-added': ({ instead }) => `the rows of a repeated character are not added: ${KEPT_ROWS[instead]}`,
  'softmax-over-batch': () => 'the softmax runs over the batch, but it belongs along the row',
  'softmax-not-normalised': () => 'the exponentials are not divided by their sum, so this is not a softmax',
  'branches-multiplied': () => 'you multiply the two branches where you should add them',
  'branch-missing': ({ branch }) => `${branchText(branch)} is missing`,
  zero: () => 'it is 0 everywhere',
  scaled: ({ branch, by }) => COEFFICIENT_TEXTS[by](branch === undefined ? 'it' : branchText(branch), inBranch(branch)),
  'hidden-by-true-gradients': () => 'the true gradients above it hide this mistake, but random ones show it',

  // Shapes
  reshaped: ({ found, expected, keepdim }, also) =>
    `${also ? 'the shape is wrong too' : 'right values in the wrong shape'}: ${showShape(found)}, expected ${showShape(expected)}${keepdim ? ` (${KEEPDIM[keepdim]})` : ''}`,
  transposed: ({ found, expected }, also) =>
    `${also ? 'it is transposed too' : 'this is the transpose of the right answer'}: ${shapes(found, expected)}`,
  'not-summed': ({ over, found, expected }, also) => `the sum over the ${over} is missing${also ? ' too' : ''}: ${shapes(found, expected)}`,
  'not-broadcast': ({ over, found, expected }, also) =>
    `${also ? 'it is not broadcast either' : `right values in one ${over === 'batch' ? 'row' : 'column'} only`}: ${shapes(found, expected)} (broadcast it ${ALONG[over]})`,
  'summed-over-other': ({ over, found, expected }) =>
    `you sum over the ${over === 'batch' ? 'row' : 'batch'} where you should sum over the ${over}: ${shapes(found, expected)}`,
  'summed-over-all': ({ over, found, expected }) =>
    `you sum over everything where you should sum over the ${over}: ${shapes(found, expected)}`,

  // No mistake by name
  todo: () => 'not written yet',
  'line-missing': ({ stray }) =>
    `missing from the default export${stray === undefined ? '' : `; it has ${stray}, which is not a line of this exercise`}`,
  'not-a-function': ({ found }) => `${found}, expected a function`,
  threw: ({ thrown }) => `it threw ${thrownText(thrown)}`,
  'input-changed': ({ value }) => `it changes ${value}, which it may only read`,
  'returns-nothing': () => 'it returns nothing: a body in braces needs a return',
  'returns-promise': () => 'it returns a promise, expected a Tensor: a line cannot be async',
  'returns-other': ({ found }) => `it returns ${found}, expected a Tensor`,
  'invalid-tensor': ({ thrown }) => `it returns an invalid tensor: ${thrownText(thrown)}`,
  'not-finite': ({ entry, index }) => `it returns ${entry} at ${showShape(index)}`,
  'other-batch': ({ sizes, fault }) => `on ${batchText(sizes)}, in float64: ${textOf(fault)}`,
  'sizes-as-numbers': ({ sizes }) => {
    const are = sizes.map(({ number, size }) => `${number} is ${size}`).join(' and ');
    const write = sizes.map(({ instead }) => instead).join(' and ');
    return `${are} on the lesson's batch of 32: a line must work for every batch, so write ${write}`;
  },
  'lesson-batch-only': ({ sizes }) =>
    `right on the lesson's batch of 32, wrong on ${batchText(sizes)}: use n or a shape such as logits.shape[1] where you write a size as a number`,
  'true-gradients-only': () =>
    'right with the true gradients above it, wrong with random ones: it must be computed from the gradients above it',
  'wrong-shape': ({ found, expected, indicesKeptDimension }) =>
    `${shapes(found, expected)}${indicesKeptDimension ? ': max(1, { keepdim: true }).indices keeps a dimension of 1, max(1).indices has one index per row' : ''}`,

  // The process of the file
  timeout: ({ seconds }) => `it did not finish within ${seconds} s`,
  'out-of-time': ({ seconds }) => `the check of the whole file did not finish within ${seconds} s`,
  memory: ({ gigabytes }) => `it uses more than ${gigabytes} GB of memory`,
  'calls-exit': ({ call }) => `it calls ${call}, which would end the program`,
  'process-ended': ({ by }) => `it ended the program (${by})`,
  'process-cannot-start': ({ reason }) => `its process cannot start: ${reason}`,
  'breaks-channel': () => 'it writes to file descriptor 4, which the checker reads',
  'never-settles': () => 'it awaits a promise that never settles',

  // The file
  'file-threw': ({ thrown }) => thrownText(thrown),
  'no-default-export': ({ exercise }) => `it has no default export: ${endWith(exercise)}`,
  'wrong-default-export': ({ found, exercise }) =>
    `its default export is ${found}, expected an object with a function per gradient: ${endWith(exercise)}`,
};

/** `subject` is "it" or a branch; `where` is empty or "in the branch …, ". */
const COEFFICIENT_TEXTS: Record<Coefficient, (subject: string, where: string) => string> = {
  '-1': (_, where) => `${where}the sign is wrong`,
  '0': (subject) => `${subject} is 0`,
  '2': (subject) => `${subject} is too large by a factor of 2`,
  '1/2': (_, where) => `${where}a factor of 2 is missing`,
  '-2': (_, where) => `${where}the sign is wrong, and the result is too large by a factor of 2`,
  '4': (subject) => `${subject} is too large by a factor of 4`,
  '-1/2': (_, where) => `${where}the sign is wrong, and a factor of 2 is missing`,
  n: (subject) => `${subject} is too large by a factor of n`,
  '-n': (_, where) => `${where}the sign is wrong, and the result is too large by a factor of n`,
  '1/n': (subject) => `${subject} is divided by n once too often`,
  '-1/n': (_, where) => `${where}the sign is wrong, and the result is divided by n once too often`,
  '1/n²': (subject) => `${subject} is divided by n two times too often`,
  '(n-1)/n': (_, where) => `${where}you have n where n - 1 belongs (Bessel's correction)`,
  'n/(n-1)': (_, where) => `${where}you have n - 1 where n belongs`,
  '-n/(n-1)': (_, where) => `${where}the sign is wrong, and you have n - 1 where n belongs`,
  '-(n-1)/n': (_, where) => `${where}the sign is wrong, and you have n where n - 1 belongs (Bessel's correction)`,
  '((n-1)/n)²': (_, where) => `${where}you have (n - 1)/n where n/(n - 1) belongs`,
  'n-1': (_, where) => `${where}the division by n - 1 is missing`,
  '1/(n-1)': (subject) => `${subject} is divided by n - 1 once too often`,
  '(n-1)/(n+1)': (_, where) => `${where}you have n + 1 where n - 1 belongs`,
  'n/(n+1)': (_, where) => `${where}you have n + 1 where n belongs`,
  '1/V': (subject) => `${subject} is divided by V, the row length, once too often`,
  '-1/V': (_, where) => `${where}the sign is wrong, and the result is divided by V, the row length, once too often`,
  V: (subject) => `${subject} is too large by a factor of V, the row length`,
  '1/H': (subject) => `${subject} is divided by H, the number of hidden units, once too often`,
};

const BRANCHES: Partial<Record<BranchName, string>> = {
  softmax: 'the softmax term',
  'one-hot': 'the one-hot term',
  direct: 'the direct branch',
  mean: 'the branch through the mean',
  variance: 'the branch through the variance',
};

const ROLES: Record<Role, string> = {
  'gradient-above': 'the gradient above',
  gain: 'the gain',
  'log-derivative': 'the derivative of log',
  'exp-derivative': 'the derivative of exp',
  'tanh-derivative': 'the derivative of tanh',
  'power-derivative': 'the derivative of the power',
};

const CONFUSIONS: Record<Confusion, string> = {
  'derivative-at-output': 'take the derivative of log at its input, not at its output',
  'derivative-at-input': 'this formula for the derivative takes the output of tanh, not its input',
  'function-for-derivative': 'that is the function, not its derivative',
  'input-for-output': 'the derivative of exp is its output, not its input',
  'exp-twice': 'counts is already the exponential',
  'tanh-twice': 'h is already the tanh',
  sigmoid: 'that is the derivative of the sigmoid',
  'batch-norm-skipped': 'that skips batch norm',
};

const PLACES: Record<Place, string> = {
  target: 'at the target',
  'row-maximum': 'at the row maximum',
  everywhere: 'everywhere in the row',
};

const KEPT_ROWS = {
  last: 'the last one overwrites the others (= where += belongs)',
  first: 'only the first one is kept',
  mean: 'they are averaged',
};

const KEEPDIM = { missing: 'sum with { keepdim: true }', extra: 'sum without keepdim' };
const ALONG: Record<Dimension, string> = { batch: 'over the batch', row: 'along the row' };

function branchText(branch: BranchName): string {
  return BRANCHES[branch] ?? `the branch through ${branch}`;
}

function inBranch(branch: BranchName | undefined): string {
  return branch === undefined ? '' : `in ${branchText(branch)}, `;
}

function factorText(factor: string, role: Role | undefined): string {
  return role === undefined ? `the factor ${factor}` : `${ROLES[role]}, ${factor},`;
}

function shapes(found: readonly number[], expected: readonly number[]): string {
  return `shape ${showShape(found)}, expected ${showShape(expected)}`;
}

function batchText({ n, E, H, V }: BatchSizes): string {
  return `a batch of ${n} examples with V ${V}, H ${H} and E ${E}`;
}

function endWith(exercise: number): string {
  return `end the file with 'export default exercise${exercise};'`;
}
