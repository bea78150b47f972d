/** Where entries go: one-hot rows, the view of demb, and the rows of dC; the right way and wrong ones. */
import { Tensor } from '../core/tensor.js';
import type { Place } from './findings.js';
import type { ValuesAndGradients } from './learnerFile.js';

// One-hot rows -------------------------------------------------------------------------------------------------------

/** 1 where it holds, 0 elsewhere. */
function everyEntry([n, V]: readonly [number, number], holds: (row: number, column: number) => boolean): Tensor {
  const entries = Array.from({ length: n * V }, (_, k) => Number(holds(Math.floor(k / V), k % V)));
  return Tensor.of(entries, [n, V], 'float64');
}

/** 1 at the flat index of a target, with another row length. */
function atFlatIndex({ logits, Yb }: ValuesAndGradients, place: 'row-length-1' | 'row-length-1-added' | 'row-length-n'): Tensor {
  const [n, V] = logits.shape;
  const out = Tensor.zeros([n, V], 'float64');
  const length = place === 'row-length-n' ? n : 1;
  Yb.data.forEach((column, row) => {
    const k = row * length + column;
    if (k < n * V) out.data[k] = place === 'row-length-1' ? 1 : out.data[k] + 1;
  });
  return out;
}

/** 1 at the place, 0 elsewhere: [n,V]. */
export function placed(at: ValuesAndGradients, place: Place): Tensor {
  const [n, V] = at.logits.shape;
  const hot = (column: (row: number) => number): Tensor => {
    const out = Tensor.zeros([n, V], 'float64');
    for (let row = 0; row < n; row++) out.data[row * V + column(row)] = 1;
    return out;
  };
  const targets = new Set(at.Yb.data);
  switch (place) {
    case 'target':
      return hot((row) => at.Yb.data[row]);
    case 'not-target':
      return placed(at, 'target').neg().add(1);
    case 'row-maximum': {
      const { indices } = at.logits.max(1);
      return hot((row) => indices.data[row]);
    }
    case 'not-row-maximum':
      return placed(at, 'row-maximum').neg().add(1);
    case 'after-target':
      return hot((row) => (at.Yb.data[row] + 1) % V);
    case 'before-target':
      return hot((row) => (at.Yb.data[row] + V - 1) % V);
    case 'next-entry':
      return shifted(placed(at, 'target'), 1);
    case 'previous-entry':
      return shifted(placed(at, 'target'), -1);
    case 'context': {
      const out = Tensor.zeros([n, V], 'float64');
      const T = at.Xb.shape[1];
      at.Xb.data.forEach((column, k) => {
        out.data[Math.floor(k / T) * V + column] += 1;
      });
      return out;
    }
    case 'last-character': {
      const T = at.Xb.shape[1];
      return hot((row) => at.Xb.data[row * T + T - 1]);
    }
    case 'target-columns':
      return everyEntry([n, V], (_, column) => targets.has(column));
    case 'target-rows':
      return everyEntry([n, V], (row) => targets.has(row));
    case 'row-length-1':
    case 'row-length-1-added':
    case 'row-length-n':
      return atFlatIndex(at, place);
    case 'rows-reversed':
      return hot((row) => at.Yb.data[n - 1 - row]);
    case 'index':
      return Tensor.of(
        Array.from({ length: n * V }, (_, k) => at.Yb.data[Math.floor(k / V)]),
        [n, V],
        'float64',
      );
    case 'first-column':
      return hot(() => 0);
    case 'everywhere':
      return hot(() => 0)
        .mul(0)
        .add(1);
    case 'column-maximum': {
      const out = Tensor.zeros([n, V], 'float64');
      at.logits.max(0).indices.data.forEach((row, column) => {
        out.data[row * V + column] = 1;
      });
      return out;
    }
  }
}

/** The entries moved along, also from one row to the next. */
function shifted({ data, shape }: Tensor, by: 1 | -1): Tensor {
  return Tensor.of(
    Array.from(data, (_, k) => data[k - by] ?? 0),
    shape,
    'float64',
  );
}

// The view of demb ---------------------------------------------------------------------------------------------------

/** The order in which the entries of dembact [n,T·E] become demb [n,T,E]. */
export type Arrangement = keyof typeof SOURCES;

interface Cube {
  n: number;
  T: number;
  E: number;
}

