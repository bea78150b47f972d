/** Contributions that are missing: the right gradient is a sum over pairs of an output and an entry, and yours a sum over some of the pairs. */

import { sizeOf } from '../../../core/tensor.js';
import type { Mistake } from '../report.js';
import { axisName, indexAlong, isSameSize, isTime, shapeAt, type View } from './axes.js';
import { type Dependence, dependenceAlong, type Indices } from './dependence.js';
import type { Candidate, Evidence, Point } from './evidence.js';

/** Share of the entries that are wrong if all have several uses. */
const MOSTLY = 0.9;

/** The pairs of an output and an entry that count at a point. */
type Pairs = (point: Point, at: number) => (output: number, entry: number) => boolean;

function kept(mistake: Mistake, pairs: Pairs): Candidate {
  return { mistake, predict: (point, at) => point.pullOf(pairs(point, at)) };
}

/** The diagonal only, one index of a shared axis only, or everything but these. */
export function* crossTerms(evidence: Evidence): Iterable<Candidate> {
  const diagonal = 'cross terms are missing: yours is the diagonal of the Jacobian times dout';
  yield kept(
    { id: 'cross-terms', text: diagonal },
    ({ dout, entries }) =>
      (output, entry) =>
        dout.length === entries && output === entry,
  );
  for (const shared of sharedAxes(evidence)) {
    const { axis, input, output } = shared;
    const along = (keeps: (o: number, k: number) => boolean): Pairs => {
      return (_, at) => {
        const o = output(at);
        const k = input(at);
        return (one, other) => keeps(o(one), k(other));
      };
    };
    yield kept(
      nameOfOwnOnly(axis, dependenceAlong(evidence, shared)),
      along((o, k) => o === k),
    );
    const own = `the diagonal is missing: the output with the same index along ${axis} does not count`;
    yield kept(
      { id: 'diagonal-wrong', text: own, axis },
      along((o, k) => o !== k),
    );
    const later = `cross terms are missing: later outputs along ${axis} do not count`;
    yield kept(
      { id: 'cross-terms', text: later, axis },
      along((o, k) => o <= k),
    );
    const earlier = `cross terms are missing: earlier outputs along ${axis} do not count`;
    yield kept(
      { id: 'cross-terms', text: earlier, axis },
      along((o, k) => o >= k),
    );
    const one = `cross terms are missing: only outputs with the same or the next index along ${axis} count`;
    yield kept(
      { id: 'cross-terms', text: one, axis },
      along((o, k) => o === k || o === k + 1),
    );
  }
}

interface SharedAxis extends Indices {
  axis: string;
}

/** In a recurrence, only the last step is right: what each step does to later ones is missing. */
function nameOfOwnOnly(axis: string, dependence: Dependence | undefined): Mistake {
  if (dependence === 'later') {
    return { id: 'last-step-only', text: `yours is right at the last step only: later outputs along ${axis} do not count`, axis };
  }
  if (dependence === 'earlier') {
    return { id: 'first-step-only', text: `yours is right at the first step only: earlier outputs along ${axis} do not count`, axis };
  }
  return { id: 'cross-terms', text: `cross terms are missing: only the output with the same index along ${axis} counts`, axis };
}

/** Pairs of an axis of the input and one of the only output that have the same sizes. */
function sharedAxes({ axes, input, points }: Evidence): SharedAxis[] {
  const { outputs } = points[0].witness;
  if (outputs.length !== 1) return [];
  const seen = new Set<string>();
  return axes.views(input).flatMap((own) =>
    axes.views(outputs[0].name).flatMap((other) =>
      own.axes.flatMap((axis, i) =>
        other.axes.flatMap((one, o) => {
          const key = JSON.stringify([inner(own, i), inner(other, o), axis.sizes]);
          if (!isSameSize(axis.sizes, one.sizes) || axis.sizes.every((size) => size === 1) || seen.has(key)) return [];
          seen.add(key);
          return [{ axis: axisName(own, i), input: indexOn(own, i), output: indexOn(other, o), sizes: axis.sizes }];
        }),
      ),
    ),
  );
}

function indexOn(view: View, dim: number): (at: number) => (position: number) => number {
  return (at) => indexAlong(shapeAt(view, at), dim);
}

