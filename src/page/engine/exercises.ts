/** The exercises: what lines are tried on, what the judge says of their results, and the training of Exercise 4. */
import { NumericalError } from '../../core/errors.js';
import { type FloatArray, type Indices, type Shape, ShapeError, sameShape, Tensor } from '../../core/tensor.js';
import { LineJudge, type LineReport } from '../../dojo/check.js';
import {
  EXERCISE_NUMBERS,
  EXERCISES,
  type ExerciseLine,
  type ExerciseNumber,
  LESSON_SIZES,
  lessonShape,
  shapeText,
} from '../../dojo/exercises.js';
import type { Fault } from '../../dojo/findings.js';
import { HINT_STEPS, hintsFor } from '../../dojo/hints.js';
import { EXERCISE_4_NAMES, type GivenValues } from '../../dojo/learnerFile.js';
import { PARAMETER_GRADIENT_NAMES, type ParameterGradients } from '../../dojo/lessonTraining.js';
import type { Outcome } from '../../dojo/outcome.js';
import { sentenceOf } from '../../dojo/sentences.js';
import { type LearnerLines, learnerText, lineStub, solutionOf } from '../../dojo/stub.js';
import { TRAINING_STEPS, type TrainingReport, trainWithGradients } from '../../dojo/training.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { type GradientName, gradientNamed, VALUE_NAMES, valueNamed } from '../../lesson/values.js';
import { showSizes } from '../parts/numbers.js';
import { bundledNames } from './names.js';
import { type TensorData, tensorData } from './pass.js';

/** An array on its way to a learner's line, or back. */
export interface ArrayData {
  data: FloatArray;
  shape: Shape;
}

/** The input of a line as data: arrays, indices, and the batch size n. */
export type GivenArrays = Record<string, ArrayData | Indices | number>;

/** What a line gave on one input. */
export type ArrayOutcome = { array: ArrayData } | { tooLarge: Shape } | { fault: Fault };

/** A name that a line may read. */
export interface ScopeEntry {
  name: string;
  /** [n,V]; empty for the number n. */
  shape: string;
  /** The sizes on the lesson's batch: [32,27]; for n the number. */
  here: string;
  kind: 'value' | 'gradient' | 'indices' | 'number';
}

export interface LineEntry {
  name: GradientName;
  /** [n,V] */
  shape: string;
  sizes: readonly number[];
  /** The forward lines that read its tensor. */
  forward: readonly string[];
  /** The line before it is written. */
  stub: string;
  hints: readonly string[];
  scope: readonly ScopeEntry[];
}

export interface ExerciseEntry {
  number: ExerciseNumber;
  title: string;
  task: string;
  /** What the letters of the shapes are here. */
  letters: string;
  /** Steps of the training with its lines. */
  trainingSteps: number;
  lines: readonly LineEntry[];
}

export interface JudgedLine {
  report: LineReport;
  /** The result on the lesson's batch beside the right one, where it has the right shape. */
  shown?: { yours: TensorData; right: TensorData; difference: TensorData };
}

let judge: LineJudge | undefined;
function judgeOfLines(): LineJudge {
  judge ??= new LineJudge();
  return judge;
}

/** @throws Error if the exercise has no such line */
function lineOf(exercise: ExerciseNumber, name: GradientName): ExerciseLine {
  const line = EXERCISES[exercise].lines.find((one) => one.name === name);
  if (!line) throw new Error(`Exercise ${exercise} has no line ${name}`);
  return line;
}

function arraysOf(at: GivenValues): GivenArrays {
  return Object.fromEntries(
    Object.entries(at).map(([name, value]) => [name, typeof value === 'number' ? value : { data: value.data, shape: value.shape }]),
  );
}

const { n, T, E, H, V } = LESSON_SIZES;
/** The letters of the shapes, on the lesson's batch. */
const LETTERS = `n ${n} examples, T ${T} characters, E ${E} numbers each, H ${H} hidden, V ${V} characters.`;

function scopeOf(exercise: ExerciseNumber, name: GradientName): ScopeEntry[] {
  const gradients: readonly GradientName[] = exercise === 1 ? GRADIENT_NAMES : EXERCISE_4_NAMES;
  const entry = (of: GradientName, kind: 'value' | 'gradient'): ScopeEntry => {
    const value = valueNamed(of);
    return { name: kind === 'value' ? value : of, shape: shapeText(value), here: showSizes(lessonShape(value)), kind };
  };
  return [
    ...gradients
      .slice(0, gradients.indexOf(name))
      .map((one) => entry(one, 'gradient'))
      .reverse(),
    ...VALUE_NAMES.map((value) => entry(gradientNamed(value), 'value')),
    { name: 'Xb', shape: '[n,T]', here: showSizes([n, T]), kind: 'indices' },
    { name: 'Yb', shape: '[n]', here: showSizes([n]), kind: 'indices' },
    { name: 'n', shape: '', here: `${n}`, kind: 'number' },
  ];
}

