/** The sentences for the findings. No other module puts a finding into words. */
import { type Shape, showShape } from '../core/tensor.js';
import type { Arrangement, Scattering } from './arrangements.js';
import { AXES } from './expression.js';
import type {
  Axis,
  BatchSizes,
  Belonging,
  BranchName,
  Confusion,
  Dimension,
  FileFault,
  Finding,
  Kept,
  Place,
  Role,
  Thrown,
  ValueMistake,
} from './findings.js';
import type { FunctionName } from './functions.js';
import { isOne, ONE, parseScale, type Scale, textOf as scaleText, times } from './scale.js';

/** The language of the learner's lines. */
export type LineLanguage = 'typescript' | 'python';

/** One sentence for everything that is wrong with a line or a file. */
export function sentenceOf(findings: readonly (Finding | FileFault)[], language: LineLanguage = 'typescript'): string {
  return findings.map((finding, i) => textOf(finding, i > 0, language)).join('; ');
}

/** The sentence for a wrong answer whose mistake has no name. */
export const NO_NAME = 'it has no name for this mistake, and shows the entry with the largest error';

/** An error in one line: name and message, the line of the file, and the advice. */
export function thrownText({ text, line, source, advice }: Thrown): string {
  const place = line === undefined ? '' : ` (line ${line})`;
  return [`${text}${place}`, advice, source].filter((part) => part !== undefined).join(': ');
}

function textOf(finding: Finding | FileFault, also: boolean, language: LineLanguage): string {
  type Text = (finding: Finding | FileFault, also: boolean, language: LineLanguage) => string;
  return (TEXTS[finding.id] as Text)(finding, also, language);
}

type Texts = {
  readonly [Id in (Finding | FileFault)['id']]: (
    finding: (Finding | FileFault) & { id: Id },
    also: boolean,
    language: LineLanguage,
  ) => string;
};

/** What a sentence says in the words of the learner's language. */
const WORDS = {
  typescript: {
    keepdim: '{ keepdim: true }',
    result: 'a Tensor',
    returnsNothing: 'it returns nothing: a body in braces needs a return',
    returnsPromise: 'it returns a promise, expected a Tensor: a line cannot be async',
    lineMissing: 'missing from the default export',
    neverSettles: 'it awaits a promise that never settles',
    breaksChannel: 'leave built-in objects and file descriptor 4 alone',
  },
  python: {
    keepdim: 'keepdim=True',
    result: 'a tensor or an array',
    returnsNothing: 'it returns None: a def needs a return',
    returnsPromise: 'it returns a coroutine, expected a tensor or an array: a line cannot be async',
    lineMissing: 'missing from your lines',
    neverSettles: 'it awaits something that never comes',
    breaksChannel: 'leave built-in objects and open files alone',
  },
} as const;

