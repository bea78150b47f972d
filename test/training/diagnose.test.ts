import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { NumericalError } from '../../src/core/errors.js';
import { normal, randomInteger, randomStream } from '../../src/core/random.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createExamples, createVocabulary } from '../../src/data/dataset.js';
import {
  backward,
  createModel,
  createTrainingActivations,
  forward,
  initialise,
  type Model,
  type TrainingActivations,
} from '../../src/network/model.js';
import { parameterNames } from '../../src/network/parameters.js';
import { allFinite, diagnose, diagnoseModel, isStepFinite, NonFiniteError } from '../../src/training/diagnose.js';
import { Training } from '../../src/training/training.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { OPTIMIZER_CONFIGS, RECIPES, type Recipe } from '../support/recipes.js';

const CONFIG = { context: 2, embedding: 3, hidden: [5], vocabulary: 7 };
const N = 4;

/** A model after one step, all of it finite, and its tensors by name. */
function stepped(hidden: readonly number[] = CONFIG.hidden) {
  const model = createModel(createReferenceBackend('float32'), { ...CONFIG, hidden });
  initialise(model, 1);
  const random = randomStream('grad-check', 'diagnose');
  for (let i = 0; i < model.flatParameters.length; i++) model.flatParameters[i] += 0.1 * normal(random);
  const activations = createTrainingActivations(model, N);
  for (const ints of [activations.Xb, activations.Yb]) for (let i = 0; i < ints.length; i++) ints[i] = randomInteger(random, 7);
  forward(model, activations);
  backward(model, activations);
  return { model, activations, tensors: tensorsOf(model, activations) };
}

function tensorsOf({ config, parameters, gradients }: Model, activations: TrainingActivations): Record<string, FloatArray> {
  const { logits, probs, losses, dlogits } = activations;
  const ofGradients = Object.fromEntries(parameterNames(config).map((name) => [`d${name}`, gradients[name]]));
  const ofBlocks = activations.blocks.flatMap(({ dh, dhprebn, ...forward }, k) => {
    const prefix = k === 0 ? '' : `blocks.${k + 1}.`;
    const named = Object.entries(forward).map(([name, data]) => [prefix + name, data] as const);
    return [...named, [`d${prefix}h`, dh] as const, [`d${prefix}hprebn`, dhprebn] as const];
  });
  return { ...parameters, ...ofGradients, ...Object.fromEntries(ofBlocks), logits, probs, losses, dlogits };
}

type Order = readonly (readonly [tensor: string, shape: number[], inputs: string[]])[];

/** Every tensor in the order of computation, with its shape and what it is computed from. */
const ORDER: Order = [
  ['C', [7, 3], ['dC']],
  ['W1', [6, 5], ['dW1']],
  ['b1', [5], ['db1']],
  ['bngain', [1, 5], ['dbngain']],
  ['bnbias', [1, 5], ['dbnbias']],
  ['W2', [5, 7], ['dW2']],
  ['b2', [7], ['db2']],
  ['hprebn', [4, 5], ['C', 'W1', 'b1']],
  ['bnvar_inv', [1, 5], ['hprebn']],
  ['bnraw', [4, 5], ['hprebn', 'bnvar_inv']],
  ['h', [4, 5], ['bnraw', 'bngain', 'bnbias']],
  ['logits', [4, 7], ['h', 'W2', 'b2']],
  ['probs', [4, 7], ['logits']],
  ['losses', [4], ['logits']],
  ['dlogits', [4, 7], ['probs']],
  ['dh', [4, 5], ['dlogits', 'W2']],
  ['dW2', [5, 7], ['h', 'dlogits']],
  ['db2', [7], ['dlogits']],
  ['dbngain', [1, 5], ['dh', 'h', 'bnraw']],
  ['dbnbias', [1, 5], ['dh', 'h']],
  ['dhprebn', [4, 5], ['dh', 'h', 'bnraw', 'bnvar_inv', 'bngain']],
  ['dC', [7, 3], ['dhprebn', 'W1']],
  ['dW1', [6, 5], ['C', 'dhprebn']],
  ['db1', [5], ['dhprebn']],
];

