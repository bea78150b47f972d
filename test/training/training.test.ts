import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model, parameterViews } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { NonFiniteError } from '../../src/training/diagnose.js';
import { type LossRecord, Training, type TrainingHooks, type TrainingOptions, type TrainingState } from '../../src/training/training.js';
import type { OptimizerConfig } from '../../src/training/updater.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { OPTIMIZER_CONFIGS, RECIPES, type Recipe } from '../support/recipes.js';

const NAMES = ['anna', 'hanna', 'emma', 'ella', 'hella', 'lena', 'mae', 'hal', 'alma', 'noah', 'noel', 'leo', 'nala', 'lana'];
const VOCABULARY = NameList.of(NAMES).vocabulary;
const EXAMPLES = createExamples(NAMES, VOCABULARY, 3);
const OPTIONS: TrainingOptions = { steps: 250, batchSize: 8, learningRate: 0.1, seed: 42 };

describe.each(FLOAT32_BACKENDS)('Training on $name', ({ create }) => {
  const modelOn = (backend: Backend): Model =>
    createModel(backend, { context: 3, embedding: 4, hidden: [16], vocabulary: VOCABULARY.length });

  /** Trains to the end. */
  function train(options: Partial<TrainingOptions> = {}, backend = create(), between: (model: Model, step: number) => void = () => {}) {
    const model = modelOn(backend);
    const records: LossRecord[] = [];
    const losses: number[] = [];
    const training = new Training(model, EXAMPLES, { ...OPTIONS, ...options }, { onRecord: (record) => records.push(record) });
    while (!training.done) {
      between(model, training.step);
      losses.push(training.advance());
    }
    return { training, model, records, losses, parameters: [...model.flatParameters] };
  }

  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

  it('starts at the initialisation of its seed', () => {
    const model = modelOn(create());
    model.flatParameters.fill(9);
    new Training(model, EXAMPLES, OPTIONS);
    const fresh = modelOn(create());
    initialise(fresh, OPTIONS.seed);
    expect([...model.flatParameters]).toEqual([...fresh.flatParameters]);
  });

  it("begins with the model's parameters if it is told so, on the batches of its seed", () => {
    const { parameters } = train();
    const model = modelOn(create());
    initialise(model, OPTIONS.seed);
    const training = new Training(model, EXAMPLES, OPTIONS, {}, 'parameters');
    expect(training.step).toBe(0);
    while (!training.done) training.advance();
    expect([...model.flatParameters]).toEqual(parameters);
  });

  it('learns: the loss falls from about ln V to below 1.5 within 1,000 steps, on batches and over all examples', () => {
    const { losses, model } = train({ steps: 1_000, batchSize: 16 });
    expect(Math.abs(mean(losses.slice(0, 5)) - Math.log(VOCABULARY.length))).toBeLessThan(0.6);
    expect(mean(losses.slice(-100))).toBeLessThan(1.5);
    const evaluator = new Evaluator(model);
    evaluator.calibrate(EXAMPLES);
    expect(evaluator.loss(EXAMPLES)).toBeLessThan(1.5);
  });

  it('gives the same parameters to the bit for the same seed, and others for another seed', () => {
    const { parameters } = train();
    expect(train().parameters).toEqual(parameters);
    expect(train({ seed: 43 }).parameters).not.toEqual(parameters);
  });

  it('is not affected by evaluations between the steps', () => {
    let evaluator: Evaluator | undefined;
    const { parameters } = train({}, create(), (model, step) => {
      if (step % 25 !== 0) return;
      evaluator ??= new Evaluator(model);
      evaluator.calibrate(EXAMPLES);
      evaluator.loss(EXAMPLES);
    });
    expect(parameters).toEqual(train().parameters);
  });

  it('records the mean loss since the last record and the rate, every 100 steps and after the last step', () => {
    const { records, losses } = train();
    expect(records.map(({ step, rate }) => [step, rate])).toEqual([
      [100, 0.1],
      [200, 0.01],
      [250, 0.01],
    ]);
    const means = [losses.slice(0, 100), losses.slice(100, 200), losses.slice(200)].map(mean);
    records.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(means[i], 12);
    });
  });

  it('records once if the last step is a multiple of 100', () => {
    expect(train({ steps: 200 }).records.map(({ step }) => step)).toEqual([100, 200]);
    expect(train({ steps: 1 }).records.map(({ step }) => step)).toEqual([1]);
  });

  it.each([
    [4, [0.5, 0.5, 0.05, 0.05]],
    [5, [0.5, 0.5, 0.05, 0.05, 0.05]],
    [1, [0.05]],
  ])('in %i steps uses the rates %j: a tenth from step floor(steps/2)', (steps, expected) => {
    const rates: number[] = [];
    const backend = create();
    const watched: Backend = {
      ...backend,
      sgdUpdate: (parameters, gradients, rate, size) => {
        rates.push(rate);
        expect(size).toBe(parameters.length);
        backend.sgdUpdate(parameters, gradients, rate, size);
      },
    };
    train({ steps, learningRate: 0.5 }, watched);
    expect(rates).toEqual(expected);
  });

  it('takes a function from the step to the rate in place of a schedule', () => {
    const { records } = train({ learningRate: (step) => 0.1 / (1 + step), warmup: 50 });
    expect(records.map(({ rate }) => rate)).toEqual([0.1 / 100, 0.1 / 200, 0.1 / 250]);
    expect(train({ learningRate: () => 0.1, steps: 50 }).parameters).toEqual(
      train({ steps: 50, schedule: { name: 'constant' } }).parameters,
    );
  });

  it('counts its steps and smooths the loss with weight 1/1000 for a new batch', () => {
    const training = new Training(modelOn(create()), EXAMPLES, OPTIONS);
    expect([training.step, training.done, training.smoothedLoss]).toEqual([0, false, Number.NaN]);
    const losses = Array.from({ length: OPTIONS.steps }, () => training.advance());
    expect([training.step, training.done]).toEqual([250, true]);
    const weights = losses.map((_, i) => 0.999 ** (losses.length - 1 - i));
    const expected = losses.reduce((sum, loss, i) => sum + loss * weights[i], 0) / weights.reduce((sum, weight) => sum + weight, 0);
    expect(training.smoothedLoss).toBeCloseTo(expected, 10);
  });

  it('has a smoothed loss equal to the first loss after one step', () => {
    const training = new Training(modelOn(create()), EXAMPLES, OPTIONS);
    expect(training.advance()).toBeCloseTo(training.smoothedLoss, 12);
  });

  it('uses the switch step of its options', () => {
    expect(train({ schedule: { name: 'step', switchStep: 100 } }).records[0].rate).toBe(0.1);
    expect(train({ schedule: { name: 'step', switchStep: 99 } }).records[0].rate).toBe(0.01);
    expect(train({ schedule: { name: 'step', switchStep: 250 } }).records[2].rate).toBe(0.1);
    expect(train({ schedule: { name: 'step', switchStep: 0 } }).records[0].rate).toBe(0.01);
  });

  it('throws a NonFiniteError with the step at a rate of 1e30, and leaves the parameters that caused it', () => {
    const model = modelOn(create());
    const training = new Training(model, EXAMPLES, { ...OPTIONS, learningRate: 1e30 });
    let before: number[] = [];
    const run = () => {
      while (!training.done) {
        before = [...model.flatParameters];
        training.advance();
      }
    };
    expect(run).toThrow(NonFiniteError);
    expect(() => training.advance()).toThrow(new RegExp(`^step ${training.step}: \\w+\\[.+\\] is (NaN|-?Infinity), `));
    expect(training.step).toBeLessThan(OPTIONS.steps);
    expect([...model.flatParameters]).toEqual(before);
  });
});

