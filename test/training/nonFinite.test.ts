import { describe, expect, it } from 'vitest';
import { NumericalError } from '../../src/core/errors.js';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { createModel } from '../../src/network/arrays.js';
import { parameterNames } from '../../src/network/parameters.js';
import { diagnose, diagnoseModel, NonFiniteError } from '../../src/training/diagnose.js';
import { Training } from '../../src/training/training.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { OPTIMIZER_CONFIGS, RECIPES, type Recipe } from '../support/recipes.js';
import { CONFIG, stepped, TENSORS } from '../support/steppedModel.js';

describe('NonFiniteError', () => {
  const inputs = [
    { tensor: 'h', index: [3, 1], value: -1 },
    { tensor: 'dlogits', index: [0, 6], value: 2.5e38 },
  ];

  it('names in one line the step, the tensor, the index, the value and the largest inputs', () => {
    const { message } = new NonFiniteError(12, 2.5, { tensor: 'dW2', index: [4, 6], value: -Infinity, inputs });
    expect(message).toBe(
      'step 12: dW2[4, 6] is -Infinity, everything computed before it is finite; largest entries it is computed from: h[3, 1] = -1, dlogits[0, 6] = 2.5e+38',
    );
  });

  it.each(parameterNames({ hidden: [5, 2] }))('says that an update set %s', (tensor) => {
    const { message } = new NonFiniteError(12, Number.NaN, { tensor, index: [4], value: Number.NaN, inputs: inputs.slice(0, 1) });
    expect(message).toBe(`step 12: ${tensor}[4] is NaN, set by an earlier update; largest gradient of the last one: h[3, 1] = -1`);
  });

  it('gives the loss if no tensor is known', () => {
    expect(new NonFiniteError(3, Infinity, undefined).message).toBe('step 3: the loss is Infinity');
  });

  it('is a NumericalError with step and diagnosis', () => {
    const diagnosis = { tensor: 'h', index: [0, 0], value: Number.NaN, inputs };
    const error = new NonFiniteError(5, 1, diagnosis);
    expect(error).toBeInstanceOf(NumericalError);
    expect([error.step, error.diagnosis]).toEqual([5, diagnosis]);
  });

  it('names the optimizer state of a parameter, and the gradient of that parameter', () => {
    const { model, activations } = stepped([5]);
    const state = { m: model.flatParameters.map(() => 0), v: model.flatParameters.map(() => 0) };
    // After C [7,3] and 6 entries of W1 [6,5].
    state.v[21 + 6] = Infinity;
    model.gradients.W1[6] = 1e25;
    for (const diagnosis of [diagnose(model, activations, state), diagnoseModel(model, state)]) {
      expect(diagnosis).toMatchObject({ tensor: 'v of W1', index: [1, 1], value: Infinity });
      expect(new NonFiniteError(5, 1, diagnosis).message).toBe(
        `step 5: v of W1[1, 1] is Infinity, set by an earlier update; largest gradient of the last one: dW1[1, 1] = ${Math.fround(1e25)}`,
      );
    }
    state.m[20] = Number.NaN;
    expect(diagnose(model, activations, state)).toMatchObject({ tensor: 'm of C', index: [6, 2] });
    // Parameters come before the optimizer state.
    model.parameters.b2[3] = Number.NaN;
    expect(diagnose(model, activations, state)).toMatchObject({ tensor: 'b2', index: [3] });
  });

  it.each(TENSORS)('is one line for $tensor (H $H)', ({ tensor, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    tensors[tensor][1] = Number.NaN;
    const { message } = new NonFiniteError(5, 1, diagnose(model, activations));
    expect(message).toMatch(
      /^step 5: [\w.]+\[\d+(, \d+)?\] is NaN, [^\n]+; largest (entries it is computed from|gradient of the last one): [^\n]+$/,
    );
  });
});

describe.each(FLOAT32_BACKENDS)('a gradient that becomes NaN in a Training on $name', ({ create }) => {
  const NAMES = ['anna', 'emma', 'ella', 'lena', 'mae', 'alma', 'noel', 'lana'];
  // No example has the last character, so its row in C never reaches the loss.
  const VOCABULARY = NameList.of([...NAMES, 'z']).vocabulary;
  const EXAMPLES = createExamples(NAMES, VOCABULARY, 2);
  const config = { ...CONFIG, vocabulary: VOCABULARY.length };

  type Spoilt = Partial<Recipe> & { steps?: number; value?: number };

  /** Trains with a gradient that becomes NaN, or another given value, in one step. Returns the error that ends it, and the completed steps. */
  function train(gradient: 'C' | 'W2', at: number, checkEvery?: number, { steps = 30, value = Number.NaN, ...recipe }: Spoilt = {}) {
    const model = createModel(create(), config);
    const options = { steps, batchSize: 4, learningRate: 0.1, seed: 1, ...recipe };
    const training = new Training(model, EXAMPLES, options, { checkEvery }, undefined);
    const { backend } = model;
    const original = { ...backend };
    // Called by the last layer of the backward pass.
    const spoil = () => {
      if (training.step === at) model.gradients[gradient][model.gradients[gradient].length - 1] = value;
    };
    backend.embeddingTableBackward = (...args) => {
      original.embeddingTableBackward(...args);
      spoil();
    };
    backend.embeddingBackward = (...args) => {
      original.embeddingBackward(...args);
      spoil();
    };
    let error: unknown;
    let parameters: number[] = [];
    try {
      while (!training.done) {
        parameters = [...model.flatParameters];
        training.advance();
      }
    } catch (thrown) {
      error = thrown;
    }
    const unchanged = parameters.every((value, i) => Object.is(value, model.flatParameters[i]));
    return { error: error as NonFiniteError | undefined, step: training.step, unchanged };
  }
  const last = VOCABULARY.length - 1;

  it('causes no error while all gradients are finite', () => {
    expect(train('C', -1, 1)).toMatchObject({ error: undefined, step: 30 });
  });

  it.each([0, 1, 7, 29])('is found with checkEvery 1 in step %i itself, before the update', (at) => {
    const { error, step, unchanged } = train('C', at, 1);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ step: at, diagnosis: { tensor: 'dC', index: [last, 2], value: Number.NaN } });
    expect({ step, unchanged }).toEqual({ step: at, unchanged: true });
    expect(error?.message).toMatch(
      new RegExp(
        `^step ${at}: dC\\[${last}, 2\\] is NaN, everything computed before it is finite; .+: dhprebn\\[.+\\] = .+, W1\\[.+\\] = .+$`,
      ),
    );
  });

  it.each([
    [1, 5, 5],
    [4, 5, 5],
    [6, 5, 10],
    [3, 7, 7],
    [8, 7, 14],
  ])('in step %i is found with checkEvery %i in step %i', (at, checkEvery, noticed) => {
    const { error, step, unchanged } = train('C', at, checkEvery);
    expect(error).toMatchObject({ step: noticed, diagnosis: { tensor: 'C', index: [last, 2], value: Number.NaN } });
    expect({ step, unchanged }).toEqual({ step: noticed, unchanged: true });
  });

  it('is found every 1000 steps by default', () => {
    expect(train('C', 1, undefined, { steps: 1001 })).toMatchObject({ error: { step: 1000 }, step: 1000 });
    expect(train('C', 1, undefined, { steps: 1000 }).error).toBeUndefined();
  });

  it.each(RECIPES)('is found with $name', ({ recipe }) => {
    const { error, step } = train('W2', 3, 1000, recipe);
    expect(step).toBe(4);
    expect(error?.message).toBe(
      `step 4: W2[4, ${last}] is NaN, set by an earlier update; largest gradient of the last one: dW2[4, ${last}] = NaN`,
    );
  });

  it('or whose square overflows is found in the optimizer state of adam', () => {
    const { error, step, unchanged } = train('C', 3, 5, { optimizer: OPTIMIZER_CONFIGS.adam, value: 1e25 });
    expect({ step, unchanged }).toEqual({ step: 5, unchanged: true });
    expect(error).toMatchObject({ step: 5, diagnosis: { tensor: 'v of C', index: [last, 2], value: Infinity } });
  });

  it('is found in the next step if it reaches the loss, with the parameter and the gradient', () => {
    const { error, step, unchanged } = train('W2', 3, 1000);
    expect({ step, unchanged }).toEqual({ step: 4, unchanged: true });
    expect(error?.message).toBe(
      `step 4: W2[4, ${last}] is NaN, set by an earlier update; largest gradient of the last one: dW2[4, ${last}] = NaN`,
    );
  });
});
