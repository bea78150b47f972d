/** Checks a learner's lines: each by itself, on given gradients above it, so that one mistake makes one red row. */

import { indexAt, maxUlps } from '../core/numbers.js';
import { randomStream } from '../core/random.js';
import { closest } from '../core/spelling.js';
import { type FloatArray, type Shape, sameShape, showShape, Tensor } from '../core/tensor.js';
import { createLessonCase, createNetworkCase, float32Values, LESSON_CONFIG, type LessonConfig, randomGradients } from '../lesson/case.js';
import { backward } from '../lesson/exercise1.js';
import { type GradientName, valueNamed } from '../lesson/values.js';
import type { ExerciseLine } from './exercises.js';
import { TodoError, type ValuesAndGradients } from './learnerFile.js';
import type { LineKnowledge } from './lines.js';
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
  /** What is to be said of the line whatever its answer. */
  note?: string;
  /** Of an answer whose mistake has no name: the entry that is furthest off. */
  worst?: WorstEntry;
}

export interface WorstEntry {
  /** Whether it is one with random gradients above: with the true ones nothing is wrong on the lesson's batch. */
  random?: true;
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
  at: ValuesAndGradients;
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
    const upstream = randomGradients(values, random);
    return [
      { at: { ...values, ...backward(values) }, real: true },
      { at: { ...values, ...upstream }, real: false },
    ];
  });
}