describe.each(FLOAT32_BACKENDS)('a resumed Training on $name', ({ create }) => {
  const CONFIG = { context: 3, embedding: 4, hidden: [16], vocabulary: VOCABULARY.length };
  const options: TrainingOptions = { ...OPTIONS, steps: 230, batchSize: 4 };

  interface Moment {
    state: TrainingState;
    parameters: number[];
    smoothedLoss: number;
  }
  const momentOf = (training: Training, model: Model): Moment => ({
    state: training.state,
    parameters: [...model.flatParameters],
    smoothedLoss: training.smoothedLoss,
  });

  /** Trains to the end, with the state before every step and at the end. */
  function straight() {
    const model = createModel(create(), CONFIG);
    const records: LossRecord[] = [];
    const losses: number[] = [];
    const training = new Training(model, EXAMPLES, options, { onRecord: (record) => records.push(record) });
    const moments = [momentOf(training, model)];
    while (!training.done) {
      losses.push(training.advance());
      moments.push(momentOf(training, model));
    }
    return { moments, losses, records };
  }

  /** Training resumed from a stored state, on a model that held other numbers before. */
  function resumed(model: Model, { state, parameters }: Moment, hooks: TrainingHooks = {}, more: Partial<TrainingOptions> = {}) {
    model.flatParameters.set(parameters);
    return new Training(model, EXAMPLES, { ...options, ...more }, hooks, JSON.parse(JSON.stringify(state)) as TrainingState);
  }

  const run = straight();
  const STEPS = Array.from({ length: options.steps + 1 }, (_, step) => step);

  it('has the state, parameters and smoothed loss it was resumed from', () => {
    const model = createModel(create(), CONFIG);
    for (const step of STEPS) expect(momentOf(resumed(model, run.moments[step]), model)).toEqual(run.moments[step]);
  });

  it('computes the next step to the bit from every step: loss, parameters, state and record', () => {
    const model = createModel(create(), CONFIG);
    for (const step of STEPS.slice(0, -1)) {
      const records: LossRecord[] = [];
      const training = resumed(model, run.moments[step], { onRecord: (record) => records.push(record) });
      expect(training.advance()).toBe(run.losses[step]);
      expect(momentOf(training, model)).toEqual(run.moments[step + 1]);
      expect(records).toEqual(run.records.filter((record) => record.step === step + 1));
    }
  });

  it.each([0, 1, 50, 99, 100, 101, 114, 115, 199, 200, 229])(
    'has the records and losses of an uninterrupted run from step %i to the end',
    (step) => {
      const model = createModel(create(), CONFIG);
      const records: LossRecord[] = [];
      const losses: number[] = [];
      const training = resumed(model, run.moments[step], { onRecord: (record) => records.push(record) });
      while (!training.done) losses.push(training.advance());
      expect(losses).toEqual(run.losses.slice(step));
      expect(records).toEqual(run.records.filter((record) => record.step > step));
      expect(momentOf(training, model)).toEqual(run.moments.at(-1));
    },
  );

  it('is not initialised again', () => {
    const model = createModel(create(), CONFIG);
    resumed(model, run.moments[7]);
    expect([...model.flatParameters]).toEqual(run.moments[7].parameters);
  });

  it('is done if the run was done', () => {
    expect(resumed(createModel(create(), CONFIG), run.moments[230]).done).toBe(true);
  });

  it('with more steps and the same switch step equals the longer run', () => {
    const model = createModel(create(), CONFIG);
    const longer = { steps: 300, schedule: { name: 'step', switchStep: 115 } } as const;
    const training = resumed(model, run.moments[150], {}, longer);
    while (!training.done) training.advance();
    const other = createModel(create(), CONFIG);
    const whole = new Training(other, EXAMPLES, { ...options, ...longer });
    while (!whole.done) whole.advance();
    expect(momentOf(training, model)).toEqual(momentOf(whole, other));
  });

  it('does not change a state that was taken before', () => {
    const model = createModel(create(), CONFIG);
    const training = new Training(model, EXAMPLES, options);
    training.advance();
    const { state } = training;
    const copy = structuredClone(state);
    training.advance();
    expect(state).toEqual(copy);
    expect(training.state).not.toEqual(copy);
  });
});

