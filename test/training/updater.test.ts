import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { arenaSize, createModel, createTrainingActivations, type Model, parameterViews } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES, type ModelConfig, type ParameterName } from '../../src/network/parameters.js';
import { backward, forward } from '../../src/network/passes.js';
import { decayOf, OPTIMIZER_TENSORS, OPTIMIZERS, type OptimizerConfig, type OptimizerName, Updater } from '../../src/training/updater.js';
import { BACKENDS } from '../support/backends.js';
import { dot, largestOf, relativeError } from '../support/compare.js';
import { type Fixture, loadFixture, traceBatches } from '../support/fixtures.js';

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** The runs of fixtures/make_fixtures.py: optimizer, rate of the first step, clipping norm. */
const RUNS: readonly { run: string; config: OptimizerConfig; rate: number; clip?: number }[] = [
  { run: 'sgd', config: { name: 'sgd' }, rate: 0.1 },
  { run: 'momentum', config: { name: 'momentum', momentum: 0.9 }, rate: 0.05 },
  { run: 'nesterov', config: { name: 'nesterov', momentum: 0.9 }, rate: 0.05 },
  { run: 'adam', config: { name: 'adam', ...ADAM }, rate: 0.01 },
  { run: 'adamw', config: { name: 'adamw', ...ADAM, beta2: 0.99, weightDecay: 0.1 }, rate: 0.02 },
  { run: 'clipped', config: { name: 'momentum', momentum: 0.9 }, rate: 0.05, clip: 0.5 },
];

const rateAt = (rate: number, step: number) => rate * (1 - step / 40);

/** A model with the fixture's initial parameters. */
function modelOf(fixture: Fixture, backend: Backend): Model {
  const { C, W1, W2 } = fixture.parameters('initial.');
  const [V, E] = C.shape;
  const model = createModel(backend, { context: W1.shape[0] / E, embedding: E, hidden: [W2.shape[0]], vocabulary: V });
  for (const [name, { data }] of Object.entries(fixture.parameters('initial.'))) model.parameters[name as ParameterName].set(data);
  return model;
}

/** Takes one step on each batch of the fixture. */
function takeSteps(model: Model, fixture: Fixture, update: (step: number) => void): void {
  const batches = traceBatches(fixture);
  const a = createTrainingActivations(model, batches[0].Yb.data.length);
  batches.forEach(({ Xb, Yb }, step) => {
    a.Xb.set(Xb.data);
    a.Yb.set(Yb.data);
    forward(model, a);
    backward(model, a);
    update(step);
  });
}

describe.each(BACKENDS)('20 steps of training on $name agree with PyTorch', ({ create, dtype }) => {
  const fixture = loadFixture(dtype === 'float64' ? 'optimizers-f64' : 'optimizers-f32');
  const limit = dtype === 'float64' ? 1e-14 : 1e-6;

  it.each(RUNS)(`for $run: after steps 1, 3 and 20, within ${limit} of the largest entry`, ({ run, config, rate, clip }) => {
    const model = modelOf(fixture, create());
    const updater = new Updater(model, config, clip);
    takeSteps(model, fixture, (step) => {
      updater.update(rateAt(rate, step));
      if (![1, 3, 20].includes(step + 1)) return;
      const theirs = fixture.parameters(`${run}.${step + 1}.`);
      for (const name of LESSON_PARAMETER_NAMES) {
        // Batch norm cancels b1, so its gradient is rounding noise, which Adam scales up to full steps.
        if (name === 'b1' && 'beta1' in config) continue;
        expect(relativeError(model.parameters[name], theirs[name].data), `${name} after step ${step + 1}`).toBeLessThan(limit);
      }
    });
  });

  it.each(RUNS.filter(({ config }) => 'beta1' in config))(
    'for $run: b1, whose gradient is noise, moves no further than the sum of the rates',
    ({ config, rate }) => {
      const model = modelOf(fixture, create());
      const { b1 } = model.parameters;
      const before = b1.slice();
      const updater = new Updater(model, config);
      takeSteps(model, fixture, (step) => updater.update(rateAt(rate, step)));
      expect(largestOf(b1.map((x, i) => x - before[i]))).toBeLessThan(20 * rate);
    },
  );

  it.each(RUNS)('for $run only: every other run differs by more than 1e-4 somewhere', ({ run }) => {
    for (const other of RUNS.filter((one) => one.run !== run)) {
      const [a, b] = [run, other.run].map((name) => fixture.parameters(`${name}.20.`));
      expect(Math.max(...LESSON_PARAMETER_NAMES.map((name) => relativeError(a[name].data, b[name].data))), other.run).toBeGreaterThan(1e-4);
    }
  });
});