/** For each arrangement, the position in dembact of the entry [i,t,e] of demb. */
const SOURCES = {
  right: ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + t) * E + e,
  'contexts-reversed': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + (T - 1 - t)) * E + e,
  'examples-reversed': ({ n, T, E }: Cube, i: number, t: number, e: number) => ((n - 1 - i) * T + t) * E + e,
  'features-reversed': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + t) * E + (E - 1 - e),
  'all-reversed': ({ n, T, E }: Cube, i: number, t: number, e: number) => n * T * E - 1 - ((i * T + t) * E + e),
  /** Viewed as [T,n,E], then swapped. */
  'viewed-T-n-E': ({ n, E }: Cube, i: number, t: number, e: number) => (t * n + i) * E + e,
  /** Viewed as [n,E,T], then swapped. */
  'viewed-n-E-T': ({ T, E }: Cube, i: number, t: number, e: number) => (i * E + e) * T + t,
  'viewed-E-T-n': ({ n, T }: Cube, i: number, t: number, e: number) => (e * T + t) * n + i,
  'viewed-E-n-T': ({ n, T }: Cube, i: number, t: number, e: number) => (e * n + i) * T + t,
  'viewed-T-E-n': ({ n, E }: Cube, i: number, t: number, e: number) => (t * E + e) * n + i,
  /** The transpose of dembact, viewed. */
  'transposed-first': ({ n, T, E }: Cube, i: number, t: number, e: number) => {
    const position = (i * T + t) * E + e;
    return (position % n) * T * E + Math.floor(position / n);
  },
  'next-position': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + ((t + 1) % T)) * E + e,
  'previous-position': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + ((t + T - 1) % T)) * E + e,
  'next-example': ({ n, T, E }: Cube, i: number, t: number, e: number) => (((i + 1) % n) * T + t) * E + e,
  /** The rows [n·T,E] in reverse order. */
  'rows-reversed': ({ n, T, E }: Cube, i: number, t: number, e: number) => (n * T - 1 - (i * T + t)) * E + e,
  'first-feature-everywhere': ({ T, E }: Cube, i: number, t: number) => (i * T + t) * E,
  /** Outside of the array where the entry is 0. */
  'only-first-position': ({ T, E }: Cube, i: number, t: number, e: number) => (t === 0 ? i * T * E + e : -1),
  'only-last-position': ({ T, E }: Cube, i: number, t: number, e: number) => (t === T - 1 ? (i * T + t) * E + e : -1),
  'not-last-position': ({ T, E }: Cube, i: number, t: number, e: number) => (t < T - 1 ? (i * T + t) * E + e : -1),
  'shifted-forward': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + t) * E + e - 1,
  'shifted-back': ({ T, E }: Cube, i: number, t: number, e: number) => (i * T + t) * E + e + 1,
  'first-position-everywhere': ({ T, E }: Cube, i: number, _: number, e: number) => i * T * E + e,
  /** Written at the index of [T,n,E]. */
  'written-T-n-E': ({ n, T, E }: Cube, i: number, t: number, e: number) => {
    const row = i * T + t;
    return ((row % n) * T + Math.floor(row / n)) * E + e;
  },
  /** Written at the index of [n,E,T]. */
  'written-n-E-T': ({ T, E }: Cube, i: number, t: number, e: number) => {
    const k = t * E + e;
    return (i * T + (k % T)) * E + Math.floor(k / T);
  },
} satisfies Record<string, (cube: Cube, i: number, t: number, e: number) => number>;

export const ARRANGEMENTS = Object.keys(SOURCES) as Arrangement[];

/** A tensor of n·T·E entries in the shape of emb. */
export function arranged({ emb }: ValuesAndGradients, how: Arrangement, of: Tensor): Tensor {
  const [n, T, E] = emb.shape;
  if (of.size !== emb.size) return of.view(emb.shape);
  const out = Tensor.zeros(emb.shape, 'float64');
  let at = 0;
  for (let i = 0; i < n; i++)
    for (let t = 0; t < T; t++) for (let e = 0; e < E; e++) out.data[at++] = of.data[SOURCES[how]({ n, T, E }, i, t, e)] ?? 0;
  return out;
}

// The rows of dC -----------------------------------------------------------------------------------------------------

/** How the rows of demb get into dC. */
export interface Scattering {
  order: Arrangement;
  /** The row of dC for a position: the character there, the next or previous character of the alphabet, a neighbour's, or the target. */
  index: 'character' | 'character-after' | 'character-before' | 'target' | 'first-character' | 'last-character';
  positions: 'all' | 'first' | 'last' | 'not-first' | 'not-last' | 'second' | 'first-n' | 'not-character-0' | 'summed';
  examples: 'all' | 'first' | 'last' | 'not-first' | 'not-last';
  /** The rows of a character that occurs several times. */
  repeated: 'added' | 'last' | 'first' | 'mean' | 'once-per-example' | 'last-per-example' | 'largest';
  start: 'zeros' | 'C' | 'ones';
  /** How far apart the rows of dC are taken to be: E entries, or 1 where the factor E is missing. */
  stride: 'E' | '1';
}

