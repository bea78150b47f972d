/** Where yours is right and where it is not: the first or the last index, the interior, rows whose index occurs once. */

import type { Mistake } from '../report.js';
import { type Axis, axisName, indexAlong, isSameSize, shapeAt, type View } from './axes.js';
import { type Dependence, dependenceAlong } from './dependence.js';
import type { Evidence, Point } from './evidence.js';
import { outputAxes } from './masks.js';

/** A size from which on the first, the last and the other indices can be told apart. */
const LEAST_SIZE = 3;
/** Share of the entries of a wrong region that must be wrong: some are right by chance, or 0. */
const MOSTLY = 0.8;
/** The same for a border: what is mirrored there leaves out the outermost index. */
const SOME = 0.3;

/**
 * Right at the first or at the last index of an axis, and wrong at all others: one example only, if examples do not depend on each other, or one
 * step only, if outputs depend on all earlier or all later steps. Elsewhere one end may be right by chance: the first tap of a convolution.
 */
export function oneIndexRight(evidence: Evidence): Mistake | null {
  for (const { view, dim } of inputAxes(evidence)) {
    const axis = view.axes[dim];
    for (const end of ['first', 'last'] as const) {
      const isEnd = (index: number, size: number) => index === (end === 'first' ? 0 : size - 1);
      if (!isRightOnly(evidence, view, dim, isEnd)) continue;
      const dependence = dependenceOn(evidence, view, dim);
      const isTold = dependence === 'own' || dependence === (end === 'first' ? 'earlier' : 'later');
      if (!isTold) continue;
      const along = axisName(view, dim);
      const text = `yours is right at the ${end} index along ${along} only`;
      return { id: idOf(axis, end), text, axis: along };
    }
  }
  return null;
}

function idOf(axis: Axis, end: 'first' | 'last'): 'first-example-only' | 'first-step-only' | 'last-step-only' {
  if (end === 'last') return 'last-step-only';
  return axis.isBatch ? 'first-example-only' : 'first-step-only';
}

/** How outputs depend on the input along an axis that they share. */
function dependenceOn(evidence: Evidence, view: View, dim: number): Dependence | undefined {
  const { sizes } = view.axes[dim];
  const shared = outputAxes(evidence).find((output) => isSameSize(output.view.axes[output.dim].sizes, sizes));
  if (!shared) return undefined;
  return dependenceAlong(evidence, { input: (at) => indexAlong(shapeAt(view, at), dim), output: (at) => shared.index(at), sizes });
}

type Inside = (index: number, size: number) => boolean;

/** Whether all entries with such an index are right everywhere, and most others wrong. */
function isRightOnly({ points, wrong }: Evidence, view: View, dim: number, isInside: Inside): boolean {
  let telling = 0;
  for (const [at, point] of points.entries()) {
    const size = view.axes[dim].sizes[at];
    const index = indexAlong(shapeAt(view, at), dim);
    const { known, wrong: found } = point.counts((k) => isInside(index(point.witness.entries[k]), size));
    if (found.inside > 0) return false;
    if (!point.isWrong) continue;
    if (known.outside > 0 && found.outside < MOSTLY * known.outside) return false;
    if (size >= LEAST_SIZE && known.inside > 0) telling++;
  }
  return telling >= LEAST_SIZE && wrong.length >= LEAST_SIZE;
}

function inputAxes({ axes, input }: Evidence): { view: View; dim: number }[] {
  return axes.views(input).flatMap((view) => view.axes.map((_, dim) => ({ view, dim })));
}

/** Right in the interior, and wrong at the border of one axis or of several. */
export function borderOnly(evidence: Evidence): Mistake | null {
  const { axes, input, points } = evidence;
  if (!evidence.isWrongInTheSamePlaces()) return null;
  for (const view of axes.views(input)) {
    const wide = view.axes.flatMap(({ sizes }, dim) => (sizes.some((size) => size >= LEAST_SIZE) ? [dim] : []));
    for (const dims of subsets(wide)) {
      for (const { text, width } of bordersOf(evidence)) {
        const isInterior = (at: number) => {
          const shape = shapeAt(view, at);
          const indices = dims.map((dim) => indexAlong(shape, dim));
          const isInside = (index: number, size: number) => index >= width(at) && index < size - width(at);
          return (position: number) => dims.every((dim, i) => isInside(indices[i](position), shape[dim]));
        };
        if (!points.every((point, at) => isRightWithin(point, isInterior(at)))) continue;
        if (!isBorderTold(evidence, isInterior, (at) => dims.every((dim) => view.axes[dim].sizes[at] > 2 * width(at)))) continue;
        const along = dims.map((dim) => axisName(view, dim)).join(' and ');
        return { id: 'border-only', text: `yours is wrong at the ${text} along ${along} only, and right in the interior`, axis: along };
      }
    }
  }
  return null;
}

