/** Finds the cause of a forward value that differs, by computing it with each usual mistake. */
import { difference, largestMagnitude } from '../../core/numbers.js';
import { type Shape, ShapeError, type Tensor } from '../../core/tensor.js';
import { STEP_NAMES, type StepName } from '../../lesson/values.js';
import { fitted } from './fit.js';
import { FORWARD_CAUSES, type ForwardCause, withEpsilon } from './forwardCauses.js';
import { inputCauses } from './inputCauses.js';
import type { Pass, PassParts } from './pass.js';
import type { Sight } from './sight.js';

/** A cause that explains a value, and the pass with it. */
export interface RecognisedCause {
  id: string;
  text: string;
  /** Where the mistake is. */
  at: StepName | 'parameters';
  harmless: boolean;
  /** Batch norm's epsilon, where it is another one. */
  epsilon?: number;
  /** What changes in a pass. */
  parts: Partial<PassParts>;
}

/** A cause is recognised within this many times the error of rounding; a single number, which many causes may hit by chance, much nearer. */
const NEAR = { many: 8, single: 0.25 };
/** Where rounding alone moves a value by more than this share of the largest entry, no cause can be told from another. */
const COARSEST = 1e-2;

/**
 * The cause that reproduces a value of the file.
 * @param found the file's tensor, in the file's shape
 * @param pass the pass in which this value differs: all above it is as in the file, or computed
 * @param gradients the file's own gradients of the parameters, for parameters that were saved after the update
 */
export function recogniseForward(
  step: StepName,
  found: Tensor,
  pass: Pass,
  gradients: Readonly<Partial<Record<string, Tensor>>>,
): RecognisedCause | undefined {
  const ours = pass.computed(step);
  const coarse = largestMagnitude(pass.bound(step).data) / largestMagnitude(ours.data);
  if (!(coarse < COARSEST) || !found.data.every(Number.isFinite)) return undefined;
  const wrong = errorOf(found, ours) ?? Number.POSITIVE_INFINITY;
  const near = found.size === 1 ? Math.max(NEAR.single * coarse, 4 * pass.parts.precision.u) : NEAR.many * coarse;
  const matches: (RecognisedCause & { error: number })[] = [];
  for (const cause of candidates({ step, found, valueIn: (other) => other.computed(step) }, pass, gradients)) {
    const value = attempt(() => pass.with(cause.parts).computed(step));
    if (value === undefined) continue;
    const error = (errorOf(found, value) ?? Number.POSITIVE_INFINITY) / largestMagnitude(value.data);
    if (error <= near && error * largestMagnitude(value.data) < wrong / 4) matches.push({ ...cause, error });
  }
  const least = Math.min(...matches.map(({ error }) => error));
  const best = matches.filter(({ error }) => error <= Math.max(4 * least, coarse));
  if (best.length === 0) return otherStatistics(step, found, pass);
  if (best.length === 1) return best[0];
  const scores = best.map((cause) => explained(step, pass.with(cause.parts)));
  const most = Math.max(...scores);
  return merged(best.filter((_, i) => scores[i] === most));
}

/** Several values of epsilon below 1e-5 may give the same numbers. */
function merged(causes: readonly RecognisedCause[]): RecognisedCause {
  const [first] = causes;
  const epsilons = new Set(causes.map(({ epsilon }) => epsilon));
  if (epsilons.size < 2 || ![...epsilons].every((epsilon) => epsilon !== undefined && epsilon < 1e-5)) return first;
  return { ...first, id: 'epsilon-other', text: 'the epsilon is smaller than 1e-5, or missing; these values do not tell its size' };
}

/** How many of the later values of the file a pass reproduces. */
function explained(step: StepName, pass: Pass): number {
  const later = STEP_NAMES.slice(STEP_NAMES.indexOf(step) + 1).filter((name) => pass.parts.given.has(name));
  return later.filter((name) => {
    const value = attempt(() => pass.computed(name));
    const error = value && errorOf(pass.value(name), value);
    return value !== undefined && error !== undefined && error <= 1e-3 * largestMagnitude(value.data);
  }).length;
}

