import { describe, expect, it } from 'vitest';
import { createExamples } from '../../src/data/dataset.js';
import { NameList } from '../../src/data/nameList.js';
import { createModel, createTrainingActivations, parameterViews } from '../../src/network/arrays.js';
import { backward, forward } from '../../src/network/passes.js';
import { type DiagnosticsRecord, measure } from '../../src/training/diagnostics.js';
import { type DoneStep, type LossRecord, Training, type TrainingHooks, type TrainingOptions } from '../../src/training/training.js';
import { FLOAT32_BACKENDS } from '../support/backends.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';

const NAMES = ['anna', 'hanna', 'emma', 'ella', 'hella', 'lena', 'mae', 'hal', 'alma', 'noah', 'noel', 'leo', 'nala', 'lana'];
const VOCABULARY = NameList.of(NAMES).vocabulary;
const EXAMPLES = createExamples(NAMES, VOCABULARY, 3);
const OPTIONS: TrainingOptions = { steps: 25, batchSize: 8, learningRate: 0.1, seed: 42 };

describe.each(FLOAT32_BACKENDS)('a training that is diagnosed, on $name', ({ create }) => {
  function train(options: Partial<TrainingOptions>, diagnoseEvery: TrainingHooks['diagnoseEvery'], hidden = [16, 8]) {
    const model = createModel(create(), { context: 3, embedding: 4, hidden, vocabulary: VOCABULARY.length });
    const diagnosed: DiagnosticsRecord[] = [];
    const records: LossRecord[] = [];
    const steps: { done: DoneStep; before: Float32Array; after: Float32Array; Xb: Int32Array; Yb: Int32Array }[] = [];
    let before = new Float32Array();
    const onStep = (done: DoneStep) => {
      const after = Float32Array.from(model.flatParameters);
      steps.push({ done, before, after, Xb: done.batch.Xb.slice(), Yb: done.batch.Yb.slice() });
    };
    const hooks = {
      onStep,
      onRecord: (one: LossRecord) => records.push(one),
      onDiagnostics: (one: DiagnosticsRecord) => diagnosed.push(one),
    };
    const training = new Training(model, EXAMPLES, { ...OPTIONS, ...options }, { ...hooks, diagnoseEvery });
    while (!training.done) {
      before = Float32Array.from(model.flatParameters);
      training.advance();
    }
    return { model, diagnosed, records, steps, state: training.state, parameters: [...model.flatParameters] };
  }

  it.each([
    [10, [1, 10, 20, 25]],
    [25, [1, 25]],
    [100, [1, 25]],
    [0, []],
    [undefined, []],
    [(step: number) => step === 7, [7]],
  ])('every %s steps is diagnosed at the steps %j', (every, steps) => {
    expect(train({}, every).diagnosed.map(({ step }) => step)).toEqual(steps);
  });

  it.each(Object.values(OPTIMIZER_CONFIGS))('has the same parameters, state and losses whatever the interval, with $name', (optimizer) => {
    const options = { optimizer, clip: 1, learningRate: 0.02 };
    const [never, always] = [0, 1].map((every) => train(options, every));
    expect(always.parameters).toEqual(never.parameters);
    expect(always.state).toEqual(never.state);
    expect(always.records).toEqual(never.records);
  });

  it.each(Object.values(OPTIMIZER_CONFIGS))('gives the ratio of the applied update to the values before it, with $name', (optimizer) => {
    const { model, diagnosed, steps } = train({ optimizer, clip: 0.3, learningRate: 0.02 }, 1);
    for (const { step, diagnostics } of diagnosed) {
      const { before, after } = steps[step - 1];
      const updates = parameterViews(
        Float64Array.from(after, (x, i) => x - before[i]),
        model.config,
      );
      const values = parameterViews(before, model.config);
      for (const [name, { updateToData }] of Object.entries(diagnostics.parameters)) {
        const update = std(updates[name as keyof typeof updates]);
        const ofRatio = (updateToData ?? Number.NaN) * std(values[name as keyof typeof values]);
        // Batch norm subtracts b1 again: its update is 0 in float32.
        expect(Math.abs(ofRatio - update)).toBeLessThanOrEqual(1e-4 * update);
      }
    }
  });

  it('says what measure says of the parameters before the update, on the same batch', () => {
    const [first] = train({}, 5).diagnosed;
    // The first gradient is not clipped, some of the later ones are larger.
    const clip = 1.001 * (first.diagnostics.gradientNorm ?? 0);
    const { model, diagnosed, steps } = train({ clip }, 1);
    const a = createTrainingActivations(model, OPTIONS.batchSize);
    for (const { step, diagnostics } of diagnosed) {
      model.flatParameters.set(steps[step - 1].before);
      a.Xb.set(steps[step - 1].Xb);
      a.Yb.set(steps[step - 1].Yb);
      forward(model, a);
      backward(model, a);
      const { clipped, parameters, ...others } = diagnostics;
      const withoutUpdate = Object.entries(parameters).map(([name, one]) => [name, { ...one, updateToData: null }]);
      expect(measure(model, a)).toEqual({ ...others, clipped: false, parameters: Object.fromEntries(withoutUpdate) });
      expect(clipped).toBe((diagnostics.gradientNorm ?? 0) > clip);
    }
    expect(new Set(diagnosed.map(({ diagnostics }) => diagnostics.clipped)).size).toBe(2);
  });
});

function std(x: ArrayLike<number>): number {
  const mean = Array.from(x).reduce((sum, one) => sum + one, 0) / x.length;
  return Math.sqrt(Array.from(x).reduce((sum, one) => sum + (one - mean) ** 2, 0) / (x.length - 1));
}