interface Border {
  text: string;
  /** Indices at each end, at a point. */
  width(at: number): number;
}

/** Borders of one and two indices, and as wide as a letter says, or one more: padding reaches as far. */
function bordersOf({ axes }: Evidence): Border[] {
  const letters = axes.known.flatMap(({ letter, sizes }) => (letter === undefined ? [] : [{ letter, sizes }]));
  return [
    { text: 'border', width: () => 1 },
    { text: 'border, two indices wide,', width: () => 2 },
    ...letters.map(({ letter, sizes }) => ({ text: `border, ${letter} wide,`, width: (at: number) => sizes[at] })),
    ...letters.map(({ letter, sizes }) => ({ text: `border, ${letter} + 1 wide,`, width: (at: number) => sizes[at] + 1 })),
  ];
}

/** One axis, then pairs, then more. */
function subsets(dims: readonly number[]): number[][] {
  const all = Array.from({ length: 2 ** dims.length }, (_, chosen) => dims.filter((__, i) => (chosen >> i) & 1));
  return all.slice(1).sort((a, b) => a.length - b.length);
}

function isRightWithin(point: Point, isInside: (position: number) => boolean): boolean {
  return point.right.every((_, k) => !isInside(point.witness.entries[k]) || !point.isWrongAt(k));
}

/**
 * Whether there is an interior with gradients that are not 0, at three wrong points that are large enough, and part of the border is wrong, at its
 * start and at its end: one row that is wrong, such as that of a padding character, is no border.
 */
function isBorderTold(
  { points }: Evidence,
  isInterior: (at: number) => (position: number) => boolean,
  isLarge: (at: number) => boolean,
): boolean {
  let telling = 0;
  for (const [at, point] of points.entries()) {
    if (!point.isWrong) continue;
    const inside = isInterior(at);
    const { known, wrong } = point.counts((k) => inside(point.witness.entries[k]));
    if (wrong.outside < SOME * known.outside) return false;
    if (!isWrongAtBothEnds(point)) return false;
    if (known.inside > 0 && isLarge(at)) telling++;
  }
  return telling >= LEAST_SIZE;
}

function isWrongAtBothEnds(point: Point): boolean {
  const last = point.entries - 1;
  const half = point.counts((k) => k > last / 2);
  return half.wrong.inside > 0 && half.wrong.outside > 0;
}

/** Right in rows whose index occurs once, and wrong in repeated rows only. */
export function repeatedRows({ points, input }: Evidence): Mistake | null {
  for (const name of points[0].witness.indices) {
    let repeated = 0;
    let once = 0;
    const fits = points.every((point) => {
      const uses = usesOf(point, name);
      if (!uses) return false;
      return point.right.every((right, k) => {
        const count = uses(point.witness.entries[k]);
        if (Math.abs(right) > point.witness.limit[k] && count === 1) once++;
        if (!point.isWrongAt(k)) return true;
        repeated++;
        return count > 1;
      });
    });
    if (!fits || once < LEAST_SIZE || repeated < LEAST_SIZE) continue;
    return {
      id: 'repeated-rows',
      text: `yours is wrong only in rows of ${input} whose index occurs more than once in ${name}`,
      indices: name,
    };
  }
  return null;
}

/** How often the row of a position is used; undefined if the input has no such rows. */
function usesOf(point: Point, name: string): ((position: number) => number) | undefined {
  const indices = point.value(name)?.data ?? new Float64Array();
  const { shape, data } = point.witness.input;
  const rows = shape.length > 1 ? shape[0] : data.length;
  if (indices.some((index) => index >= rows || index < 0)) return undefined;
  const counts = new Int32Array(rows);
  for (const index of indices) counts[index]++;
  const width = data.length / rows;
  return (position) => counts[Math.floor(position / width)];
}