/** The sentences by id; `also` is set for a finding that follows another one. */
const TEXTS: Texts = {
  // Values
  'factor-missing': ({ branch, at, factor, role }) => `${inBranch(branch, at)}${factorText(factor, role)} is missing`,
  'factor-extra': ({ branch, at, factor, role, shared }) =>
    /^(Σ|the )/.test(factor)
      ? `${inBranch(branch, at)}you multiply by ${factor}, which does not belong here`
      : `${inBranch(branch, at)}${factorText(factor, role)} does not belong here${shared ? ': check your parentheses' : ''}`,
  'division-extra': ({ branch, at, by }) => `${inBranch(branch, at)}you divide by ${by}, which does not belong here`,
  // 1/(bnvar + 1e-5) is bnvar_inv².
  'factor-squared': ({ branch, at, factor }) =>
    `${inBranch(branch, at)}you have ${factor}² where ${factor} belongs${factor === 'bnvar_inv' ? ' (as if the square root were forgotten)' : ''}`,
  exchanged: ({ branch, at, found, expected, confusion }) =>
    `${inBranch(branch, at)}you have ${found} where ${expected} belongs${confusion ? `: ${CONFUSIONS[confusion]}` : ''}`,
  'wrong-power': ({ branch, base, found, expected, same }) =>
    `${inBranch(branch)}the power of ${base} is ${found}${same === undefined ? '' : ` (the same as ${same})`}, expected ${expected}`,
  divided: ({ branch, at, by }) => `${inBranch(branch, at)}you divide by ${by} where you should multiply`,
  multiplied: ({ branch, at, by }) => `${inBranch(branch, at)}you multiply by ${by} where you should divide`,
  'factors-added': ({ branch, a, b }) => `${inBranch(branch)}you add ${a} and ${b} where you should multiply them`,
  'factors-subtracted': ({ branch, a, b }) => `${inBranch(branch)}you take the difference of ${a} and ${b} where you should multiply them`,
  parentheses: ({ found, expected }) => `you have ${found} where ${expected} belongs: check your parentheses`,
  'common-factor': ({ factor, on }) => `the common factor ${factor} multiplies only ${listed(on.map(branchText))}: check your parentheses`,
  'epsilon-missing': () => 'the epsilon 1e-5 is missing',
  'epsilon-outside': () => 'the epsilon 1e-5 is added to the power; it belongs inside',
  'epsilon-other': ({ found }) => `the epsilon is ${found}, expected 1e-5`,
  misplaced: ({ branch, found, expected }) => `${inBranch(branch)}the entries are ${PLACES[found]}, expected ${PLACES[expected]}`,
  'only-at': ({ branch, place }) => onlyAtText(branch === undefined ? 'it' : branchText(branch), place),
  kept: ({ branch, over, kept, sums }) => `${sums ? 'in every sum, ' : inBranch(branch)}${keptText(over, kept)}`,
  maximum: ({ branch, over }) => `${inBranch(branch)}you take the maximum over the ${over} where the sum belongs`,
  'row-offset-missing': ({ branch }) =>
    `${inBranch(branch)}all entries land in the first row: the offset of the row is missing in the index`,
  viewed: ({ value }) => `${value} is viewed in the transposed shape, which does not transpose it: write ${value}.T`,
  'viewed-before-sum': ({ value, over }) =>
    `${value} is viewed in another shape before it is summed over the ${over}, which mixes its ${over === 'batch' ? 'columns' : 'rows'}`,
  rearranged: ({ how }) => ARRANGEMENT_TEXTS[how],
  scattered: ({ id: _, branch: __, ...how }) => scatteringText(how),
  'softmax-missing': () => 'the softmax is missing: you have the logits themselves where the softmax belongs',
  'softmax-other': ({ found }) => SOFTMAX_TEXTS[found] ?? `you have ${found} of the logits where the softmax belongs`,
  'branches-multiplied': ({ these, subtract }) =>
    these?.length === 1
      ? `you multiply by ${branchText(these[0])} where you should ${subtract ? 'subtract' : 'add'} it`
      : `you multiply ${these ? listed(these.map(branchText)) : 'the two branches'} where you should add them`,
  // A sum of bnraw alone is 0, which looks the same.
  'branch-missing': ({ branch }) =>
    `${branchText(branch)} is missing${branch === 'variance' ? ' (or it is 0, as the sum of bnraw alone is)' : ''}`,
  zero: ({ endToEnd }) =>
    `it is 0 everywhere${endToEnd ? ': that is what the whole pass gives, but this line must compute it from the gradient above' : ''}`,
  constant: ({ value, above }) =>
    `every entry is ${value}, whatever the input${above === undefined ? '' : `: the gradient above, ${above}, is missing`}`,
  'entries-alike': ({ of, by, over }) =>
    `every entry is the same, ${by === '1' ? '' : `${by} · `}${of}${over === undefined ? '' : `: each needs its own sum over the ${over}`}`,
  'rows-alike': () => 'every row is the same: it does not use Xb, which says to which row each gradient belongs',
  scaled: scaledText,
  'sums-multiplied': ({ branch, a, b, over }) =>
    over === 'inner'
      ? `you multiply the sums of ${a} and ${b} where the matrix product, the sum of their products, belongs`
      : `${inBranch(branch)}you multiply the sums of ${a} and ${b} where you should sum their product over the ${over}`,
  'sum-partial': ({ branch, of, outside, over }) =>
    `${inBranch(branch)}you sum only ${of} over the ${over}; ${outside} belongs inside of the sum`,
  'term-extra': ({ term, by }) => {
    const size = by.replace(/^-/, '');
    const whole = term === '1' ? size : size === '1' ? term : `${size} · ${term}`;
    return `you ${by.startsWith('-') ? 'subtract' : 'add'} ${whole}, which does not belong here`;
  },
  'other-expression': ({ found, is, belongs }) =>
    is !== undefined
      ? OTHERS[is](found)
      : belongs === undefined
        ? `it is ${found}, which is another quantity`
        : `it is ${found}, where ${belongingText(belongs)} belongs`,
  'result-applied': ({ found }) => `you have ${APPLIED_TEXTS[found] ?? found} of the right result: leave that out`,
  'sums-run-on': () => 'the sums run on from column to column: set them back to 0 for each',
  random: () => 'it returns other numbers each time it runs: a line must be computed from its input',
  independent: ({ of }) => `it does not use ${of}, the gradient above`,
  'hidden-by-true-gradients': () => 'the true gradients above it hide this mistake, but random ones show it',
  either: ({ of }, _also, language) => {
    const sentences = [...new Set(of.map((mistakes) => sentenceOf(mistakes, language)))];
    return `${sentences.length > 1 ? 'either ' : ''}${sentences.join(', or ')}`;
  },

  // Sums and shapes
  'not-summed': ({ branch, over, of, found, expected }, also) =>
    `${inBranch(branch)}the sum over the ${over}${of === undefined ? '' : ` of ${of}`} is missing${also ? ' too' : ''}${shapes(found, expected)}`,
  'summed-over': ({ branch, instead, over, of, found, expected }) => {
    const where = instead === 'all' ? 'everything' : AXES[instead];
    return `${inBranch(branch)}you sum ${of === undefined ? '' : `${of} `}over ${where} where you should sum over ${AXES[over]}${shapes(found, expected)}`;
  },
  'sum-extra': ({ branch, over, of, mean, besides, found, expected }) => {
    const where = over === 'all' ? 'everything' : AXES[over];
    const [does, what] = mean ? ['average', 'mean'] : ['sum', 'sum'];
    return `${inBranch(branch)}you ${does} ${of === undefined ? '' : `${of} `}over ${where}, but ${besides ? 'that' : 'no'} ${what} ${besides ? 'does not belong' : 'belongs'} here${shapes(found, expected)}`;
  },
  reshaped: ({ found, expected, keepdim }, also, language) =>
    `${also ? 'the shape is wrong too' : 'right values in the wrong shape'}: ${showShape(found)}, expected ${showShape(expected)}${keepdim ? ` (${keepdimText(keepdim, language)})` : ''}`,
  transposed: ({ found, expected }, also) =>
    `${also ? 'it is transposed too' : 'this is the transpose of the right answer'}${shapes(found, expected)}`,
  'not-broadcast': ({ over, found, expected }, also) =>
    `${also ? 'it is not broadcast either' : `right values in one ${over === 'batch' ? 'row' : 'column'} only`}${shapes(found, expected)} (broadcast it ${ALONG[over]})`,
  'other-shape': ({ found, expected }) => `that gives${shapes(found, expected).slice(1)}`,
  'result-viewed': ({ indexed }, also) =>
    `${also ? 'row and column are swapped too' : 'row and column are swapped: the values are those of the transpose'}${indexed ? ' (check the index)' : ' (a view does not transpose, .T does)'}`,
  repeated: ({ over, found, expected }, also) =>
    `${also ? 'it is repeated' : 'right values, but repeated'} ${ALONG[over]}${shapes(found, expected)}`,

  // No mistake by name
  todo: () => 'not written yet',
  'line-missing': ({ stray }, _also, language) =>
    `${WORDS[language].lineMissing}${stray === undefined ? '' : `; it has ${stray}, which is not a line of this exercise`}`,
  'not-a-function': ({ found }) => `${found}, expected a function`,
  threw: ({ thrown }) => `it threw ${thrownText(thrown)}`,
  'input-changed': ({ value }) => `it changes ${value}, which it may only read`,
  'returns-nothing': (_, _also, language) => WORDS[language].returnsNothing,
  'returns-promise': (_, _also, language) => WORDS[language].returnsPromise,
  'returns-other': ({ found }, _also, language) => `it returns ${found}, expected ${WORDS[language].result}`,
  'invalid-tensor': ({ thrown }) => `it returns an invalid tensor: ${thrownText(thrown)}`,
  'no-answer': () => 'no tensor came back',
  'not-finite': ({ entry, index }) => `it returns ${entry} at ${showShape(index)}`,
  'other-batch': ({ sizes, fault }, _also, language) => `on ${batchText(sizes)}, in float64: ${textOf(fault, false, language)}`,
  'sizes-as-numbers': ({ sizes }) => {
    const are = sizes.map(({ number, size }) => `${number} is ${size}`).join(' and ');
    const write = sizes.map(({ instead }) => instead).join(' and ');
    return `${are} in the lesson: a line must also work for other sizes, so write ${write}`;
  },
  'lesson-batch-only': ({ sizes }) =>
    `right on the lesson's batch of 32, wrong on ${batchText(sizes)}: use n or a shape such as logits.shape[1] where you write a size as a number`,
  'true-gradients-only': ({ ignores }) =>
    `right with the true gradients above it, wrong with random ones: ${ignores ? 'it must be computed from the gradients above it' : 'it holds only for the true ones'}`,
  'wrong-shape': ({ found, expected, indicesKeptDimension }, _also, language) =>
    `shape ${showShape(found)}, expected ${showShape(expected)}${indicesKeptDimension ? `: max(1, ${WORDS[language].keepdim}).indices keeps a dimension of 1, max(1).indices has one index per row` : ''}`,

  // The process of the file
  timeout: ({ seconds }) => `it did not finish within ${seconds} s`,
  'out-of-time': ({ seconds }) => `the check of the whole file did not finish within ${seconds} s`,
  memory: ({ gigabytes }) => `it uses more than ${gigabytes} GB of memory`,
  'calls-exit': ({ call }) => `it calls ${call}, which would end the program`,
  'process-ended': ({ by }) => `it ended the program (${by})`,
  'breaks-channel': (_, _also, language) => `its process sends what is no result: ${WORDS[language].breaksChannel}`,
  'never-settles': (_, _also, language) => WORDS[language].neverSettles,

  // The file
  'file-threw': ({ thrown }) => thrownText(thrown),
  'no-default-export': ({ exercise }, _also, language) =>
    language === 'python' ? `it has no functions named like a gradient: ${PYTHON_END}` : `it has no default export: ${endWith(exercise)}`,
  'wrong-default-export': ({ found, exercise }, _also, language) =>
    language === 'python'
      ? `it has ${found} where functions named like a gradient belong: ${PYTHON_END}`
      : `its default export is ${found}, expected an object with a function per gradient: ${endWith(exercise)}`,
};

