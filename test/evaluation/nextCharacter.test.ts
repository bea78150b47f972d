import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { contextOf, NextCharacter } from '../../src/evaluation/nextCharacter.js';
import { Sampler } from '../../src/evaluation/sampler.js';
import { allocateModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import type { ModelConfig, Norm } from '../../src/network/parameters.js';
import { BACKENDS } from '../support/backends.js';

const VOCABULARY = ['.', 'a', 'b', 'c', 'd'];
const SIZES = { context: 3, embedding: 4, vocabulary: VOCABULARY.length };

/** An initialised network on the kernels, with statistics that are not 0 and 1. */
function network(config: ModelConfig): Model {
  const model = allocateModel(BACKENDS[BACKENDS.length - 1].create, config, { inference: [1] });
  initialise(model, 3);
  for (const data of Object.values(model.statistics)) for (let i = 0; i < data.length; i++) data[i] += 0.1 * (i + 1);
  return model;
}

const tensorsOf = ({ parameters, statistics }: Model) =>
  Object.fromEntries(Object.entries({ ...parameters, ...statistics }).map(([name, data]) => [name, { data: data.slice() }]));

describe.each(['batch', 'none'] satisfies Norm[])('the next character with norm %s', (norm) => {
  it.each([[[6]], [[6, 5, 4]], [[1]]])('of hidden sizes %j has the probability that sampling draws it with', (hidden) => {
    const model = network({ ...SIZES, hidden, norm });
    const next = new NextCharacter(model.config, tensorsOf(model));
    const empty = next.after([]);
    expect(Array.from(empty).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const sampler = new Sampler(model, VOCABULARY, randomStream('sampling', 1));
    expect(empty[0]).toBeCloseTo(sampler.emptyProbability({ temperature: 1, prefix: '' }), 5);
    // The likeliest character is the one that sampling at temperature 0 takes.
    const prefix = [1, 2];
    const probabilities = next.after(prefix);
    const likeliest = probabilities.indexOf(Math.max(...probabilities));
    const { name } = sampler.sample({ temperature: 0, prefix: 'ab' });
    expect(name[2] ?? '.').toBe(VOCABULARY[likeliest]);
  });
});

describe('what the network sees', () => {
  it('is the last characters, with boundaries before the first one', () => {
    expect(contextOf([], 3)).toEqual([0, 0, 0]);
    expect(contextOf([5], 3)).toEqual([0, 0, 5]);
    expect(contextOf([1, 2, 3, 4], 3)).toEqual([2, 3, 4]);
  });

  it('makes all longer prefixes with this end equal', () => {
    const model = network({ ...SIZES, hidden: [6] });
    const next = new NextCharacter(model.config, tensorsOf(model));
    expect(next.after([4, 4, 1, 2, 3])).toEqual(next.after([1, 2, 3]));
  });
});

it('refuses a network in which a tensor is missing or has another size', () => {
  const model = network({ ...SIZES, hidden: [6] });
  const { W2: _, ...rest } = tensorsOf(model);
  expect(() => new NextCharacter(model.config, rest)).toThrow('W2 has no entries, expected 30');
  expect(() => new NextCharacter(model.config, { ...rest, W2: { data: new Float32Array(7) } })).toThrow('W2 has 7 entries, expected 30');
});
