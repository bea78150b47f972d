/** Checks a learner's lines: each by itself, on given gradients above it, so that one mistake makes one red row. */
import { inspect } from 'node:util';
import { createCase, createLessonCase, LESSON_CONFIG, type LessonConfig, randomTensor } from '../gradCheck/case.js';
import { indexAt, maxUlps } from '../gradCheck/row.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { forward } from '../lesson/forward.js';
import type { GradientName, Gradients, Parameters, Values } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../network.js';
import { randomStream } from '../random.js';
import { type Shape, sameShape, showShape, Tensor } from '../tensor.js';
import { type ExerciseLine, TodoError, valueNamed } from './exercises.js';
import type { At } from './lines.js';
import { nameMistake, type Observation } from './naming.js';

export type Verdict = 'right' | 'wrong' | 'todo' | 'failed';

/** What is said of one line. */
export interface LineReport {
  name: GradientName;
  shape: Shape;
  verdict: Verdict;
  /** Figures of the lesson's comparison, in float32 on its batch of 32, where the line gave a tensor of the right shape. */
  figures?: { exact: boolean; close: boolean; maxDiff: number; maxUlps: number };
  /** Why there is no answer, or what is wrong with it. */
  problem?: string;
  /** Whether the problem is the mistake by its name, and not only what was found. */
  named?: true;
  /** Of an answer whose mistake has no name: the entry that is furthest off. */
  worst?: WorstEntry;
}

export interface WorstEntry {
  index: number[];
  yours: number;
  truth: number;
  /** Yours over the truth, where it is the same in every entry. */
  ratio: number | null;
}

const SMALL: LessonConfig = { context: 3, embedding: 4, hidden: [8], vocabulary: 13 };
const SEED = 'dojo';
/** Of the largest entry of the tensor, in float64. */
const TOLERANCE = 1e-8;

/** One set of values that every line is tried on. */
interface Given {
  at: At;
  /** Whether the gradients above are the true ones. */
  real: boolean;
}

/** Batches of 2, 3 and 32 with repeated characters; each with the true gradients above, and with random ones, which hide nothing. */
function createObservations(): Given[] {
  return [
    { config: SMALL, n: 2 },
    { config: SMALL, n: 3 },
    { config: LESSON_CONFIG, n: 32 },
  ].flatMap(({ config, n }) => {
    const { values } = createLessonCase(config, n, SEED);
    const random = randomStream('grad-check', `${SEED} upstream ${n}`);
    const upstream = Object.fromEntries(
      GRADIENT_NAMES.map((name) => [name, randomTensor(values[valueNamed(name)].shape, random)]),
    ) as Gradients;
    return [
      { at: { ...values, ...backward(values) }, real: true },
      { at: { ...values, ...upstream }, real: false },
    ];
  });
}

/** The lesson's own batch of 32 in float32, for the figures. */
function createShown(): At {
  const { parameters, batch } = createCase(LESSON_CONFIG, 32, SEED);
  const narrow = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, parameters[name].to('float32')])) as Parameters;
  const values: Values = forward(narrow, batch);
  return { ...values, ...backward(values) };
}

/** Checks lines one by one. Whatever a line does, short of never returning, becomes its report. */
export class LineChecker {
  readonly #given = createObservations();
  readonly #shown = createShown();

