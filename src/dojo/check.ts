/** Checks a learner's lines. Each runs alone, on given gradients above it, so that one mistake makes one red row. */

import { absolute, indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { randomStream } from '../core/random.js';
import { closest } from '../core/spelling.js';
import { type Shape, sameShape, type Tensor } from '../core/tensor.js';
import { createLessonCase, createNetworkCase, float32Values, LESSON_CONFIG, type LessonConfig, randomGradients } from '../lesson/case.js';
import { backward } from '../lesson/exercise1.js';
import { type GradientName, valueNamed } from '../lesson/values.js';
import type { ExerciseLine } from './exercises.js';
import type { Finding } from './findings.js';
import type { LineKnowledge } from './knowledge.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { nameMistakes, type Observation } from './naming.js';
import { kindOf, type LineContext, type Outcome, runLine } from './outcome.js';
import { sentenceOf } from './sentences.js';
import { sizesAsNumbers } from './sizeLiterals.js';
import { type WorstEntry, worstEntry } from './worstEntry.js';

export type Verdict = 'right' | 'wrong' | 'todo' | 'failed';

/** The result of checking one line. */
export interface LineReport {
  name: GradientName;
  shape: Shape;
  verdict: Verdict;
  /** The lesson's comparison, in float32 on its batch of 32; set where the line returned a tensor of the right shape. */
  figures?: { exact: boolean; close: boolean; maxDiff: number; maxUlps: number };
  /** The problems of the line, as data. */
  findings?: readonly Finding[];
  /** The findings as a sentence. */
  problem?: string;
  /** Set where the findings name the mistake. */
  named?: true;
  /** A remark that does not depend on the verdict. */
  note?: string;
  /** The entry with the largest error, where the mistake has no name. */
  worst?: WorstEntry;
}

const SMALL: LessonConfig = { context: 3, embedding: 4, hidden: [8], vocabulary: 13 };
const LESSON_BATCH = 32;
const SEED = 'dojo';

/** Values on which every line is tried. */
interface Trial {
  at: ValuesAndGradients;
  /** Whether the gradients above are the true ones; otherwise they are random. */
  real: boolean;
}

/** Batches of 2, 3 and 32 with repeated characters, each with the true gradients above and with random ones, which hide nothing. */
function createTrials(): Trial[] {
  return [
    { config: SMALL, n: 2 },
    { config: SMALL, n: 3 },
    { config: LESSON_CONFIG, n: LESSON_BATCH },
  ].flatMap(({ config, n }) => {
    const { values } = createLessonCase(config, n, SEED);
    const random = randomStream('grad-check', `${SEED} upstream ${n}`);
    return [
      { at: { ...values, ...backward(values) }, real: true },
      { at: { ...values, ...randomGradients(values, random) }, real: false },
    ];
  });
}

/** The lesson's own batch of 32 in float32, for the figures. */
function createLesson(): ValuesAndGradients {
  const values = float32Values(createNetworkCase(LESSON_CONFIG, LESSON_BATCH, SEED));
  return { ...values, ...backward(values) };
}

/** The result of a line on one trial. */
interface Judged extends Observation {
  /** The largest error of an entry, relative to the terms that it sums; infinite where the shape is wrong. */
  error: number;
  /** Whether the gradients above are the true ones and the right result is not 0. (For db1 and dlogit_maxes it is 0.) */
  telling: boolean;
  random: boolean;
}

/** For errors in float64: another order of summation changes a result by 1e-16. */
const TOLERANCE = 1e-8;
/** For lines that round to float32: solutions on rounded values are off by at most 1.4e-7, the smallest mistake of the bank by 5.9e-5. */
const FLOAT32_TOLERANCE = 1e-6;

export interface LineCheckerOptions extends LineContext {
  /** Runs a line without showing its output: a line runs seven times and prints once. */
  quietly?: <T>(run: () => T) => T;
  /** Keys of the file's default export that are not lines of the exercise. */
  strays?: readonly string[];
}

/** Checks lines one by one. Every line gets a report, unless it never returns. */
export class LineChecker {
  readonly #trials = createTrials();
  readonly #lesson = createLesson();
  readonly #context: LineContext;
  readonly #quietly: <T>(run: () => T) => T;
  readonly #strays: readonly string[];

  constructor({ quietly = (run) => run(), strays = [], ...context }: LineCheckerOptions = {}) {
    this.#context = context;
    this.#quietly = quietly;
    this.#strays = strays;
  }

  check(known: ExerciseLine, line: unknown): LineReport {
    const head = { name: known.name, shape: this.#lesson[valueNamed(known.name)].shape };
    const report = (verdict: Verdict, findings: readonly Finding[]): LineReport => ({ ...head, verdict, ...worded(findings) });
    if (line === undefined) return report('failed', [this.#missing(known.name)]);
    if (!isFunction(line)) return report('failed', [{ id: 'not-a-function', found: kindOf(line) }]);
    const shown = this.#run(known, line, this.#lesson);
    if ('fault' in shown) return report(shown.fault.id === 'todo' ? 'todo' : 'failed', [shown.fault]);
    const judged: Judged[] = [];
    for (const { at, real } of this.#trials) {
      const outcome = this.#quietly(() => this.#run(known, line, at));
      if ('fault' in outcome) {
        const elsewhere: Finding = { id: 'other-batch', sizes: sizesOf(at), fault: outcome.fault };
        return report('failed', [...present(sizesAsNumbers(line, this.#lesson)), elsewhere]);
      }
      judged.push(judge(known, at, outcome.tensor, real));
    }
    const { verdict, findings, ...more } = verdictOn(known.knowledge, judged, () => sizesAsNumbers(line, this.#lesson));
    return { ...report(verdict, findings), ...more, ...figuresOf(shown.tensor, known.solution(this.#lesson)) };
  }

  #missing(name: string): Finding {
    const stray = closest(name, this.#strays);
    return { id: 'line-missing', ...(stray !== undefined && { stray }) };
  }

  #run({ name }: ExerciseLine, line: (at: ValuesAndGradients) => unknown, at: ValuesAndGradients): Outcome {
    const outcome = runLine(line, at, this.#context);
    if ('fault' in outcome || !sameShape(outcome.tensor.shape, at[valueNamed(name)].shape)) return outcome;
    const { data, shape } = outcome.tensor;
    const broken = data.findIndex((x) => !Number.isFinite(x));
    return broken === -1 ? outcome : { fault: { id: 'not-finite', entry: `${data[broken]}`, index: indexAt(broken, shape) } };
  }
}

function worded(findings: readonly Finding[]): Pick<LineReport, 'findings' | 'problem'> {
  return findings.length === 0 ? {} : { findings, problem: sentenceOf(findings) };
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function isFunction(value: unknown): value is (at: ValuesAndGradients) => unknown {
  return typeof value === 'function';
}

function sizesOf({ n, C, h }: ValuesAndGradients) {
  return { n, E: C.shape[1], H: h.shape[1], V: C.shape[0] };
}

function judge({ knowledge, solution }: ExerciseLine, at: ValuesAndGradients, found: Tensor, real: boolean): Judged {
  const expected = solution(at);
  const scale = scaleOf(knowledge, at);
  const error = sameShape(found.shape, expected.shape) ? largestMagnitude(found.sub(expected).data) / scale : Number.POSITIVE_INFINITY;
  return { at, expected, found, error, telling: real && largestMagnitude(expected.data) > TOLERANCE * scale, random: !real };
}

/** The lesson's comparison; none where the shape is wrong. */
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

/** The largest sum of magnitudes behind an entry. The right result itself cannot be the scale, because it may be 0. */
function scaleOf({ branches, sum }: LineKnowledge, at: ValuesAndGradients): number {
  const magnitudes = branches.map(({ value }) => absolute(value(at))).reduce((a, b) => a.add(b));
  return largestMagnitude((sum ? magnitudes.sum(sum.dim) : magnitudes).data);
}

interface Judgement extends Pick<LineReport, 'named' | 'worst'> {
  verdict: Verdict;
  findings: readonly Finding[];
}

function verdictOn(knowledge: LineKnowledge, judged: readonly Judged[], sizeLiterals: () => Finding | undefined): Judgement {
  const wrong = (...findings: readonly Finding[]): Judgement => ({ verdict: 'wrong', findings });
  const within = (tolerance: number, some: readonly Judged[] = judged) => some.every(({ error }) => error <= tolerance);
  if (within(TOLERANCE)) return { verdict: 'right', findings: [] };
  const mistakes = nameMistakes(
    knowledge,
    judged.filter(({ random }) => random),
  );
  if (!mistakes && within(FLOAT32_TOLERANCE)) return { verdict: 'right', findings: [] };
  const lesson = judged.filter(({ at }) => at.n === LESSON_BATCH);
  if (within(FLOAT32_TOLERANCE, lesson)) return wrong(sizeLiterals() ?? { id: 'lesson-batch-only' });
  const telling = judged.filter((one) => one.telling);
  const hidden = telling.length > 0 && within(TOLERANCE, telling);
  if (mistakes) return { ...wrong(...mistakes, ...(hidden ? [{ id: 'hidden-by-true-gradients' } as const] : [])), named: true };
  if (hidden) return wrong({ id: 'true-gradients-only' });
  const misshapen = judged.findLast(({ expected, found }) => !sameShape(expected.shape, found.shape));
  if (misshapen) return wrong(sizeLiterals() ?? wrongShape(misshapen.found.shape, misshapen.expected.shape));
  return { ...wrong(...present(sizeLiterals())), worst: worstOf(lesson) };
}

function wrongShape(found: Shape, expected: Shape): Finding {
  const keptDimension = found.length === 3 && expected.length === 2 && found[0] === expected[0];
  return { id: 'wrong-shape', found, expected, ...(keptDimension && { indicesKeptDimension: true }) };
}

/** The worst entry on the lesson's batch: with the true gradients above, as in the figures, unless these hide the mistake. */
function worstOf(lesson: readonly Judged[]): WorstEntry {
  const shown = lesson.find(({ telling, error }) => telling && error > TOLERANCE);
  const { found, expected } = shown ?? lesson[lesson.length - 1];
  return { ...(!shown && { random: true }), ...worstEntry(found, expected) };
}
