import { normal, type RandomStream, randomInteger, randomStream } from '../../core/random.js';
import { sizeOf, Tensor } from '../../core/tensor.js';
import type { Draw } from './layer.js';
import type { Precision } from './report.js';

/** What `draw.normal` gives: generic values, zeros (half of them, or all), or large values of 5 to about 30, where functions saturate. */
export const DRAW_MODES = ['generic', 'some-zeros', 'zeros', 'large'] as const;
export type DrawMode = (typeof DRAW_MODES)[number];

/** Identifies a draw: the same numbers each time. */
export interface DrawKey {
  seed: string;
  mode: DrawMode;
  precision: Precision;
}

/** In the mode 'large', a normal number times this, moved away from 0 by the second: clipped functions have bounds of up to about 6. */
const LARGE = 10;
const AWAY = 5;
/** In float32, draws are multiples of this: then shifts by a power of two do not round. */
const GRID = 2 ** -9;

/** A draw, and whether `normal` was called: otherwise the modes do not differ. */
export interface CountedDraw extends Draw {
  readonly usedNormal: boolean;
}

/** Starts a draw from its first number. */
export function startDraw({ seed, mode, precision }: DrawKey): CountedDraw {
  const random = randomStream('grad-check', seed);
  let usedNormal = false;
  const numbers = (shape: readonly number[], one: () => number, grid = GRID) => {
    const onGrid = precision === 'float64' ? (x: number) => x : (x: number) => Math.round(x / grid) * grid;
    if (shape.length === 0) return onGrid(one());
    if (Array.isArray(shape[0])) throw new TypeError(`draw: the shape is a list of arguments; write draw.normal(${shape[0].join(', ')})`);
    const size = sizeOf(shape);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new TypeError(`draw: sizes must be whole numbers, found ${shape.map(String).join(', ')}`);
    return new Tensor(
      Float64Array.from({ length: size }, () => onGrid(one())),
      shape,
    );
  };
  const draw = {
    normal: (...shape: number[]) => {
      usedNormal = true;
      return numbers(shape, () => normalIn(mode, random));
    },
    near: (value: number, ...shape: number[]) => numbers(shape, () => near(value, random), gridFor(value)),
    positive: (...shape: number[]) => numbers(shape, () => Math.max(GRID, Math.exp(0.55 * normal(random)))),
    index: (count: number, below: number) => indices(count, below, random),
    integer: (below: number) => Int32Array.of(randomInteger(random, below)),
    get usedNormal() {
      return usedNormal;
    },
  };
  return draw as CountedDraw;
}

function normalIn(mode: DrawMode, random: RandomStream): number {
  const x = normal(random);
  if (mode === 'large') return LARGE * x + (x < 0 ? -AWAY : AWAY);
  const zero = mode === 'zeros' || (mode === 'some-zeros' && random() < 0.5);
  return zero ? 0 : x;
}

/** 5 to 30 % away from the value, never at it: a gain of exactly 1 hides mistakes. */
function near(value: number, random: RandomStream): number {
  const distance = (0.05 + 0.25 * random()) * (random() < 0.5 ? -1 : 1);
  return value + distance * (value === 0 ? 1 : value);
}

/** Small values keep their nine digits: 1e-4 is no multiple of the grid for 1. */
function gridFor(value: number): number {
  return GRID * 2 ** Math.min(0, Math.floor(Math.log2(Math.abs(value) || 1)));
}

/** Repeated indices show whether gradients are added. */
function indices(count: number, below: number, random: RandomStream): Int32Array {
  const out = Int32Array.from({ length: count }, () => randomInteger(random, below));
  if (count >= 2 && new Set(out).size === count) {
    const from = randomInteger(random, count);
    out[(from + 1 + randomInteger(random, count - 1)) % count] = out[from];
  }
  return out;
}