/** Sizes of the axes inside an axis: with the axis itself they decide the index of a position. */
function inner({ axes }: View, dim: number): number[] {
  return axes.slice(dim + 1).reduce(
    (product, { sizes }) => product.map((size, i) => size * sizes[i]),
    axes[0].sizes.map(() => 1),
  );
}

/** The outputs at the first or the last index of an axis only. */
export function* oneIndexOnly(evidence: Evidence): Iterable<Candidate> {
  for (const axis of outputAxes(evidence)) {
    const { view, dim } = axis;
    for (const end of ['first', 'last'] as const) {
      yield kept(nameOfEnd(evidence, axis, end), (_, at) => {
        const index = axis.index(at);
        const wanted = end === 'first' ? 0 : view.axes[dim].sizes[at] - 1;
        return (output) => index(output) === wanted;
      });
    }
  }
}

/** An axis of the outputs: of the only one, or of all of them. */
interface OutputAxis {
  view: View;
  dim: number;
  /** The index along the axis of an output, at each point. */
  index(at: number): (output: number) => number;
}

export function outputAxes({ axes, points }: Evidence): OutputAxis[] {
  const [first, ...others] = points[0].witness.outputs.map(({ name }) => axes.views(name));
  const seen = new Set<string>();
  return (first ?? []).flatMap((view) =>
    view.axes.flatMap((axis, dim) => {
      const key = JSON.stringify([inner(view, dim), axis.sizes]);
      const same = others.map((views) => findAxis(views, axis.sizes));
      if (axis.sizes.every((size) => size === 1) || seen.has(key) || same.includes(undefined)) return [];
      seen.add(key);
      const all = [{ view, dim }, ...same] as { view: View; dim: number }[];
      return [{ view, dim, index: (at: number) => indexInParts(all, at) }];
    }),
  );
}

/** The first axis of such sizes. */
function findAxis(views: readonly View[], sizes: readonly number[]): { view: View; dim: number } | undefined {
  for (const view of views) {
    const dim = view.axes.findIndex((axis) => isSameSize(axis.sizes, sizes));
    if (dim !== -1) return { view, dim };
  }
  return undefined;
}

/** The index along an axis of each of several arrays, one after another. */
function indexInParts(parts: readonly { view: View; dim: number }[], at: number): (position: number) => number {
  let start = 0;
  const found = parts.map(({ view, dim }) => {
    const shape = shapeAt(view, at);
    const from = start;
    start += sizeOf(shape);
    return { from, end: start, index: indexAlong(shape, dim) };
  });
  return (position) => {
    const { from, index } = found.find(({ end }) => position < end) ?? found[0];
    return index(position - from);
  };
}

function nameOfEnd(evidence: Evidence, { view, dim, index }: OutputAxis, end: 'first' | 'last'): Mistake {
  const axis = view.axes[dim];
  const along = axisName(view, dim);
  const uses = usesAlong(evidence, index);
  const text = `only the ${end} ${nounOf(view, dim)} counts: yours is the contribution of the ${end} index along ${along}`;
  if (axis.isBatch && end === 'first' && uses !== 'copied') return { id: 'first-example-only', text, axis: along };
  if (uses !== 'some' && !isTime(axis)) {
    return { id: 'sum-missing', text: `the sum over ${along} is missing: yours is its ${end} term`, axis: along };
  }
  return { id: end === 'first' ? 'first-step-only' : 'last-step-only', text, axis: along };
}

/** Whether entries are used by outputs of some indices along an axis, of all, or just copied to all, as a bias is. */
function usesAlong({ points }: Evidence, index: OutputAxis['index']): 'some' | 'all' | 'copied' {
  let isCopied = true;
  for (const [at, { jacobian, entries, dout }] of points.entries()) {
    if (!jacobian) continue;
    const along = index(at);
    const uses = Array.from({ length: entries }, () => new Map<number, number>());
    for (let o = 0; o < dout.length; o++) {
      for (let k = 0; k < entries; k++) {
        const slope = jacobian[o * entries + k];
        uses[k].set(along(o), Math.max(Math.abs(slope), uses[k].get(along(o)) ?? 0));
        if (Math.abs(slope) > 1e-9 && Math.abs(slope - 1) > 1e-6) isCopied = false;
      }
    }
    if (uses.some((one) => [...one.values()].some((slope) => slope <= 1e-9))) return 'some';
  }
  return isCopied ? 'copied' : 'all';
}