describe.each(FLOAT32_BACKENDS)('Training with every recipe on $name', ({ create }) => {
  const CONFIG = { context: 3, embedding: 4, hidden: [8], vocabulary: VOCABULARY.length };
  // An epoch has 69 examples, so epochs end within batches 7, 14 and 21.
  const STEPS = 24;
  const optionsOf = (recipe: Recipe): TrainingOptions => ({ steps: STEPS, batchSize: 10, learningRate: 0.01, seed: 3, ...recipe });
  const moment = (training: Training, model: Model) => ({ state: training.state, parameters: [...model.flatParameters] });

  function straight(recipe: Recipe) {
    const model = createModel(create(), CONFIG);
    const training = new Training(model, EXAMPLES, optionsOf(recipe));
    const moments = [moment(training, model)];
    while (!training.done) {
      training.advance();
      moments.push(moment(training, model));
    }
    return moments;
  }

  it.each(RECIPES)('resumes from every step to the same end: $name', ({ recipe }) => {
    const moments = straight(recipe);
    expect(moments).toHaveLength(STEPS + 1);
    moments.forEach(({ state, parameters }, step) => {
      const model = createModel(create(), CONFIG);
      model.flatParameters.set(parameters);
      const training = new Training(model, EXAMPLES, optionsOf(recipe), {}, structuredClone(state));
      expect(moment(training, model), `${step}`).toEqual(moments[step]);
      while (!training.done) training.advance();
      expect(moment(training, model), `${step}`).toEqual(moments[STEPS]);
    });
  });

  it('ends with different parameters for every recipe, and moves every parameter except b1, which batch norm cancels', () => {
    const ends = RECIPES.map(({ recipe }) => straight(recipe));
    expect(new Set(ends.map((moments) => String(moments[STEPS].parameters))).size).toBe(RECIPES.length);
    for (const moments of ends) {
      const [before, after] = [moments[0], moments[STEPS]].map(({ parameters }) => parameterViews(Float32Array.from(parameters), CONFIG));
      for (const name of LESSON_PARAMETER_NAMES) if (name !== 'b1') expect(after[name], name).not.toEqual(before[name]);
    }
  });

  it('learns faster with adam than with plain gradient descent, both at rate 0.01', () => {
    const lossOf = (optimizer: OptimizerConfig) => {
      const training = new Training(createModel(create(), CONFIG), EXAMPLES, { ...OPTIONS, learningRate: 0.01, optimizer });
      while (!training.done) training.advance();
      return training.smoothedLoss;
    };
    expect(lossOf(OPTIMIZER_CONFIGS.adam)).toBeLessThan(lossOf(OPTIMIZER_CONFIGS.sgd) - 0.3);
  });

  it('sees every example once per epoch when sampling in epochs', () => {
    const seen: string[] = [];
    const backend = create();
    const watched: Backend = {
      ...backend,
      crossEntropyForward: (losses, probs, logits, Yb, n, V) => {
        seen.push(...[...Yb].map(String));
        backend.crossEntropyForward(losses, probs, logits, Yb, n, V);
      },
    };
    const options = { ...OPTIONS, batchSize: 3, steps: EXAMPLES.count / 3, sampling: 'epochs' } as const;
    const training = new Training(createModel(watched, CONFIG), EXAMPLES, options);
    while (!training.done) training.advance();
    const targets = Array.from(EXAMPLES.text.subarray(1), String);
    expect(seen.sort()).toEqual(targets.sort());
  });
});
