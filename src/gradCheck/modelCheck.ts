/** Part (c): the model's own backward pass, every parameter; part (d): the backend that training uses. */
import type { Backend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference.js';
import { randomStream } from '../core/random.js';
import { type FloatArray, Tensor } from '../core/tensor.js';
import type { GradCheckCase } from '../lesson/case.js';
import { backward, createModel, createTrainingActivations, forward, type Model, type TrainingActivations } from '../network/model.js';
import { parameterNames, parameterShapes } from '../network/parameters.js';
import { centralDifference, chooseEntries, parameterLengths } from './differences.js';
import type { CheckOptions } from './options.js';
import { type CheckRow, isStructuralZero, judge } from './row.js';

/** @param backend a float64 backend: finite differences in float32 are noise */
export function checkModel(given: GradCheckCase, options: CheckOptions, backend: Backend = createReferenceBackend('float64')): CheckRow[] {
  const random = randomStream('grad-check', `${options.seed} model ${given.n}`);
  const { model, activations } = modelOf(given, backend);
  forward(model, activations);
  backward(model, activations);
  const shapes = parameterShapes(given.config);
  const length = parameterLengths(given);
  return parameterNames(given.config).map((name) => {
    const data = model.parameters[name];
    const gradient = new Tensor(model.gradients[name].slice(), shapes[name]);
    return judge(
      { part: 'model', witness: 'end-to-end differences', n: given.n, hidden: given.config.hidden, name: `d${name}` },
      shapes[name],
      () => gradient,
      chooseEntries(data.length, options.entries, random),
      (entry) => centralDifference(data, entry, options.eps * length(name, entry), () => forward(model, activations)),
      options.tolerance,
      isStructuralZero(`d${name}`),
    );
  });
}

/** The case's parameters and batch on a backend; what the backend's precision cannot hold is rounded. */
export function modelOf(
  { config, n, parameters, batch }: GradCheckCase,
  backend: Backend,
): { model: Model; activations: TrainingActivations } {
  const model = createModel(backend, config);
  for (const name of parameterNames(config)) (model.parameters[name] as FloatArray).set(parameters[name].data);
  const activations = createTrainingActivations(model, n);
  activations.Xb.set(batch.Xb.data);
  activations.Yb.set(batch.Yb.data);
  return { model, activations };
}
