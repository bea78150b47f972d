/**
 * The exchange of cases: what lines are given that run elsewhere, such as in Python, as data; and the report on what came back. Nothing that is
 * handed out holds a right answer: the gradients are random, and the truth is computed again from exercise and seed.
 */
import { FileContentError } from '../core/errors.js';
import { type Shape, sameShape, showShape, sizeOf, Tensor } from '../core/tensor.js';
import { GRADIENT_NAMES } from '../lesson/exercise1.js';
import { lessonName, similarName } from '../lesson/tensorNames.js';
import { type GradientName, STEP_NAMES, valueNamed } from '../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../network/parameters.js';
import { loadFloats, type Safetensors, type StoredTensor, storeFloats, storeIndices } from '../run/safetensors.js';
import { type CaseOutcome, type LineInputs, LineJudge, type LineReport, randomInputs, sizesOf } from './check.js';
import { type ExerciseReport, strayKeys } from './exerciseReport.js';
import { EXERCISES, type ExerciseLine, type ExerciseNumber, shapeLetters } from './exercises.js';
import type { BatchSizes, Fault, LoadFault } from './findings.js';
import { EXERCISE_4_NAMES, type ValuesAndGradients } from './learnerFile.js';
import { MAX_DIMENSIONS, MAX_ENTRIES } from './outcome.js';
import { adviceOnPython } from './pythonAdvice.js';
import { sentenceOf } from './sentences.js';

export const CASES_FORMAT = 'backprop-ninja cases';
export const CASES_VERSION = 1;

/** What exercise.json says. */
interface CasesDescription {
  format: typeof CASES_FORMAT;
  version: typeof CASES_VERSION;
  exercise: ExerciseNumber;
  seed: number;
  /** The files of each case: of what is given, and of the answers. */
  cases: ({ file: string; answers: string } & BatchSizes)[];
  /** The gradients above a line that it is given, and the shape of its result. */
  lines: { name: GradientName; given: GradientName[]; shape: (string | number)[] }[];
}

/** What came back. */
export interface Answers {
  /** For each case, the tensors by name. */
  tensors: readonly ReadonlyMap<string, StoredTensor>[];
  /** What is known about a line besides its results. */
  lines: ReadonlyMap<string, LineAnswer>;
  /** Names that are no lines. */
  strays: readonly string[];
  /** The reason why no line could run. */
  fault?: LoadFault | undefined;
}

interface LineAnswer {
  /** Its source. */
  text?: string | undefined;
  /** The reason why cases have no tensor. */
  fault?: Fault | undefined;
}

/** Which lines are judged. */
export interface JudgedLines {
  /** The line to judge; by default all. */
  gradient?: string | undefined;
  /** Whether a line of which nothing came back is not written yet; otherwise it is left out. */
  complete?: boolean;
  /** Lines that are judged in another way, if nothing came back of them, or they are not written yet. */
  elsewhere?: readonly string[];
}

/** The cases of an exercise. The same exercise and seed always give the same ones. */
export class ExerciseCases {
  readonly exercise: ExerciseNumber;
  readonly seed: number;
  readonly #inputs: LineInputs;

  constructor(exercise: ExerciseNumber, seed: number) {
    this.exercise = exercise;
    this.seed = seed;
    this.#inputs = randomInputs(seed);
  }

  describe(): CasesDescription {
    const { exercise, seed } = this;
    return {
      format: CASES_FORMAT,
      version: CASES_VERSION,
      exercise,
      seed,
      cases: this.#inputs.inputs.map(({ at }) => ({ ...caseFiles(at.n), ...sizesOf(at) })),
      lines: EXERCISES[exercise].lines.map(({ name }) => {
        const gradients = gradientsIn(exercise);
        return { name, given: gradients.slice(0, gradients.indexOf(name)), shape: shapeLetters(valueNamed(name)) };
      }),
    };
  }

  /** The files of what is given, by their names. */
  files(): Map<string, Safetensors> {
    const { exercise, seed } = this;
    const metadata = casesMetadata(exercise, seed);
    return new Map(
      this.#inputs.inputs.map(({ at }) => [caseFiles(at.n).file, { metadata, tensors: tensorsOf(at, gradientsIn(exercise)) }]),
    );
  }

