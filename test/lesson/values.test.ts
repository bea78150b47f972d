import { describe, expect, it } from 'vitest';
import { createLessonCase } from '../../src/lesson/case.js';
import { forward, forwardLines } from '../../src/lesson/forward.js';
import { consumersOf, INTERMEDIATE_NAMES, STEP_INPUTS, STEP_NAMES, stepsAfter, VALUE_NAMES } from '../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';

const [n, T, E, H, V] = [5, 3, 4, 7, 9];
const { values, parameters, batch } = createLessonCase({ context: T, embedding: E, hidden: [H], vocabulary: V }, n, 'values');

describe('the forward pass as a graph', () => {
  it.each(STEP_NAMES)('lists the inputs that the step %s reads', (step) => {
    const read = new Set<string>();
    const watched = new Proxy(values, {
      get(target, name: keyof typeof values) {
        read.add(name);
        return target[name];
      },
    });
    forwardLines[step](watched);
    expect([...read].filter((name) => (VALUE_NAMES as readonly string[]).includes(name)).sort()).toEqual([...STEP_INPUTS[step]].sort());
  });

  it.each([
    ['logprobs', ['loss']],
    ['counts_sum', ['counts_sum_inv', 'probs', 'logprobs', 'loss']],
    ['b2', STEP_NAMES.slice(STEP_NAMES.indexOf('logits'))],
    ['bnvar', ['bnvar_inv', 'bnraw', 'hpreact', 'h', ...STEP_NAMES.slice(STEP_NAMES.indexOf('logits'))]],
    ['C', STEP_NAMES],
  ] as const)('has, after %s, the steps %j', (name, steps) => {
    expect(stepsAfter(name)).toEqual(steps);
  });

  it('puts every step after its inputs, and has a reader for every tensor', () => {
    const known = new Set<string>(LESSON_PARAMETER_NAMES);
    for (const step of STEP_NAMES) {
      for (const input of STEP_INPUTS[step]) expect(known, `${step} reads ${input}`).toContain(input);
      known.add(step);
    }
    for (const name of VALUE_NAMES) expect(consumersOf(name), name).not.toEqual([]);
  });

  it('has four tensors with two readers, whose gradients are sums', () => {
    expect(VALUE_NAMES.filter((name) => consumersOf(name).length > 1)).toEqual(['hprebn', 'bndiff', 'logits', 'counts']);
    expect(consumersOf('bndiff')).toEqual(['bndiff2', 'bnraw']);
  });
});

describe('the values of a forward pass', () => {
  it('have the shapes of the lesson', () => {
    expect(Object.fromEntries([...INTERMEDIATE_NAMES, 'loss' as const].map((name) => [name, values[name].shape]))).toEqual({
      emb: [n, T, E],
      embact: [n, T * E],
      ...Object.fromEntries(['hprebn', 'bndiff', 'bndiff2', 'bnraw', 'hpreact', 'h'].map((name) => [name, [n, H]])),
      ...Object.fromEntries(['bnmeani', 'bnvar', 'bnvar_inv'].map((name) => [name, [1, H]])),
      ...Object.fromEntries(['logits', 'norm_logits', 'counts', 'probs', 'logprobs'].map((name) => [name, [n, V]])),
      ...Object.fromEntries(['logit_maxes', 'counts_sum', 'counts_sum_inv'].map((name) => [name, [n, 1]])),
      loss: [],
    });
  });

  it('come from a pass that leaves parameters and batch unchanged and gives the same loss again', () => {
    const before = JSON.stringify({ parameters, batch });
    const again = forward(parameters, batch);
    expect(JSON.stringify({ parameters, batch })).toBe(before);
    expect(again.loss.item()).toBe(values.loss.item());
  });
});
