/** Judges the tensors in a file, for example the gradients of a notebook with PyTorch, line by line. */
import { FileContentError } from '../../core/errors.js';
import { indexAt } from '../../core/numbers.js';
import { sameShape, Tensor } from '../../core/tensor.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { lessonName } from '../../lesson/tensorNames.js';
import { INTERMEDIATE_NAMES, type LessonValues, STEP_NAMES } from '../../lesson/values.js';
import { loadFloats, type Safetensors } from '../../run/safetensors.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import { expectFinite, judgeForward } from './forward.js';
import { readGradients } from './gradients.js';
import { readInputs } from './inputs.js';
import { GradientJudge, type JudgedGradient } from './judgeGradients.js';
import { likenessOf } from './likeness.js';
import { type Limits, limitsOf } from './limits.js';
import { mistakeOf } from './mistakes.js';
import { tensorsNamed, unclearNames } from './names.js';
import { notebookMistakes } from './notebook.js';
import { notShownIn } from './notShown.js';
import { gradientRemarks } from './remarks.js';
import type { AgainstReport, AgainstRow, NamedMistake } from './report.js';

/**
 * Judges every tensor in the file, apart from the parameters and the batch. A gradient is compared with the truth, and with what its line
 * gives for the file's own gradients above it.
 * @param file holds C [V,E], W1 [T·E,H], b1 [H], bngain [1,H] or [H], bnbias [1,H] or [H], W2 [H,V], b2 [V], Xb [n,T], Yb [n] with
 * n at least 2, and at least one gradient as d + name, intermediate or loss. Floats are F32 or F64, indices integers, whole floats or one-hot.
 * @param options all: whether absent gradients fail, too
 * @throws FileContentError if a needed tensor is missing, has a wrong shape or data type, or is not finite
 * @throws NumericalError if one of our tensors is not finite with these parameters
 */
export function checkAgainst(file: Safetensors, { all = false }: { all?: boolean } = {}): AgainstReport {
  const inputs = readInputs(file);
  const { unknown, duplicate } = unclearNames(file);
  const held = new Set([...file.tensors.keys()].map(lessonName));
  const compared = GRADIENT_NAMES.filter((name) => held.has(name));
  const hasForward = STEP_NAMES.some((name) => held.has(name));
  if (compared.length === 0 && !hasForward && !unknown.some(({ suggestion }) => suggestion?.startsWith('d'))) {
    throw new FileContentError(`no gradient found; expected at least one of ${GRADIENT_NAMES.join(', ')}`);
  }
  const { report: forward, rows, values, remarks } = judgeForward(file, inputs);
  const limits = limitsOf(inputs);
  const gradients = readGradients(file, values);
  const judge = new GradientJudge(gradients, { values, own: ownValues(file, values), isOwnRight: forward.first === null, limits });
  for (const name of GRADIENT_NAMES) expectFinite(name, judge.truth[name]);
  const judged = judge.judge(gradients);
  const mistakes = notebookMistakes(judged, judge.truth);
  // It explains why many lines disagree.
  const isAccumulated = [...mistakes.values()].some(({ id }) => id === 'accumulated');
  const tensors = [
    ...rows,
    ...judged.map((one) => ({ ...rowOf(one), ...wrongness(one, mistakes, limits), remarks: gradientRemarks(one) })),
  ];
  const absent = GRADIENT_NAMES.filter((name) => !held.has(name));
  const isComplete = !all || absent.length === 0;
  return {
    ok: isComplete && unknown.length === 0 && duplicate.length === 0 && forward.first === null && tensors.every(({ ok }) => ok),
    compared: compared.length,
    of: GRADIENT_NAMES.length,
    culprits: judged.filter(({ verdict }) => verdict === 'wrong').map(({ gradient }) => gradient.name),
    unknown,
    duplicate,
    absent,
    all,
    notShown: notShownIn(judged, values, judge.truth),
    forward,
    remarks: [...inputs.remarks, ...(isAccumulated ? [] : remarks)],
    tensors,
  };
}

/** The forward values of the file over the others; undefined if it holds none. */
function ownValues(file: Safetensors, values: LessonValues): LessonValues | undefined {
  const own = INTERMEDIATE_NAMES.flatMap((name) =>
    tensorsNamed(file, name).flatMap(({ stored }) => {
      const data = loadFloats(name, stored);
      const usable = sameShape(stored.shape, values[name].shape) && data.every((x) => Number.isFinite(x));
      return usable ? [[name, Tensor.of(data, stored.shape, 'float64')] as const] : [];
    }),
  );
  return own.length === 0 ? undefined : { ...values, ...Object.fromEntries(own) };
}

type Facts = Omit<AgainstRow, 'mistake' | 'remarks'>;

function rowOf(judged: JudgedGradient): Facts {
  const { gradient, verdict, endToEnd, asFed, fed } = judged;
  const { name, own, stored, found, fitted, float32 } = gradient;
  const shown = verdict === 'wrong' && asFed ? asFed : endToEnd;
  const structuralZero = ATOMIC_LINES[own].zeroEndToEnd ?? false;
  return {
    name,
    ok: verdict === 'right',
    verdict,
    shape: stored.shape,
    expectedShape: fed[0]?.expected.shape ?? [],
    dtype: stored.dtype,
    error: endToEnd?.error ?? null,
    limit: endToEnd?.limit ?? null,
    asFed: asFed ? { error: asFed.error, limit: asFed.limit } : null,
    at: shown ? indexAt(shown.entry, shown.expected.shape) : null,
    found: shown ? found.data[shown.entry] : null,
    expected: shown ? shown.expected.data[shown.entry] : null,
    structuralZero,
    ...(fitted && endToEnd && !structuralZero
      ? likenessOf(fitted, endToEnd.expected, float32 ? 'float32' : 'float64', verdict)
      : { exact: null, maxUlps: null }),
  };
}

/** The mistake of a wrong gradient. */
function wrongness(judged: JudgedGradient, known: ReadonlyMap<string, NamedMistake>, limits: Limits): Pick<AgainstRow, 'mistake'> {
  if (judged.verdict !== 'wrong') return { mistake: null };
  return { mistake: known.get(judged.gradient.name) ?? mistakeOf(judged, roundingOf(judged, limits)) };
}

/** How far a float32 result may be off; undefined for float64. */
function roundingOf({ gradient: { own, float32 } }: JudgedGradient, limits: Limits): number | undefined {
  return float32 ? limits.float32[own].asFed : undefined;
}
