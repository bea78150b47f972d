/** Right numbers in other places: transposed, reversed, rolled, blocks exchanged, the gradient of another input. */

import type { Mistake } from '../report.js';
import { axisName, shapeAt, type View } from './axes.js';
import type { Candidate, Evidence, Point } from './evidence.js';

/** A rearrangement of an array: the position that each entry is taken from. */
interface Arrangement {
  what: string;
  from(at: number): Int32Array;
}

/** The right gradient, or the right gradient for dout, rearranged. */
export function* rearranged(evidence: Evidence): Iterable<Candidate> {
  for (const { what, from } of arrangements(evidence, evidence.input)) {
    yield {
      mistake: { id: 'misplaced', text: `the right numbers are in other places: yours is the right gradient ${what}` },
      predict: ({ right, witness }, at) => (witness.complete ? Float64Array.from(from(at), (position) => right[position]) : undefined),
    };
  }
  const { outputs } = evidence.points[0].witness;
  if (outputs.length !== 1) return;
  for (const { what, from } of arrangements(evidence, outputs[0].name)) {
    yield {
      mistake: { id: idOf(what), text: `dout is read in other places: yours is the right gradient for dout ${what}` },
      predict: (point, at) => point.pull(() => Float64Array.from(from(at), (position) => point.dout[position])),
    };
  }
}

/** Off by one is not another order: the numbers at the end do not come from the other one. */
function idOf(what: string): 'dout-changed' | 'misplaced' {
  return what.startsWith('shifted') ? 'dout-changed' : 'misplaced';
}

function arrangements({ axes }: Evidence, name: string): Arrangement[] {
  return axes.views(name).flatMap((view) => [...transposed(view), ...view.axes.flatMap((_, dim) => alongAxis(view, dim))]);
}

/** All other orders of two to four axes. */
function transposed(view: View): Arrangement[] {
  if (view.axes.length < 2 || view.axes.length > 4) return [];
  return orders(view.axes.length)
    .slice(1)
    .flatMap((order) => {
      const names = `${view.axes.map((_, dim) => axisName(view, dim)).join(', ')}`;
      const what =
        view.axes.length === 2
          ? 'transposed'
          : `with its axes (${names}) in the order ${order.map((dim) => axisName(view, dim)).join(', ')}`;
      const inverse = order.map((_, dim) => order.indexOf(dim));
      return [order, inverse].map((axes) => ({ what, from: (at: number) => permuted(shapeAt(view, at), axes) }));
    });
}

function orders(length: number): number[][] {
  if (length === 0) return [[]];
  return orders(length - 1)
    .flatMap((order) => Array.from({ length }, (_, at) => [...order.slice(0, at), length - 1, ...order.slice(at)]))
    .sort();
}

/** Positions in an array of the given shape, in the order of its axes permuted. */
function permuted(shape: readonly number[], order: readonly number[]): Int32Array {
  const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
  let positions = [0];
  for (const dim of order) positions = positions.flatMap((start) => Array.from({ length: shape[dim] }, (_, i) => start + i * strides[dim]));
  return Int32Array.from(positions);
}

/** Most blocks of an axis that are exchanged. */
const MOST_BLOCKS = 4;

/** Reversed, rolled by one, or with its blocks in another order, along one axis. */
function alongAxis(view: View, dim: number): Arrangement[] {
  const along = view.axes.length === 1 ? '' : ` along ${axisName(view, dim)}`;
  const moves: [string, (index: number, size: number) => number][] = [
    [`reversed${along}`, (index, size) => size - 1 - index],
    [`shifted by one${along}`, (index, size) => (index + size - 1) % size],
    [`shifted by one${along}`, (index, size) => (index + 1) % size],
  ];
  for (let blocks = 2; blocks <= MOST_BLOCKS; blocks++) {
    if (!view.axes[dim].sizes.every((size) => size % blocks === 0)) continue;
    for (const order of orders(blocks).slice(1)) {
      moves.push([
        `with its ${blocks} blocks${along} exchanged`,
        (index, size) => order[Math.floor((index * blocks) / size)] * (size / blocks) + (index % (size / blocks)),
      ]);
    }
  }
  return moves.map(([what, move]) => ({ what, from: (at) => moved(shapeAt(view, at), dim, move) }));
}

function moved(shape: readonly number[], dim: number, move: (index: number, size: number) => number): Int32Array {
  const inner = shape.slice(dim + 1).reduce((product, size) => product * size, 1);
  const size = shape.reduce((product, length) => product * length, 1);
  return Int32Array.from({ length: size }, (_, position) => {
    const index = Math.floor(position / inner) % shape[dim];
    return position + (move(index, shape[dim]) - index) * inner;
  });
}

/** The right gradient of another input. */
export function* otherInputs(evidence: Evidence): Iterable<Candidate> {
  for (const name of inputsOfTheSameSize(evidence)) {
    yield {
      mistake: { id: 'misplaced', text: `yours is the right gradient of ${name}, not of ${evidence.input}`, input: name },
      predict: (point) => point.rightWith('', {}, name),
    };
  }
}

/** The gradients of two inputs, each in the place of the other. */
export async function exchangedGradients(evidence: Evidence): Promise<Mistake | null> {
  const { input } = evidence;
  for (const { mistake, predict } of otherInputs(evidence)) {
    const name = mistake.input as string;
    if (!(await evidence.isExplainedBy({ mistake, predict }))) continue;
    for (const point of evidence.wrong.slice(0, 3)) {
      const other = await point.yoursWith('', {}, name);
      if (!other || !point.isNear(other, point.right)) return null;
    }
    return { id: 'misplaced', text: `the gradients of ${input} and ${name} are exchanged`, input: name };
  }
  return null;
}

function inputsOfTheSameSize({ points, input }: Evidence): string[] {
  const { inputs, indices } = points[0].witness;
  const hasSize = (name: string) => points.every((point) => point.value(name)?.data.length === point.witness.input.data.length);
  return inputs.map(({ name }) => name).filter((name) => name !== input && !indices.includes(name) && hasSize(name));
}

/** Entries that a rearrangement must have, not to be one by chance. */
const LEAST_ENTRIES = 3;

/** The same numbers in any other order. */
export function sameNumbers(evidence: Evidence): Mistake | null {
  const explained: Point[] = [];
  for (const point of evidence.wrong) {
    const { right, yours, witness, entries } = point;
    if (!witness.complete) return null;
    if (!point.agrees(matched(yours, right))) return null;
    if (entries >= LEAST_ENTRIES) explained.push(point);
  }
  if (!evidence.areEnough(explained)) return null;
  return { id: 'misplaced', text: 'the right numbers are in other places: yours is the right gradient in another order' };
}

/** The right numbers, each in the place of the number of the same rank. */
function matched(yours: Float64Array, right: Float64Array): Float64Array {
  const sorted = right.slice().sort();
  const out = new Float64Array(right.length);
  [...yours.keys()]
    .sort((a, b) => yours[a] - yours[b])
    .forEach((position, rank) => {
      out[position] = sorted[rank];
    });
  return out;
}
