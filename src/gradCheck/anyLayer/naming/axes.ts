/** The axes of a value. Flat arrays have them too: n·d numbers are read as [n, d] and as [d, n]. */

import type { Shape } from '../../../core/tensor.js';
import type { PointValue } from '../witness.js';
import type { Point } from './evidence.js';

/** An axis of a value: its size at each point of the evidence, in order. */
export interface Axis {
  sizes: readonly number[];
  /** The letter of the specification that has these sizes. */
  letter: string | undefined;
  /** Whether it counts examples. */
  isBatch: boolean;
  /** The letters whose product it is: `h·w`. */
  product?: string;
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
  readonly #views = new Map<string, View[]>();
  /** Axes of different sizes: the letters, then the dimensions of inputs and outputs. Those of size 1 everywhere are left out. */
  readonly known: Axis[] = [];

  constructor(points: readonly Point[]) {
    this.#points = points;
    const { sizes: letters, batch } = points[0].witness;
    for (const letter of Object.keys(letters)) {
      const isBatch = letter === batch || (batch === undefined && BATCH.test(letter));
      this.#learn({ sizes: points.map(({ witness }) => witness.sizes[letter]), letter, isBatch });
    }
    for (const { name } of valuesOf(points[0])) {
      for (const [dim, sizes] of (this.#shapeOf(name) ?? []).entries()) {
        this.#learn({ sizes, letter: undefined, isBatch: false, place: `${name === '' ? 'y' : name}.shape[${dim}]` });
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

  /** Ways to read a value: its own shape first, then those of values of the same size, its axes split, and all of its entries in a row. */
  views(name: string): View[] {
    const found = this.#views.get(name) ?? this.#findViews(name);
    this.#views.set(name, found);
    return found;
  }

  #findViews(name: string): View[] {
    const own = this.#shapeOf(name);
    if (!own) return [];
    const views: Axis[][] = [];
    const add = (axes: Axis[]) => {
      if (!views.some((view) => isSameView(view, axes))) views.push(axes);
    };
    add(own.map((sizes) => this.#axis(sizes)));
    const size = countsOf(own, this.#points.length);
    for (const value of valuesOf(this.#points[0])) {
      const shape = this.#shapeOf(value.name);
      if (shape && isSameSize(countsOf(shape, size.length), size)) add(shape.map((sizes) => this.#axis(sizes)));
    }
    for (let at = 0; at < views.length && views.length < MOST_VIEWS; at++) for (const axes of this.#splits(views[at])) add(axes);
    const ways = views.slice(0, MOST_VIEWS);
    if (!ways.some((axes) => axes.length === 1)) ways.push([this.#axis(size)]);
    return ways.map((axes) => ({ name, axes }));
  }

  #axis(sizes: readonly number[]): Axis {
    const known = this.known.find((axis) => isSameSize(axis.sizes, sizes));
    if (known?.letter !== undefined) return known;
    const product = this.#productOf(sizes);
    return { ...(known ?? { sizes, letter: undefined, isBatch: false }), ...(product && { product }) };
  }

  /** The letters whose product is the size of an axis, in their order. */
  #productOf(sizes: readonly number[]): string | undefined {
    const letters = this.known.filter(({ letter }) => letter !== undefined);
    for (let chosen = 3; chosen < 2 ** letters.length; chosen++) {
      const some = letters.filter((_, i) => (chosen >> i) & 1);
      const product = countsOf(
        some.map((axis) => axis.sizes),
        sizes.length,
      );
      if (some.length > 1 && isSameSize(product, sizes)) return some.map(({ letter }) => letter).join('·');
    }
    return undefined;
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

/** The number of entries at each point. */
function countsOf(shape: readonly (readonly number[])[], points: number): number[] {
  return Array.from({ length: points }, (_, at) => shape.reduce((product, sizes) => product * sizes[at], 1));
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

/** The name of an axis for a sentence: its letter or letters, or where it is. */
export function axisName({ axes }: View, dim: number): string {
  const { letter, product } = axes[dim];
  return letter ?? product ?? (axes.length === 1 ? 'the array' : `axis ${dim}`);
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
