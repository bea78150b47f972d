/** Checks a learner's lines. Each runs alone, on given gradients above it, so that one mistake makes one red row. */

import { indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { randomStream } from '../core/random.js';
import { type Shape, sameShape, type Tensor } from '../core/tensor.js';
import { createLessonCase, createNetworkCase, float32Values, LESSON_CONFIG, type LessonConfig, randomGradients } from '../lesson/case.js';
import { backward, GRADIENT_NAMES } from '../lesson/exercise1.js';
import { similarName } from '../lesson/tensorNames.js';
import { type GradientName, valueNamed } from '../lesson/values.js';
import type { ExerciseLine } from './exercises.js';
import type { BatchSizes, Fault, Finding } from './findings.js';
import { scaleOf } from './knowledge.js';
import type { GivenValues, ValuesAndGradients } from './learnerFile.js';
import { nameMistakes } from './naming/naming.js';
import type { Observation } from './naming/observations.js';
import { ignoresGradients, unrelatedToInput } from './naming/unrelated.js';
import { type LineContext, type Outcome, runLine, textOf } from './outcome.js';
import { type LineLanguage, sentenceOf } from './sentences.js';
import { sizesAsNumbers } from './sizeLiterals.js';
import { type WorstEntry, worstEntry } from './worstEntry.js';

export type Verdict = 'right' | 'wrong' | 'todo' | 'failed';

/** The result of checking one line. */
export interface LineReport {
  name: GradientName;
  shape: Shape;
  verdict: Verdict;
  /** The lesson's comparison, in float32 on a batch of 32; set where the line returned a tensor of the right shape. */
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

/** All sizes differ within a batch, and between batches. */
const SMALL: LessonConfig = { context: 5, embedding: 3, hidden: [8], vocabulary: 13 };
const MIDDLE: LessonConfig = { context: 4, embedding: 6, hidden: [7], vocabulary: 11 };
const LESSON_BATCH = 32;
const SEED = 'dojo';

/** Values on which every line is tried. */
interface LineInput {
  at: ValuesAndGradients;
  /** Whether the gradients above are the true ones; otherwise they are random. */
  real: boolean;
  /** Set where the result is only shown: the lesson's own batch is in float32. */
  shownOnly?: true;
}

/** What lines are tried on. */
export interface LineInputs {
  /** In the order in which a line runs on them. */
  inputs: readonly LineInput[];
  /** The place of the one whose figures are shown: a batch of 32 in the lesson's sizes. */
  shown: number;
}

const BATCHES = [
  { config: SMALL, n: 2 },
  { config: MIDDLE, n: 3 },
  { config: LESSON_CONFIG, n: LESSON_BATCH },
] as const;

/**
 * The dojo's: the lesson's batch in float32; then batches of 2, 3 and 32 with repeated characters, each with the true gradients above and with
 * random ones, which hide nothing.
 */
function dojoInputs(): LineInputs {
  const trials = BATCHES.flatMap(({ config, n }): LineInput[] => {
    const { values } = createLessonCase(config, n, SEED);
    const random = randomStream('grad-check', `${SEED} upstream ${n}`);
    return [
      { at: { ...values, ...backward(values) }, real: true },
      { at: { ...values, ...randomGradients(values, random) }, real: false },
    ];
  });
  const values = float32Values(createNetworkCase(LESSON_CONFIG, LESSON_BATCH, SEED));
  return { inputs: [{ at: { ...values, ...backward(values) }, real: true, shownOnly: true }, ...trials], shown: 0 };
}

/** For lines that run elsewhere: the batches of 2, 3 and 32 with random gradients above, so that they hold no right answer. */
export function randomInputs(seed: number): LineInputs {
  const inputs = BATCHES.map(({ config, n }): LineInput => {
    const { values } = createLessonCase(config, n, `cases ${seed}`);
    const random = randomStream('grad-check', `cases ${seed} upstream ${n}`);
    return { at: { ...values, ...randomGradients(values, random) }, real: false };
  });
  return { inputs, shown: inputs.length - 1 };
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

/** What a line gave on one input: a tensor, or why there is none. */
export type CaseOutcome = Outcome | { fault: Fault };

/** The results of a line, wherever it ran. The side that ran it supplies nothing but arrays and faults. */
export interface LineRuns {
  /** One for each of the line's inputs, in their order. After a fault the line is not run again. */
  outcomes: readonly CaseOutcome[];
  /** The line as JavaScript, without comments. */
  text: string;
  /** Keys of the file's default export that are not lines of the exercise. */
  strays?: readonly string[];
}

/** Judges what lines return. It never runs them: they may run in another process or worker, without the solutions. */
export class LineJudge {
  readonly #inputs: readonly LineInput[];
  readonly #shown: number;
  readonly #language: LineLanguage;

  /** @param language the language of the lines, for the sentences */
  constructor({ inputs, shown }: LineInputs = dojoInputs(), language: LineLanguage = 'typescript') {
    this.#inputs = inputs;
    this.#shown = shown;
    this.#language = language;
  }

  /** The inputs on which a line must run, in their order. No input has the line's own gradient or a later one. */
  inputsOf({ name }: ExerciseLine): GivenValues[] {
    return this.#inputs.map(({ at }) => givenTo(name, at));
  }

  /** The right result on the input whose figures are shown. */
  rightOn({ solution }: ExerciseLine): Tensor {
    return solution(this.#inputs[this.#shown].at);
  }

  judge(known: ExerciseLine, { outcomes, text, strays = [] }: LineRuns): LineReport {
    const { at: lesson } = this.#inputs[this.#shown];
    const head = { name: known.name, shape: lesson[valueNamed(known.name)].shape };
    const report = (verdict: Verdict, findings: readonly Finding[]): LineReport => ({
      ...head,
      verdict,
      ...worded(findings, this.#language),
    });
    const results = outcomes.map((outcome, i) => readable(known.name, outcome, this.#inputs[i].at));
    // After a fault on another input, there may be no result on the shown one.
    const shown = results[this.#shown] ?? results[results.length - 1];
    if ('fault' in shown) return report(verdictOf(shown.fault), [withStray(shown.fault, known.name, strays)]);
    const judged: Judged[] = [];
    for (const [i, result] of results.entries()) {
      const { at, real, shownOnly } = this.#inputs[i];
      if (shownOnly) continue;
      if ('fault' in result) {
        const elsewhere: Finding = { id: 'other-batch', sizes: sizesOf(at), fault: result.fault };
        return report('failed', [...present(sizesAsNumbers(text, lesson)), elsewhere]);
      }
      judged.push(judge(known, at, result.tensor, real));
    }
    const { verdict, findings, ...more } = verdictOn(known, { judged, shown: shown.tensor, text }, () => sizesAsNumbers(text, lesson));
    return { ...report(verdict, findings), ...more, ...figuresOf(shown.tensor, known.solution(lesson)) };
  }
}

/** Runs and judges lines in one place: for lines that are trusted, such as those of the bank of mistakes. */
export class LineChecker {
  readonly #judge = new LineJudge();
  readonly #context: LineContext;

  constructor(context: LineContext = {}) {
    this.#context = context;
  }

  check(known: ExerciseLine, line: unknown): LineReport {
    const outcomes: Outcome[] = [];
    for (const at of this.#judge.inputsOf(known)) {
      const outcome = runLine(known.name, line, at, this.#context);
      outcomes.push(outcome);
      if ('fault' in outcome) break;
    }
    return this.#judge.judge(known, { outcomes, text: textOf(line) });
  }
}

/** The values without the gradients that the line and those below it compute. */
function givenTo(name: GradientName, at: ValuesAndGradients): GivenValues {
  const hidden: readonly string[] = GRADIENT_NAMES.slice(GRADIENT_NAMES.indexOf(name));
  return Object.fromEntries(Object.entries(at).filter(([key]) => !hidden.includes(key))) as unknown as GivenValues;
}

/** A tensor that can be judged: where its shape is right, its entries are finite. */
function readable(name: GradientName, outcome: CaseOutcome, at: ValuesAndGradients): { tensor: Tensor } | { fault: Fault } {
  if ('fault' in outcome) return outcome;
  const { shape } = at[valueNamed(name)];
  if ('tooLarge' in outcome) return { fault: wrongShape(outcome.tooLarge, shape) };
  const { data } = outcome.tensor;
  const broken = sameShape(outcome.tensor.shape, shape) ? data.findIndex((x) => !Number.isFinite(x)) : -1;
  return broken === -1 ? outcome : { fault: { id: 'not-finite', entry: `${data[broken]}`, index: indexAt(broken, shape) } };
}

function verdictOf({ id }: Fault): Verdict {
  if (id === 'wrong-shape') return 'wrong';
  return id === 'todo' ? 'todo' : 'failed';
}

function withStray(fault: Fault, name: GradientName, strays: readonly string[]): Fault {
  const stray = fault.id === 'line-missing' ? strays.find((one) => similarName(one, [name]) === name) : undefined;
  return stray === undefined ? fault : { id: 'line-missing', stray };
}

function worded(findings: readonly Finding[], language: LineLanguage): Pick<LineReport, 'findings' | 'problem'> {
  return findings.length === 0 ? {} : { findings, problem: sentenceOf(findings, language) };
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

/** The sizes of a batch and its network. */
export function sizesOf({ n, Xb, C, h }: ValuesAndGradients): BatchSizes {
  return { n, T: Xb.shape[1], E: C.shape[1], H: h.shape[1], V: C.shape[0] };
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

/** The results on the trials, and the one that is shown: on the lesson's batch in float32. */
interface Results {
  judged: readonly Judged[];
  shown: Tensor;
  /** The line as JavaScript. */
  text: string;
}

interface Judgement extends Pick<LineReport, 'named' | 'worst'> {
  verdict: Verdict;
  findings: readonly Finding[];
}

/** Beyond this magnitude squares of differences overflow. No mistake in a formula comes near it. */
const MAX_NAMEABLE = 1e100;

/** Whether a result may be a mistake in a formula: it has entries, and none is absurdly large or NaN. */
function isNameable({ found: { data } }: Judged): boolean {
  return data.length > 0 && data.every((x) => Math.abs(x) <= MAX_NAMEABLE);
}

function verdictOn(
  { name, knowledge }: ExerciseLine,
  { judged, shown, text }: Results,
  sizeLiterals: () => Finding | undefined,
): Judgement {
  const wrong = (...findings: readonly Finding[]): Judgement => ({ verdict: 'wrong', findings });
  const within = (tolerance: number, some: readonly Judged[] = judged) => some.every(({ error }) => error <= tolerance);
  if (within(FLOAT32_TOLERANCE)) return { verdict: 'right', findings: [] };
  const observed = judged.filter(({ random }) => random);
  const mistakes = observed.every(isNameable) ? nameMistakes(name, knowledge, observed, { text }) : undefined;
  const lesson = judged.filter(({ at }) => at.n === LESSON_BATCH);
  if (within(FLOAT32_TOLERANCE, lesson)) {
    const elsewhere = judged.find(({ error }) => error > FLOAT32_TOLERANCE) ?? judged[0];
    return wrong(sizeLiterals() ?? { id: 'lesson-batch-only', sizes: sizesOf(elsewhere.at) });
  }
  const telling = judged.filter((one) => one.telling);
  const hidden = telling.length > 0 && within(TOLERANCE, telling);
  if (mistakes) return { ...wrong(...mistakes, ...(hidden ? [{ id: 'hidden-by-true-gradients' } as const] : [])), named: true };
  if (hidden) return wrong({ id: 'true-gradients-only', ...(ignoresGradients(judged) && { ignores: true }) });
  // It compares the results with the true gradients above and with random ones.
  const comparable = observed.length < judged.length && judged.every(isNameable);
  const unrelated = comparable ? unrelatedToInput(knowledge, judged, shown) : undefined;
  if (unrelated) return { ...wrong(unrelated), named: true };
  const misshapen = judged.findLast(({ expected, found }) => !sameShape(expected.shape, found.shape));
  if (misshapen) return wrong(sizeLiterals() ?? wrongShape(misshapen.found.shape, misshapen.expected.shape));
  return { ...wrong(...present(sizeLiterals())), worst: worstOf(lesson) };
}

function wrongShape(found: Shape, expected: Shape): Fault {
  const keptDimension = found.length === 3 && expected.length === 2 && found[0] === expected[0];
  return { id: 'wrong-shape', found, expected, ...(keptDimension && { indicesKeptDimension: true }) };
}

/** The worst entry on the lesson's batch: with the true gradients above, as in the figures, unless these hide the mistake. */
function worstOf(lesson: readonly Judged[]): WorstEntry {
  const shown = lesson.find(({ telling, error }) => telling && error > TOLERANCE);
  const { found, expected } = shown ?? lesson[lesson.length - 1];
  return { ...(!shown && { random: true }), ...worstEntry(found, expected) };
}
