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

/** The least variance of a column in a case for float32: a standard deviation of 0.2 costs it less than a digit. */
export const FLOAT32_VARIANCE = 0.04;

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
  const cancelling = cancellationScales(rounded, reference);
  return Object.keys(reference).map((name) => {
    const { data: a, shape } = candidate[name];
    const { data: b } = reference[name];
    const { maxAbs, at, largest } = difference(a, b);
    const structuralZero = STRUCTURAL_ZEROS.has(name) && !(name in cancelling);
    const scale = cancelling[name] ?? largest;
    const error = structuralZero ? largest : maxAbs === 0 ? 0 : maxAbs / scale;
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
 * What the limits of a small batch are a share of, in place of the tensor's largest entry. dhprebn is what is left of
 * m = bngain·bnvar_inv·dhpreact in a column when its mean and its part along bnraw are taken out: n - 2 of n directions. At
 * n = 2 almost equal terms cancel, and float32 can promise a share of |m| only; upstream, |m| is propagated like dhprebn, without
 * signs. db1, where dhprebn itself cancels, keeps that scale at n = 3.
 */
function cancellationScales({ config, n, parameters, batch, values }: GradCheckCase, reference: Record<string, Computed>) {
  const scales: Record<string, number> = {};
  if (n > 3) return scales;
  const dh = new Tensor(reference.dh.data, [n, config.hidden]);
  const dhpreact = values.h.pow(2).neg().add(1).mul(dh);
  const m = absolute(parameters.bngain.mul(values.bnvar_inv).mul(dhpreact));
  scales.db1 = largestOf(m.sum(0));
  if (n === 3) return scales;
  const demb = m.matmul(absolute(parameters.W1).T).view(values.emb.shape);
  scales.dhprebn = largestOf(m);
  scales.dC = largestOf(Tensor.zerosLike(parameters.C).scatterAddRows(batch.Xb, demb));
  scales.dW1 = largestOf(absolute(values.embact).T.matmul(m));
  return scales;
}

function absolute(tensor: Tensor): Tensor {
  return new Tensor(tensor.data.map(Math.abs), tensor.shape);
}

function largestOf(tensor: Tensor): number {
  return difference(tensor.data, tensor.data).largest;
}
