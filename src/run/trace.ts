/**
 * The first steps of a run as a safetensors file, so that another implementation can repeat them and compare step by step: the batches, the
 * losses, and the parameters before and after.
 */
import type { FloatArray } from '../core/tensor.js';
import { BATCH_NORM_EPSILON } from '../layers/batchNorm.js';
import { hasBatchNorm, type ModelConfig, type ParameterArrays, parameterNames, parameterShapes } from '../network/parameters.js';
import type { RunConfig } from '../training/runConfig.js';
import type { DoneStep } from '../training/training.js';
import { decayOf } from '../training/updater.js';
import { type StoredTensor, storeFloats, storeIndices, writeSafetensors } from './safetensors.js';

/** Collects the steps as they are done. */
export class Trace {
  readonly #steps: number;
  readonly #n: number;
  readonly #config: ModelConfig;
  readonly #Xb: Int32Array;
  readonly #Yb: Int32Array;
  readonly #losses: Float64Array;
  readonly #rates: Float64Array;
  readonly #initial: ReadonlyMap<string, FloatArray>;

  /**
   * @param steps K
   * @param n the batch size
   * @param initial the parameters before the first step; copied
   */
  constructor(config: ModelConfig, steps: number, n: number, initial: ParameterArrays) {
    this.#steps = steps;
    this.#n = n;
    this.#config = config;
    this.#Xb = new Int32Array(steps * n * config.context);
    this.#Yb = new Int32Array(steps * n);
    this.#losses = new Float64Array(steps);
    this.#rates = new Float64Array(steps);
    this.#initial = new Map(Object.entries(initial).map(([name, data]) => [name, data.slice()]));
  }

  /** Bytes of the batches in the file. */
  static batchBytes({ context: T }: Pick<ModelConfig, 'context'>, steps: number, n: number): number {
    return 8 * steps * n * (T + 1);
  }

  add({ step, loss, rate, batch: { Xb, Yb } }: DoneStep): void {
    const k = step - 1;
    const [n, T] = [this.#n, this.#config.context];
    this.#Xb.set(Xb.subarray(0, n * T), k * n * T);
    this.#Yb.set(Yb.subarray(0, n), k * n);
    this.#losses[k] = loss;
    this.#rates[k] = rate;
  }

  /** Loss of each step, before its update. */
  get losses(): Float64Array {
    return this.#losses;
  }

  /**
   * The bytes of the file: Xb [K,n,T] and Yb [K,n] in int64, losses [K] and rates [K] in float64, and each parameter in float32 as
   * initial.NAME and final.NAME. Its metadata has the settings of the optimizer, the sizes and the vocabulary.
   * @param final the parameters after the last step
   */
  bytes(program: string, run: RunConfig, vocabulary: readonly string[], final: ParameterArrays): Uint8Array {
    const K = this.#steps;
    const n = this.#n;
    const tensors = new Map<string, StoredTensor>([
      ['Xb', storeIndices(this.#Xb, [K, n, this.#config.context])],
      ['Yb', storeIndices(this.#Yb, [K, n])],
      ['losses', storeFloats(this.#losses, [K])],
      ['rates', storeFloats(this.#rates, [K])],
    ]);
    const shapes = Object.entries(parameterShapes(this.#config));
    for (const [name, shape] of shapes) tensors.set(`initial.${name}`, storeFloats(this.#initial.get(name) as FloatArray, shape));
    for (const [name, shape] of shapes) tensors.set(`final.${name}`, storeFloats(final[name as keyof ParameterArrays], shape));
    return writeSafetensors({ metadata: traceMetadata(program, run, vocabulary, { config: this.#config, steps: K }), tensors });
  }
}

function traceMetadata(
  program: string,
  run: RunConfig,
  vocabulary: readonly string[],
  { config, steps }: { config: ModelConfig; steps: number },
): Record<string, string> {
  const { batchSize, optimizer, clip, seed } = run;
  const { context, embedding, hidden } = config;
  return {
    format: 'backprop-ninja trace',
    program,
    steps: String(steps),
    batchSize: String(batchSize),
    context: String(context),
    embedding: String(embedding),
    hidden: JSON.stringify(hidden),
    vocabulary: JSON.stringify(vocabulary),
    ...(hasBatchNorm(config) ? { epsilon: String(BATCH_NORM_EPSILON) } : { norm: 'none' }),
    optimizer: JSON.stringify(optimizer),
    // One weight decay applies to all weight matrices; here each parameter has its own.
    weightDecay: JSON.stringify(decaysOf(run)),
    clip: JSON.stringify(clip ?? null),
    seed: String(seed),
  };
}

function decaysOf({ optimizer, hidden, norm }: RunConfig): Record<string, number> {
  const decay = 'weightDecay' in optimizer ? optimizer.weightDecay : 0;
  return Object.fromEntries(parameterNames({ hidden, norm }).map((name) => [name, decayOf(decay, name)]));
}
