/** The loss of the lesson's network as a function of one entry of one tensor. */
import { type Indices, Tensor } from '../core/tensor.js';
import { BLOCK_STEPS } from '../lesson/case.js';
import { forwardLines } from '../lesson/forward.js';
import { type LessonValues, type StepName, stepsAfter, type ValueName } from '../lesson/values.js';

/** The tensors whose last dimension is the hidden units. Until h, a column of them is computed without the other columns. */
const HIDDEN_COLUMNS: readonly ValueName[] = ['W1', 'b1', 'bngain', 'bnbias', ...BLOCK_STEPS];

/** The values with the part that an entry reaches cut out, the entry's position in it, and the lines that put the part back. */
interface Part {
  values: LessonValues;
  position: number;
  lines: Partial<Record<StepName, (values: LessonValues) => Tensor>>;
}

/**
 * The loss after the entry is set to x, in the precision of the values. The tensor is replaced alone: what it was computed from keeps its values, and
 * only the steps that depend on it are computed again, by the lesson's forward lines; an entry of a hidden unit computes the column of this unit
 * alone. n 32, H 64: at most 0.4 ms a call.
 * @param values a forward pass; it is not changed
 * @param entry the row-major position in the tensor
 */
export function entryLoss(values: LessonValues, name: ValueName, entry: number): (x: number) => number {
  const part = partOf(values, name, entry);
  const moved = { ...part.values, [name]: part.values[name].clone() };
  const lines = { ...forwardLines, ...part.lines };
  const steps = stepsAfter(name);
  return (x) => {
    moved[name].data[part.position] = x;
    for (const step of steps) moved[step] = lines[step](moved);
    return moved.loss.item();
  };
}

function partOf(values: LessonValues, name: ValueName, entry: number): Part {
  if (HIDDEN_COLUMNS.includes(name)) return columnPart(values, entry);
  const rows = rowsReached(values, name, entry);
  return { values, position: entry, lines: rows === undefined ? {} : { hprebn: rowsAlone(values, rows) } };
}

/** One hidden unit: h is a column [n,1], and the logits are the sum of its part and that of the other units. */
function columnPart(values: LessonValues, entry: number): Part {
  const [H, V] = values.W2.shape;
  const j = entry % H;
  const column = ({ data, shape }: Tensor): Tensor => {
    const cut = data.filter((_, i) => i % H === j);
    return new Tensor(cut, [...shape.slice(0, -1), 1]);
  };
  const cut = { ...values };
  for (const one of HIDDEN_COLUMNS) cut[one] = column(values[one]);
  const others = new Tensor(
    Float64Array.from(values.h.data, (x, i) => (i % H === j ? 0 : x)),
    values.h.shape,
  ).matmul(values.W2);
  const weights = Tensor.of(values.W2.data.subarray(j * V, (j + 1) * V), [1, V], 'float64');
  const { dtype } = values.logits;
  return {
    values: cut,
    position: (entry - j) / H,
    // A matrix product sums in float64 and rounds once, here too.
    lines: { logits: ({ h, b2 }) => others.add(h.matmul(weights)).to(dtype).add(b2) },
  };
}

/** The examples that an entry below hprebn belongs to; undefined for a tensor above it. */
function rowsReached({ Xb, emb, embact, n, C }: LessonValues, name: ValueName, entry: number): number[] | undefined {
  if (name === 'emb' || name === 'embact') return [Math.floor((entry * n) / (name === 'emb' ? emb : embact).size)];
  if (name !== 'C') return undefined;
  const character = Math.floor(entry / C.shape[1]);
  const T = Xb.shape[1];
  return Array.from({ length: n }, (_, i) => i).filter((i) => Xb.data.subarray(i * T, (i + 1) * T).includes(character));
}

/** The line of hprebn that computes these rows [H] only. */
function rowsAlone({ hprebn }: LessonValues, rows: readonly number[]): (values: LessonValues) => Tensor {
  const indices: Indices = { data: Int32Array.from(rows), shape: [rows.length] };
  const H = hprebn.shape[1];
  return ({ embact, W1, b1 }) => {
    const computed = forwardLines.hprebn({ embact: embact.gatherRows(indices), W1, b1 } as LessonValues);
    const out = hprebn.clone();
    rows.forEach((row, k) => {
      out.data.set(computed.data.subarray(k * H, (k + 1) * H), row * H);
    });
    return out;
  };
}