/** The same of blocks of 5 and 2. */
const DEEP_ORDER: Order = [
  ...ORDER.slice(0, 5),
  ['blocks.2.W', [5, 2], ['dblocks.2.W']],
  ['blocks.2.b', [2], ['dblocks.2.b']],
  ['blocks.2.bngain', [1, 2], ['dblocks.2.bngain']],
  ['blocks.2.bnbias', [1, 2], ['dblocks.2.bnbias']],
  ['W2', [2, 7], ['dW2']],
  ...ORDER.slice(6, 11),
  ['blocks.2.hprebn', [4, 2], ['h', 'blocks.2.W', 'blocks.2.b']],
  ['blocks.2.bnvar_inv', [1, 2], ['blocks.2.hprebn']],
  ['blocks.2.bnraw', [4, 2], ['blocks.2.hprebn', 'blocks.2.bnvar_inv']],
  ['blocks.2.h', [4, 2], ['blocks.2.bnraw', 'blocks.2.bngain', 'blocks.2.bnbias']],
  ['logits', [4, 7], ['blocks.2.h', 'W2', 'b2']],
  ...ORDER.slice(12, 15),
  ['dblocks.2.h', [4, 2], ['dlogits', 'W2']],
  ['dW2', [2, 7], ['blocks.2.h', 'dlogits']],
  ['db2', [7], ['dlogits']],
  ['dblocks.2.bngain', [1, 2], ['dblocks.2.h', 'blocks.2.h', 'blocks.2.bnraw']],
  ['dblocks.2.bnbias', [1, 2], ['dblocks.2.h', 'blocks.2.h']],
  ['dblocks.2.hprebn', [4, 2], ['dblocks.2.h', 'blocks.2.h', 'blocks.2.bnraw', 'blocks.2.bnvar_inv', 'blocks.2.bngain']],
  ['dh', [4, 5], ['dblocks.2.hprebn', 'blocks.2.W']],
  ['dblocks.2.W', [5, 2], ['h', 'dblocks.2.hprebn']],
  ['dblocks.2.b', [2], ['dblocks.2.hprebn']],
  ...ORDER.slice(18),
];

const casesOf = (order: Order, hidden: readonly number[]) =>
  order.map(([tensor, shape, inputs], at) => {
    const shapeOf = (name: string) => (order.find(([other]) => other === name) as Order[number])[1];
    return { H: hidden.join(','), hidden, order, tensor, shape, inputs, at, shapeOf };
  });
const TENSORS = [...casesOf(ORDER, [5]), ...casesOf(DEEP_ORDER, [5, 2])];
const sizeOf = (shape: number[]) => shape.reduce((product, size) => product * size, 1);

/** The index of an entry, counted up to it row by row. */
function indexOf(entry: number, shape: number[]): number[] {
  const index = shape.map(() => 0);
  for (let i = 0; i < entry; i++) {
    let axis = shape.length - 1;
    while (++index[axis] === shape[axis]) index[axis--] = 0;
  }
  return index;
}