/** A constant factor that is wrong. */
function scaledText({ branch, by, expected, mean }: ValueMistake & { id: 'scaled' }): string {
  const factor = parseScale(by);
  const own = expected === undefined ? ONE : parseScale(expected);
  const found = times(own, factor);
  const size = (scale: Scale) => scaleText({ ...scale, number: Math.abs(scale.number) });
  const where = inBranch(branch);
  // -1/2 missing as a whole, sign included.
  if (expected !== undefined && isOne(found))
    return `${where}${own.number < 0 ? `the factor ${expected}` : missingFactor(expected)} is missing`;
  if (expected === '1/(n-1)' && scaleText(found) === '-(n-1)/n')
    return `${where}you have the factor 1/n - 1 where 1/(n-1) belongs: write n - 1 in parentheses`;
  const sign = factor.number < 0 ? `${where}the sign is wrong` : undefined;
  if (sign !== undefined && size(factor) === '1') return sign;
  const rest = magnitudeText(branch, size(factor), expected === undefined ? undefined : [size(own), size(found)], mean);
  return sign === undefined ? rest : `${sign}, and ${rest.slice(rest.startsWith(where) ? where.length : 0)}`;
}

function magnitudeText(
  branch: BranchName | undefined,
  by: string,
  own: readonly [expected: string, found: string] | undefined,
  mean: Dimension | undefined,
): string {
  const where = inBranch(branch);
  const subject = branch === undefined ? 'it' : branchText(branch);
  const { number, powers } = parseScale(by);
  if (own && own[1] === '1') return `${where}${missingFactor(own[0])} is missing`;
  if (own && related(own[0], by) && !/²|·/.test(own[1])) {
    const bessel = own[0].includes('n-1') && own[1] === '1/n' ? " (Bessel's correction)" : '';
    const sum = mean ? ` (or a mean over the ${mean} where the sum belongs)` : '';
    return `${where}you have the factor ${own[1]} where ${own[0]} belongs${bessel}${sum}`;
  }
  if (mean) return `${subject} is divided by ${by.slice(2)} once too often: that is a mean over the ${mean}, and a sum belongs here`;
  const length = /^n\/([VH])$/.exec(by)?.[1];
  if (length) return `${subject} is ${by} times what it should be, as if you divided by ${length}${MEANINGS[length]} instead of n`;
  const over = /^1\/(.+)$/.exec(by);
  const sizes = Object.keys(powers).length > 0;
  if (sizes && over) return `${subject} is divided by ${over[1].replace(/^\((.*)\)$/, '$1')}${MEANINGS[over[1]] ?? ''} once too often`;
  if (sizes)
    return `${subject} is ${/\//.test(by) ? `${by} times what it should be${branch === 'variance' && powers.n && powers['n-1'] ? " (Bessel's correction)" : ''}` : `too large by a factor of ${by}${(MEANINGS[by] ?? '').replace(/,$/, '')}`}`;
  if (number === 0.5) return `${subject} is half of what it should be`;
  return number > 1 && Number.isInteger(number)
    ? `${subject} is too large by a factor of ${by}`
    : `${subject} is ${by} times what it should be${by.includes('ln(10)') ? ' (is that the logarithm to base 10?)' : by.includes('ln(2)') ? ' (is that the logarithm to base 2?)' : ''}`;
}