/** The lesson's own batch of 32 in float32, for the figures. */
function createShown(): ValuesAndGradients {
  const values = float32Values(createNetworkCase(LESSON_CONFIG, LESSON_BATCH, SEED));
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

export interface LineCheckerOptions {
  /** The learner's file, to whose lines errors are traced. */
  file?: string;
  /** Runs a line whose prints are not to be seen: of a line's seven runs, one is enough. */
  quietly?: <T>(run: () => T) => T;
  /** What the file exports beside the lines that are asked for. */
  strays?: readonly string[];
}

/** Checks lines one by one. Whatever a line does, short of never returning, becomes its report. */
export class LineChecker {
  readonly #given = createObservations();
  readonly #shown = createShown();
  readonly #file: string | undefined;
  readonly #quietly: <T>(run: () => T) => T;
  readonly #strays: readonly string[];

  constructor({ file, quietly = (run) => run(), strays = [] }: LineCheckerOptions = {}) {
    this.#file = file;
    this.#quietly = quietly;
    this.#strays = strays;
  }

  check(known: ExerciseLine, line: unknown): LineReport {
    const { name, knowledge, solution } = known;
    const head = { name, shape: this.#shown[valueNamed(name)].shape };
    const failed = (problem: string): LineReport => ({ ...head, verdict: 'failed', problem });
    if (line === undefined) return failed(`missing from what the file exports${this.#strayLike(name)}`);
    if (!isFunction(line)) return failed(`${kindOf(line)}, expected a function`);
    const shown = this.#run(known, line, this.#shown);
    if (shown instanceof TodoError) return { ...head, verdict: 'todo', problem: shown.message };
    if (typeof shown === 'string') return failed(shown);
    const judged: Judged[] = [];
    for (const { at, real } of this.#given) {
      const found = this.#quietly(() => this.#run(known, line, at));
      if (!(found instanceof Tensor)) {
        const problem = `${sizesOf(at)}: ${found instanceof TodoError ? found.message : found}`;
        return failed([sizesAsNumbers(line, this.#shown), problem].filter((text) => text !== undefined).join('; '));
      }
      const expected = solution(at);
      const scale = scaleOf(knowledge, at);
      const telling = real && largestOf(expected.data) > TOLERANCE * scale;
      judged.push({ at, expected, found, error: largestDifference(found, expected) / scale, telling, random: !real });
    }
    const verdict = verdictOn(knowledge, judged, () => sizesAsNumbers(line, this.#shown));
    return { ...head, ...verdict, ...figuresOf(shown, solution(this.#shown)) };
  }

  #strayLike(name: string): string {
    const stray = closest(name, this.#strays);
    return stray === undefined ? '' : `; it has ${stray}, which no line is called`;
  }

  #run({ name }: ExerciseLine, line: (at: ValuesAndGradients) => unknown, at: ValuesAndGradients): Outcome {
    const outcome = runLine(line, at, this.#file);
    if (!(outcome instanceof Tensor) || !sameShape(outcome.shape, at[valueNamed(name)].shape)) return outcome;
    const broken = outcome.data.findIndex((x) => !Number.isFinite(x));
    return broken === -1 ? outcome : `it holds ${outcome.data[broken]} at ${showShape(indexAt(broken, outcome.shape))}`;
  }
}

/** What the line sees of this set, which is not the one that is shown. */
function sizesOf({ n, C, h }: ValuesAndGradients): string {
  return `with n ${n}, E ${C.shape[1]}, H ${h.shape[1]} and V ${C.shape[0]}, in float64`;
}

/** The sizes that a line writes as numbers, as far as its own text has them, and what to write; undefined where it has none. */
function sizesAsNumbers(line: (at: ValuesAndGradients) => unknown, { n, C, embact, h }: ValuesAndGradients): string | undefined {
  const [V, E] = C.shape;
  // T is 3 on every batch.
  const sizes: Record<number, [what: string, instead: string]> = {
    [n]: ['n', 'n'],
    [n - 1]: ['n - 1', 'n - 1'],
    [V]: ['V', 'logits.shape[1]'],
    [E]: ['E', 'C.shape[1]'],
    [embact.shape[1]]: ['T·E', 'embact.shape[1]'],
    [h.shape[1]]: ['H', 'h.shape[1]'],
  };
  // Comments are gone already: the file is loaded without them.
  const text = Function.prototype.toString.call(line).replace(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g, '');
  const found = new Set((text.match(/(?<![\w.$])\d+(?![\w.])/g) ?? []).map(Number).filter((number) => Object.hasOwn(sizes, number)));
  if (found.size === 0) return undefined;
  const is = [...found].map((number) => `${number} is ${sizes[number][0]}`).join(' and ');
  const instead = [...found].map((number) => sizes[number][1]).join(' and ');
  return `${is} on the lesson's batch of 32: a line must hold for every batch, so write ${instead}`;
}

function isFunction(value: unknown): value is (at: ValuesAndGradients) => unknown {
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
function scaleOf({ branches, sum }: LineKnowledge, at: ValuesAndGradients): number {
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
  sizesAsNumbersText: () => string | undefined,
): Pick<LineReport, 'verdict' | 'problem' | 'named' | 'worst'> {
  const wrong = (problem: string | undefined) => ({ verdict: 'wrong', ...(problem === undefined ? {} : { problem }) }) as const;
  const within = (tolerance: number, some: readonly Judged[] = judged) => some.every(({ error }) => error <= tolerance);
  if (within(TOLERANCE)) return { verdict: 'right' };
  const random = judged.filter((one) => one.random);
  const name = nameMistake(knowledge, random);
  if (name === undefined && within(FLOAT32_TOLERANCE)) return { verdict: 'right' };
  const lesson = judged.filter(({ at }) => at.n === LESSON_BATCH);
  if (within(FLOAT32_TOLERANCE, lesson)) return wrong(sizesAsNumbersText() ?? NUMBER_FOR_SIZE);
  const telling = judged.filter((one) => one.telling);
  const hidden = telling.length > 0 && within(TOLERANCE, telling);
  if (name) return { ...wrong(hidden ? `${name}; the true gradients above it hide that, others show it` : name), named: true };
  if (hidden) return wrong('right with the true gradients above it, wrong with others: it does not follow from what the line is given');
  const misshapen = judged.findLast(({ expected, found }) => !sameShape(expected.shape, found.shape));
  if (misshapen) return wrong(sizesAsNumbersText() ?? shapeProblem(misshapen));
  return { ...wrong(sizesAsNumbersText()), worst: worstOf(lesson) };
}

const NUMBER_FOR_SIZE =
  "right on the lesson's batch of 32, not on smaller ones: a size is written as a number where it must be read, as n or logits.shape[1]";

function shapeProblem({ expected, found }: Judged): string {
  const [n] = expected.shape;
  const text = `shape ${showShape(found.shape)}, expected ${showShape(expected.shape)}`;
  if (found.shape.length !== 3 || expected.shape.length !== 2 || found.shape[0] !== n) return text;
  return `${text}: indices of max(1, { keepdim: true }) have a dimension of 1, max(1).indices have one index per row`;
}

/** Of the lesson's batch: with the true gradients above, whose figures the row has, where they show anything. */
function worstOf(lesson: readonly Judged[]): WorstEntry {
  const shown = lesson.find(({ telling, error }) => telling && error > TOLERANCE);
  return shown ? worstEntry(shown) : { random: true, ...worstEntry(lesson[lesson.length - 1]) };
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
