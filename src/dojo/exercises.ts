/** The catalogue of the four exercises: the lines of each, with their solutions and their forward lines. */
import { exercise1, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { exercise2 } from '../lesson/exercise2.js';
import { exercise3 } from '../lesson/exercise3.js';
import { consumersOf, type GradientName, type StepName, type ValueName, valueNamed } from '../lesson/values.js';
import { ATOMIC_LINES } from './atomicLines.js';
import { CLOSED_LINES } from './closedLines.js';
import type { LineKnowledge } from './knowledge.js';
import { EXERCISE_4_NAMES, type Line } from './learnerFile.js';
import type { LessonFile } from './texts.js';

export const EXERCISE_NUMBERS = [1, 2, 3, 4] as const;
export type ExerciseNumber = (typeof EXERCISE_NUMBERS)[number];

export interface ExerciseLine {
  name: GradientName;
  knowledge: LineKnowledge;
  /** The solution. */
  solution: Line;
  /** The lesson's file with the solution. */
  source: LessonFile;
  /** The forward lines that read its tensor. */
  forward: readonly string[];
}

export interface Exercise {
  number: ExerciseNumber;
  title: string;
  /** The task, for the head of the file: one string per line. */
  task: readonly string[];
  lines: readonly ExerciseLine[];
}

/** The forward pass, one step per line. */
export const FORWARD_TEXT: Record<StepName, string> = {
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

/** The sizes of the lesson's network and batch, by letter. */
export const LESSON_SIZES = { n: 32, T: 3, E: 10, T·E: 30, H: 64, V: 27, 1: 1 } as const;
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

/** The shape of a value in the lesson's letters. */
export function shapeLetters(name: ValueName): (string | number)[] {
  return [...SHAPES[name]];
}

/** The same as text: [n,V]. */
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
  source: 'exercise1',
  forward: consumersOf(valueNamed(name)).map((step) => FORWARD_TEXT[step]),
});
const closedCrossEntropy: ExerciseLine = {
  name: 'dlogits',
  knowledge: CLOSED_LINES.dlogits,
  solution: exercise2.dlogits,
  source: 'exercise2',
  forward: [CROSS_ENTROPY],
};
const closedBatchNorm: ExerciseLine = {
  name: 'dhprebn',
  knowledge: CLOSED_LINES.dhprebn,
  solution: exercise3.dhprebn,
  source: 'exercise3',
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
    task: ['Backpropagate through every atomic step of the forward pass: one line per', 'gradient, from the loss back to C.'],
    lines: GRADIENT_NAMES.map(atomicLine),
  },
  2: {
    number: 2,
    title: 'cross-entropy in one expression',
    task: [
      'Backpropagate through cross-entropy in one step: derive d loss / d logits on',
      'paper, simplify it, and write it as one expression.',
    ],
    lines: [closedCrossEntropy],
  },
  3: {
    number: 3,
    title: 'batch norm in one expression',
    task: ['Backpropagate through batch norm in one step: hprebn reaches hpreact', 'directly, through the mean and through the variance.'],
    lines: [closedBatchNorm],
  },
  4: {
    number: 4,
    title: 'the whole backward pass',
    task: ['Put it all together: the backward pass that trains the network, with the', 'closed forms of Exercises 2 and 3 in it.'],
    lines: EXERCISE_4_NAMES.map(lineOfExercise4),
  },
};

/** The name of an exercise's file in a learner's folder. */
export function exerciseFile(number: ExerciseNumber): string {
  return `exercise${number}.ts`;
}