describe('diagnose', () => {
  it('finds nothing where all is finite', () => {
    const { model, activations } = stepped();
    expect(diagnose(model, activations)).toBeUndefined();
    expect(isStepFinite(model, activations)).toBe(true);
  });

  it.each([
    [[5], ORDER],
    [[5, 2], DEEP_ORDER],
  ])('knows every tensor of H %j by its name and size', (hidden, order) => {
    const { tensors } = stepped(hidden);
    expect(Object.keys(tensors).sort()).toEqual(order.map(([tensor]) => tensor).sort());
    for (const [tensor, shape] of order) expect(tensors[tensor].length, tensor).toBe(sizeOf(shape));
  });

  it.each(TENSORS)('H $H, $tensor: each of its entries can be the first, and has its index', ({ tensor, shape, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    const data = tensors[tensor];
    for (let entry = data.length - 1; entry >= 0; entry--) {
      // Those behind it stay as they have become.
      data[entry] = [Number.NaN, Infinity, -Infinity][entry % 3];
      expect(diagnose(model, activations)).toMatchObject({ tensor, index: indexOf(entry, shape), value: data[entry] });
    }
  });

  it.each(TENSORS)('H $H, $tensor: is named before all that are computed later', ({ tensor, at, order, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    for (const [later] of order.slice(at)) tensors[later].fill(Number.NaN);
    expect(diagnose(model, activations)?.tensor).toBe(tensor);
  });

  it.each(TENSORS)('H $H, $tensor: with the largest magnitude of each of $inputs', ({ tensor, inputs, hidden, shapeOf }) => {
    const { model, activations, tensors } = stepped(hidden);
    tensors[tensor][0] = Number.NaN;
    const places = inputs.map((input, i) => {
      const entry = (7 * i + 3) % tensors[input].length;
      // Once a negative one: it is the magnitude that counts.
      tensors[input][entry] = (i % 2 === 0 ? -1 : 1) * 2 ** (20 + i);
      return { tensor: input, index: indexOf(entry, shapeOf(input)), value: tensors[input][entry] };
    });
    expect(diagnose(model, activations)?.inputs).toEqual(places);
  });

  it.each([Number.NaN, Infinity, -Infinity])('takes an input of %d for the largest', (value) => {
    const { model, activations, tensors } = stepped();
    tensors.W1[3] = Number.NaN;
    tensors.dW1[8] = 3e38;
    tensors.dW1[9] = value;
    expect(diagnose(model, activations)?.inputs).toEqual([{ tensor: 'dW1', index: [1, 4], value }]);
  });

  it('changes nothing', () => {
    const { model, activations, tensors } = stepped();
    tensors.h[2] = Number.NaN;
    const copy = () => ORDER.map(([tensor]) => [...tensors[tensor]]);
    const before = copy();
    diagnose(model, activations);
    isStepFinite(model, activations);
    expect(copy()).toEqual(before);
  });
});

describe('diagnoseModel', () => {
  it.each([
    ['bnmean', ['C', 'W1', 'b1']],
    ['bnvar', ['C', 'W1', 'b1']],
    ['blocks.2.bnmean', ['blocks.2.W', 'blocks.2.b']],
    ['blocks.2.bnvar', ['blocks.2.W', 'blocks.2.b']],
  ] as const)('%s is found with the parameters that it is measured through: %j', (statistic, inputs) => {
    const { model } = stepped([5, 2]);
    expect(diagnoseModel(model)).toBeUndefined();
    const data = model.statistics[statistic];
    data[1] = Infinity;
    const diagnosis = diagnoseModel(model);
    expect(diagnosis).toMatchObject({ tensor: statistic, index: [0, 1], value: Infinity });
    expect(diagnosis?.inputs.map(({ tensor }) => tensor)).toEqual(inputs);
  });

  it('names a parameter before a statistic, and the first block before the second', () => {
    const { model } = stepped([5, 2]);
    const found = (...broken: FloatArray[]) => {
      for (const data of broken) data[0] = Number.NaN;
      return diagnoseModel(model)?.tensor;
    };
    expect(found(model.statistics['blocks.2.bnmean'])).toBe('blocks.2.bnmean');
    expect(found(model.statistics.bnvar)).toBe('bnvar');
    expect(found(model.parameters['blocks.2.bnbias'])).toBe('blocks.2.bnbias');
  });
});

describe('isStepFinite', () => {
  // The cross-entropy's own are made from the logits, and looked at with the loss.
  it.each(TENSORS.filter(({ tensor }) => !['probs', 'losses'].includes(tensor)))(
    'H $H: looks at every entry of $tensor',
    ({ tensor, hidden }) => {
      const { model, activations, tensors } = stepped(hidden);
      const data = tensors[tensor];
      for (let entry = 0; entry < data.length; entry++) {
        for (const value of [Number.NaN, Infinity, -Infinity]) {
          const before = data[entry];
          data[entry] = value;
          expect(isStepFinite(model, activations)).toBe(false);
          data[entry] = before;
        }
      }
      expect(isStepFinite(model, activations)).toBe(true);
    },
  );
});

describe('allFinite', () => {
  it.each([
    [[], true],
    [[0, -0, 1], true],
    [[1.7e308, 1.7e308, -1.7e308, 5e-324], true],
    [[Number.NaN], false],
    [[1, Infinity], false],
    [[-Infinity, 1], false],
    [[Infinity, -Infinity], false],
  ])('%j: %j', (values, finite) => {
    expect(allFinite(Float64Array.from(values))).toBe(finite);
  });
});

describe('NonFiniteError', () => {
  const inputs = [
    { tensor: 'h', index: [3, 1], value: -1 },
    { tensor: 'dlogits', index: [0, 6], value: 2.5e38 },
  ];

  it('says in one line the step, the tensor, the index, the value and the largest that it is made from', () => {
    const { message } = new NonFiniteError(12, 2.5, { tensor: 'dW2', index: [4, 6], value: -Infinity, inputs });
    expect(message).toBe(
      'step 12: dW2[4, 6] is -Infinity, all that is computed before it is finite; the largest that it is made from: h[3, 1] = -1, dlogits[0, 6] = 2.5e+38',
    );
  });

  it.each(parameterNames({ hidden: [5, 2] }))('says of %s that an update made it so', (tensor) => {
    const { message } = new NonFiniteError(12, Number.NaN, { tensor, index: [4], value: Number.NaN, inputs: inputs.slice(0, 1) });
    expect(message).toBe(`step 12: ${tensor}[4] is NaN, since an update before it; the largest gradient of the last one: h[3, 1] = -1`);
  });

  it('without a tensor says what the loss is', () => {
    expect(new NonFiniteError(3, Infinity, undefined).message).toBe('step 3: the loss is Infinity');
  });

  it('is a NumericalError that holds step and diagnosis', () => {
    const diagnosis = { tensor: 'h', index: [0, 0], value: Number.NaN, inputs };
    const error = new NonFiniteError(5, 1, diagnosis);
    expect(error).toBeInstanceOf(NumericalError);
    expect([error.step, error.diagnosis]).toEqual([5, diagnosis]);
  });

  it('of what the optimizer keeps names the part of which parameter, and the gradient of that', () => {
    const { model, activations } = stepped([5]);
    const kept = { m: model.flatParameters.map(() => 0), v: model.flatParameters.map(() => 0) };
    // Behind C [7,3] and 6 entries of W1 [6,5].
    kept.v[21 + 6] = Infinity;
    model.gradients.W1[6] = 1e25;
    for (const diagnosis of [diagnose(model, activations, kept), diagnoseModel(model, kept)]) {
      expect(diagnosis).toMatchObject({ tensor: 'v of W1', index: [1, 1], value: Infinity });
      expect(new NonFiniteError(5, 1, diagnosis).message).toBe(
        `step 5: v of W1[1, 1] is Infinity, since an update before it; the largest gradient of the last one: dW1[1, 1] = ${Math.fround(1e25)}`,
      );
    }
    kept.m[20] = Number.NaN;
    expect(diagnose(model, activations, kept)).toMatchObject({ tensor: 'm of C', index: [6, 2] });
    // A parameter comes before what made it, as without an optimizer that keeps anything.
    model.parameters.b2[3] = Number.NaN;
    expect(diagnose(model, activations, kept)).toMatchObject({ tensor: 'b2', index: [3] });
  });

  it.each(TENSORS)('H $H: of $tensor is one line', ({ tensor, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    tensors[tensor][1] = Number.NaN;
    const { message } = new NonFiniteError(5, 1, diagnose(model, activations));
    expect(message).toMatch(
      /^step 5: [\w.]+\[\d+(, \d+)?\] is NaN, [^\n]+; the largest (that it is made from|gradient of the last one): [^\n]+$/,
    );
  });
});

describe.each(FLOAT32_BACKENDS)('a training on $name', ({ create }) => {
  const NAMES = ['anna', 'emma', 'ella', 'lena', 'mae', 'alma', 'noel', 'lana'];
  // No example has the last character, so that what becomes of its row in C never reaches the loss.
  const VOCABULARY = createVocabulary([...NAMES, 'z']);
  const EXAMPLES = createExamples(NAMES, VOCABULARY, 2);
  const config = { ...CONFIG, vocabulary: VOCABULARY.length };

  type Spoilt = Partial<Recipe> & { steps?: number; value?: number };

  /** Trains with a gradient that turns NaN, or another value, in one step. Returns the error that ends it, and the steps done. */
  function train(gradient: 'C' | 'W2', at: number, checkEvery?: number, { steps = 30, value = Number.NaN, ...recipe }: Spoilt = {}) {
    const model = createModel(create(), config);
    const options = { steps, batchSize: 4, learningRate: 0.1, seed: 1, ...recipe };
    const training = new Training(model, EXAMPLES, options, { checkEvery }, undefined);
    const { backend } = model;
    const original = { ...backend };
    // The last call of the backward pass.
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

  it('ends without an error if nothing is spoilt', () => {
    expect(train('C', -1, 1)).toMatchObject({ error: undefined, step: 30 });
  });

  it.each([0, 1, 7, 29])('with --check-every 1 notices it in the very step %i, before the update', (at) => {
    const { error, step, unchanged } = train('C', at, 1);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ step: at, diagnosis: { tensor: 'dC', index: [last, 2], value: Number.NaN } });
    expect({ step, unchanged }).toEqual({ step: at, unchanged: true });
    expect(error?.message).toMatch(
      new RegExp(
        `^step ${at}: dC\\[${last}, 2\\] is NaN, all that is computed before it is finite; .+: dhprebn\\[.+\\] = .+, W1\\[.+\\] = .+$`,
      ),
    );
  });

  it.each([
    [1, 5, 5],
    [4, 5, 5],
    [6, 5, 10],
    [3, 7, 7],
    [8, 7, 14],
  ])('of step %i, with --check-every %i, notices it by step %i', (at, checkEvery, noticed) => {
    const { error, step, unchanged } = train('C', at, checkEvery);
    expect(error).toMatchObject({ step: noticed, diagnosis: { tensor: 'C', index: [last, 2], value: Number.NaN } });
    expect({ step, unchanged }).toEqual({ step: noticed, unchanged: true });
  });

  it('is checked every 1000 steps if nothing else is said', () => {
    expect(train('C', 1, undefined, { steps: 1001 })).toMatchObject({ error: { step: 1000 }, step: 1000 });
    expect(train('C', 1, undefined, { steps: 1000 }).error).toBeUndefined();
  });

  it.each(RECIPES)('is noticed with $name, too', ({ recipe }) => {
    const { error, step } = train('W2', 3, 1000, recipe);
    expect(step).toBe(4);
    expect(error?.message).toBe(
      `step 4: W2[4, ${last}] is NaN, since an update before it; the largest gradient of the last one: dW2[4, ${last}] = NaN`,
    );
  });

  it('whose square overflows stops adam for good at that entry, and is found in what it keeps', () => {
    const { error, step, unchanged } = train('C', 3, 5, { optimizer: OPTIMIZER_CONFIGS.adam, value: 1e25 });
    expect({ step, unchanged }).toEqual({ step: 5, unchanged: true });
    expect(error).toMatchObject({ step: 5, diagnosis: { tensor: 'v of C', index: [last, 2], value: Infinity } });
  });

  it('is noticed in the next step in any case if it reaches the loss: the parameter, the update and the gradient', () => {
    const { error, step, unchanged } = train('W2', 3, 1000);
    expect({ step, unchanged }).toEqual({ step: 4, unchanged: true });
    expect(error?.message).toBe(
      `step 4: W2[4, ${last}] is NaN, since an update before it; the largest gradient of the last one: dW2[4, ${last}] = NaN`,
    );
  });
});
