/** Part (c): the network's own backward pass, every parameter, against finite differences of the loss. */
import type { Backend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference.js';
import { type FloatArray, Tensor } from '../core/tensor.js';
import type { NetworkCase } from '../lesson/case.js';
import { createModel, createTrainingActivations, type Model, type TrainingActivations } from '../network/arrays.js';
import { parameterNames, parameterShapes } from '../network/parameters.js';
import { backward, forward } from '../network/passes.js';
import { derivativeAt } from './differences.js';
import type { CheckOptions } from './options.js';
import { type CheckRow, isStructuralZero, judge, networkHead } from './row.js';

/** @param backend a float64 backend, by default the reference: finite differences in float32 are noise */
export function checkModel(
  networkCase: Omit<NetworkCase, 'blocks'>,
  options: CheckOptions,
  backend: Backend = createReferenceBackend('float64'),
): CheckRow[] {
  const { config, n } = networkCase;
  const { model, activations } = modelOf(networkCase, backend);
  const unmoved = [forward(model, activations)];
  backward(model, activations);
  const compute = () => [forward(model, activations)];
  const shapes = parameterShapes(config);
  return parameterNames(config).map((name) => {
    const data = model.parameters[name];
    const gradient = new Tensor(model.gradients[name].slice(), shapes[name]);
    return judge({
      head: { part: 'model', witness: 'end-to-end differences', n, ...networkHead(config), name: `d${name}` },
      shape: shapes[name],
      manual: () => gradient,
      measured: (entry) => derivativeAt(data, entry, { compute, unmoved, dout: [1] }, options.eps),
      options,
      structuralZero: isStructuralZero(`d${name}`, config),
    });
  });
}

/** A model and activations on a backend, with the case's parameters and batch. A float32 backend rounds the parameters. */
export function modelOf(
  { config, n, parameters, batch }: Omit<NetworkCase, 'blocks'>,
  backend: Backend,
): { model: Model; activations: TrainingActivations } {
  const model = createModel(backend, config);
  for (const name of parameterNames(config)) (model.parameters[name] as FloatArray).set(parameters[name].data);
  const activations = createTrainingActivations(model, n);
  activations.Xb.set(batch.Xb.data);
  activations.Yb.set(batch.Yb.data);
  return { model, activations };
}
