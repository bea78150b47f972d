/** How fast a backend is: the whole training loop, and each layer on the arrays of a real batch. */
import type { Backend, CreateBackend } from '../../backend/backend.js';
import { randomStream } from '../../core/random.js';
import { drawBatch } from '../../data/batch.js';
import type { Examples } from '../../data/dataset.js';
import {
  arenaSize,
  backward,
  createModel,
  createTrainingActivations,
  forward,
  initialise,
  type Model,
  type TrainingActivations,
} from '../../network/model.js';
import type { ModelConfig } from '../../network/parameters.js';
import { Training } from '../../training/training.js';

/** Milliseconds that never run backwards. */
export type Clock = () => number;

export interface LayerTiming {
  name: string;
  microseconds: number;
  /** Multiplications, additions and divisions of one call. */
  operations: number;
}

export interface BackendTiming {
  backend: string;
  /** Of the whole loop: drawing the batch, forward, backward, update. */
  microsecondsPerStep: number;
  layers: LayerTiming[];
}

const ROUNDS = 9;
/** What tanh and exp cost in kernels/math.ts, per entry. */
const TANH = 23;
const EXP = 20;

/** Times one backend; each figure is the median of several rounds, which together take about `seconds`. */
export function timeBackend(
  createBackend: CreateBackend,
  config: ModelConfig,
  n: number,
  examples: Examples,
  seconds: number,
  clock: Clock,
): BackendTiming {
  const backend = createBackend(arenaSize(config, { training: n }));
  const model = createModel(backend, config);
  const training = new Training(model, examples, { steps: Number.MAX_SAFE_INTEGER, batchSize: n, learningRate: 0.1, seed: 1 });
  const microsecondsPerStep = medianTime(() => training.advance(), seconds / 2, clock);
  return { backend: backend.name, microsecondsPerStep, layers: timeLayers(createBackend, config, n, examples, seconds / 2, clock) };
}

function timeLayers(
  createBackend: CreateBackend,
  config: ModelConfig,
  n: number,
  examples: Examples,
  seconds: number,
  clock: Clock,
): LayerTiming[] {
  const model = createModel(createBackend(arenaSize(config, { training: n })), config);
  const activations = createTrainingActivations(model, n);
  initialise(model, 1);
  drawBatch(activations.Xb, activations.Yb, examples, randomStream('batches', 1), n, config.context);
  forward(model, activations);
  backward(model, activations);
  const ofBlocks = model.blocks.flatMap((_, k) => blockCalls(model, activations, k));
  const calls = [...inputCalls(model, activations), ...ofBlocks, ...outputCalls(model, activations)];
  return calls.map(({ name, operations, run }) => ({ name, operations, microseconds: medianTime(run, seconds / calls.length, clock) }));
}

interface Call {
  name: string;
  operations: number;
  run: () => void;
}

/** The embedding and the first block's linear layer. */
function inputCalls({ backend, config, parameters, gradients }: Model, a: TrainingActivations): Call[] {
  const { context: T, embedding: E, hidden, vocabulary: V } = config;
  const H = hidden[0];
  const { C, W1, b1 } = parameters;
  const { n, input } = a;
  const { hprebn, dhprebn } = a.blocks[0];
  if ('emb' in input) {
    const { emb } = input;
    const product = 2 * n * T * E * H;
    return [
      { name: 'embedding, forward', operations: 0, run: () => backend.embeddingForward(emb, C, a.Xb, n * T, E) },
      { name: 'linear 1, forward', operations: product, run: () => backend.linearForward(hprebn, emb, W1, b1, n, T * E, H) },
      {
        name: 'linear 1, backward',
        operations: 2 * product + n * H,
        run: () => backend.linearBackward(a.demb, gradients.W1, gradients.b1, dhprebn, emb, W1, n, T * E, H),
      },
      { name: 'embedding, backward', operations: n * T * E, run: () => backend.embeddingBackward(gradients.C, a.demb, a.Xb, n * T, E, V) },
    ];
  }
  const { table, groups } = input;
  const D = Math.min(n, V);
  const product = 2 * groups.counts.reduce((sum, count) => sum + count, 0) * E * H;
  return [
    {
      name: 'embedding table, forward',
      operations: product + n * T * H,
      run: () => backend.embeddingTableForward(hprebn, table, C, W1, b1, groups, n, T, E, H, D),
    },
    {
      name: 'embedding table, backward',
      operations: 2 * product + n * T * H,
      run: () => backend.embeddingTableBackward(gradients.C, gradients.W1, gradients.b1, table, dhprebn, C, W1, groups, n, T, E, H, V, D),
    },
  ];
}

