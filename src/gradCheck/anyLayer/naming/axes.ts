/** The axes of a value. Flat arrays have them too: n·d numbers are read as [n, d] and as [d, n]. */

import type { Shape } from '../../../core/tensor.js';
import type { PointValue } from '../witness.js';
import type { Point } from './evidence.js';

/** An axis of a value: its size at each point of the evidence, in order. */
export interface Axis {
  sizes: readonly number[];
  /** The letter of the specification that has these sizes. */
  letter: string | undefined;
  /** Where it was found first, as a programmer writes it: `x.shape[1]`. */
  place?: string;
}

/** A way to read a value as an array with axes. */
export interface View {
  /** The value: an input or an output. */
  name: string;
  axes: readonly Axis[];
}

/** Ways to read one value; more are not tried. */
const MOST_VIEWS = 14;
const MOST_AXES = 5;
/** Letters that people give to the number of examples. */
const BATCH = /^(n|N|b|B|bs|[bB]atch.*|[eE]xamples|[sS]amples)$/;

/** The name of what the layer returned, if it has another number of entries than the input. */
export const RETURNED = 'what backward returned';

/** The axes of all values of a piece of evidence. */
export class Axes {
  readonly #points: readonly Point[];
  /** Axes of different sizes: the letters, then the dimensions of inputs and outputs. Those of size 1 everywhere are left out. */
  readonly known: Axis[] = [];

  constructor(points: readonly Point[]) {
    this.#points = points;
    for (const letter of Object.keys(points[0].witness.sizes)) {
      this.#learn({ sizes: points.map(({ witness }) => witness.sizes[letter]), letter });
    }
    for (const { name } of valuesOf(points[0])) {
      for (const [dim, sizes] of (this.#shapeOf(name) ?? []).entries()) {
        this.#learn({ sizes, letter: undefined, place: `${name}.shape[${dim}]` });
      }
    }
  }

  #learn(axis: Axis): void {
    if (axis.sizes.every((size) => size === 1) || this.known.some(({ sizes }) => isSameSize(sizes, axis.sizes))) return;
    this.known.push(axis);
  }

  /** Sizes of each dimension of a value; undefined if the number of dimensions differs between points. */
  #shapeOf(name: string): number[][] | undefined {
    const shapes = this.#points.map((point) => (name === RETURNED ? [point.returned.length] : point.value(name)?.shape));
    const rank = shapes[0]?.length ?? 0;
    if (shapes.some((shape) => shape?.length !== rank)) return undefined;
    return Array.from({ length: rank }, (_, dim) => shapes.map((shape) => (shape as Shape)[dim]));
  }

  /** Ways to read a value, its own shape first. */
  views(name: string): View[] {
    const own = this.#shapeOf(name);
    if (!own) return [];
    let views: Axis[][] = [own.map((sizes) => this.#axis(sizes))];
    for (let at = 0; at < views.length && views.length < MOST_VIEWS; at++) {
      const found = this.#splits(views[at]).filter((axes) => !views.some((view) => isSameView(view, axes)));
      views = [...views, ...found];
    }
    return views.slice(0, MOST_VIEWS).map((axes) => ({ name, axes }));
  }

  #axis(sizes: readonly number[]): Axis {
    return this.known.find((axis) => isSameSize(axis.sizes, sizes)) ?? { sizes, letter: undefined };
  }

  /** The view with one axis without a letter split in two, each known axis first or last. */
  #splits(axes: readonly Axis[]): Axis[][] {
    if (axes.length >= MOST_AXES) return [];
    return axes.flatMap((axis, dim) => {
      if (axis.letter !== undefined) return [];
      return this.known.flatMap((part) => {
        const rest = axis.sizes.map((size, i) => size / part.sizes[i]);
        if (!rest.every(Number.isInteger) || rest.every((size) => size === 1)) return [];
        const other = this.#axis(rest);
        const orders =
          other === part
            ? [[part, other]]
            : [
                [part, other],
                [other, part],
              ];
        return orders.map((order) => [...axes.slice(0, dim), ...order, ...axes.slice(dim + 1)]);
      });
    });
  }
}

function valuesOf({ witness }: Point): PointValue[] {
  return [...witness.inputs, ...witness.outputs];
}

export function isSameSize(a: readonly number[], b: readonly number[]): boolean {
  return a.every((size, i) => size === b[i]);
}

function isSameView(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((axis, dim) => isSameSize(axis.sizes, b[dim].sizes));
}

/** The shape of a view at a point. */
export function shapeAt({ axes }: View, at: number): number[] {
  return axes.map(({ sizes }) => sizes[at]);
}

/** The name of an axis for a sentence: its letter, or where it is. */
export function axisName({ axes }: View, dim: number): string {
  return axes[dim].letter ?? (axes.length === 1 ? 'the entries' : `axis ${dim}`);
}

/** Whether an axis counts examples. */
export function isBatch({ letter }: Axis): boolean {
  return letter !== undefined && BATCH.test(letter);
}

/** The index along one axis of each position in row-major order. */
export function indexAlong(shape: Shape, dim: number): (position: number) => number {
  const inner = shape.slice(dim + 1).reduce((product, size) => product * size, 1);
  return (position) => Math.floor(position / inner) % shape[dim];
}

/** Letters that people give to the number of steps. */
const TIME = /^([tTsS]|steps?|time.*|seq.*)$/;

/** Whether an axis counts steps of a sequence. */
export function isTime({ letter }: Axis): boolean {
  return letter !== undefined && TIME.test(letter);
}