/** Whether the wrong factor is in the line's own constant factor: they share n, or are both numbers. */
function related(own: string, by: string): boolean {
  const [a, b] = [parseScale(own), parseScale(by)];
  const sizes = Object.keys(b.powers);
  if (sizes.length === 0) return Math.abs(a.number) !== 1;
  return sizes.some((name) => name in a.powers);
}

function missingFactor(expected: string): string {
  const over = /^-?1\/(.+)$/.exec(expected);
  const divides = over && Object.keys(parseScale(over[1]).powers).length > 0;
  return divides ? `the division by ${over[1].replace(/^\((.*)\)$/, '$1')}` : `the factor ${expected}`;
}

const MEANINGS: Record<string, string> = { V: ', the row length,', H: ', the number of hidden units,' };

const APPLIED_TEXTS: Partial<Record<FunctionName, string>> = {
  'x²': 'the square',
  '|x|': 'the absolute value',
  'sqrt(x)': 'the square root',
};

const OPERATIONS: Record<Belonging['operation'], string> = {
  product: 'a product, entry by entry',
  sum: 'the sum',
  'sum-of-products': 'a product, entry by entry, summed',
  'matrix-product': 'a matrix product',
  branches: 'the sum of both branches',
  view: 'a view',
  rows: 'a sum of the rows of each character',
};

