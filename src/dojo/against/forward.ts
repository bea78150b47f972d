/** Compares the forward pass in a file with ours: in order, end to end and given the file's own values above. */
import { NumericalError } from '../../core/errors.js';
import { indexAt } from '../../core/numbers.js';
import { type FloatArray, sameShape, showShape, Tensor } from '../../core/tensor.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { forward } from '../../lesson/forward.js';
import { INTERMEDIATE_NAMES, type LessonValues, STEP_INPUTS, STEP_NAMES, type StepName, valueNamed } from '../../lesson/values.js';
import { loadFloats, type Safetensors, type StoredTensor } from '../../run/safetensors.js';
import type { FileInputs } from './inputs.js';
import { isAccepted, type Layout, layoutsOf } from './layout.js';
import { likenessOf } from './likeness.js';
import { tensorsNamed } from './names.js';
import { isParameter, Pass } from './pass.js';
import { attempt, type RecognisedCause, recogniseForward } from './recogniseForward.js';
import { type FileGradients, recogniseInGradients } from './recogniseGradients.js';
import { type FileRemark, OTHER_INPUTS, type TensorRemark } from './remarks.js';
import type { AgainstRow, AgainstVerdict, ForwardDifference, ForwardReport, NamedMistake } from './report.js';
import { FLOAT32, FLOAT64, isFloat32Valued } from './rounding.js';

/** The verdict on the forward pass, a row per tensor, and the forward values that the gradients are judged on, in float64. */
export interface JudgedForward {
  report: ForwardReport;
  rows: AgainstRow[];
  values: LessonValues;
  /** Something to know about the forward pass that no row shows. */
  remarks: readonly FileRemark[];
}

/** @throws NumericalError if one of our tensors is not finite with these parameters */
export function judgeForward(file: Safetensors, inputs: FileInputs): JudgedForward {
  const values = forward(inputs.parameters, inputs.batch);
  for (const step of STEP_NAMES) expectFinite(step, values[step]);
  const judge = new ForwardJudge(file, inputs, values);
  const rows = STEP_NAMES.flatMap((step) => judge.rowsOf(step));
  const first = firstDifference(rows);
  const seen = judge.seenInGradients(first);
  const own = judge.ownValues();
  return {
    report: { compared: rows.length, judgedOn: own === undefined ? 'ours' : 'file', first: seen.first },
    rows,
    values: own ?? values,
    remarks: seen.remarks,
  };
}

function firstDifference(rows: readonly AgainstRow[]): ForwardDifference | null {
  const first = rows.find(({ ok }) => !ok);
  if (first === undefined) return null;
  const { name, at, found, expected, mistake } = first;
  return { name, at, found, expected, cause: mistake && { id: mistake.id, text: mistake.text } };
}

/** @throws NumericalError if one of our tensors is not finite */
export function expectFinite(name: string, { data, shape }: Tensor): void {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at === -1) return;
  throw new NumericalError(
    `with these parameters, our ${name} is ${data[at]} at ${showShape(indexAt(at, shape))}, so nothing can be compared`,
    { hint: 'the parameters are too large for the network' },
  );
}

/** In PyTorch's float32 and float64, no honest value was seen above a quarter of its bound; three times the bound passes. */
const ROUNDING_SLACK = 3;

type RowMaker = (verdict: AgainstVerdict, mistake: NamedMistake | null, remarks: readonly TensorRemark[]) => AgainstRow;

/** A tensor of the file beside the right one. */
interface Comparison {
  ok: boolean;
  /** At the worst entry: the difference and the largest one that passes, relative to the sum of the magnitudes of its terms. */
  error: number;
  limit: number;
  at: number;
  expected: number;
}

/** Judges one step after the other; what is recognised in one changes what is expected of the next. */
class ForwardJudge {
  readonly #file: Safetensors;
  readonly #ours: LessonValues;
  readonly #gradients: FileGradients;
  /** The right pass, and the one with the harmless changes of the file. */
  readonly #truth: Pass;
  #harmless: Pass;
  /** The pass of the file. */
  #pass: Pass;
  /** Steps whose value in the file is wrong or follows from one that is. */
  readonly #tainted = new Set<string>();
  #explained = true;
  #differs = false;

