/**
 * The first steps of a run as a safetensors file, so that another implementation can repeat them and compare step by step: the batches, the
 * losses, and the parameters before and after.
 */
import type { FloatArray } from '../core/tensor.js';
import { BATCH_NORM_EPSILON } from '../layers/batchNorm.js';
import { type ModelConfig, type ParameterArrays, parameterNames, parameterShapes } from '../network/parameters.js';
import type { RunConfig } from '../training/runConfig.js';
import type { DoneStep } from '../training/training.js';
import { decayOf } from '../training/updater.js';
import { type StoredTensor, storeFloats, writeSafetensors } from './safetensors.js';

/** Collects the steps as they are done. */
export class Trace {
  readonly #steps: number;
  readonly #n: number;
  readonly #config: ModelConfig;
  readonly #Xb: BigInt64Array;
  readonly #Yb: BigInt64Array;
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
    this.#Xb = new BigInt64Array(steps * n * config.context);
    this.#Yb = new BigInt64Array(steps * n);
    this.#losses = new Float64Array(steps);
    this.#rates = new Float64Array(steps);
    this.#initial = new Map(Object.entries(initial).map(([name, data]) => [name, data.slice()]));
  }

  /** Bytes of the batches, in memory and in the file. */
  static batchBytes({ context: T }: Pick<ModelConfig, 'context'>, steps: number, n: number): number {
    return 8 * steps * n * (T + 1);
  }

  add({ step, loss, rate, batch: { Xb, Yb } }: DoneStep): void {
    const k = step - 1;
    const [n, T] = [this.#n, this.#config.context];
    for (let i = 0; i < n * T; i++) this.#Xb[k * n * T + i] = BigInt(Xb[i]);
    for (let i = 0; i < n; i++) this.#Yb[k * n + i] = BigInt(Yb[i]);
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
      ['Xb', { dtype: 'I64', shape: [K, n, this.#config.context], bytes: littleEndian(this.#Xb) }],
      ['Yb', { dtype: 'I64', shape: [K, n], bytes: littleEndian(this.#Yb) }],
      ['losses', storeFloats(this.#losses, [K])],
      ['rates', storeFloats(this.#rates, [K])],
    ]);
    const shapes = Object.entries(parameterShapes(this.#config));
    for (const [name, shape] of shapes) tensors.set(`initial.${name}`, storeFloats(this.#initial.get(name) as FloatArray, shape));
    for (const [name, shape] of shapes) tensors.set(`final.${name}`, storeFloats(final[name as keyof ParameterArrays], shape));
    return writeSafetensors({ metadata: traceMetadata(program, run, vocabulary, K), tensors });
  }
}

function traceMetadata(program: string, run: RunConfig, vocabulary: readonly string[], K: number): Record<string, string> {
  const { context, embedding, hidden, batchSize, optimizer, clip, seed } = run;
  return {
    format: 'backprop-ninja trace',
    program,
    steps: String(K),
    batchSize: String(batchSize),
    context: String(context),
    embedding: String(embedding),
    hidden: JSON.stringify(hidden),
    vocabulary: JSON.stringify(vocabulary),
    epsilon: String(BATCH_NORM_EPSILON),
    optimizer: JSON.stringify(optimizer),
    // One weight decay applies to all weight matrices; here each parameter has its own.
    weightDecay: JSON.stringify(decaysOf(run)),
    clip: JSON.stringify(clip ?? null),
    seed: String(seed),
  };
}

function decaysOf({ optimizer, hidden }: RunConfig): Record<string, number> {
  const decay = 'weightDecay' in optimizer ? optimizer.weightDecay : 0;
  return Object.fromEntries(parameterNames({ hidden }).map((name) => [name, decayOf(decay, name)]));
}

function littleEndian(values: BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setBigInt64(8 * i, values[i], true);
  return bytes;
}