function entryOf(exercise: ExerciseNumber, line: ExerciseLine): LineEntry {
  const value = valueNamed(line.name);
  const hints = hintsFor(line);
  return {
    name: line.name,
    shape: shapeText(value),
    sizes: lessonShape(value),
    forward: line.forward,
    stub: lineStub(line),
    hints: HINT_STEPS.map((step) => hints[step]),
    scope: scopeOf(exercise, line.name),
  };
}

function outcomeOf(outcome: ArrayOutcome): Outcome | { fault: Fault } {
  return 'array' in outcome ? { tensor: new Tensor(outcome.array.data, outcome.array.shape) } : outcome;
}

function shownOf(judged: LineJudge, line: ExerciseLine, outcome: ArrayOutcome | undefined): Pick<JudgedLine, 'shown'> {
  if (!outcome || !('array' in outcome)) return {};
  const right = judged.rightOn(line);
  const { data, shape } = outcome.array;
  if (!sameShape(shape, right.shape)) return {};
  const yours = new Tensor(Float64Array.from(data), shape);
  return { shown: { yours: tensorData(yours), right: tensorData(right), difference: tensorData(yours.sub(right.to('float64'))) } };
}

/** A training with a learner's lines, between two of its steps. */
let training: { id: number; steps: ReturnType<typeof trainWithGradients> } | undefined;
let lastTraining = 0;

/** What a training asks for next, or how it ended. */
export type TrainingTurn =
  | { id: number; at: GivenArrays; wanted: readonly GradientName[] }
  | { report: TrainingReport }
  | { problem: string };

function turn(gradients?: ParameterGradients): TrainingTurn {
  if (!training) throw new Error('no training has begun');
  const { id, steps } = training;
  try {
    const step = gradients ? steps.next(gradients) : steps.next();
    return step.done ? { report: step.value } : { id, at: arraysOf(step.value), wanted: PARAMETER_GRADIENT_NAMES };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof NumericalError) return { problem: error.message };
    throw error;
  }
}

export const exerciseMethods = {
  /** The exercises without their solutions. */
  exercises(): ExerciseEntry[] {
    return EXERCISE_NUMBERS.map((number) => {
      const { title, task, lines } = EXERCISES[number];
      return {
        number,
        title,
        task: task.join(' '),
        letters: LETTERS,
        trainingSteps: TRAINING_STEPS,
        lines: lines.map((line) => entryOf(number, line)),
      };
    });
  },

  /** The lesson's solution of a line. */
  solution(exercise: ExerciseNumber, name: GradientName): string {
    return solutionOf(lineOf(exercise, name)).replace(`${name}: `, '').replaceAll('\n  ', '\n');
  },

  /** What a line is tried on, in order. */
  inputs(exercise: ExerciseNumber, name: GradientName): GivenArrays[] {
    return judgeOfLines().inputsOf(lineOf(exercise, name)).map(arraysOf);
  },

  /** Judges what a line gave on its inputs. */
  judge(exercise: ExerciseNumber, name: GradientName, outcomes: readonly ArrayOutcome[], text: string): JudgedLine {
    const line = lineOf(exercise, name);
    const report = judgeOfLines().judge(line, { outcomes: outcomes.map(outcomeOf), text });
    return { report, ...shownOf(judgeOfLines(), line, outcomes[0]) };
  },

  /** The file of an exercise with a learner's lines. */
  exerciseText(exercise: ExerciseNumber, lines: LearnerLines): string {
    return learnerText(EXERCISES[exercise], lines);
  },

  /** A fault in the dojo's words. */
  faultText(fault: Fault): string {
    return sentenceOf([fault]);
  },

  /** Begins to train with the lines of Exercise 4: the input of the first backward pass. */
  beginTraining(): TrainingTurn {
    training = { id: ++lastTraining, steps: trainWithGradients(bundledNames()) };
    return turn();
  },

  /** The next step, with the gradients of the parameters in their order. */
  continueTraining(id: number, arrays: readonly ArrayData[]): TrainingTurn {
    if (training?.id !== id) throw new Error('another training has begun');
    const gradients = PARAMETER_GRADIENT_NAMES.map((name, i) => {
      const { data, shape } = arrays[i] as ArrayData;
      return [name, new Tensor(data, shape)];
    });
    return turn(Object.fromEntries(gradients) as ParameterGradients);
  },
};
