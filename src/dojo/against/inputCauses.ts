/** Mistakes in the parameters and the batch that a file holds, seen from its forward values. */
import type { Indices, Tensor } from '../../core/tensor.js';
import type { LessonBatch, LessonParameters } from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName } from '../../network/parameters.js';
import { fitted } from './fit.js';
import { isParameter, type Pass } from './pass.js';
import type { Sight } from './sight.js';

type Inputs = LessonParameters & LessonBatch;

/** Other parameters or another batch than the file's. */
export interface InputCause {
  id: string;
  text: string;
  inputs: Inputs;
}

/** @param gradients the file's own gradients by name */
export function* inputCauses(sight: Sight, pass: Pass, gradients: Readonly<Partial<Record<string, Tensor>>>): Generator<InputCause> {
  const { step, found } = sight;
  const sources = pass.sourcesOf(step).filter(isParameter);
  const { inputs } = pass.parts;
  yield* matricesInOtherOrder(sources, inputs);
  if (step === 'emb' || step === 'embact') yield* otherBatch(found, inputs);
  const moved = updated(inputs, gradients);
  if (moved !== undefined && sources.length > 0) yield* afterUpdate(sight, pass, moved);
}

/** Each set of matrices, read as the transposes of their bytes. */
function* matricesInOtherOrder(sources: readonly LessonParameterName[], inputs: Inputs): Generator<InputCause> {
  const matrices = (['W1', 'W2', 'C'] as const).filter((name) => sources.includes(name));
  for (const names of subsets(matrices)) {
    const others = names.map((name) => {
      const [a, b] = inputs[name].shape;
      return [name, inputs[name].view([b, a]).T] as const;
    });
    yield { ...orderText(names, inputs), inputs: { ...inputs, ...Object.fromEntries(others) } };
  }
}

function orderText(names: readonly LessonParameterName[], inputs: Inputs): { id: string; text: string } {
  const are = names.join(' and ');
  if (names.every((name) => name !== 'C' && inputs[name].shape[0] === inputs[name].shape[1])) {
    const save = names.map((name) => `${name}.T`).join(' and ');
    return { id: 'transposed', text: `${are} ${names.length > 1 ? 'are' : 'is'} transposed: nn.Linear stores the transpose; save ${save}` };
  }
  const save = names.map((name) => `${name}.contiguous()`).join(' and ');
  return { id: 'column-order', text: `the bytes of ${are} are in column order: save ${save}, with NumPy np.ascontiguousarray` };
}

function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length - 1 }, (_, i) => items.filter((_, bit) => ((i + 1) >> bit) & 1)).sort(
    (a, b) => a.length - b.length,
  );
}

/** The contexts whose rows of C are in emb; nothing where a row is no row of C, or all are those of Xb. */
function* otherBatch(found: Tensor, inputs: Inputs): Generator<InputCause> {
  const { C, Xb } = inputs;
  const [V, E] = C.shape;
  if (found.size !== Xb.data.length * E) return;
  const rowAt = (data: Tensor['data'], row: number) => data.subarray(row * E, (row + 1) * E);
  const close = (a: Tensor['data'], b: Tensor['data']) => a.every((x, e) => Math.abs(x - b[e]) <= 1e-6 * Math.abs(b[e]));
  const data = Int32Array.from(Xb.data, (index, row) => {
    const theirs = rowAt(found.data, row);
    if (close(theirs, rowAt(C.data, index))) return index;
    for (let v = 0; v < V; v++) if (close(theirs, rowAt(C.data, v))) return v;
    return -1;
  });
  if (data.includes(-1)) return;
  yield {
    id: 'other-batch',
    text: 'these are rows of C, but of other contexts: Xb is not the batch of this forward pass. Was it drawn again before you saved it?',
    inputs: { ...inputs, Xb: { data, shape: Xb.shape } satisfies Indices },
  };
}

/** The parameters before an update with this learning rate; undefined unless the file holds all seven gradients. */
function updated(inputs: Inputs, gradients: Readonly<Partial<Record<string, Tensor>>>): ((rate: number) => Inputs) | undefined {
  const steps = LESSON_PARAMETER_NAMES.map((name) => [name, gradients[`d${name}`]] as const);
  if (steps.some(([name, step]) => step === undefined || step.size !== inputs[name].size)) return undefined;
  return (rate) => {
    const before = steps.map(([name, step]) => [name, inputs[name].add((step as Tensor).view(inputs[name].shape).mul(rate))]);
    return { ...inputs, ...Object.fromEntries(before) };
  };
}

/** The learning rate that fits best, by Gauss-Newton from several starts; for a single number only a round one. */
function* afterUpdate({ found, valueIn }: Sight, pass: Pass, before: (rate: number) => Inputs): Generator<InputCause> {
  const valueAt = (rate: number) => valueIn(pass.with({ inputs: before(rate) }));
  if (valueAt(0).size !== found.size) return;
  const tried = new Set<number>();
  for (const start of [0, 0.01, 0.1, 1]) {
    const rate = fitted(found, valueAt, start);
    const shown = Number(rate.toPrecision(found.size === 1 ? 1 : 3));
    for (const one of [shown, rate]) {
      if (!(one > 0) || tried.has(one) || (found.size === 1 && one !== shown)) continue;
      tried.add(one);
      yield {
        id: 'after-update',
        text: `the parameters were saved after the update, with a learning rate of ${Number(one.toPrecision(4))}: save copies from before, W1.detach().clone()`,
        inputs: before(one),
      };
    }
  }
}