  constructor(file: Safetensors, { parameters, batch }: FileInputs, ours: LessonValues) {
    this.#file = file;
    this.#ours = ours;
    const held = STEP_NAMES.flatMap((step) =>
      tensorsNamed(file, step).map(({ name, stored }) => ({ step, data: loadFloats(name, stored) })),
    );
    const gradients = GRADIENT_NAMES.flatMap((name) => tensorsNamed(file, name));
    const narrow =
      held.length === 0
        ? gradients.some(({ stored }) => stored.dtype === 'F32')
        : held.some(({ step, data }) => data instanceof Float32Array || (step !== 'emb' && step !== 'embact' && isFloat32Valued(data)));
    const given = new Map<StepName, Tensor>();
    for (const { step, data } of held) {
      const { shape } = ours[step];
      if (data.length === ours[step].size && data.every(Number.isFinite) && !given.has(step))
        given.set(step, Tensor.of(data, shape, 'float64'));
    }
    const parts = { inputs: { ...parameters, ...batch }, lines: {}, precision: narrow ? FLOAT32 : FLOAT64 };
    this.#truth = new Pass({ ...parts, given: new Map() });
    this.#harmless = this.#truth;
    this.#pass = new Pass({ ...parts, given });
    this.#gradients = Object.fromEntries(
      GRADIENT_NAMES.flatMap((gradient) => {
        const [first] = tensorsNamed(file, gradient);
        const { shape } = ours[valueNamed(gradient)];
        if (first === undefined || !isAccepted(first.stored.shape, shape)) return [];
        return [[gradient, Tensor.of(loadFloats(first.name, first.stored), shape, 'float64')]];
      }),
    );
  }

  /** A row for each tensor of the file that is this step. */
  rowsOf(step: StepName): AgainstRow[] {
    const rows = tensorsNamed(this.#file, step).map(({ name, stored }) => this.#rowOf(step, name, stored));
    const inherited = rows.length === 0 && STEP_INPUTS[step].some((input) => this.#tainted.has(input));
    if (inherited || rows.some(({ ok }) => !ok)) this.#tainted.add(step);
    return rows;
  }

  /**
   * What the gradients show of the forward pass, where no cause is known from its values and some of them are absent.
   * @param first the first value that differs
   */
  seenInGradients(first: ForwardDifference | null): { first: ForwardDifference | null; remarks: readonly FileRemark[] } {
    const { given } = this.#pass.parts;
    const isKnown = first !== null && this.#explained && first.cause?.id !== 'other-inputs';
    if (isKnown || INTERMEDIATE_NAMES.every((name) => given.has(name))) return { first, remarks: [] };
    const cause = recogniseInGradients(this.#pass, this.#gradients, (pass) => this.#valuesIn(pass));
    if (cause === undefined) return { first, remarks: [] };
    if (cause === 'inputs') return { first, remarks: first === null ? [{ id: 'inputs-doubted' }] : [] };
    const { id, text, parts, harmless, at } = cause;
    this.#pass = this.#pass.with(parts);
    this.#explained = true;
    if (harmless && at !== 'parameters') return { first, remarks: [{ id: 'harmless', at, cause: { id, text } }] };
    this.#differs = true;
    if (first !== null) return { first: { ...first, cause: { id, text: at === 'parameters' ? text : `${at}: ${text}` } }, remarks: [] };
    return { first: { name: at, at: null, found: null, expected: null, cause: { id, text } }, remarks: [] };
  }

  /** The forward values of the file, completed by steps from them; undefined where ours are as good, or where they are not known. */
  ownValues(): LessonValues | undefined {
    const { given, lines } = this.#pass.parts;
    if (!this.#differs && Object.keys(lines).length === 0) return undefined;
    const complete = INTERMEDIATE_NAMES.every((name) => given.has(name));
    return complete || this.#explained ? this.#valuesIn(this.#pass) : undefined;
  }

  /** All forward values of a pass; undefined if one has another shape, or is not finite. */
  #valuesIn(pass: Pass): LessonValues | undefined {
    const values = { ...pass.parts.inputs, n: this.#ours.n } as LessonValues;
    for (const step of STEP_NAMES) {
      // Broadcast, because the maximum over everything is one number where a column belongs.
      const value = attempt(() => Tensor.zeros(this.#ours[step].shape, 'float64').add(pass.value(step)));
      if (value === undefined || !sameShape(value.shape, this.#ours[step].shape) || !value.data.every(Number.isFinite)) return undefined;
      values[step] = value;
    }
    return values;
  }

  #rowOf(step: StepName, name: string, stored: StoredTensor): AgainstRow {
    const data = loadFloats(name, stored);
    const expected = this.#ours[step];
    const clean = !this.#pass.sourcesOf(step).some((source) => this.#tainted.has(source)) && !this.#changed(step);
    const fed = this.#compare(step, data, this.#pass);
    const truth = this.#compare(step, data, this.#truth);
    const harmless = this.#compare(step, data, this.#harmless);
    const shaped =
      isAccepted(stored.shape, expected.shape) || (fed !== undefined && sameShape(stored.shape, this.#pass.computed(step).shape));
    const near = truth?.ok || harmless?.ok;
    const row: RowMaker = (verdict, mistake, said) => {
      const { ok: isHarmless } = this.#compare(step, data, this.#harmless) ?? { ok: false };
      const direct = isHarmless && !truth?.ok ? this.#compare(step, data, this.#harmless) : truth;
      const shown = verdict === 'wrong' && fed && !fed.ok ? fed : direct;
      const like = data.length === expected.size && new Tensor(data, expected.shape);
      return {
        name,
        ok: verdict === 'right',
        verdict,
        shape: stored.shape,
        expectedShape: expected.shape,
        dtype: stored.dtype,
        error: direct?.error ?? null,
        limit: direct?.limit ?? null,
        asFed: clean || !fed ? null : { error: fed.error, limit: fed.limit },
        at: shown ? indexAt(shown.at, expected.shape) : null,
        found: shown ? data[shown.at] : null,
        expected: shown?.expected ?? null,
        structuralZero: false,
        ...(like ? likenessOf(like, expected, like.dtype, verdict) : { exact: null, maxUlps: null }),
        mistake,
        remarks: said,
      };
    };
    const { shape } = expected;
    const remarks = sameShape(stored.shape, shape) ? [] : [{ id: 'read-as', of: 'value', found: stored.shape, expected: shape } as const];
    if (shaped && fed?.ok) return row(clean || near ? 'right' : 'right-as-fed', null, remarks);
    const tensor = Tensor.of(data, stored.shape, 'float64');
    const layout = this.#layoutOf(step, name, tensor);
    if (layout) {
      this.#give(step, layout.tensor);
      return row('wrong', { id: layout.id, text: layout.text }, []);
    }
    const cause = attempt(() => recogniseForward(step, tensor, this.#pass, this.#gradients));
    if (shaped && near && (!cause || !clean)) {
      if (!clean) this.#dropUnused(step);
      return row('right', null, remarks);
    }
    this.#differs = true;
    if (cause) return this.#accept(step, cause, row);
    this.#explained &&= this.#isLocated(step);
    return row('wrong', question(step, this.#pass, data), []);
  }

  #accept(step: StepName, cause: RecognisedCause, row: RowMaker): AgainstRow {
    const { at, id, harmless, parts } = cause;
    const text = at === step || at === 'parameters' ? cause.text : `${at}: ${cause.text}`;
    this.#pass = this.#pass.with(parts);
    if (!harmless) return row('wrong', { id, text }, []);
    this.#harmless = this.#harmless.with({ lines: { ...this.#harmless.parts.lines, ...parts.lines } });
    return row('right', null, [{ id: 'harmless', ...(at !== step && at !== 'parameters' && { at }), cause: { id, text: cause.text } }]);
  }

  /** Whether a step on the way from the file's values is computed in another way. */
  #changed(step: StepName): boolean {
    const { lines, inputs } = this.#pass.parts;
    const harmless = this.#harmless.parts.lines;
    const way = [step, ...this.#pass.absentAbove(step)];
    if (way.some((name) => lines[name] !== harmless[name])) return true;
    return this.#pass.sourcesOf(step).some((source) => isParameter(source) && inputs[source] !== this.#truth.parts.inputs[source]);
  }

  /** Whether everything that the step reads is in the file, so that the mistake is in this step. */
  #isLocated(step: StepName): boolean {
    const { given } = this.#pass.parts;
    return given.has(step) && STEP_INPUTS[step].every((input) => isParameter(input) || given.has(input));
  }

  #give(step: StepName, tensor: Tensor): void {
    const { given } = this.#pass.parts;
    this.#pass = this.#pass.with({ given: new Map([...given, [step, tensor]]) });
  }

  /** This step is right, though not from the values of the file above it: they are not those that it was computed from. */
  #dropUnused(step: StepName): void {
    const { given } = this.#pass.parts;
    const unused = this.#pass.sourcesOf(step).filter((source) => this.#tainted.has(source));
    this.#pass = this.#pass.with({ given: new Map([...given].filter(([name]) => !(unused as string[]).includes(name))) });
  }

  #layoutOf(step: StepName, name: string, tensor: Tensor): Layout | undefined {
    const expected = this.#ours[step].shape;
    return layoutsOf(name, tensor, expected).find((layout) =>
      [this.#pass, this.#harmless].some((pass) => this.#compare(step, layout.tensor.data, pass)?.ok),
    );
  }

  /** Undefined where the file has another number of entries, or the shapes above do not fit together. */
  #compare(step: StepName, data: FloatArray, pass: Pass): Comparison | undefined {
    const compared = attempt(() => ({ expected: pass.computed(step), bound: pass.bound(step), terms: pass.terms(step) }));
    if (compared === undefined || compared.expected.size !== data.length) return undefined;
    const { expected, bound, terms } = compared;
    let [at, worst] = [0, -1];
    for (let i = 0; i < data.length; i++) {
      const excess = distance(data[i], expected.data[i]) / bound.data[i];
      if (excess > worst || Number.isNaN(excess)) [at, worst] = [i, Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess];
    }
    const share = terms.data[at] || 1;
    const error = distance(data[at], expected.data[at]) / share;
    return { ok: worst <= ROUNDING_SLACK, error, limit: (ROUNDING_SLACK * bound.data[at]) / share, at, expected: expected.data[at] };
  }
}

/** 0 for equal infinities, also where only float32 overflows. */
function distance(found: number, expected: number): number {
  return found === expected || found === Math.fround(expected) ? 0 : Math.abs(found - expected);
}

/** What to ask where no cause is recognised. */
function question(step: StepName, pass: Pass, data: FloatArray): NamedMistake | null {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at !== -1) {
    const overflows = Number.isFinite(data[at]) || !['counts', 'counts_sum', 'counts_sum_inv', 'probs', 'logprobs', 'loss'].includes(step);
    return {
      id: 'not-finite',
      text: `it holds ${data[at]}${overflows ? '' : ': does exp overflow? Subtract the maximum of each row first'}`,
    };
  }
  const otherStatistics = 'of this batch: is it a running one? In training, batch norm uses the statistics of the batch';
  if (step === 'bnmeani') return { id: 'other-statistics', text: `it is not the mean ${otherStatistics}` };
  if (step === 'bnvar') return { id: 'other-statistics', text: `it is not the variance ${otherStatistics}` };
  const alone = pass.sourcesOf(step).every((source) => isParameter(source));
  if (step === 'emb' || step === 'embact') {
    return { id: 'other-inputs', text: 'it holds no rows of C: are C and Xb those of this forward pass, from before the update?' };
  }
  if (alone) return { id: 'other-inputs', text: OTHER_INPUTS };
  if (step === 'loss') return { id: 'other-targets', text: 'are Yb and the loss those of this forward pass?' };
  return null;
}
