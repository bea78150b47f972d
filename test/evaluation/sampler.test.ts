import { describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../../src/core/random.js';
import { drawIndex, MAX_NAME_LENGTH, Sampler } from '../../src/evaluation/sampler.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { BACKENDS } from '../support/backends.js';

const VOCABULARY = ['.', 'a', 'b', 'c'];

/** A network with a context of one character: it has one hidden unit per character, and its logits are the row of that character. */
function chain(rows: number[][]): Model {
  const V = VOCABULARY.length;
  const model = createModel(BACKENDS[0].create(), { context: 1, embedding: V, hidden: [V], vocabulary: V });
  const { C, W1, bngain, W2 } = model.parameters;
  for (let v = 0; v < V; v++) {
    C[v * V + v] = 1;
    W1[v * V + v] = 100;
    bngain[v] = 1;
    rows[v].forEach((logit, next) => {
      W2[v * V + next] = logit;
    });
  }
  return model;
}

/** The most likely next characters: a after '.', b after a, c after b, '.' after c. */
const ABC = chain([
  [0, 9, 1, 2],
  [1, 0, 9, 2],
  [2, 1, 0, 9],
  [9, 1, 2, 0],
]);
const ENDLESS = chain([
  [-100, 5, 0, 0],
  [-100, 5, 0, 0],
  [-100, 5, 0, 0],
  [-100, 5, 0, 0],
]);
const sampler = (model: Model, seed = 1) => new Sampler(model, VOCABULARY, randomStream('sampling', seed));
const fixed = (value: number): RandomStream => Object.assign(() => value, { state: randomStream('sampling', 0).state });

describe('Sampler', () => {
  it('always takes the likeliest character at temperature 0', () => {
    const names = Array.from({ length: 5 }, (_, seed) => sampler(ABC, seed).sample({ temperature: 0, prefix: '' }));
    expect(names).toEqual(Array(5).fill({ name: 'abc', ended: true }));
  });

  it('takes the likeliest character at any temperature with top-k 1', () => {
    const names = Array.from({ length: 5 }, (_, seed) => sampler(ABC, seed).sample({ temperature: 50, topK: 1, prefix: '' }).name);
    expect(names).toEqual(Array(5).fill('abc'));
  });

  it.each([
    ['b', 'bc'],
    ['cab', 'cabc'],
    ['c', 'c'],
  ])('continues the prefix %s to %s', (prefix, name) => {
    expect(sampler(ABC).sample({ temperature: 0, prefix })).toEqual({ name, ended: true });
  });

  it('refuses a prefix with a character outside the vocabulary', () => {
    expect(() => sampler(ABC).sample({ temperature: 1, prefix: 'bä' })).toThrow(new RangeError("'ä' is not in the vocabulary"));
  });

  it('cuts a name at 100 characters and reports that it did not end', () => {
    expect(sampler(ENDLESS).sample({ temperature: 0, prefix: '' })).toEqual({ name: 'a'.repeat(100), ended: false });
    expect(sampler(ENDLESS).sample({ temperature: 0, prefix: 'bc' }).name).toBe(`bc${'a'.repeat(98)}`);
    expect(MAX_NAME_LENGTH).toBe(100);
  });

  it('samples the same names from the same stream, and different names in a row', () => {
    const draw = (seed: number) => {
      const sampling = sampler(ABC, seed);
      return Array.from({ length: 20 }, () => sampling.sample({ temperature: 3, prefix: '' }).name);
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(draw(1)).size).toBeGreaterThan(5);
  });

  it('spells characters outside the basic plane', () => {
    const vocabulary = ['.', 'a', 'b', '𝄞'];
    const greedy = new Sampler(ABC, vocabulary, randomStream('sampling', 1));
    expect(greedy.sample({ temperature: 0, prefix: '' }).name).toBe('ab𝄞');
    expect(greedy.sample({ temperature: 0, prefix: '𝄞' })).toEqual({ name: '𝄞', ended: true });
  });
});

describe('a blank name', () => {
  /** Ends at once with probability p, otherwise gives a, b or c alone. */
  const ending = (p: number) => {
    const first = [Math.log(p), ...Array<number>(3).fill(Math.log((1 - p) / 3))];
    return chain([first, [0, -99, -99, -99], [0, -99, -99, -99], [0, -99, -99, -99]]);
  };
  const names = (model: Model, options: object, count = 200) => {
    const sampling = sampler(model);
    return Array.from({ length: count }, () => sampling.sample({ temperature: 1, prefix: '', ...options }).name);
  };

  it.each([
    ['often', 0.5, {}],
    ['nearly always', 1 - 1e-12, {}],
    ['at temperature 0', 0.9, { temperature: 0 }],
    ['with top-k 1', 0.9, { topK: 1 }],
    ['with top-k 2', 0.9, { topK: 2 }],
  ])('is never returned: %s', (_, p, options) => {
    const found = new Set(names(ending(p), options));
    expect([...found].filter((name) => !['a', 'b', 'c'].includes(name))).toEqual([]);
  });

  it('leaves the other names as likely to each other as before', () => {
    const found = names(ending(0.5), {}, 3000);
    for (const name of ['a', 'b', 'c']) expect(Math.abs(found.filter((one) => one === name).length - 1000)).toBeLessThan(150);
  });

  it('changes no other name: without one, the same stream gives the same names', () => {
    const sampling = sampler(ending(0.3));
    const random = randomStream('sampling', 1);
    const logits = Float32Array.from([0.3, 0.7 / 3, 0.7 / 3, 0.7 / 3], Math.log);
    const expected: string[] = [];
    while (expected.length < 50) {
      const index = drawIndex(logits, 1, 4, random);
      if (index === 0) continue;
      expected.push(VOCABULARY[index]);
      random();
    }
    expect(Array.from({ length: 50 }, () => sampling.sample({ temperature: 1, prefix: '' }).name)).toEqual(expected);
  });

  it('may be one of blank characters, too', () => {
    const blanks = ['.', ' ', '\u200b', 'c'];
    const sampling = new Sampler(ending(0.4), blanks, randomStream('sampling', 1));
    for (let i = 0; i < 100; i++) expect(sampling.sample({ temperature: 1, prefix: '' }).name).toContain('c');
    expect(sampling.sample({ temperature: 0, prefix: ' ' }).name).toBe(' c');
  });

  it('has the probability that the network gives it, at a temperature and with top-k', () => {
    const probability = (p: number, options: object) => sampler(ending(p)).emptyProbability({ temperature: 1, prefix: '', ...options });
    expect(probability(0.5, {})).toBeCloseTo(0.5, 5);
    expect(probability(0.1, {})).toBeCloseTo(0.1, 5);
    expect(probability(0.1, { topK: 2 })).toBe(0);
    expect(probability(0.5, { topK: 2 })).toBeCloseTo(0.75, 5);
    expect(probability(0.5, { temperature: 0 })).toBe(1);
    expect(probability(0.1, { temperature: 0 })).toBe(0);
    expect(probability(0.5, { prefix: 'a' })).toBe(0);
  });
});

describe('the context of a sample', () => {
  it('is the last T characters, filled with the boundary at the start', () => {
    const model = createModel(BACKENDS[0].create(), { context: 3, embedding: 1, hidden: [1], vocabulary: 4 });
    // 'a' always follows; the backend records each context.
    model.parameters.b2.set([0, 1, 0, 0]);
    const contexts: string[] = [];
    const { backend } = model;
    const watched: Model = {
      ...model,
      backend: {
        ...backend,
        embeddingForward: (emb, C, Xb, rows, E) => {
          contexts.push(Array.from(Xb.subarray(0, rows), (index) => VOCABULARY[index]).join(''));
          backend.embeddingForward(emb, C, Xb, rows, E);
        },
      },
    };
    sampler(watched).sample({ temperature: 0, prefix: 'bc' });
    expect(contexts.slice(0, 3)).toEqual(['.bc', 'bca', 'caa']);
    sampler(watched).sample({ temperature: 0, prefix: '' });
    expect(contexts.slice(98, 101)).toEqual(['...', '..a', '.aa']);
  });
});

describe('drawIndex', () => {
  const LOGITS = Float32Array.of(0, 2, 1, -1, 2, -Infinity);

  it.each([
    [1, 6],
    [0.5, 6],
    [3, 6],
    [1, 3],
    [2, 2],
  ])('draws from softmax(logits / %d) of the %i largest: chi-square of 20,000 below 22 (0.05 %)', (temperature, topK) => {
    const random = randomStream('sampling', 'chi-square');
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 20_000; i++) counts[drawIndex(LOGITS, temperature, topK, random)]++;
    const kept = [1, 4, 2, 0, 3, 5].slice(0, topK);
    const weights = Array.from(LOGITS, (logit, index) => (kept.includes(index) ? Math.exp(logit / temperature) : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let chiSquare = 0;
    counts.forEach((count, index) => {
      const expected = (20_000 * weights[index]) / total;
      if (expected === 0) expect(count).toBe(0);
      else chiSquare += (count - expected) ** 2 / expected;
    });
    expect(chiSquare).toBeLessThan(22);
  });

  it('ranks the lower of equal logits first, at temperature 0 and for top-k', () => {
    expect(drawIndex(LOGITS, 0, 6, fixed(0.99))).toBe(1);
    expect(drawIndex(LOGITS, 1, 1, fixed(0.99))).toBe(1);
    expect(drawIndex(new Float32Array(30), 1, 5, fixed(0.99))).toBe(4);
  });

  it('reaches the first and the last index at the ends of the random numbers', () => {
    expect(drawIndex(Float32Array.of(0, 0, 0), 1, 3, fixed(0))).toBe(0);
    expect(drawIndex(Float32Array.of(0, 0, 0), 1, 3, fixed(1 - 2 ** -32))).toBe(2);
  });

  it('does not overflow with logits of 1e4 at temperatures of 1e-3 and 1e3', () => {
    const logits = Float32Array.of(-1e4, 1e4, 0);
    expect([1e-3, 1, 1e3].map((temperature) => drawIndex(logits, temperature, 3, fixed(0.5)))).toEqual([1, 1, 1]);
    expect(drawIndex(Float32Array.of(1e4, 1e4), 1e-3, 2, fixed(0.75))).toBe(1);
  });

  it('draws the likeliest index more often at a lower temperature', () => {
    const share = (temperature: number) => {
      const random = randomStream('sampling', 'temperature');
      return Array.from({ length: 2_000 }, () => drawIndex(Float32Array.of(1, 0, 0), temperature, 3, random)).filter((i) => i === 0).length;
    };
    expect(share(0.3)).toBeGreaterThan(share(1));
    expect(share(1)).toBeGreaterThan(share(3));
  });
});
