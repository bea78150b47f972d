/**
 * How far a gradient may be off by rounding alone. For float32 that depends on the values: where two rows of hprebn differ by 0.003, the
 * last bit of hprebn becomes the fourth digit of bnraw. So the lesson's lines run in float32, and what they are off is measured.
 */
import { absolute, largestMagnitude } from '../../core/numbers.js';
import { type RandomStream, randomStream } from '../../core/random.js';
import type { Tensor } from '../../core/tensor.js';
import { backward, GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { forward } from '../../lesson/forward.js';
import { type GradientName, INTERMEDIATE_NAMES, type LessonGradients, type LessonValues } from '../../lesson/values.js';
import { byName, LESSON_PARAMETER_NAMES } from '../../network/parameters.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import { type LineKnowledge, scaleOf } from '../knowledge.js';
import type { Line, ValuesAndGradients } from '../learnerFile.js';
import type { FileInputs } from './inputs.js';
import { type LineWay, linesOf } from './lines.js';

/** The largest errors that pass, relative to the sum of the magnitudes of an entry's terms. */
export interface LineLimits {
  /** Of the whole backward pass. */
  endToEnd: number;
  /** Of the line alone, on our forward values in float64. */
  asFed: number;
  /** Of the line alone, on the forward values that it was computed from. */
  onOwnValues: number;
  /** Of the whole backward pass, on the forward values that it was computed from. */
  backwardOnly: number;
  /** The least scale of an error: where all rows of hprebn are equal, bnraw is 0 up to rounding, and what it multiplies is all rounding. */
  leastScale: number;
}

/** The limits of each line. */
export type Limits = Record<'float32' | 'float64', Record<GradientName, LineLimits>>;

const ROUNDS = 3;
/** How much more than in our rounds another order of summation may be off. */
const MARGIN = 20;
const LEAST = { float32: 1e-6, float64: 1e-9 };
/** A sum that is 0 is all rounding in float32, times whatever factor. */
const LEAST_OF_ZERO = 1e-4;
/** Beyond this a limit would hide everything. */
const MOST = 0.1;
/** One unit in the last place of float64 over one of float32. */
const FINER = 2 ** -29;

/** Measures what rounding does to each line with these parameters on this batch. */
export function limitsOf({ parameters, batch }: FileInputs): Limits {
  const random = randomStream('grad-check', 'rounding');
  const values = forward(parameters, batch);
  const at = { ...values, ...backward(values) };
  const off = withRounding(at);
  const errors = byName(
    GRADIENT_NAMES,
    GRADIENT_NAMES.map(() => ({ endToEnd: 0, asFed: 0, onOwnValues: 0, backwardOnly: 0 })),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const narrow = rounded(at, random);
    const exact = { ...narrow, ...backward(narrow) };
    for (const name of GRADIENT_NAMES) widen(errors[name], errorsIn(name, { at, narrow, exact }));
  }
  const scales = byName(
    GRADIENT_NAMES,
    GRADIENT_NAMES.map((name) => roundingScale(linesOf(name)[0], at, off)),
  );
  const limits = (dtype: keyof Limits, unit: number) =>
    byName(
      GRADIENT_NAMES,
      GRADIENT_NAMES.map((name) => {
        const least = dtype === 'float32' && ATOMIC_LINES[name].zeroEndToEnd ? LEAST_OF_ZERO : LEAST[dtype];
        const { endToEnd, asFed, onOwnValues, backwardOnly } = errors[name];
        const leastScale = unit * scales[name];
        const limit = (error: number) => Math.min(MOST, Math.max(least, MARGIN * unit * error));
        // What is all rounding may be off by more than its size.
        const own = { onOwnValues: limit(onOwnValues), backwardOnly: limit(backwardOnly), leastScale };
        if (leastScale > 0) return { endToEnd: MARGIN, asFed: MARGIN, ...own };
        return { endToEnd: limit(endToEnd), asFed: limit(asFed), ...own };
      }),
    );
  return { float32: limits('float32', 1), float64: limits('float64', FINER) };
}

/** What is left of the differences from the mean where all rows of hprebn are equal: rounding in float32. */
function withRounding(at: ValuesAndGradients): ValuesAndGradients {
  const off = absolute(at.hprebn)
    .add(absolute(at.bnmeani))
    .mul(2 ** -24);
  const bndiff = absolute(at.bndiff).add(off);
  return { ...at, bndiff, bnraw: bndiff.mul(at.bnvar_inv) };
}

/** The scale of a line that is all rounding in float32; 0 for any other. */
function roundingScale({ knowledge }: LineWay, at: ValuesAndGradients, off: ValuesAndGradients): number {
  const scale = scaleOf(knowledge, off);
  return scale > ROUNDING_ALONE * scaleOf(knowledge, at) ? scale : 0;
}

/** A scale that rounding makes larger by this factor is all rounding. */
const ROUNDING_ALONE = 1000;

/** Forward and backward pass in float32. The parameters are jittered by half a unit in the last place, as other orders of summation would do. */
function rounded(at: LessonValues, random: RandomStream): ValuesAndGradients {
  const parameters = byName(
    LESSON_PARAMETER_NAMES,
    LESSON_PARAMETER_NAMES.map((name) => jittered(at[name], random).to('float32')),
  );
  const values = forward(parameters, { Xb: at.Xb, Yb: at.Yb });
  const all = { ...values, ...backward(values) };
  const wide = Object.fromEntries(
    [...LESSON_PARAMETER_NAMES, ...INTERMEDIATE_NAMES, ...GRADIENT_NAMES].map((name) => [name, all[name].to('float64')]),
  );
  return { ...all, ...wide };
}

function jittered(tensor: Tensor, random: RandomStream): Tensor {
  const out = tensor.clone();
  for (let i = 0; i < out.size; i++) out.data[i] *= 1 + (random() - 0.5) * 2 ** -23;
  return out;
}

type Errors = Omit<LineLimits, 'leastScale'>;

/** A round: everything in float64, forward and backward in float32, and backward in float64 on those forward values. */
type Round = Readonly<Record<'at' | 'narrow' | 'exact', ValuesAndGradients>>;

function errorsIn(name: GradientName, { at, narrow, exact }: Round): Errors {
  const fed: LessonGradients & LessonValues = {
    ...at,
    ...byName(
      GRADIENT_NAMES,
      GRADIENT_NAMES.map((one) => narrow[one]),
    ),
  };
  const [atomic, ...others] = linesOf(name);
  const found = narrow[name];
  const own = byName(
    LESSON_PARAMETER_NAMES,
    LESSON_PARAMETER_NAMES.map((one) => at[one]),
  );
  const errors: Errors = {
    endToEnd: errorOf(found, at[name], atomic.knowledge, at),
    asFed: errorOf(found, atomic.solution(fed), atomic.knowledge, fed),
    onOwnValues: errorOf(found, atomic.solution({ ...narrow, ...own }), atomic.knowledge, narrow),
    backwardOnly: errorOf(found, exact[name], atomic.knowledge, exact),
  };
  for (const { knowledge, solution } of others) {
    const closed = inFloat32(solution, narrow);
    errors.asFed = Math.max(errors.asFed, errorOf(closed, solution(fed), knowledge, fed));
    errors.onOwnValues = Math.max(errors.onOwnValues, errorOf(closed, solution(narrow), knowledge, narrow));
  }
  return errors;
}

/** The result of a line that computes in float32. */
function inFloat32(solution: Line, at: ValuesAndGradients): Tensor {
  const tensors = Object.fromEntries(
    [...LESSON_PARAMETER_NAMES, ...INTERMEDIATE_NAMES, ...GRADIENT_NAMES].map((name) => [name, at[name].to('float32')]),
  );
  return solution({ ...at, ...tensors });
}

function errorOf(found: Tensor, expected: Tensor, knowledge: LineKnowledge, at: ValuesAndGradients): number {
  const off = largestMagnitude(found.sub(expected).data);
  return off === 0 ? 0 : off / scaleOf(knowledge, at);
}

function widen(errors: Errors, others: Errors): void {
  for (const key of ['endToEnd', 'asFed', 'onOwnValues', 'backwardOnly'] as const) {
    // Math.max keeps NaN, which an overflow gives: then the limit is the largest.
    const other = Number.isNaN(others[key]) ? Number.POSITIVE_INFINITY : others[key];
    errors[key] = Math.max(errors[key], other);
  }
}
