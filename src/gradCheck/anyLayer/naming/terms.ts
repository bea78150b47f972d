/** Expressions of sizes and of inputs that are single numbers: n, 1/n, √d, n/(n-1), 1/(1-p), and products of them. */

import type { Axes, Axis } from './axes.js';
import type { Point } from './evidence.js';

/** An expression, with its value at each point. */
export interface Term {
  text: string;
  values: readonly number[];
  /** What a factor that is an input, or 1 over one, is called; and the input. */
  role?: 'extra-factor' | 'missing-factor';
  name?: string;
}

/** A part of a product: above the line, below it, and what it costs to believe in it. */
interface Part extends Term {
  above: string;
  below: string;
  cost: number;
}

/** Sizes combined in one product, and sizes that are looked at. */
const MOST_FACTORS = 4;
const MOST_SIZES = 8;
/** A number in front. */
const COEFFICIENTS: readonly Part[] = [
  { above: '', below: '', text: '1', values: [1], cost: 0 },
  { above: '-', below: '', text: '-1', values: [-1], cost: 0.6 },
  { above: '2', below: '', text: '2', values: [2], cost: 0.8 },
  { above: '', below: '2', text: '1/2', values: [0.5], cost: 0.8 },
  { above: '-2', below: '', text: '-2', values: [-2], cost: 1.4 },
  { above: '-', below: '2', text: '-1/2', values: [-0.5], cost: 1.4 },
];

/** Products of powers of sizes, the simplest first: of letters, and of all dimensions. */
export function sizeTerms({ known }: Axes): { letters: () => Term[]; dimensions: () => Term[] } {
  const of = (axes: readonly Axis[]) =>
    products(axes.map(({ sizes, letter, place }) => partsOf({ text: letter ?? place ?? '', values: sizes, cost: letter ? 0 : 0.5 })));
  return { letters: () => of(known.filter(({ letter }) => letter !== undefined)), dimensions: () => of(known.slice(0, MOST_SIZES)) };
}

/** Powers of a size, and what Bessel's correction makes of it. */
function partsOf({ text: n, values, cost }: Term & { cost: number }): Part[] {
  const part = (above: string, below: string, more: number, f: (size: number) => number): Part => {
    return { above, below, text: '', values: values.map(f), cost: cost + more };
  };
  return [
    part(n, '', 1, (size) => size),
    part('', n, 1, (size) => 1 / size),
    part(`√${n}`, '', 1.4, Math.sqrt),
    part('', `√${n}`, 1.4, (size) => 1 / Math.sqrt(size)),
    part(`${n}²`, '', 1.5, (size) => size * size),
    part('', `${n}²`, 1.5, (size) => 1 / (size * size)),
    part(n, `(${n}-1)`, 1.6, (size) => size / (size - 1)),
    part(`(${n}-1)`, n, 1.6, (size) => (size - 1) / size),
    part(`(${n}-1)`, '', 1.7, (size) => size - 1),
    part('', `(${n}-1)`, 1.7, (size) => 1 / (size - 1)),
  ];
}

function products(choices: readonly (readonly Part[])[]): Term[] {
  let found: { parts: Part[]; cost: number }[] = [{ parts: [], cost: 0 }];
  for (const parts of choices) {
    const longer = found.flatMap((one) => {
      if (one.parts.length === MOST_FACTORS) return [];
      // Products of three and more sizes are counts: n·h·w, or 1 over it.
      const counts = parts.slice(0, 2);
      const isCount = one.parts.length < 2 || one.parts.every(({ cost }) => cost <= 1.4);
      const few = one.parts.length < 2 ? parts : counts;
      return isCount ? few.map((part) => ({ parts: [...one.parts, part], cost: one.cost + part.cost })) : [];
    });
    found = [...found, ...longer];
  }
  const all = found
    .filter(({ parts }) => parts.length > 0)
    .flatMap((one) => {
      return COEFFICIENTS.map((coefficient) => ({ parts: [coefficient, ...one.parts], cost: one.cost + coefficient.cost }));
    });
  return all.sort((a, b) => a.cost - b.cost).map(({ parts }) => productOf(parts));
}

function productOf(parts: readonly Part[]): Term {
  const length = parts[1].values.length;
  const values = Array.from({ length }, (_, i) => parts.reduce((product, part) => product * (part.values[i] ?? part.values[0]), 1));
  const above = parts
    .map(({ above }) => above)
    .filter((text) => text !== '' && text !== '-')
    .join('·');
  const below = parts.map(({ below }) => below).filter((text) => text !== '');
  const sign = parts[0].above === '-' ? '-' : '';
  if (below.length === 0) return { text: sign + above, values };
  const under = below.length === 1 ? below[0] : `(${below.join('·')})`;
  return { text: `${sign}${above === '' ? '1' : above}/${under}`, values };
}

/** Functions of an input that is one number: a scale, a probability, a temperature. */
const FUNCTIONS: readonly [text: (p: string) => string, f: (p: number) => number, role?: Term['role']][] = [
  [(p) => p, (p) => p, 'extra-factor'],
  [(p) => `1/${p}`, (p) => 1 / p, 'missing-factor'],
  [(p) => `-${p}`, (p) => -p],
  [(p) => `(1-${p})`, (p) => 1 - p],
  [(p) => `1/(1-${p})`, (p) => 1 / (1 - p)],
  [(p) => `${p}²`, (p) => p * p],
  [(p) => `1/${p}²`, (p) => 1 / (p * p)],
  [(p) => `√${p}`, Math.sqrt],
  [(p) => `1/√${p}`, (p) => 1 / Math.sqrt(p)],
  [(p) => `(1+${p})`, (p) => 1 + p],
  [(p) => `1/(1+${p})`, (p) => 1 / (1 + p)],
  [(p) => `2·${p}`, (p) => 2 * p],
  [(p) => `1/(2·${p})`, (p) => 1 / (2 * p)],
];

/** Functions of the inputs that are single numbers. */
export function scalarTerms(points: readonly Point[]): Term[] {
  const single = points[0].witness.inputs.filter(({ name }) => points.every((point) => point.value(name)?.data.length === 1));
  return FUNCTIONS.flatMap(([text, f, role]) =>
    single.map(({ name }) => {
      const values = points.map((point) => f(point.value(name)?.data[0] ?? Number.NaN));
      return { text: text(name), values, ...(role && { role, name }) };
    }),
  );
}

/** A number as a person writes it: 2, 1/3, -1/2, √2, 0.7071. */
export function numberText(value: number): string {
  for (let below = 1; below <= 12; below++) {
    const above = Math.round(value * below);
    if (above !== 0 && Math.abs(above) <= 100 && isNear(value * below, above)) return below === 1 ? `${above}` : `${above}/${below}`;
  }
  if (Math.abs(value) < 1e-9) return '0';
  const square = value * value;
  const sign = value < 0 ? '-' : '';
  for (const root of [2, 3, 5]) {
    if (isNear(square, root)) return `${sign}√${root}`;
    if (isNear(square * root, 1)) return `${sign}1/√${root}`;
  }
  return `${Number(value.toPrecision(4))}`;
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-5 * Math.abs(b);
}