function belongingText({ operation, over, above }: Belonging): string {
  const where = over === undefined ? '' : ` over the ${over}`;
  if (operation === 'sum') return `the sum${where} of ${above}`;
  return `${OPERATIONS[operation]}${where}${above === undefined ? '' : `, with ${above}`}`;
}

const OTHERS: Record<'value' | 'gradient-above' | 'other-line' | 'closed-form', (found: string) => string> = {
  value: (found) => `it is ${found} itself, not its gradient`,
  'gradient-above': (found) => `it is ${found}, the gradient above, unchanged`,
  'other-line': (found) => `it is the answer for ${found}`,
  'closed-form': (found) => `it is the whole formula for ${found} in one expression, not this step`,
};

const SOFTMAX_TEXTS: Partial<Record<FunctionName, string>> = {
  exp: 'the exponentials are not divided by their row sum, so this is not a softmax',
  'exp without its sum': 'the exponentials are not divided by their row sum, so this is not a softmax',
  'softmax over the batch': 'the softmax runs over the batch, but it belongs along the row',
  'softmax over everything': 'the softmax runs over all entries, but it belongs along the row',
  'log of the softmax': 'you have the logarithm of the softmax where the softmax itself belongs',
  'derivative of the softmax': 'you have p · (1 - p) where the softmax p itself belongs',
  'softmax of the negative': 'the sign inside of the softmax is wrong: you have softmax(-logits)',
  'softmax of 1/n': 'you have softmax(logits / n) where softmax(logits) belongs: check your parentheses',
  'softmax of a half': 'you have softmax(logits / 2) where softmax(logits) belongs',
  'softmax of twice': 'you have softmax(2 · logits) where softmax(logits) belongs',
  softmax: 'you take the softmax twice',
};