export const RIGHT_SCATTERING: Scattering = {
  order: 'right',
  index: 'character',
  positions: 'all',
  examples: 'all',
  repeated: 'added',
  start: 'zeros',
  stride: 'E',
};

/** The wrong choices for each aspect. */
export const SCATTERING_MISTAKES: { readonly [Aspect in keyof Scattering]: readonly Scattering[Aspect][] } = {
  order: ARRANGEMENTS.filter((how) => how !== 'right'),
  index: ['character-after', 'character-before', 'target', 'first-character', 'last-character'],
  positions: ['first', 'last', 'not-first', 'not-last', 'second', 'first-n', 'not-character-0', 'summed'],
  examples: ['first', 'last', 'not-first', 'not-last'],
  repeated: ['last', 'first', 'mean', 'once-per-example', 'last-per-example', 'largest'],
  start: ['C', 'ones'],
  stride: ['1'],
};

/** demb [n,T,E] scattered into the shape of C [V,E]. */
export function scattered(at: ValuesAndGradients, how: Scattering, of: Tensor): Tensor {
  const [V, E] = at.C.shape;
  const [n, T] = at.Xb.shape;
  const own = arranged(at, how.order, of);
  // The one-hot summed over the context, times demb summed over it.
  const rows = how.positions === 'summed' ? Tensor.zerosLike(own).add(own.sum(1, { keepdim: true })) : own;
  const out = Tensor.zeros([V, E], 'float64').add(how.start === 'C' ? at.C : how.start === 'ones' ? 1 : 0);
  const stride = how.stride === 'E' ? E : 1;
  const counts = new Map<number, number>();
  const seen = new Set<string>();
  for (let i = 0; i < n; i++) {
    if (!within(how.examples, i, n)) continue;
    for (let t = 0; t < T; t++) {
      if (!isUsed(at, how.positions, i, t)) continue;
      const row = rowOf(at, how.index, i, t);
      const count = counts.get(row) ?? 0;
      const key = `${i} ${row}`;
      if (how.repeated === 'once-per-example' && seen.has(key)) continue;
      seen.add(key);
      if (how.repeated === 'last-per-example' && isRepeatedLater(at, how.index, i, t)) continue;
      counts.set(row, count + 1);
      for (let e = 0; e < E; e++) {
        const [old, more] = [out.data[row * stride + e], rows.data[(i * T + t) * E + e]];
        out.data[row * stride + e] = combined(how.repeated, old, more, count);
      }
    }
  }
  return out;
}

/** Whether the row of a position is that of a later position of the same example. */
function isRepeatedLater(at: ValuesAndGradients, index: Scattering['index'], i: number, t: number): boolean {
  const T = at.Xb.shape[1];
  for (let later = t + 1; later < T; later++) if (rowOf(at, index, i, later) === rowOf(at, index, i, t)) return true;
  return false;
}

function isUsed({ Xb }: ValuesAndGradients, positions: Scattering['positions'], i: number, t: number): boolean {
  const [n, T] = Xb.shape;
  if (positions === 'summed') return true;
  if (positions === 'first-n') return i * T + t < n;
  return positions === 'not-character-0' ? Xb.data[i * T + t] !== 0 : within(positions, t, T);
}

function within(
  which: Exclude<Scattering['positions'], 'first-n' | 'not-character-0' | 'summed'> | Scattering['examples'],
  i: number,
  count: number,
): boolean {
  switch (which) {
    case 'all':
      return true;
    case 'first':
      return i === 0;
    case 'last':
      return i === count - 1;
    case 'not-first':
      return i > 0;
    case 'not-last':
      return i < count - 1;
    case 'second':
      return i === 1;
  }
}

function rowOf({ Xb, Yb, C }: ValuesAndGradients, index: Scattering['index'], i: number, t: number): number {
  const [V] = C.shape;
  const T = Xb.shape[1];
  switch (index) {
    case 'character':
      return Xb.data[i * T + t];
    case 'character-after':
      return (Xb.data[i * T + t] + 1) % V;
    case 'character-before':
      return (Xb.data[i * T + t] + V - 1) % V;
    case 'target':
      return Yb.data[i];
    case 'first-character':
      return Xb.data[i * T];
    case 'last-character':
      return Xb.data[i * T + T - 1];
  }
}

function combined(how: Scattering['repeated'], old: number, more: number, count: number): number {
  switch (how) {
    case 'added':
    case 'once-per-example':
    case 'last-per-example':
      return old + more;
    case 'last':
      return more;
    case 'first':
      return count === 0 ? more : old;
    case 'mean':
      return (old * count + more) / (count + 1);
    case 'largest':
      return count === 0 ? more : Math.max(old, more);
  }
}