/** Every mistake that what is seen may have: in its step, in those above it that the file does not hold, in the parameters and the batch. */
export function* candidates(sight: Sight, pass: Pass, gradients: Readonly<Partial<Record<string, Tensor>>>): Generator<RecognisedCause> {
  const { step } = sight;
  const { lines } = pass.parts;
  for (const at of [step, ...pass.absentAbove(step)]) {
    for (const cause of causesAt(at, sight, pass)) {
      const { id, text, harmless = false, epsilon } = cause;
      yield { id, text, at, harmless, ...(epsilon !== undefined && { epsilon }), parts: { lines: { ...lines, [at]: cause.line } } };
    }
  }
  for (const { id, text, inputs } of inputCauses(sight, pass, gradients))
    yield { id, text, at: 'parameters', harmless: false, parts: { inputs } };
}

function causesAt(at: StepName, sight: Sight, pass: Pass): readonly ForwardCause[] {
  const usual = FORWARD_CAUSES[at] ?? [];
  if (at !== 'bnvar_inv') return usual;
  return [...usual, ...fittingEpsilons(sight, pass)];
}

/** The epsilon that fits best, where there are enough numbers to tell. */
function* fittingEpsilons({ found, valueIn }: Sight, pass: Pass): Generator<ForwardCause> {
  if (found.size === 1) return;
  const valueAt = (logarithm: number) =>
    valueIn(pass.with({ lines: { ...pass.parts.lines, bnvar_inv: withEpsilon(Math.exp(logarithm)).line } }));
  if (attempt(() => valueAt(0).size) !== found.size) return;
  for (const start of [1e-4, 1e-2, 1]) {
    const epsilon = Math.exp(fitted(found, valueAt, Math.log(start)));
    // Smaller ones are rounding.
    if (epsilon > 1e-9 && epsilon < 1e3) yield* [withEpsilon(Number(epsilon.toPrecision(3))), withEpsilon(epsilon)];
  }
}

/** Whether each column of bnraw or hpreact is the column of hprebn, shifted and scaled: batch norm with other statistics. */
function otherStatistics(step: StepName, found: Tensor, pass: Pass): RecognisedCause | undefined {
  const absent = pass.absentAbove(step);
  if ((step !== 'bnraw' && step !== 'hpreact') || !absent.includes('bnvar')) return undefined;
  const { hprebn, n } = pass.at;
  const H = hprebn.shape[1];
  if (n < 3 || found.size !== hprebn.size) return undefined;
  const [x, y] = [hprebn, found].map((a) => a.view([n, H]).sub(a.view([n, H]).mean(0, { keepdim: true })));
  const over = (a: Tensor) => a.sum(0, { keepdim: true });
  const scale = over(x.mul(y)).div(over(x.pow(2)));
  const rest = difference(y.data, x.mul(scale).data).maxAbs;
  if (!(rest <= NEAR.many * largestMagnitude(pass.bound(step).data))) return undefined;
  const text = `each column is that of hprebn, shifted and scaled by other statistics than those of this batch: running ones? In training, batch norm uses the statistics of the batch`;
  return {
    id: 'other-statistics',
    text,
    at: step,
    harmless: false,
    parts: { given: new Map([...pass.parts.given, [step, found.view([n, H])]]) },
  };
}

/** A value, or undefined where its shapes do not fit together. */
export function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}

/** The largest difference; undefined for tensors of different shapes, apart from dimensions of 1. */
function errorOf(a: Tensor, b: Tensor): number | undefined {
  const sizes = (shape: Shape) => shape.filter((size) => size !== 1).join();
  return sizes(a.shape) === sizes(b.shape) ? difference(a.data, b.data).maxAbs : undefined;
}