const VIEWED = 'the entries are in the wrong order';
const ARRANGEMENT_TEXTS: Record<Arrangement, string> = {
  right: VIEWED,
  'contexts-reversed': 'the positions of the context are in reverse order',
  'examples-reversed': 'the examples of the batch are in reverse order',
  'features-reversed': 'the E entries of each position are in reverse order',
  'all-reversed': 'all entries are in reverse order',
  'viewed-T-n-E': `${VIEWED}: they are viewed as [T,n,E], which mixes the examples`,
  'viewed-n-E-T': `${VIEWED}: they are viewed as [n,E,T], but each position's E entries are side by side`,
  'viewed-E-T-n': `${VIEWED}: they are viewed as [E,T,n], which mixes the examples`,
  'viewed-E-n-T': `${VIEWED}: they are viewed as [E,n,T], which mixes the examples`,
  'viewed-T-E-n': `${VIEWED}: they are viewed as [T,E,n], which mixes the examples`,
  'transposed-first': `${VIEWED}: they are transposed before the view, which mixes the examples`,
  'next-position': 'each position has the gradient of the next position',
  'previous-position': 'each position has the gradient of the previous position',
  'next-example': 'each example has the gradient of the next example',
  'rows-reversed': 'the rows of demb are in reverse order, while the characters are not',
  'first-feature-everywhere': 'each entry of a row is the first entry of the gradient: the index over E is missing',
  'only-first-position': 'only the first position of each context is filled; the others are 0',
  'only-last-position': 'only the last position of each context is filled; the others are 0',
  'not-last-position': 'the last position of each context is left out',
  'shifted-forward': 'all entries are shifted by one place',
  'shifted-back': 'all entries are shifted by one place',
  'written-T-n-E': `${VIEWED}: they are written in the order [T,n,E]`,
  'written-n-E-T': `${VIEWED}: they are written in the order [n,E,T]`,
  'first-position-everywhere': 'each position has the gradient of the first position',
};

function scatteringText(how: Partial<Omit<Scattering, 'order'>>): string {
  const [[aspect, found]] = Object.entries(how) as [keyof typeof SCATTERING_TEXTS, string][];
  return (SCATTERING_TEXTS[aspect] as Record<string, string>)[found];
}

const NOT_ADDED = 'the rows of a repeated character are not added';
const SCATTERING_TEXTS = {
  index: {
    'character-after': 'the rows go to the index Xb + 1, expected Xb',
    'character-before': 'the rows go to the index Xb - 1, expected Xb',
    target: 'the rows go to the targets Yb; they belong to the characters of the context, Xb',
    'first-character': 'all rows go to the first character of their context; each belongs to its own character',
    'last-character': 'all rows go to the last character of their context; each belongs to its own character',
  },
  positions: {
    first: 'only the first position of each context is used',
    last: 'only the last position of each context is used',
    'not-first': 'the first position of each context is left out',
    'not-last': 'the last position of each context is left out',
    'first-n': 'only the first n positions are used; there are n·T',
    second: 'only the second position of each context is used',
    summed: 'each character gets the sum over all positions of its context, expected only its own position',
    'not-character-0': 'the character 0 is left out: its row of C is a parameter like any other',
  },
  examples: {
    first: 'only the first example of the batch is used',
    last: 'only the last example of the batch is used',
    'not-first': 'the first example of the batch is left out',
    'not-last': 'the last example of the batch is left out',
  },
  repeated: {
    last: `${NOT_ADDED}: the last one overwrites the others (= where += belongs)`,
    first: `${NOT_ADDED}: only the first one is kept`,
    mean: `${NOT_ADDED}: they are averaged`,
    'once-per-example': 'a character that occurs twice in one context is counted only once',
    'last-per-example': 'a character that occurs twice in one context is counted only once: its last position overwrites the others',
    largest: `${NOT_ADDED}: only the largest is kept`,
  },
  start: {
    C: 'it starts from C: start from zeros',
    ones: 'it starts from ones: start from zeros',
  },
  stride: { '1': 'the rows overlap: a row of dC has E entries, so it starts at E times its index' },
} satisfies { [Aspect in keyof Omit<Scattering, 'order'>]: Partial<Record<Scattering[Aspect], string>> };

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
  'derived-twice': 'that is the derivative of 1 - h²',
  sigmoid: 'that is the derivative of the sigmoid',
  'batch-norm-skipped': 'that skips batch norm',
  'power-rule': 'the power rule is not for exp',
  'row-offset': 'is the offset of the row missing in the index?',
};

