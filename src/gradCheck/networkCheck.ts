/** The gradient check of a network as it is: its own parameters, and a random batch. */
import { randomInteger, randomStream } from '../core/random.js';
import type { Tensor } from '../core/tensor.js';
import type { NetworkCase } from '../lesson/case.js';
import { type ModelConfig, type ParameterName, parameterCount } from '../network/parameters.js';
import { checkModel } from './modelCheck.js';
import { CHECK_DEFAULTS } from './options.js';

/** n = 3 is the smallest batch in which batch norm's backward pass does not cancel; more examples make unequal ones likely. */
const N = 8;
/** Entries of each tensor: a check of 25 takes about a second for the lesson's network. */
const ENTRIES = 25;
const LEAST_ENTRIES = 2;
/** Multiplications of parameters that a check may take, about 2 s. */
const WORK = 2e9;
/** Forward passes per entry: differences at two steps or more. */
const PASSES = 6;

/** The verdict on the gradients of a network. */
export interface NetworkVerdict {
  ok: boolean;
  tensors: number;
  /** The largest difference, as a share of what is summed to the tensor's largest entry. */
  largest: number;
  /** What was compared. */
  note: string;
}

/**
 * Compares the gradients of all parameters with finite differences, in float64, at entries drawn at random and the largest one of each tensor.
 * @param parameters of the network, in float64
 * @returns undefined if the network is too large for it
 */
export function checkNetwork(config: ModelConfig, parameters: Record<ParameterName, Tensor>, seed: number): NetworkVerdict | undefined {
  const tensors = Object.keys(parameters).length;
  const fitting = Math.floor(WORK / (tensors * PASSES * N * parameterCount(config)));
  if (fitting < LEAST_ENTRIES) return undefined;
  const entries = Math.min(ENTRIES, fitting);
  const rows = checkModel({ config, n: N, parameters, batch: randomBatch(config, seed) }, { ...CHECK_DEFAULTS, entries, seed });
  const compared = rows.filter(({ structuralZero }) => !structuralZero);
  return {
    ok: rows.every(({ ok }) => ok),
    tensors: rows.length,
    largest: Math.max(...compared.map(({ error }) => error)),
    note: `The check runs in float64, on ${N} random contexts. It compares up to ${entries} entries of each tensor: the largest one, and others drawn at random`,
  };
}

function randomBatch({ context: T, vocabulary: V }: ModelConfig, seed: number): NetworkCase['batch'] {
  const random = randomStream('grad-check', `network ${seed}`);
  const Xb = Int32Array.from({ length: N * T }, () => randomInteger(random, V));
  const Yb = Int32Array.from({ length: N }, () => randomInteger(random, V));
  return { Xb: { data: Xb, shape: [N, T] }, Yb: { data: Yb, shape: [N] } };
}
