/** Part (d): the float32 backend used for training, against the float64 reference, with the same float32 parameters. */
import type { Backend, CreateBackend } from '../backend/backend.js';
import { createReferenceBackend } from '../backend/reference.js';
import { absolute, difference, indexAt, largestMagnitude, maxUlps } from '../core/numbers.js';
import { type FloatArray, type Shape, sizeOf, Tensor } from '../core/tensor.js';
import type { NetworkCase } from '../lesson/case.js';
import { arenaSize, type TrainingBlockActivations } from '../network/arrays.js';
import { blockName, byName, parameterNames, parameterShapes } from '../network/parameters.js';
import { backward, forward } from '../network/passes.js';
import { modelOf } from './modelCheck.js';
import { type CheckRow, isStructuralZero, networkHead } from './row.js';

/**
 * Largest difference that passes, as a share of the tensor's largest entry, per block: each block amplifies the rounding of the others.
 * Measured: at most 0.8e-5 in 1,500 seeds of three blocks (at n = 3), at most 4.7e-5 in 60 seeds of sixteen blocks.
 */
const LIMIT = 1e-5;
/** Largest magnitude that passes for a structural zero, per block. */
const ZERO_LIMIT_FLOAT32 = 1e-7;

/** Smallest variance of a column of hprebn in a float32 case: dividing by a standard deviation of 0.4 costs half a digit. */
export const FLOAT32_VARIANCE = 0.16;

interface ComputedTensor {
  data: FloatArray;
  shape: Shape;
}

/**
 * Compares the loss, the gradients of the activations and those of the parameters.
 * @param createBackend makes the float32 backend to check
 * @param referenceBackend a float64 backend
 */
export function checkBackend(
  networkCase: NetworkCase,
  createBackend: CreateBackend,
  referenceBackend: Backend = createReferenceBackend('float64'),
): CheckRow[] {
  const rounded = roundParameters(networkCase);
  const { config, n } = rounded;
  const candidate = computeGradients(rounded, createBackend(arenaSize(config, { training: n })));
  const reference = computeGradients(rounded, referenceBackend);
  const cancelling = cancellationScales(rounded, reference.blocks);
  return Object.keys(reference.tensors).map((name) => {
    const { data: a, shape } = candidate.tensors[name];
    const { data: b } = reference.tensors[name];
    const { maxAbs, at, largest } = difference(a, b);
    const structuralZero = isStructuralZero(name, config) && !(name in cancelling);
    const scale = cancelling[name] ?? largest;
    const error = structuralZero ? largest : maxAbs === 0 ? 0 : maxAbs / scale;
    const limit = (structuralZero ? ZERO_LIMIT_FLOAT32 : LIMIT) * config.hidden.length;
    return {
      part: 'backend',
      witness: 'float64 reference',
      n,
      ...networkHead(config),
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
      ...(isStructuralZero(name, config) ? {} : { maxUlps: maxUlps(Float32Array.from(a), Float32Array.from(b)) }),
    };
  });
}

/** The case with its parameters rounded to float32, so that both sides start from the same numbers. */
function roundParameters(networkCase: NetworkCase): NetworkCase {
  const names = parameterNames(networkCase.config);
  const rounded = names.map((name) => networkCase.parameters[name].to('float32').to('float64'));
  return { ...networkCase, parameters: byName(names, rounded) };
}

/** The loss, the gradients of the activations and those of the parameters, in backward order. */
function computeGradients(networkCase: NetworkCase, backend: Backend) {
  const { config, n } = networkCase;
  const { hidden, vocabulary: V } = config;
  const { model, activations: a } = modelOf(networkCase, backend);
  const loss = forward(model, a);
  backward(model, a);
  const shapes = parameterShapes(config);
  const rows = (matrix: FloatArray, H: number): ComputedTensor => ({ data: backend.rowsOf(matrix, n, H), shape: [n, H] });
  const ofBlocks = a.blocks.map(({ dh, dhprebn }, k): [string, ComputedTensor][] => [
    [`d${blockName(k + 1, 'h')}`, rows(dh, hidden[k])],
    [`d${blockName(k + 1, 'hprebn')}`, rows(dhprebn, hidden[k])],
  ]);
  const tensors: Record<string, ComputedTensor> = {
    loss: { data: Float64Array.of(loss), shape: [] },
    dlogits: { data: a.dlogits, shape: [n, V] },
    ...Object.fromEntries(ofBlocks.reverse().flat()),
    ...Object.fromEntries(parameterNames(config).map((name) => [`d${name}`, { data: model.gradients[name], shape: shapes[name] }])),
  };
  return { tensors, blocks: a.blocks };
}

/**
 * Scales for gradients in which almost equal terms cancel. There the limit is a share of this scale, not of the tensor's largest entry.
 *
 * In a small batch: dhprebn is m = bngain·bnvar_inv·dhpreact without its mean and without its component along bnraw, so n - 2 of n
 * directions remain. At n = 2 almost nothing remains, and the rounding of float32 is a share of |m|. Below, |m| is propagated like
 * dhprebn, without signs, through all blocks. For the gradients of b, where dhprebn itself cancels, this scale applies at n = 3 too.
 *
 * In a block with a single input, at any batch size: W scales whole columns, and batch norm removes that scale.
 *
 * Without batch norm nothing cancels, and a case has no `blocks`.
 */
function cancellationScales({ config, n, parameters, batch, blocks }: NetworkCase, reference: readonly TrainingBlockActivations[]) {
  const scales: Record<string, number> = {};
  const ownGradient = (K: number) => absolute(Tensor.of(reference[K - 1].dh, [n, config.hidden[K - 1]], 'float64'));
  if (blocks.length === 0) return scales;
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