function nounOf(view: View, dim: number): string {
  if (view.axes[dim].isBatch) return 'example';
  return isTime(view.axes[dim]) ? 'step' : 'index';
}

/** Of the outputs that use an entry, the last or the first only: overwritten, not accumulated. */
export function* overwritten(evidence: Evidence): Iterable<Candidate> {
  for (const row of rowsOfIndices(evidence)) {
    const text = `rows whose index occurs more than once are overwritten, not accumulated: only one contribution of each is there`;
    const mistake: Mistake = { id: 'repeated-rows', text, indices: row.name };
    for (const end of ['last', 'first'] as const) yield kept(mistake, (point) => oneUse(point, row.of(point), end));
  }
  for (const axis of outputAxes(evidence)) {
    for (const end of ['last', 'first'] as const) {
      yield kept(nameOfOverwritten(evidence, axis, end), (point, at) => oneUse(point, axis.index(at), end));
    }
  }
}

/** Where all entries have several uses, as in a convolution or of a slope that a channel shares, or where some have one and are right. */
function nameOfOverwritten({ wrong }: Evidence, { view, dim }: OutputAxis, end: 'first' | 'last'): Mistake {
  const along = axisName(view, dim);
  const isEverywhere = wrong.every((point) => point.counts(() => true).wrong.inside > MOSTLY * point.entries);
  const isShared = wrong.every(({ dout, entries }) => dout.length >= 2 * entries);
  if (isEverywhere || isShared) {
    const text = `the sum over the outputs that use an entry is missing: yours is its ${end} term`;
    return { id: 'sum-missing', text, axis: along };
  }
  const text = `entries that more than one output uses are overwritten, not accumulated: yours is the ${end} contribution to each`;
  return { id: 'repeated-rows', text, axis: along };
}

/** Integer inputs with one row of outputs per index. */
function rowsOfIndices({ points }: Evidence): { name: string; of(point: Point): (output: number) => number }[] {
  const [{ witness }] = points;
  return witness.indices.flatMap((name) => {
    const rowSize = (point: Point) => point.dout.length / (point.value(name)?.data.length ?? 0);
    if (!points.every((point) => Number.isInteger(rowSize(point)))) return [];
    return [
      {
        name,
        of: (point: Point) => {
          const size = rowSize(point);
          return (output: number) => Math.floor(output / size);
        },
      },
    ];
  });
}

/** Pairs in which the output has the last, or the first, index of those that use the entry. */
function oneUse(
  { jacobian, entries, dout }: Point,
  index: (output: number) => number,
  end: 'first' | 'last',
): (o: number, k: number) => boolean {
  const used = new Int32Array(entries).fill(-1);
  for (let o = 0; o < dout.length; o++) {
    for (let k = 0; k < entries; k++) {
      if (Math.abs(jacobian?.[o * entries + k] ?? 0) < 1e-9) continue;
      const row = index(o);
      if (used[k] === -1 || (end === 'last' ? row > used[k] : row < used[k])) used[k] = row;
    }
  }
  return (output, entry) => index(output) === used[entry];
}

/** Every term of the backward pass right but those on the diagonal. */
export async function diagonalWrong(evidence: Evidence): Promise<Mistake | null> {
  const points = evidence.wrong.filter(({ dout, entries, jacobian }) => jacobian && dout.length === entries && entries > 1);
  if (points.length !== evidence.wrong.filter(({ entries }) => entries > 1).length || !evidence.areEnough(points)) return null;
  for (const point of points.slice(0, 8)) if (!(await isRightOffDiagonal(point))) return null;
  return { id: 'diagonal-wrong', text: 'the diagonal of the Jacobian is wrong, and all other terms are right' };
}

async function isRightOffDiagonal(point: Point): Promise<boolean> {
  const { jacobian, entries } = point;
  const own = await point.own();
  if (!own || !jacobian) return false;
  let others = 0;
  let off = 0;
  let diagonal = 0;
  for (let o = 0; o < entries; o++) {
    for (let k = 0; k < entries; k++) {
      const at = o * entries + k;
      if (o === k) diagonal += (own[at] - jacobian[at]) ** 2;
      else {
        others += jacobian[at] ** 2;
        off += (own[at] - jacobian[at]) ** 2;
      }
    }
  }
  return off <= 1e-6 * diagonal && others > 1e-6 * diagonal;
}
