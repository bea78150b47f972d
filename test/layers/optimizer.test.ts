import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { normal, randomStream } from '../../src/core/random.js';
import { BACKENDS, FLOAT32_BACKENDS, floatsOf } from '../support/backends.js';
import { relativeError } from '../support/compare.js';

/** All arrays that the updates read and write; each update uses some of them. */
interface Blocks {
  p: number[];
  velocity: number[];
  m: number[];
  v: number[];
  dp: number[];
}
type Arrays = Record<keyof Blocks, ReturnType<Backend['floats']>>;

const RATE = 0.1;
const MOMENTUM = 0.9;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-3];

interface Update {
  name: string;
  run: (backend: Backend, arrays: Arrays, size: number) => void;
  /** The formula for entry i, with every operation rounded. */
  formula: (blocks: Blocks, i: number, round: (x: number) => number) => void;
}

const UPDATES: readonly Update[] = [
  {
    name: 'sgdUpdate',
    run: (backend, { p, dp }, size) => backend.sgdUpdate(p, dp, RATE, size),
    formula: ({ p, dp }, i, f) => {
      p[i] = f(p[i] - f(f(RATE) * dp[i]));
    },
  },
  {
    name: 'momentumUpdate',
    run: (backend, { p, velocity, dp }, size) => backend.momentumUpdate(p, velocity, dp, RATE, MOMENTUM, false, size),
    formula: ({ p, velocity, dp }, i, f) => {
      velocity[i] = f(f(f(MOMENTUM) * velocity[i]) + dp[i]);
      p[i] = f(p[i] - f(f(RATE) * velocity[i]));
    },
  },
  {
    name: 'momentumUpdate, Nesterov',
    run: (backend, { p, velocity, dp }, size) => backend.momentumUpdate(p, velocity, dp, RATE, MOMENTUM, true, size),
    formula: ({ p, velocity, dp }, i, f) => {
      velocity[i] = f(f(f(MOMENTUM) * velocity[i]) + dp[i]);
      p[i] = f(p[i] - f(f(RATE) * f(dp[i] + f(f(MOMENTUM) * velocity[i]))));
    },
  },
  {
    name: 'adamUpdate',
    run: (backend, { p, m, v, dp }, size) => backend.adamUpdate(p, m, v, dp, RATE, BETA1, BETA2, EPSILON, size),
    formula: ({ p, m, v, dp }, i, f) => {
      m[i] = f(f(f(BETA1) * m[i]) + f(f(1 - BETA1) * dp[i]));
      v[i] = f(f(f(BETA2) * v[i]) + f(f(f(1 - BETA2) * dp[i]) * dp[i]));
      p[i] = f(p[i] - f(f(f(RATE) * m[i]) / f(f(Math.sqrt(v[i])) + f(EPSILON))));
    },
  },
  {
    name: 'scale',
    run: (backend, { p }, size) => backend.scale(p, RATE, size),
    formula: ({ p }, i, f) => {
      p[i] = f(f(RATE) * p[i]);
    },
  },
];

/** Arrays with a guard entry at the end. */
function drawBlocks(size: number): Blocks {
  const random = randomStream('batches', `optimizer ${size}`);
  const draw = (scale: number) => Array.from({ length: size + 1 }, () => Math.fround(normal(random) * scale));
  return { p: draw(1), velocity: draw(0.5), m: draw(0.1), v: draw(0.1).map(Math.abs), dp: draw(0.3) };
}

function runOn(backend: Backend, { run }: Update, blocks: Blocks, size: number): Blocks {
  const arrays = Object.fromEntries(Object.entries(blocks).map(([name, values]) => [name, floatsOf(backend, values)])) as Arrays;
  run(backend, arrays, size);
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, [...array]])) as unknown as Blocks;
}

function expected({ formula }: Update, blocks: Blocks, size: number, round: (x: number) => number): Blocks {
  const copy = structuredClone(blocks);
  for (let i = 0; i < size; i++) formula(copy, i, round);
  return copy;
}

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 4137];

