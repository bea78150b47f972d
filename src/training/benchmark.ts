/** Measures how fast a backend trains: the whole step, and each layer within it. */
import type { Backend, CreateBackend } from '../backend/backend.js';
import { type Clock, type LayerCall, type TimedLayer, timedBackend } from '../backend/timed.js';
import type { Examples } from '../data/dataset.js';
import { allocateModel } from '../network/arrays.js';
import type { ModelConfig } from '../network/parameters.js';
import { Training } from './training.js';

export interface BenchmarkOptions {
  config: ModelConfig;
  batchSize: number;
  examples: Examples;
  /** Total measuring time. */
  seconds: number;
  clock: Clock;
}

export interface LayerTiming {
  name: string;
  /** Average number of additions, multiplications and divisions per call. */
  operations: number;
  /** Time per call: the median over the rounds. */
  microseconds: number;
}

export interface BackendTiming {
  backend: string;
  /** Time per step (draw a batch, forward, backward, update), without timing its layers: the median over the rounds. */
  microsecondsPerStep: number;
  layers: LayerTiming[];
}

const ROUNDS = 9;

/** Times training with plain gradient descent on a new backend: half of the time the whole step, the other half its layers. */
export function timeBackend(createBackend: CreateBackend, options: BenchmarkOptions): BackendTiming {
  const { clock } = options;
  const seconds = options.seconds / 2;
  const { backend, training } = createTraining(createBackend, options);
  const step = inRounds(
    () => training.advance(),
    seconds,
    clock,
    (steps, milliseconds) => (1000 * milliseconds) / steps,
  );
  return { backend: backend.name, microsecondsPerStep: median(step), layers: timeLayers(createBackend, options, seconds) };
}

function createTraining(createBackend: CreateBackend, { config, batchSize, examples }: BenchmarkOptions) {
  const model = allocateModel(createBackend, config, { training: batchSize });
  const training = new Training(model, examples, { steps: Number.MAX_SAFE_INTEGER, batchSize, learningRate: 0.1, seed: 1 });
  return { backend: model.backend, training };
}

/** Times the layers in real steps. All steps make the same calls in the same order. */
function timeLayers(createBackend: CreateBackend, options: BenchmarkOptions, seconds: number): LayerTiming[] {
  const { clock } = options;
  let sums: LayerCall[] = [];
  let position = 0;
  const onCall = (call: LayerCall) => {
    const sum = sums[position++];
    if (sum) {
      sum.milliseconds += call.milliseconds;
      sum.operations += call.operations;
    } else sums.push(call);
  };
  const { training } = createTraining((size) => timedBackend(createBackend(size), clock, onCall), options);
  const step = () => {
    position = 0;
    training.advance();
  };
  const rounds = inRounds(step, seconds, clock, (steps) => {
    const means = sums.map(({ layer, milliseconds, operations }) => ({
      layer,
      microseconds: (1000 * milliseconds) / steps,
      operations: operations / steps,
    }));
    sums = [];
    return means;
  });
  const calls = rounds[0].map(({ layer }, i) => ({
    layer,
    operations: rounds.reduce((sum, round) => sum + round[i].operations, 0) / ROUNDS,
    microseconds: Math.max(SHORTEST, median(rounds.map((round) => round[i].microseconds))),
  }));
  return namedTimings(calls);
}

/** In microseconds; the clock does not resolve shorter calls. */
const SHORTEST = 0.001;

type CallTiming = Omit<LayerTiming, 'name'> & { layer: TimedLayer };

const PAIRS: readonly { name: string; forward: TimedLayer; backward: TimedLayer }[] = [
  { name: 'embedding', forward: 'embeddingForward', backward: 'embeddingBackward' },
  { name: 'embedding table', forward: 'embeddingTableForward', backward: 'embeddingTableBackward' },
  { name: 'linear', forward: 'linearForward', backward: 'linearBackward' },
  { name: 'batch norm and tanh', forward: 'batchNormTanhForward', backward: 'batchNormTanhBackward' },
  { name: 'tanh', forward: 'tanhForward', backward: 'tanhBackward' },
  { name: 'cross-entropy', forward: 'crossEntropyForward', backward: 'crossEntropyBackward' },
];

/** The calls of one step by name. Each forward call is followed by its backward call; the backward pass makes these in reverse order. */
function namedTimings(calls: readonly CallTiming[]): LayerTiming[] {
  const callsOf = (layer: TimedLayer) => calls.filter((call) => call.layer === layer);
  const named = (name: string, { operations, microseconds }: CallTiming): LayerTiming => ({ name, operations, microseconds });
  // The linear layer of the first block is part of the embedding table.
  const firstLinear = callsOf('embeddingTableForward').length + 1;
  const pairs = calls.flatMap((call) => {
    const pair = PAIRS.find(({ forward }) => forward === call.layer);
    if (!pair) return [];
    const forwards = callsOf(pair.forward);
    const at = forwards.indexOf(call);
    const isOutput = pair.name === 'linear' && at === forwards.length - 1;
    const block = pair.name === 'linear' ? firstLinear + at : at + 1;
    const name = isOutput || (pair.name !== 'linear' && block === 1) ? pair.name : `${pair.name} ${block}`;
    return [named(`${name}, forward`, call), named(`${name}, backward`, callsOf(pair.backward).reverse()[at])];
  });
  return [...pairs, ...callsOf('sgdUpdate').map((call) => named('update', call))];
}

/**
 * Repeats a function in rounds of the same number of calls; all rounds together take about the given time. A warm-up round determines
 * that number.
 * @param summarise receives the number of calls of a round and the milliseconds they took
 */
function inRounds<T>(run: () => void, seconds: number, clock: Clock, summarise: (calls: number, milliseconds: number) => T): T[] {
  const roundMs = (1000 * seconds) / (ROUNDS + 1);
  let calls = 0;
  const warmUpStart = clock();
  do {
    run();
    calls++;
  } while (clock() - warmUpStart < roundMs);
  summarise(calls, clock() - warmUpStart);
  return Array.from({ length: ROUNDS }, () => {
    const start = clock();
    for (let i = 0; i < calls; i++) run();
    return summarise(calls, clock() - start);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Operations of one turn of the kernels' peak loop. */
const PEAK_OPERATIONS = 96;

/** The peak of one core in 128-bit multiplications and additions, in operations per second: the best of nine rounds. */
export function measurePeak(peakLoop: NonNullable<Backend['peakLoop']>, seconds: number, clock: Clock): number {
  const turns = 1000;
  const times = inRounds(
    () => peakLoop(turns),
    seconds,
    clock,
    (calls, milliseconds) => milliseconds / (1000 * calls),
  );
  return (PEAK_OPERATIONS * turns) / Math.min(...times);
}