  check({ name, knowledge, solution }: ExerciseLine, line: unknown): LineReport {
    const shape = this.#shown[valueNamed(name)].shape;
    const failed = (problem: string): LineReport => ({ name, shape, verdict: 'failed', problem });
    if (line === undefined) return failed('missing from what the file exports');
    if (typeof line !== 'function') return failed(`${typeof line === 'object' ? 'an object' : `a ${typeof line}`}, expected a function`);
    const observations: (Observation & { real: boolean })[] = [];
    for (const { at, real } of this.#given) {
      const outcome = run(line as (at: At) => unknown, at);
      if (outcome instanceof TodoError) return { name, shape, verdict: 'todo', problem: outcome.message };
      if (typeof outcome === 'string') return failed(outcome);
      observations.push({ at, real, expected: solution(at), found: outcome });
    }
    const wrong = observations.filter((observation) => !isRight(observation));
    if (wrong.length === 0) return { name, shape, verdict: 'right', ...this.#figures(name, solution, line as (at: At) => unknown) };
    return {
      name,
      shape,
      verdict: 'wrong',
      ...this.#figures(name, solution, line as (at: At) => unknown),
      ...explain(knowledge, observations),
    };
  }

  #figures(name: GradientName, solution: ExerciseLine['solution'], line: (at: At) => unknown): Pick<LineReport, 'figures'> {
    const found = run(line, this.#shown);
    const expected = solution(this.#shown);
    if (!(found instanceof Tensor) || !sameShape(found.shape, this.#shown[valueNamed(name)].shape)) return {};
    const yours = found.to('float32').data;
    const truth = expected.to('float32').data;
    let maxDiff = 0;
    let close = true;
    for (let i = 0; i < truth.length; i++) {
      const distance = Math.abs(yours[i] - truth[i]);
      if (!(distance <= maxDiff)) maxDiff = distance;
      // torch.allclose
      if (!(distance <= 1e-8 + 1e-5 * Math.abs(truth[i]))) close = false;
    }
    return { figures: { exact: maxDiff === 0, close, maxDiff, maxUlps: maxUlps(yours, truth) } };
  }
}

/** The tensor that a line returns for a copy of the values; or what is wrong with it, in words. */
function run(line: (at: At) => unknown, at: At): Tensor | TodoError | string {
  const copies = Object.fromEntries(Object.entries(at).map(([key, value]) => [key, copyOf(value)])) as unknown as At;
  let result: unknown;
  try {
    result = line(Object.freeze(copies));
  } catch (error) {
    if (error instanceof Error && error.name === 'TodoError') return new TodoError(error.message);
    return `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)}`;
  }
  const changed = Object.keys(at).find((key) => !sameData(at[key as keyof At], copies[key as keyof At]));
  if (changed) return `it changes ${changed}, which it was given to read`;
  if (result === undefined) return 'it returns nothing: a function with braces needs a return';
  if (result instanceof Promise) return 'it returns a promise, expected a Tensor';
  if (!isTensor(result)) return `it returns ${Array.isArray(result) ? 'a list' : `a ${typeof result}`}, expected a Tensor`;
  const broken = result.data.findIndex((x) => !Number.isFinite(x));
  if (broken !== -1) return `it holds ${result.data[broken]} at ${showShape(indexAt(broken, result.shape))}`;
  return result;
}

/** A learner's file may have loaded the class once more: what matters is what it has. */
function isTensor(value: unknown): value is Tensor {
  if (value instanceof Tensor) return true;
  const { data, shape } = (value ?? {}) as Partial<Tensor>;
  return (data instanceof Float32Array || data instanceof Float64Array) && Array.isArray(shape);
}

function copyOf(value: unknown): unknown {
  if (value instanceof Tensor) return value.clone();
  if (typeof value === 'object' && value !== null && 'data' in value && 'shape' in value) {
    return { data: (value.data as Int32Array).slice(), shape: [...(value.shape as Shape)] };
  }
  return value;
}

function sameData(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null) return a === b;
  const [left, right] = [a, b].map((value) => (value as Tensor).data);
  return left.length === right.length && left.every((x, i) => Object.is(x, right[i]));
}

function isRight({ expected, found }: Observation): boolean {
  if (!sameShape(expected.shape, found.shape)) return false;
  let largest = 0;
  let distance = 0;
  for (let i = 0; i < expected.size; i++) {
    largest = Math.max(largest, Math.abs(expected.data[i]));
    distance = Math.max(distance, Math.abs(expected.data[i] - found.data[i]));
  }
  return distance <= TOLERANCE * largest;
}

/** The mistake's name; else the shapes, or the entry that is furthest off. */
function explain(
  knowledge: ExerciseLine['knowledge'],
  observations: readonly (Observation & { real: boolean })[],
): Pick<LineReport, 'problem' | 'named' | 'worst'> {
  const misshapen = observations.findLast(({ expected, found }) => !sameShape(expected.shape, found.shape));
  const random = observations.filter(({ real }) => !real);
  const name = nameMistake(knowledge, random);
  if (!misshapen && observations.every((observation) => isRight(observation) || !observation.real)) {
    if (name) return { problem: `${name}; the true gradients above it hide that, others show it`, named: true };
    return { problem: 'right with the true gradients above it, wrong with others: it does not follow from what the line is given' };
  }
  if (name) return { problem: name, named: true };
  if (misshapen) return { problem: `shape ${showShape(misshapen.found.shape)}, expected ${showShape(misshapen.expected.shape)}` };
  return { worst: worstEntry(random[random.length - 1]) };
}

/** The entry that is furthest off. */
export function worstEntry({ expected, found }: Pick<Observation, 'expected' | 'found'>): WorstEntry {
  let at = 0;
  for (let i = 1; i < expected.size; i++) {
    if (Math.abs(found.data[i] - expected.data[i]) > Math.abs(found.data[at] - expected.data[at])) at = i;
  }
  const ratios = Array.from(expected.data, (truth, i) => found.data[i] / truth).filter((ratio) => Number.isFinite(ratio));
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const constant = ratios.length > 0 && ratios.every((ratio) => Math.abs(ratio - mean) <= 1e-6 * Math.abs(mean));
  return { index: indexAt(at, expected.shape), yours: found.data[at], truth: expected.data[at], ratio: constant ? mean : null };
}