describe.each(UPDATES)('$name at sizes 1 to 9 and 4137', (update) => {
  it.each(BACKENDS.filter(({ name }) => name === 'wasm'))(
    'computes its formula to the bit in the kernels, and writes nothing after the last entry',
    ({ create }) => {
      for (const size of SIZES) {
        const blocks = drawBlocks(size);
        expect(runOn(create(), update, blocks, size), `${size}`).toEqual(expected(update, blocks, size, Math.fround));
      }
    },
  );

  it.each(BACKENDS.filter(({ dtype }) => dtype === 'float64'))('computes its formula to the bit in float64 loops', ({ create }) => {
    for (const size of SIZES) {
      const blocks = drawBlocks(size);
      expect(runOn(create(), update, blocks, size), `${size}`).toEqual(expected(update, blocks, size, (x) => x));
    }
  });

  it.each(FLOAT32_BACKENDS)('computes the float64 formula within 1e-6 on $name', ({ create }) => {
    for (const size of SIZES) {
      const blocks = drawBlocks(size);
      const found = runOn(create(), update, blocks, size);
      const exact = expected(update, blocks, size, (x) => x);
      for (const name of ['p', 'velocity', 'm', 'v', 'dp'] as const) {
        expect(relativeError(found[name], exact[name]), `${name} of ${size}`).toBeLessThan(1e-6);
      }
    }
  });

  it.each(BACKENDS)('propagates NaN and Inf at their own entries only on $name', ({ create }) => {
    const size = 7;
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (let at = 0; at < size; at++) {
        const blocks = drawBlocks(size);
        const healthy = runOn(create(), update, blocks, size);
        blocks[update.name === 'scale' ? 'p' : 'dp'][at] = bad;
        const { p } = runOn(create(), update, blocks, size);
        expect(p.map(Number.isFinite)).toEqual(p.map((_, i) => i !== at));
        expect(p.filter((_, i) => i !== at)).toEqual(healthy.p.filter((_, i) => i !== at));
      }
    }
  });
});

describe.each(BACKENDS)('sgdUpdate on $name', ({ create }) => {
  it('computes p -= rate·dp', () => {
    const backend = create();
    const p = floatsOf(backend, [1, -2, 3, 0, 5]);
    backend.sgdUpdate(p, floatsOf(backend, [2, 4, -8, 16, 0]), 0.25, 5);
    expect([...p]).toEqual([0.5, -3, 5, -4, 5]);
  });
});

describe.each(BACKENDS)('sumOfSquares on $name', ({ create }) => {
  it('adds every entry once: 1 + 4 + 9 + … + n² for n from 0 to 9', () => {
    for (let n = 0; n < 10; n++) {
      const backend = create();
      const x = floatsOf(backend, [...Array.from({ length: n }, (_, i) => (i % 2 === 0 ? i + 1 : -i - 1)), 1000]);
      expect(backend.sumOfSquares(x, n)).toBe((n * (n + 1) * (2 * n + 1)) / 6);
    }
  });

  it('accumulates in float64: 4137 entries agree with plain numbers within 1e-14', () => {
    const { p } = drawBlocks(4137);
    const backend = create();
    const exact = p.reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs(backend.sumOfSquares(floatsOf(backend, p), p.length) / exact - 1)).toBeLessThan(1e-14);
  });

  it('is finite for 1e30 in float32, and not finite for NaN or Inf at any entry', () => {
    const backend = create();
    expect(backend.sumOfSquares(floatsOf(backend, [1e30, 1e30]), 2)).toBeCloseTo(2e60, -55);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (let at = 0; at < 7; at++) {
        const x = floatsOf(
          backend,
          Array.from({ length: 7 }, (_, i) => (i === at ? bad : 1)),
        );
        expect(Number.isFinite(backend.sumOfSquares(x, 7))).toBe(false);
      }
    }
  });
});
