/** The four exercises: which lines each asks for, what is right, and the text that a learner begins with. */
import { readFileSync } from 'node:fs';
import { exercise1, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { exercise2 } from '../lesson/exercise2.js';
import { exercise3 } from '../lesson/exercise3.js';
import { consumersOf, type GradientName, type StepName, type ValueName, valueNamed } from '../lesson/values.js';
import { ATOMIC_LINES } from './atomicLines.js';
import { CLOSED_LINES } from './closedLines.js';
import type { LineKnowledge } from './knowledge.js';
import { EXERCISE_4_NAMES, type Line } from './learnerFile.js';

export const EXERCISE_NUMBERS = [1, 2, 3, 4] as const;
export type ExerciseNumber = (typeof EXERCISE_NUMBERS)[number];

export interface ExerciseLine {
  name: GradientName;
  knowledge: LineKnowledge;
  /** The solution. */
  solution: Line;
  /** The lesson's file that has it. */
  source: string;
  /** The forward lines that it differentiates. */
  forward: readonly string[];
}

export interface Exercise {
  number: ExerciseNumber;
  title: string;
  /** What is asked, for the head of the file: its lines. */
  task: readonly string[];
  lines: readonly ExerciseLine[];
}

const FORWARD_TEXT: Record<StepName, string> = {
  emb: 'emb = rows of C at Xb',
  embact: 'embact = emb, viewed as [n,T·E]',
  hprebn: 'hprebn = embact W1 + b1',
  bnmeani: 'bnmeani = sum of hprebn over the batch / n',
  bndiff: 'bndiff = hprebn - bnmeani, broadcast over the batch',
  bndiff2: 'bndiff2 = bndiff²',
  bnvar: 'bnvar = sum of bndiff2 over the batch / (n-1)',
  bnvar_inv: 'bnvar_inv = (bnvar + 1e-5)^(-1/2)',
  bnraw: 'bnraw = bndiff · bnvar_inv, broadcast over the batch',
  hpreact: 'hpreact = bngain · bnraw + bnbias, broadcast over the batch',
  h: 'h = tanh(hpreact)',
  logits: 'logits = h W2 + b2',
  logit_maxes: 'logit_maxes = row maximum of logits',
  norm_logits: 'norm_logits = logits - logit_maxes, broadcast along the row',
  counts: 'counts = exp(norm_logits)',
  counts_sum: 'counts_sum = row sum of counts',
  counts_sum_inv: 'counts_sum_inv = counts_sum^(-1)',
  probs: 'probs = counts · counts_sum_inv, broadcast along the row',
  logprobs: 'logprobs = log(probs)',
  loss: 'loss = -mean of logprobs at Yb',
};

const CROSS_ENTROPY = 'loss = -mean of log(softmax(logits)) at Yb';
const BATCH_NORM = 'bnraw = (hprebn - mean) · bnvar_inv, hpreact = bngain · bnraw + bnbias';

/** The sizes of the lesson's network and batch, by the lesson's letters. */
const LESSON_SIZES = { n: 32, T: 3, E: 10, T·E: 30, H: 64, V: 27, 1: 1 } as const;
type Letter = keyof typeof LESSON_SIZES;

/** The shape of each value, in the lesson's letters. */
const SHAPES: Record<ValueName, readonly Letter[]> = {
  C: ['V', 'E'],
  W1: ['T·E', 'H'],
  b1: ['H'],
  bngain: [1, 'H'],
  bnbias: [1, 'H'],
  W2: ['H', 'V'],
  b2: ['V'],
  emb: ['n', 'T', 'E'],
  embact: ['n', 'T·E'],
  hprebn: ['n', 'H'],
  bnmeani: [1, 'H'],
  bndiff: ['n', 'H'],
  bndiff2: ['n', 'H'],
  bnvar: [1, 'H'],
  bnvar_inv: [1, 'H'],
  bnraw: ['n', 'H'],
  hpreact: ['n', 'H'],
  h: ['n', 'H'],
  logits: ['n', 'V'],
  logit_maxes: ['n', 1],
  norm_logits: ['n', 'V'],
  counts: ['n', 'V'],
  counts_sum: ['n', 1],
  counts_sum_inv: ['n', 1],
  probs: ['n', 'V'],
  logprobs: ['n', 'V'],
};

/** The shape of a value in the lesson's letters: [n,V]. */
export function shapeText(name: ValueName): string {
  return `[${SHAPES[name].join(',')}]`;
}

/** The shape of a value on the lesson's batch: [32, 27]. */
export function lessonShape(name: ValueName): number[] {
  return SHAPES[name].map((letter) => LESSON_SIZES[letter]);
}

const atomicLine = (name: GradientName): ExerciseLine => ({
  name,
  knowledge: ATOMIC_LINES[name],
  solution: exercise1[name],
  source: 'exercise1.ts',
  forward: consumersOf(valueNamed(name)).map((step) => FORWARD_TEXT[step]),
});
const closedCrossEntropy: ExerciseLine = {
  name: 'dlogits',
  knowledge: CLOSED_LINES.dlogits,
  solution: exercise2.dlogits,
  source: 'exercise2.ts',
  forward: [CROSS_ENTROPY],
};
const closedBatchNorm: ExerciseLine = {
  name: 'dhprebn',
  knowledge: CLOSED_LINES.dhprebn,
  solution: exercise3.dhprebn,
  source: 'exercise3.ts',
  forward: [BATCH_NORM],
};

function lineOfExercise4(name: GradientName): ExerciseLine {
  if (name === 'dlogits') return closedCrossEntropy;
  return name === 'dhprebn' ? closedBatchNorm : atomicLine(name);
}

export const EXERCISES: Record<ExerciseNumber, Exercise> = {
  1: {
    number: 1,
    title: 'every atomic step',
    task: ['Backpropagate through every atomic step of the forward pass: one line per gradient, from the', 'loss back to C.'],
    lines: GRADIENT_NAMES.map(atomicLine),
  },
  2: {
    number: 2,
    title: 'cross-entropy in one expression',
    task: [
      'Backpropagate through cross-entropy at once: work out d loss / d logits on paper, simplify, and',
      'write it as one expression.',
    ],
    lines: [closedCrossEntropy],
  },
  3: {
    number: 3,
    title: 'batch norm in one expression',
    task: ['Backpropagate through batch norm at once: hprebn reaches hpreact directly, through the mean and', 'through the variance.'],
    lines: [closedBatchNorm],
  },
  4: {
    number: 4,
    title: 'the whole backward pass',
    task: ['Put it all together: the backward pass that trains the network, with the closed forms of', 'Exercises 2 and 3 in it.'],
    lines: EXERCISE_4_NAMES.map(lineOfExercise4),
  },
};

export function exerciseFile(number: ExerciseNumber): string {
  return `exercise${number}.ts`;
}

/**
 * The file as a learner finds it: the forward lines, and a function per gradient to be written.
 * @param option of the commands that are named, where the folder is not the one they look for
 */
export function stubText(exercise: Exercise, option = ''): string {
  const { number } = exercise;
  const toDo = [
    'Replace each todo(). Between the braces stands what a line takes: ask for more of the values',
    'where you need them. README.md beside this file has the network, an example, and what a tensor',
    'can do.',
    '',
    // What would end the comment is left out: from within the folder the command is the same.
    ...['check', 'hint'].map((verb) => `  npx backprop-ninja exercise ${verb} ${number}${option.includes('*/') ? '' : option}`),
  ];
  return fileText(exercise, toDo, ({ name, source }) => `${readSource(name, source).parameters} => todo()`);
}

/** The file with every line written. */
export function solutionText(exercise: Exercise): string {
  return fileText(exercise, ['The solution, as the lesson has it.'], ({ name, source }) => {
    const { parameters, body } = readSource(name, source);
    return `${parameters} =>${body}`;
  });
}

/** One line's solution, as the lesson has it. */
export function solutionOf({ name, source }: ExerciseLine): string {
  const { parameters, body } = readSource(name, source);
  return `${name}: ${parameters} =>${body}`;
}

function fileText(exercise: Exercise, toDo: readonly string[], code: (line: ExerciseLine) => string): string {
  const { number, lines } = exercise;
  const codes = lines.map(code);
  const body = lines
    .map((line, i) =>
      [
        ...line.forward.map((text) => `  // ${text}`),
        `  // ${line.name} ${shapeText(valueNamed(line.name))}`,
        `  ${line.name}: ${codes[i]},`,
      ].join('\n'),
    )
    .join('\n\n');
  const has = (text: string) => codes.some((one) => one.includes(text));
  // A line that is still to be written may want the class.
  const imports = [has('softmax(') ? 'softmax' : '', has('Tensor.') || has('todo(') ? 'Tensor' : '', has('todo(') ? 'todo' : ''].filter(
    (name) => name !== '',
  );
  return `${[
    ...headOf(exercise, toDo),
    `import { ${[`type Exercise${number}`, ...imports].join(', ')} } from 'backprop-ninja';`,
    '',
    `const exercise${number}: Exercise${number} = {`,
    body,
    '};',
    '',
    `export default exercise${number};`,
  ].join('\n')}\n`;
}

function headOf({ number, title, task }: Exercise, toDo: readonly string[]): string[] {
  const text = [
    `Exercise ${number}: ${title}.`,
    '',
    ...task,
    '',
    'Each gradient is a function of the forward values and of the gradients above it, and has the',
    'shape of its tensor. Shapes: n batch, T context, E embedding, H hidden, V vocabulary.',
    '',
    ...toDo,
  ];
  return ['/**', ...text.map((line) => ` * ${line}`.trimEnd()), ' */'];
}

/** A line as it is written in the lesson: the lesson's files are shipped, and have one entry per gradient. */
function readSource(name: GradientName, file: string): { parameters: string; body: string } {
  const text = readFileSync(new URL(`../../src/lesson/${file}`, import.meta.url), 'utf8');
  const entry = new RegExp(`^ {2}${name}: \\((\\{[^}]*\\})(?:: \\w+)?\\)(?:: \\w+)? =>([^]*?),\\n(?=\\n| {2}\\S|\\})`, 'm').exec(text);
  if (!entry) throw new Error(`${file} has no line for ${name}`);
  return { parameters: `(${entry[1]})`, body: entry[2] };
}
