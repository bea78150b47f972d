/** One pass of the lesson's network: the values and gradients that the page shows. */
import type { Tensor } from '../../core/tensor.js';
import type { Dataset } from '../../data/dataset.js';
import type { LessonConfig } from '../../lesson/case.js';
import { TENSOR_NAMES, type TensorName } from '../../lesson/entry.js';
import { backward } from '../../lesson/exercise1.js';
import { createNamesCase } from '../../lesson/namesCase.js';
import type { LessonValues } from '../../lesson/values.js';
import type { Pass } from '../../lesson/whyLines.js';
import { datasetOf, type NamesId } from './names.js';
import { runInPage } from './run.js';

/** Which pass: the same fields give the same numbers in every browser, and in `backprop-ninja why`. */
export interface PassSource {
  seed: number;
  /** The number of the batch, from 0. */
  batch: number;
  /** Batch size. */
  n: number;
  names: NamesId;
  /** The parameters: those at the start of a training (the default), or those of the run in the page's file, if it holds one. */
  network?: 'start' | 'run';
}

/** A tensor as the page gets it: row-major entries in float64. */
export interface TensorData {
  data: Float64Array;
  shape: readonly number[];
}

/** A copy of a tensor, for the page. */
export function tensorData({ data, shape }: Tensor): TensorData {
  return { data: Float64Array.from(data), shape: [...shape] };
}

export interface PassData {
  source: PassSource;
  config: LessonConfig;
  vocabulary: readonly string[];
  /** The indices of the characters: contexts [n,T], targets [n]. */
  batch: Pick<LessonValues, 'Xb' | 'Yb'>;
  tensors: Record<TensorName, TensorData>;
}

/** The most recent pass: what is asked next is about the same one. */
let latest: { key: string; config: LessonConfig; pass: Pass } | undefined;

/** The run that a pass is of. Other names than its own have other characters, which its network does not know. */
function runOf({ names, network }: PassSource) {
  return names === null && network === 'run' ? runInPage() : undefined;
}

/** The names from which the batches of a pass are drawn. */
export function datasetFor(source: PassSource): Dataset {
  return runOf(source)?.dataset ?? datasetOf(source.names);
}

/** All tensors of a pass. Callers must not change them. */
export function passAt(source: PassSource): { config: LessonConfig; pass: Pass } {
  const key = JSON.stringify(source);
  if (latest?.key !== key) {
    const run = runOf(source);
    const { config, values } = createNamesCase(datasetFor(source), { ...source, ...(run && { trained: run }) });
    latest = { key, config, pass: { ...values, ...backward(values) } };
  }
  return latest;
}

export const passMethods = {
  pass(source: PassSource): PassData {
    const { config, pass } = passAt(source);
    const { vocabulary } = datasetFor(source);
    const tensors = Object.fromEntries(TENSOR_NAMES.map((name) => [name, tensorData(pass[name])])) as unknown as PassData['tensors'];
    return { source, config, vocabulary, batch: { Xb: pass.Xb, Yb: pass.Yb }, tensors };
  },
};