const SMALL: ModelConfig = { context: 2, embedding: 3, hidden: [5], vocabulary: 7 };
const CONFIGS = Object.fromEntries(RUNS.map(({ config }) => [config.name, config])) as Record<OptimizerName, OptimizerConfig>;

function smallModel(backend: Backend): Model {
  const model = createModel(backend, SMALL);
  initialise(model, 1);
  setGradients(model, 1);
  return model;
}

/** Gradients of norm `norm`, all entries equal. */
function setGradients({ flatGradients }: Model, norm: number): void {
  flatGradients.fill(norm / Math.sqrt(flatGradients.length));
}

describe.each(BACKENDS)('an Updater on $name', ({ create, dtype }) => {
  it.each(OPTIMIZERS)('starts %s with the tensors of OPTIMIZER_TENSORS, all zeros', (name) => {
    const model = smallModel(create());
    const { tensors, powers } = new Updater(model, CONFIGS[name]).state;
    expect(Object.keys(tensors)).toEqual(OPTIMIZER_TENSORS[name]);
    for (const tensor of Object.values(tensors)) expect(tensor).toEqual(model.flatParameters.map(() => 0));
    expect(powers).toEqual('beta1' in CONFIGS[name] ? { beta1: 1, beta2: 1 } : null);
  });

  it.each(OPTIMIZERS)('allocates for %s exactly what arenaSize counts', (name) => {
    const size = arenaSize(SMALL, { optimizerTensors: OPTIMIZER_TENSORS[name] });
    const taken = { arrays: 0, entries: 0 };
    const backend = create(size);
    const count = <T>(entries: number, allocate: (size: number) => T) => {
      taken.arrays++;
      taken.entries += entries;
      return allocate(entries);
    };
    const counting = { ...backend, floats: (n: number) => count(n, backend.floats), ints: (n: number) => count(n, backend.ints) };
    new Updater(createModel(counting, SMALL), CONFIGS[name]);
    expect(taken).toEqual({ arrays: size.arrays, entries: size.entries });
  });

  it.each(OPTIMIZERS)('resumes %s from its state with the same steps, and leaves the state unchanged', (name) => {
    const one = smallModel(create());
    const first = new Updater(one, CONFIGS[name], 0.7);
    for (let step = 1; step <= 3; step++) {
      setGradients(one, step);
      first.update(0.1);
    }
    const { state } = first;
    const copy = structuredClone(state);
    const two = smallModel(create());
    two.flatParameters.set(one.flatParameters);
    const second = new Updater(two, CONFIGS[name], 0.7, state);
    for (const [model, updater] of [
      [one, first],
      [two, second],
    ] as const) {
      for (let step = 4; step <= 6; step++) {
        setGradients(model, step / 10);
        updater.update(0.1);
      }
    }
    expect(two.flatParameters).toEqual(one.flatParameters);
    expect(second.state).toEqual(first.state);
    expect(state).toEqual(copy);
  });

  it('computes the powers of the betas as running products', () => {
    const updater = new Updater(smallModel(create()), CONFIGS.adam);
    let [beta1, beta2] = [1, 1];
    for (let step = 0; step < 50; step++) {
      updater.update(0.01);
      beta1 *= ADAM.beta1;
      beta2 *= ADAM.beta2;
    }
    expect(updater.state.powers).toEqual({ beta1, beta2 });
  });

  it('moves every entry by the rate in the first step of adam, whatever the size of the gradient', () => {
    for (const norm of [1e-3, 1, 1e4]) {
      const model = smallModel(create());
      const before = model.flatParameters.slice();
      setGradients(model, norm);
      new Updater(model, CONFIGS.adam).update(0.01);
      const moved = before.map((p, i) => p - model.flatParameters[i]);
      expect(
        relativeError(
          moved,
          moved.map(() => 0.01),
        ),
      ).toBeLessThan(dtype === 'float64' ? 1e-3 : 1.1e-3);
    }
  });

  it('shrinks only the weight matrices by rate·decay in adamw with zero gradients', () => {
    const model = smallModel(create());
    const before = model.flatParameters.slice();
    model.flatGradients.fill(0);
    new Updater(model, { name: 'adamw', ...ADAM, weightDecay: 0.5 }).update(0.5);
    const parts = parameterViews(before, SMALL);
    for (const name of LESSON_PARAMETER_NAMES) {
      const factor = name === 'W1' || name === 'W2' ? 0.75 : 1;
      expect([...model.parameters[name]], name).toEqual([...parts[name].map((x) => x * factor)]);
    }
  });

  it('shrinks only the parameters that the weight decay of adamw names, each by its own value', () => {
    const model = smallModel(create());
    const before = model.flatParameters.slice();
    model.flatGradients.fill(0);
    new Updater(model, { name: 'adamw', ...ADAM, weightDecay: { C: 0.5, W2: 1, b2: 0 } }).update(0.5);
    const parts = parameterViews(before, SMALL);
    for (const name of LESSON_PARAMETER_NAMES) {
      const factor = { C: 0.75, W2: 0.5 }[name as string] ?? 1;
      expect([...model.parameters[name]], name).toEqual([...parts[name].map((x) => x * factor)]);
    }
  });

  it.each([
    [0.5, 1, 0.5],
    [0.5, 0.4, 0.4],
    [2, 1e5, 2],
    [2, 0, 0],
  ])('with clip %d, scales gradients of norm %d to norm %d', (clip, norm, clipped) => {
    const model = smallModel(create());
    setGradients(model, norm);
    const before = model.flatGradients.slice();
    new Updater(model, { name: 'sgd' }, clip).update(0);
    const after = model.flatGradients;
    expect(Math.sqrt(dot(after, after))).toBeCloseTo(clipped, 5);
    if (norm <= clip) expect(after).toEqual(before);
  });

  it.each([Number.NaN, Infinity])('with clip, spoils only the parameter whose gradient is %d', (bad) => {
    const model = smallModel(create());
    model.gradients.W1[3] = bad;
    new Updater(model, { name: 'sgd' }, 1).update(0.1);
    for (const name of LESSON_PARAMETER_NAMES) {
      const isBad = [...model.parameters[name]].map((x) => !Number.isFinite(x));
      expect(isBad, name).toEqual(isBad.map((_, i) => name === 'W1' && i === 3));
    }
  });
});

it('decayOf applies to the weight matrices of all blocks, not to embeddings, biases and gains', () => {
  const names = [
    ...LESSON_PARAMETER_NAMES,
    'blocks.2.W',
    'blocks.13.W',
    'blocks.2.b',
    'blocks.2.bngain',
    'blocks.2.bnbias',
    'bnmean',
    'W10',
    'blocks.x.W',
  ];
  expect(names.filter((name) => decayOf(0.1, name) > 0)).toEqual(['W1', 'W2', 'blocks.2.W', 'blocks.13.W']);
  expect(names.filter((name) => decayOf({ C: 0.1, b2: 0 }, name) > 0)).toEqual(['C']);
});