const PLACES: Record<Place, string> = {
  target: 'at the target',
  'row-maximum': 'at the row maximum',
  everywhere: 'everywhere in the row',
  'not-target': 'everywhere except at the target',
  'not-row-maximum': 'everywhere except at the row maximum',
  'column-maximum': 'at the maximum of each column',
  'after-target': 'at the index after the target',
  'before-target': 'at the index before the target',
  'next-entry': 'at the index after the target',
  'previous-entry': 'at the index before the target',
  'first-column': 'in the first column',
  context: 'at the characters of the context, Xb',
  'last-character': 'at the last character of the context, Xb',
  'target-columns': 'in the columns of all targets, in every row',
  'target-rows': 'in whole rows, those numbered like the targets',
  index: 'the index in Yb',
  'row-length-1': 'at the flat index i + Yb, without the row length V',
  'row-length-1-added': 'at the flat index i + Yb, without the row length V',
  'row-length-n': 'at the flat index i · n + Yb, with n for the row length V',
  'rows-reversed': 'at the targets with the rows in reverse order',
};

const OVERWRITES = '(is there = where += belongs?)';
function keptText(over: Axis, kept: Kept): string {
  if (over === 'batch' || over === 'row') return KEPT[over][kept];
  const part = over === 'dimension 0' ? 'row' : over === 'dimension 1' ? 'column' : 'position';
  const which = /first/.test(kept) ? 'first' : 'last';
  if (kept.startsWith('not-')) return `the ${which} ${part} is left out`;
  return `only the ${which} ${part} counts${which === 'last' ? ` ${OVERWRITES}` : ''}`;
}

const KEPT: Record<Dimension, Record<Kept, string>> = {
  batch: {
    first: 'only the first example of the batch counts',
    last: `only the last example of the batch counts ${OVERWRITES}`,
    'not-first': 'the first example of the batch is left out',
    'not-last': 'the last example of the batch is left out',
  },
  row: {
    first: 'only the first entry of each row counts',
    last: `only the last entry of each row counts ${OVERWRITES}`,
    'not-first': 'the first entry of each row is left out',
    'not-last': 'the last entry of each row is left out',
  },
};

/** The entries that are not 0. */
function onlyAtText(subject: string, place: Place): string {
  if (place === 'not-target' || place === 'not-row-maximum') {
    const where = PLACES[place === 'not-target' ? 'target' : 'row-maximum'];
    return `${subject} is 0 ${where}: it is overwritten or masked there`;
  }
  return `${subject} is kept only ${PLACES[place]}; elsewhere it is 0`;
}

function keepdimText(keepdim: 'missing' | 'extra', language: LineLanguage): string {
  return keepdim === 'missing' ? `sum with ${WORDS[language].keepdim}` : 'sum without keepdim';
}

const ALONG: Record<Dimension, string> = { batch: 'over the batch', row: 'along the row' };

function branchText(branch: BranchName): string {
  return BRANCHES[branch] ?? `the branch through ${branch}`;
}

function inBranch(branch: BranchName | undefined, at?: 'inside-sum' | 'before-sum'): string {
  const where = at === undefined ? '' : at === 'inside-sum' ? 'inside the sum, ' : 'in front of the sum, ';
  return branch === undefined ? where : `in ${branchText(branch)}, ${where}`;
}

function factorText(factor: string, role: Role | undefined): string {
  return role === undefined ? `the factor ${factor}` : `${ROLES[role]}, ${factor},`;
}

function shapes(found: Shape | undefined, expected: Shape | undefined): string {
  return found && expected ? `: shape ${showShape(found)}, expected ${showShape(expected)}` : '';
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts[texts.length - 1]}`;
}

function batchText({ n, T, E, H, V }: BatchSizes): string {
  return `a batch of ${n} examples with V ${V}, H ${H}, T ${T} and E ${E}`;
}

function endWith(exercise: number): string {
  return `end the file with 'export default exercise${exercise};'`;
}

const PYTHON_END = "write one per gradient, as in 'def dlogits(at): …'";