  /** Judges what came back, as the dojo judges a file. */
  judge(answers: Answers, { gradient, complete = false, elsewhere = [] }: JudgedLines = {}): ExerciseReport {
    const { exercise } = this;
    const lines = EXERCISES[exercise].lines.filter(({ name }) => name === (gradient ?? name));
    if (answers.fault) return { exercise, ok: false, broken: sentenceOf([withAdvice(answers.fault)], 'python'), lines: [] };
    const { tensors } = answers;
    const strays = strayNames(exercise, answers);
    const judge = new LineJudge(this.#inputs, 'python');
    const reports: LineReport[] = [];
    const notGiven: string[] = [];
    for (const known of lines) {
      const line = answers.lines.get(known.name);
      const outcomes = outcomesOf(known, tensors, line);
      if (elsewhere.includes(known.name) && (!outcomes || line?.fault?.id === 'todo')) continue;
      if (outcomes) reports.push(this.#judgeLine(judge, known, outcomes, line?.text));
      else if (complete) reports.push(judge.judge(known, { outcomes: [{ fault: notWritten(known, strays) }], text: '', strays }));
      else notGiven.push(known.name);
    }
    const found = strayKeys(exercise, strays).filter(({ suggestion }) => gradient === undefined || suggestion === gradient);
    const ok = reports.length > 0 && found.length === 0 && reports.every(({ verdict }) => verdict === 'right');
    return { exercise, ok, lines: reports, ...(notGiven.length > 0 && { notGiven }), ...(found.length > 0 && { strays: found }) };
  }

  /** PyTorch users write [H] for [1,H], and so does the lecture: the values count, and the shape is remarked on. */
  #judgeLine(judge: LineJudge, known: ExerciseLine, outcomes: readonly CaseOutcome[], text = ''): LineReport {
    const asRows = outcomes.map((outcome, i) => asRow(outcome, this.#inputs.inputs[i].at[valueNamed(known.name)].shape));
    const report = judge.judge(known, { outcomes: asRows.map((row, i) => row ?? outcomes[i]), text });
    const found = asRows.every((row) => row !== undefined) ? outcomes.at(-1) : undefined;
    if (!found || !('tensor' in found)) return report;
    return { ...report, note: `its shape ${showShape(found.tensor.shape)} is read as ${showShape(report.shape)}` };
  }
}

/** The metadata of a case's file. */
export function casesMetadata(exercise: ExerciseNumber, seed: number): Record<'format' | 'exercise' | 'seed', string> {
  return { format: CASES_FORMAT, exercise: `${exercise}`, seed: `${seed}` };
}

function caseFiles(n: number): { file: string; answers: string } {
  return { file: `n${n}.safetensors`, answers: `n${n}.answers.safetensors` };
}

/** The gradients of a backward pass with the exercise's lines, in backward order. Exercises 2 and 3 replace steps by a closed form, as Exercise 4 does. */
function gradientsIn(exercise: ExerciseNumber): readonly GradientName[] {
  return exercise === 1 ? GRADIENT_NAMES : EXERCISE_4_NAMES;
}

function tensorsOf(at: ValuesAndGradients, gradients: readonly GradientName[]): Map<string, StoredTensor> {
  const floats = [...LESSON_PARAMETER_NAMES, ...STEP_NAMES, ...gradients].map((name): [string, StoredTensor] => {
    const { data, shape } = at[name];
    return [name, storeFloats(data, shape)];
  });
  const indices = (['Xb', 'Yb'] as const).map((name): [string, StoredTensor] => {
    const { data, shape } = at[name];
    return [name, storeIndices(data, shape)];
  });
  return new Map([...floats, ...indices]);
}

/** The tensors of a file by the lesson's names. @throws FileContentError if two names mean the same tensor */
export function byLessonName(tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const known = lessonName(name);
    if (found.has(known)) throw new FileContentError(`${known} is there twice, once under its other name`, { hint: 'keep one' });
    found.set(known, tensor);
  }
  return found;
}

/** Names that are no lines of the exercise, each once. */
function strayNames(exercise: ExerciseNumber, { tensors, lines, strays }: Answers): string[] {
  const known: readonly string[] = EXERCISES[exercise].lines.map(({ name }) => name);
  const names = [...tensors.flatMap((one) => [...one.keys()]), ...lines.keys(), ...strays];
  return [...new Set(names)].filter((name) => !known.includes(name));
}

/** What came back for a line, case by case; undefined if nothing did. */
function outcomesOf({ name }: ExerciseLine, tensors: Answers['tensors'], line: LineAnswer | undefined): CaseOutcome[] | undefined {
  const found = tensors.map((one) => one.get(name));
  if (!line && found.every((one) => one === undefined)) return undefined;
  // A fault that no case has left room for is one of them all: a line that changes its input may return the right tensor.
  const everywhere = line?.fault && found.every((one) => one !== undefined) ? line.fault : undefined;
  return found.map((one) => {
    if (one === undefined || everywhere) return { fault: line?.fault ? withAdvice(line.fault) : { id: 'no-answer' } };
    return readAnswer(name, one);
  });
}

function readAnswer(name: string, stored: StoredTensor): CaseOutcome {
  const { shape, dtype } = stored;
  const invalid = (text: string): CaseOutcome => ({ fault: { id: 'invalid-tensor', thrown: { text } } });
  if (shape.length > MAX_DIMENSIONS) return invalid(`${shape.length} dimensions, at most ${MAX_DIMENSIONS} are possible`);
  if (dtype !== 'F64' && dtype !== 'F32') return invalid(`its numbers are ${dtype}, expected F64 or F32`);
  return sizeOf(shape) > MAX_ENTRIES ? { tooLarge: shape } : { tensor: new Tensor(loadFloats(name, stored), shape) };
}

/** Adds the right way to write the line to an error. */
function withAdvice<T extends Fault | LoadFault>(fault: T): T {
  if (fault.id !== 'threw' && fault.id !== 'file-threw') return fault;
  const advice = adviceOnPython(fault.thrown.text);
  return advice === undefined ? fault : { ...fault, thrown: { ...fault.thrown, advice } };
}

/** A vector where a single row belongs, as that row; undefined for anything else. */
function asRow(outcome: CaseOutcome, [rows, columns]: Shape): CaseOutcome | undefined {
  if (rows !== 1 || !('tensor' in outcome) || !sameShape(outcome.tensor.shape, [columns])) return undefined;
  return { tensor: outcome.tensor.view([1, columns]) };
}

/** A line that a file does not have: misspelt, or not written yet. */
function notWritten({ name }: ExerciseLine, strays: readonly string[]): Fault {
  return { id: strays.some((one) => similarName(one, [name]) === name) ? 'line-missing' : 'todo' };
}
