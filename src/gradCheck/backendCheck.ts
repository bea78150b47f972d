/** Part (d): the float32 backend that training uses, against the float64 reference, on the same float32 parameters. */
import type { Backend, CreateBackend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference.js';
import { absolute, difference, indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { type FloatArray, type Shape, sizeOf, Tensor } from '../core/tensor.js';
import type { GradCheckCase } from '../lesson/case.js';
import { arenaSize, backward, forward, type TrainingBlockActivations } from '../network/model.js';
import { blockName, byName, parameterNames, parameterShapes } from '../network/parameters.js';
import { modelOf } from './modelCheck.js';
import { type CheckRow, isStructuralZero } from './row.js';

/**
 * Largest difference allowed for each block, as a share of the tensor's largest entry: what one block rounds, the others stretch. Of
 * three blocks, 1,500 seeds show at most 0.8e-5, at n = 3; of sixteen, 60 seeds at most 4.7e-5.
 */
const LIMIT = 1e-5;
/** Where the gradient is zero by structure, of each block. */
const ZERO_LIMIT_FLOAT32 = 1e-7;

/** The least variance of a column in a case for float32: a standard deviation of 0.4 costs it half a digit. */
export const FLOAT32_VARIANCE = 0.16;

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
  const cancelling = cancellationScales(rounded, reference.blocks);
  return Object.keys(reference.tensors).map((name) => {
    const { data: a, shape } = candidate.tensors[name];
    const { data: b } = reference.tensors[name];
    const { maxAbs, at, largest } = difference(a, b);
    const structuralZero = isStructuralZero(name) && !(name in cancelling);
    const scale = cancelling[name] ?? largest;
    const error = structuralZero ? largest : maxAbs === 0 ? 0 : maxAbs / scale;
    const limit = (structuralZero ? ZERO_LIMIT_FLOAT32 : LIMIT) * given.config.hidden.length;
    return {
      part: 'backend',
      witness: 'float64 reference',
      n: given.n,
      hidden: given.config.hidden,
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
      ...(isStructuralZero(name) ? {} : { maxUlps: maxUlps(Float32Array.from(a), Float32Array.from(b)) }),
    };
  });
}

/** Both sides start from parameters that float32 holds exactly. */
function roundParameters(given: GradCheckCase): GradCheckCase {
  const names = parameterNames(given.config);
  const rounded = names.map((name) => given.parameters[name].to('float32').to('float64'));
  return { ...given, parameters: byName(names, rounded) };
}

/** The loss, the gradients of the activations and those of the parameters, in backward order. */
function computeGradients(given: GradCheckCase, backend: Backend) {
  const { config, n } = given;
  const { hidden, vocabulary: V } = config;
  const { model, activations: a } = modelOf(given, backend);
  const loss = forward(model, a);
  backward(model, a);
  const shapes = parameterShapes(config);
  const ofBlocks = a.blocks.map(({ dh, dhprebn }, k): [string, Computed][] => [
    [`d${blockName(k + 1, 'h')}`, { data: dh, shape: [n, hidden[k]] }],
    [`d${blockName(k + 1, 'hprebn')}`, { data: dhprebn, shape: [n, hidden[k]] }],
  ]);
  const tensors: Record<string, Computed> = {
    loss: { data: Float64Array.of(loss), shape: [] },
    dlogits: { data: a.dlogits, shape: [n, V] },
    ...Object.fromEntries(ofBlocks.reverse().flat()),
    ...Object.fromEntries(parameterNames(config).map((name) => [`d${name}`, { data: model.gradients[name], shape: shapes[name] }])),
  };
  return { tensors, blocks: a.blocks };
}

/**
 * What limits are a share of where almost equal terms cancel, in place of the tensor's largest entry.
 *
 * In a small batch: dhprebn is what is left of m = bngain·bnvar_inv·dhpreact in a column when its mean and its part along bnraw are
 * taken out: n - 2 of n directions. At n = 2 float32 can promise a share of |m| only; upstream, |m| is propagated like dhprebn, without
 * signs, through all blocks below. The gradients of b, where dhprebn itself cancels, keep that scale at n = 3.
 *
 * In a block of a single input, whatever the batch: W scales whole columns, which batch norm takes out again.
 */
function cancellationScales({ config, n, parameters, batch, blocks }: GradCheckCase, reference: readonly TrainingBlockActivations[]) {
  const scales: Record<string, number> = {};
  const ownGradient = (K: number) => absolute(Tensor.of(reference[K - 1].dh, [n, config.hidden[K - 1]], 'float64'));
  let dh = ownGradient(blocks.length);
  for (let K = blocks.length; K >= 1; K--) {
    const { h, bnraw, bnvar_inv, embact } = blocks[K - 1];
    const [W, bngain] = [parameters[blockName(K, 'W')], parameters[blockName(K, 'bngain')]];
    const dhpreact = h.pow(2).neg().add(1).mul(dh);
    const m = absolute(bngain.mul(bnvar_inv)).mul(dhpreact);
    const own = (tensor: string, scale: Tensor) => {
      scales[`d${blockName(K, tensor)}`] = largestMagnitude(scale.data);
    };
    if (n <= 3) own('b', m.sum(0));
    if (n === 2 || W.shape[0] === 1) own('W', absolute(embact).T.matmul(m));
    if (n === 2) own('hprebn', m);
    if (n === 2 && K < blocks.length) {
      own('h', dh);
      own('bngain', dhpreact.mul(absolute(bnraw)).sum(0));
      own('bnbias', dhpreact.sum(0));
    }
    if (n === 2) dh = m.matmul(absolute(W).T);
    else if (K > 1) dh = ownGradient(K - 1);
  }
  if (n === 2)
    scales.dC = largestMagnitude(
      Tensor.zerosLike(parameters.C).scatterAddRows(batch.Xb, dh.view([n, config.context, config.embedding])).data,
    );
  return scales;
}
