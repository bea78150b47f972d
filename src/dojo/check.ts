/** Checks a learner's lines: each by itself, on given gradients above it, so that one mistake makes one red row. */
import { createCase, createLessonCase, LESSON_CONFIG, type LessonConfig, randomTensor } from '../gradCheck/case.js';
import { indexAt, maxUlps } from '../gradCheck/row.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { forward } from '../lesson/forward.js';
import type { GradientName, Gradients, Parameters, Values } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../network.js';
import { randomStream } from '../random.js';
import { type FloatArray, type Shape, sameShape, showShape, Tensor } from '../tensor.js';
import { type ExerciseLine, TodoError, valueNamed } from './exercises.js';
import type { At, LineKnowledge } from './lines.js';
import { nameMistake, type Observation } from './naming.js';
import { kindOf, type Outcome, runLine } from './outcome.js';

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
  /** What is to be said of a right answer. */
  note?: string;
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
const LESSON_BATCH = 32;
const SEED = 'dojo';
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
    { config: LESSON_CONFIG, n: LESSON_BATCH },
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
  const { parameters, batch } = createCase(LESSON_CONFIG, LESSON_BATCH, SEED);
  const narrow = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, parameters[name].to('float32')])) as Parameters;
  const values: Values = forward(narrow, batch);
  return { ...values, ...backward(values) };
}

/** What a line did with one set of values. */
interface Judged extends Observation {
  /** Largest difference of an entry, as a part of what is summed for it; infinite where the shape is another. */
  error: number;
  /** Whether the true gradients are above it, and show anything: those of db1 and dlogit_maxes sum to 0, whatever a line makes of them. */
  telling: boolean;
  random: boolean;
}

/** Of an error in float64: the order of a sum makes 1e-16. */
const TOLERANCE = 1e-8;
/** Where float32 is in it: the solutions on values rounded to float32 err by 1.4e-7 at most, the least mistake of the bank by 5.9e-5. */
const FLOAT32_TOLERANCE = 1e-6;
const FLOAT32_NOTE = 'right, but rounded to float32, which Tensor.zeros, oneHot and of make unless told otherwise';

const NUMBER_FOR_SIZE =
  "right on the lesson's batch of 32, not on smaller ones: a size is written as a number where it must be read, as n or logits.shape[1]";

export interface LineCheckerOptions {
  /** The learner's file, to whose lines errors are traced. */
  file?: string;
  /** Runs a line whose prints are not to be seen: of a line's seven runs, one is enough. */
  quietly?: <T>(run: () => T) => T;
}

/** Checks lines one by one. Whatever a line does, short of never returning, becomes its report. */
export class LineChecker {
  readonly #given = createObservations();
  readonly #shown = createShown();
  readonly #file: string | undefined;
  readonly #quietly: <T>(run: () => T) => T;

  constructor({ file, quietly = (run) => run() }: LineCheckerOptions = {}) {
    this.#file = file;
    this.#quietly = quietly;
  }

  check(known: ExerciseLine, line: unknown): LineReport {
    const { name, knowledge, solution } = known;
    const head = { name, shape: this.#shown[valueNamed(name)].shape };
    const failed = (problem: string): LineReport => ({ ...head, verdict: 'failed', problem });
    if (line === undefined) return failed('missing from what the file exports');
    if (!isFunction(line)) return failed(`${kindOf(line)}, expected a function`);
    const shown = this.#run(known, line, this.#shown);
    if (shown instanceof TodoError) return { ...head, verdict: 'todo', problem: shown.message };
    if (typeof shown === 'string') return failed(shown);
    const judged: Judged[] = [];
    for (const { at, real } of this.#given) {
      const found = this.#quietly(() => this.#run(known, line, at));
      if (!(found instanceof Tensor)) return failed(`${sizesOf(at)}: ${found instanceof TodoError ? found.message : found}`);
      const expected = solution(at);
      const scale = scaleOf(knowledge, at);
      const telling = real && largestOf(expected.data) > TOLERANCE * scale;
      judged.push({ at, expected, found, error: largestDifference(found, expected) / scale, telling, random: !real });
    }
    return { ...head, ...verdictOn(knowledge, judged), ...figuresOf(shown, solution(this.#shown)) };
  }

  #run({ name }: ExerciseLine, line: (at: At) => unknown, at: At): Outcome {
    const outcome = runLine(line, at, this.#file);
    if (!(outcome instanceof Tensor) || !sameShape(outcome.shape, at[valueNamed(name)].shape)) return outcome;
    const broken = outcome.data.findIndex((x) => !Number.isFinite(x));
    return broken === -1 ? outcome : `it holds ${outcome.data[broken]} at ${showShape(indexAt(broken, outcome.shape))}`;
  }
}

/** What the line sees of this set, which is not the one that is shown. */
function sizesOf({ n, C, h }: At): string {
  return `with n ${n}, E ${C.shape[1]}, H ${h.shape[1]} and V ${C.shape[0]}, in float64`;
}

function isFunction(value: unknown): value is (at: At) => unknown {
  return typeof value === 'function';
}

/** Of the lesson's comparison; none where the shape is another. */
function figuresOf(found: Tensor, expected: Tensor): Pick<LineReport, 'figures'> {
  if (!sameShape(found.shape, expected.shape)) return {};
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

function largestDifference(found: Tensor, expected: Tensor): number {
  return sameShape(found.shape, expected.shape) ? largestOf(found.sub(expected).data) : Number.POSITIVE_INFINITY;
}

/** The largest sum of magnitudes that an entry is the sum of. The truth itself is no measure where it is 0. */
function scaleOf({ branches, sum }: LineKnowledge, at: At): number {
  const magnitudes = branches.map(({ value }) => magnitude(value(at))).reduce((a, b) => a.add(b));
  return largestOf((sum ? magnitudes.sum(sum.dim) : magnitudes).data);
}

function largestOf(data: FloatArray): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]));
  return largest;
}

function magnitude({ data, shape }: Tensor): Tensor {
  return new Tensor(data.map(Math.abs), shape);
}

function verdictOn(
  knowledge: LineKnowledge,
  judged: readonly Judged[],
): Pick<LineReport, 'verdict' | 'problem' | 'named' | 'worst' | 'note'> {
  const within = (tolerance: number) => judged.every(({ error }) => error <= tolerance);
  if (within(TOLERANCE)) return { verdict: 'right' };
  const random = judged.filter((one) => one.random);
  const name = nameMistake(knowledge, random);
  if (name === undefined && within(FLOAT32_TOLERANCE)) return { verdict: 'right', note: FLOAT32_NOTE };
  const telling = judged.filter((one) => one.telling);
  if (telling.length > 0 && telling.every(({ error }) => error <= TOLERANCE)) {
    if (name) return { verdict: 'wrong', problem: `${name}; the true gradients above it hide that, others show it`, named: true };
    const problem = 'right with the true gradients above it, wrong with others: it does not follow from what the line is given';
    return { verdict: 'wrong', problem };
  }
  if (name) return { verdict: 'wrong', problem: name, named: true };
  const lesson = judged.filter(({ at }) => at.n === LESSON_BATCH);
  if (lesson.every(({ error }) => error <= FLOAT32_TOLERANCE)) return { verdict: 'wrong', problem: NUMBER_FOR_SIZE };
  const misshapen = judged.findLast(({ expected, found }) => !sameShape(expected.shape, found.shape));
  if (!misshapen) return { verdict: 'wrong', worst: worstEntry(random[random.length - 1]) };
  return { verdict: 'wrong', problem: `shape ${showShape(misshapen.found.shape)}, expected ${showShape(misshapen.expected.shape)}` };
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