/** The block k, from 0, but for the first one's linear layer. */
function blockCalls({ backend, blocks }: Model, a: TrainingActivations, k: number): Call[] {
  const { I, H, parameters: p, gradients: d } = blocks[k];
  const { hprebn, dhprebn, h, dh, bnraw, bnvar_inv } = a.blocks[k];
  const { n } = a;
  const product = 2 * n * I * H;
  const normAndTanh = k === 0 ? 'batch norm and tanh' : `batch norm and tanh ${k + 1}`;
  const calls = [
    {
      name: `${normAndTanh}, forward`,
      operations: n * H * (8 + TANH),
      run: () => backend.batchNormTanhForward(h, bnraw, bnvar_inv, hprebn, p.bngain, p.bnbias, n, H),
    },
    {
      name: `${normAndTanh}, backward`,
      operations: n * H * 10,
      run: () => backend.batchNormTanhBackward(dhprebn, d.bngain, d.bnbias, dh, h, bnraw, bnvar_inv, p.bngain, n, H),
    },
  ];
  if (k === 0) return calls;
  const below = a.blocks[k - 1];
  return [
    { name: `linear ${k + 1}, forward`, operations: product, run: () => backend.linearForward(hprebn, below.h, p.W, p.b, n, I, H) },
    {
      name: `linear ${k + 1}, backward`,
      operations: 2 * product + n * H,
      run: () => backend.linearBackward(below.dh, d.W, d.b, dhprebn, below.h, p.W, n, I, H),
    },
    ...calls,
  ];
}

/** The layers above the blocks, and the update. */
function outputCalls({ backend, config, parameters, gradients, flatParameters, flatGradients }: Model, a: TrainingActivations): Call[] {
  const { hidden, vocabulary: V } = config;
  const last = hidden.length - 1;
  const H = hidden[last];
  const { W2, b2 } = parameters;
  const { h, dh } = a.blocks[last];
  const { n } = a;
  const product = 2 * n * H * V;
  return [
    { name: 'linear, forward', operations: product, run: () => backend.linearForward(a.logits, h, W2, b2, n, H, V) },
    {
      name: 'linear, backward',
      operations: 2 * product + n * V,
      run: () => backend.linearBackward(dh, gradients.W2, gradients.b2, a.dlogits, h, W2, n, H, V),
    },
    {
      name: 'cross-entropy, forward',
      operations: n * V * (4 + EXP),
      run: () => backend.crossEntropyForward(a.losses, a.probs, a.logits, a.Yb, n, V),
    },
    { name: 'cross-entropy, backward', operations: n * V, run: () => backend.crossEntropyBackward(a.dlogits, a.probs, a.Yb, n, V) },
    {
      name: 'update',
      operations: 2 * flatParameters.length,
      run: () => backend.sgdUpdate(flatParameters, flatGradients, 0, flatParameters.length),
    },
  ];
}

/** Microseconds of one call: the median round. */
function medianTime(run: () => void, seconds: number, clock: Clock): number {
  return roundTimes(run, seconds, clock)[(ROUNDS - 1) / 2];
}

/** Microseconds of one call in rounds of as many calls as fill their share of the time, ascending. */
function roundTimes(run: () => void, seconds: number, clock: Clock): number[] {
  const roundMs = (1000 * seconds) / (ROUNDS + 1);
  let calls = 0;
  // The first round warms up and counts.
  for (const start = clock(); clock() - start < roundMs; calls++) run();
  const times = Array.from({ length: ROUNDS }, () => {
    const start = clock();
    for (let i = 0; i < calls; i++) run();
    return (1000 * (clock() - start)) / calls;
  });
  return times.sort((a, b) => a - b);
}

/** Operations of one turn of the kernels' peak loop. */
const PEAK_OPERATIONS = 96;

/** What one core does at most in 128-bit multiplies and adds, in operations per second: the best of several rounds. */
export function measurePeak(peakLoop: NonNullable<Backend['peakLoop']>, seconds: number, clock: Clock): number {
  const turns = 1000;
  return (PEAK_OPERATIONS * turns * 1e6) / roundTimes(() => peakLoop(turns), seconds, clock)[0];
}
