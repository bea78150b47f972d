/** Part (d): the float32 backend that training uses, against the float64 reference, on the same float32 parameters. */
import type { Backend, CreateBackend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference.js';
import { arenaSize, backward, forward, PARAMETER_NAMES, parameterShapes } from '../model.js';
import { type FloatArray, type Shape, sizeOf, Tensor } from '../tensor.js';
import type { GradCheckCase } from './case.js';
import { modelOf } from './modelCheck.js';
import { type CheckRow, difference, indexAt, maxUlps, STRUCTURAL_ZEROS } from './row.js';

/** Largest difference allowed, as a share of the tensor's largest entry. */
const LIMIT = 1e-5;
const ZERO_LIMIT_FLOAT32 = 1e-7;

interface Computed {
  data: FloatArray;
  shape: Shape;
}

export function checkBackend(
  given: GradCheckCase,
  createBackend: CreateBackend,
  referenceBackend: Backend = createReferenceBackend('float64'),
): CheckRow[] {
  const rounded = roundParameters(given);
  const candidate = computeGradients(rounded, createBackend(arenaSize(given.config, { training: given.n })));
  const reference = computeGradients(rounded, referenceBackend);
  const cancelling = given.n <= 3 ? cancellationScales(rounded, reference) : {};
  return Object.keys(reference).map((name) => {
    const { data: a, shape } = candidate[name];
    const { data: b } = reference[name];
    const { maxAbs, at, largest } = difference(a, b);
    const structuralZero = STRUCTURAL_ZEROS.has(name) && !(name in cancelling);
    const error = structuralZero ? largest : maxAbs / (cancelling[name] ?? largest);
    const limit = structuralZero ? ZERO_LIMIT_FLOAT32 : LIMIT;
    return {
      part: 'backend',
      witness: 'float64 reference',
      n: given.n,
      name,
      ok: error <= limit,
      shape,
      entries: sizeOf(shape),
      maxAbsDiff: maxAbs,
      maxRelDiff: maxAbs / largest,
      at: indexAt(at, shape),
      error,
      limit,
      structuralZero,
      ...(STRUCTURAL_ZEROS.has(name) ? {} : { maxUlps: maxUlps(Float32Array.from(a), Float32Array.from(b)) }),
    };
  });
}

/** Both sides start from parameters that float32 holds exactly. */
function roundParameters(given: GradCheckCase): GradCheckCase {
  const rounded = Object.fromEntries(PARAMETER_NAMES.map((name) => [name, given.parameters[name].to('float32').to('float64')]));
  return { ...given, parameters: rounded as GradCheckCase['parameters'] };
}

/** The loss, the gradients of the activations and those of the parameters, in backward order. */
function computeGradients(given: GradCheckCase, backend: Backend): Record<string, Computed> {
  const { config, n } = given;
  const { hidden: H, vocabulary: V } = config;
  const { model, activations: a } = modelOf(given, backend);
  const loss = forward(model, a);
  backward(model, a);
  const shapes = parameterShapes(config);
  return {
    loss: { data: Float64Array.of(loss), shape: [] },
    dlogits: { data: a.dlogits, shape: [n, V] },
    dh: { data: a.dh, shape: [n, H] },
    dhprebn: { data: a.dhprebn, shape: [n, H] },
    ...Object.fromEntries(PARAMETER_NAMES.map((name) => [`d${name}`, { data: model.gradients[name], shape: shapes[name] }])),
  };
}

/**
 * dhprebn is what is left of m = bngain·bnvar_inv·dhpreact in a column once its mean and its part along bnraw are taken
 * out: n - 2 of n directions. At n = 2 almost equal terms cancel always, at n = 3 in some columns. What float32 can
 * promise there is a share of |m|, not of what is left. Upstream, |m| is propagated like dhprebn, without signs.
 */
function cancellationScales({ config, n, parameters, batch, values }: GradCheckCase, reference: Record<string, Computed>) {
  const dh = new Tensor(reference.dh.data, [n, config.hidden]);
  const dhpreact = values.h.pow(2).neg().add(1).mul(dh);
  const m = absolute(parameters.bngain.mul(values.bnvar_inv).mul(dhpreact));
  const demb = m.matmul(absolute(parameters.W1).T).view(values.emb.shape);
  const scales: Record<string, number> = {
    dhprebn: largestOf(m),
    dC: largestOf(Tensor.zerosLike(parameters.C).scatterAddRows(batch.Xb, demb)),
    dW1: largestOf(absolute(values.embact).T.matmul(m)),
    db1: largestOf(m.sum(0)),
  };
  return scales;
}

function absolute(tensor: Tensor): Tensor {
  return new Tensor(tensor.data.map(Math.abs), tensor.shape);
}

function largestOf(tensor: Tensor): number {
  return difference(tensor.data, tensor.data).largest;
}
