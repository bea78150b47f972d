import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isStreamState,
  normal,
  type RandomStream,
  randomInteger,
  randomStream,
  restoreStream,
  type StreamName,
  type StreamState,
  shuffled,
} from '../../src/core/random.js';

const STREAMS: StreamName[] = ['split', 'initialisation', 'batches', 'sampling', 'grad-check'];
/** A stream from a state that was stored as JSON. */
const restore = (state: StreamState): RandomStream => restoreStream(JSON.parse(JSON.stringify(state)) as StreamState);
const draw = <T>(count: number, from: () => T): T[] => Array.from({ length: count }, from);

describe('randomStream', () => {
  it('gives the same numbers for the same name and seed in every version', () => {
    expect(draw(5, randomStream('batches', 42))).toEqual(draw(5, randomStream('batches', 42)));
    expect(draw(3, randomStream('batches', 42))).toEqual([0.3479025459382683, 0.47705915686674416, 0.8588433489203453]);
  });

  it('gives unrelated numbers for another name or seed: |correlation| over 10,000 numbers below 0.04, four standard errors', () => {
    const streams = [...STREAMS.map((name) => randomStream(name, 42)), randomStream('batches', 43), randomStream('batches', -42)];
    const drawn = streams.map((stream) => draw(10_000, stream).map((x) => x - 0.5));
    for (let a = 0; a < drawn.length; a++) {
      for (let b = 0; b < a; b++) {
        const covariance = drawn[a].reduce((sum, x, i) => sum + x * drawn[b][i], 0) / 10_000;
        expect(Math.abs(covariance * 12)).toBeLessThan(0.04);
      }
    }
  });

  it('distinguishes the seeds 1, 11, "1 " and 1.5 of "split"', () => {
    const first = (['1', '11', '1 ', 1.5] as const).map((seed) => randomStream('split', seed)());
    expect(new Set(first).size).toBe(first.length);
  });

  it('continues exactly from a stored state', () => {
    const stream = randomStream('sampling', 7);
    draw(11, () => normal(stream));
    const state = stream.state();
    const expected = draw(20, () => normal(stream));
    const restored = restore(state);
    expect(draw(20, () => normal(restored))).toEqual(expected);
  });
});

describe('restoreStream', () => {
  it('gives a stream in the same state, after any number of draws and for any seed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STREAMS), fc.integer(), fc.nat(200), (name, seed, count) => {
        const stream = randomStream(name, seed);
        draw(count, stream);
        const restored = restore(stream.state());
        expect(restored.state()).toEqual(stream.state());
        expect(draw(10, restored)).toEqual(draw(10, stream));
      }),
    );
  });

  it('does not change the given state, and shares it with no other stream', () => {
    const state = Object.freeze(randomStream('batches', 1).state());
    const [one, two] = [restoreStream(state), restoreStream(state)];
    const expected = draw(5, one);
    expect(draw(5, two)).toEqual(expected);
    expect(state).toEqual(randomStream('batches', 1).state());
  });

  it('does not change a state that was taken before', () => {
    const stream = randomStream('batches', 1);
    const before = stream.state();
    const copy = { ...before };
    draw(5, stream);
    expect(before).toEqual(copy);
    expect(stream.state()).not.toEqual(copy);
  });
});

describe('isStreamState', () => {
  const GOOD: StreamState = { c: 1, s0: 0.5, s1: 0.25, s2: 0.75 };
  const ULP = 2 ** -32;

  it('accepts every state that a stream can have', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STREAMS), fc.integer(), fc.nat(1000), (name, seed, count) => {
        const stream = randomStream(name, seed);
        draw(count, stream);
        expect(isStreamState(stream.state())).toBe(true);
      }),
    );
  });

  it.each([
    ['a valid state', {}],
    ['no carry', { c: 0 }],
    ['the largest carry', { c: 2_091_638 }],
    ['a lag of 0', { s0: 0 }],
    ['the largest lag', { s2: 1 - ULP }],
    ['the smallest positive lag', { s1: ULP }],
  ])('accepts %s', (_, change) => {
    expect(isStreamState({ ...GOOD, ...change })).toBe(true);
  });

  it.each([[-1], [0.5], [2_091_639], [1e300], [Number.NaN], [Infinity], [-Infinity]])('refuses the carry %d', (c) => {
    expect(isStreamState({ ...GOOD, c })).toBe(false);
  });

  it.each(
    (['s0', 's1', 's2'] as const).flatMap((lag) => [-ULP, 1, 1.5, 2, ULP / 2, 0.1, Number.NaN, Infinity].map((value) => ({ lag, value }))),
  )('refuses the lag $lag of $value', ({ lag, value }) => {
    expect(isStreamState({ ...GOOD, [lag]: value })).toBe(false);
  });
});

describe('normal', () => {
  it('has the moments 0, 1, 0 and 3 over 100,000 numbers, within four standard errors', () => {
    const random = randomStream('grad-check', 'moments');
    const xs = draw(100_000, () => normal(random));
    const moment = (power: number) => xs.reduce((sum, x) => sum + x ** power, 0) / xs.length;
    const standardErrors = [1, 2, 15, 96].map((variance) => Math.sqrt(variance / xs.length));
    [0, 1, 0, 3].forEach((expected, i) => {
      expect(Math.abs(moment(i + 1) - expected)).toBeLessThan(4 * standardErrors[i]);
    });
  });

  it('keeps nothing from one call to the next: the stream is the only state', () => {
    const random = randomStream('sampling', 3);
    normal(random);
    const twin = restore(random.state());
    expect(normal(random)).toBe(normal(twin));
  });

  it('draws again outside the unit circle and at its centre', () => {
    const uniform = [0.99, 0.99, 0.5, 0.5, 0.75, 0.5][Symbol.iterator]();
    const random = Object.assign(() => uniform.next().value as number, { state: randomStream('split', 0).state });
    expect(normal(random)).toBe(0.5 * Math.sqrt((-2 * Math.log(0.25)) / 0.25));
  });
});

describe('randomInteger', () => {
  it('is an integer from 0 to limit - 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer(), (limit, seed) => {
        const drawn = randomInteger(randomStream('split', seed), limit);
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < limit).toBe(true);
      }),
    );
  });

  it('gives each of 7 values about equally often: chi-square of 70,000 below 22.5 (0.1 %)', () => {
    const random = randomStream('batches', 'uniform');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[randomInteger(random, 7)]++;
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
  });
});

describe('shuffled', () => {
  it('is a permutation, and does not change the list', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (values, seed) => {
        const before = [...values];
        const out = shuffled(values, randomStream('split', seed));
        expect(values).toEqual(before);
        expect([...out].sort((a, b) => a - b)).toEqual([...before].sort((a, b) => a - b));
      }),
    );
  });

  it('gives each of the 6 orders of three about equally often: chi-square of 6,000 below 20.5 (0.1 %)', () => {
    const random = randomStream('split', 'orders');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6_000; i++) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    expect([...counts.values()].reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(20.5);
  });

  it('gives the same order for the same seed in every version', () => {
    expect(shuffled([...'abcdefgh'], randomStream('split', 42)).join('')).toBe('adcbegfh');
  });
});
