import { afterAll, describe, expect, it } from 'vitest';
import type { CreateBackend } from '../../src/backend/backend.js';
import { randomInteger, randomStream } from '../../src/core/random.js';
import {
  activationTensors,
  allocateModel,
  createActivations,
  createTrainingActivations,
  type Model,
  type TrainingActivations,
} from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import type { ModelConfig } from '../../src/network/parameters.js';
import { backward, forward, inferCalls, runCalls } from '../../src/network/passes.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { createThreadedBackend } from '../../src/node/threads.js';
import { OPTIMIZER_TENSORS, type OptimizerConfig, Updater } from '../../src/training/updater.js';
import { setRows } from '../support/backends.js';
import { untilWorking } from '../support/threads.js';

const COUNTS = [2, 3, 4, 7];
const TEAMS = COUNTS.map((threads) => createThreadedBackend({ threads }));
afterAll(() => {
  for (const { close } of TEAMS) close();
});

interface Case {
  config: ModelConfig;
  n: number;
  optimizer?: OptimizerConfig;
  clip?: number;
}

const network = (hidden: number | number[], others: Partial<ModelConfig> = {}): ModelConfig => ({
  context: 3,
  embedding: 10,
  hidden: [hidden].flat(),
  vocabulary: 27,
  ...others,
});

const CASES: Record<string, Case> = {
  "the lesson's network": { config: network(64), n: 32 },
  'H 200': { config: network(200), n: 32 },
  'one unit': { config: network(1), n: 32 },
  '3 units': { config: network(3), n: 9 },
  'fewer units than threads, in three blocks': { config: network([5, 6, 2]), n: 5 },
  'H not a multiple of 4': { config: network(203), n: 33 },
  'two examples': { config: network(64), n: 2 },
  'fewer examples than threads': { config: network([70, 41]), n: 3 },
  'two blocks without batch norm': { config: network([130, 67], { norm: 'none' }), n: 17 },
  'a vocabulary above 2n': { config: network([64, 32], { vocabulary: 101, embedding: 7 }), n: 20 },
  'a vocabulary above 2n, narrow embeddings': { config: network(16, { vocabulary: 75, embedding: 2 }), n: 4 },
  '63 characters': { config: network(40, { vocabulary: 63 }), n: 40 },
  '64 characters': { config: network(40, { vocabulary: 64 }), n: 40 },
  'many characters': { config: network(40, { vocabulary: 130 }), n: 70 },
  'three blocks without batch norm': { config: network([20, 70, 33], { norm: 'none' }), n: 9 },
  'two characters': { config: network(20, { vocabulary: 2, embedding: 1, context: 1 }), n: 8 },
  'two wide blocks': { config: network([512, 96]), n: 24 },
  'a large batch': { config: network([210, 100], { context: 8 }), n: 400 },
  momentum: { config: network(37), n: 16, optimizer: { name: 'momentum', momentum: 0.9 } },
  'Nesterov, clipped': { config: network(37), n: 16, optimizer: { name: 'nesterov', momentum: 0.9 }, clip: 0.1 },
  Adam: { config: network([37, 20]), n: 16, optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } },
  'AdamW, clipped': {
    config: network(200),
    n: 32,
    optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 },
    clip: 0.5,
  },
};

function allocate(create: CreateBackend, { config, n, optimizer = { name: 'sgd' }, clip }: Case) {
  const optimizerTensors = OPTIMIZER_TENSORS[optimizer.name];
  const spare: CreateBackend = (size) => create({ ...size, arrays: size.arrays + 1, entries: size.entries + 1 });
  const model = allocateModel(spare, config, { training: n, optimizerTensors, inference: [n] });
  const training = createTrainingActivations(model, n);
  const inference = createActivations(model, n);
  const updater = new Updater(model, optimizer, clip);
  initialise(model, 5, {});
  return { model, training, inference, updater };
}

type Trained = ReturnType<typeof allocate>;

/** Three steps, then an inference. @returns the bytes of every array after each step */
function train({ model, training, inference, updater }: Trained, check = () => {}): Uint8Array[] {
  const random = randomStream('batches', 3);
  const bytes: Uint8Array[] = [];
  for (let step = 0; step < 3; step++) {
    fill(training, model.config, random);
    const loss = forward(model, training);
    backward(model, training);
    check();
    bytes.push(
      bytesOf(Float64Array.of(loss)),
      bytesOf(model.flatGradients),
      ...Object.values(activationTensors(model, training)).map(({ data }) => bytesOf(data)),
    );
    updater.update(0.1);
    bytes.push(bytesOf(model.flatParameters), ...Object.values(updater.tensors).map(bytesOf));
  }
  inference.Xb.set(training.Xb);
  runCalls(inferCalls(model, inference, training.n));
  moments(model, training);
  const inferred = inference.blocks.flatMap(({ hprebn, h }, k) =>
    [hprebn, h].map((x) => model.backend.rowsOf(x, training.n, model.blocks[k].H)),
  );
  return [...bytes, ...[...inferred, inference.logits, ...Object.values(model.statistics)].map(bytesOf)];
}

/** Mean and squares of the columns of the last hprebn, in the statistics of its block. */
function moments({ backend, blocks }: Model, { n, blocks: activations }: TrainingActivations): void {
  const last = blocks[blocks.length - 1];
  if (last.norm === 'batch') backend.columnMoments(last.bnmean, last.bnvar, activations[blocks.length - 1].hprebn, n, last.H);
}

function fill({ Xb, Yb }: TrainingActivations, { vocabulary }: ModelConfig, random: ReturnType<typeof randomStream>): void {
  for (const array of [Xb, Yb]) for (let i = 0; i < array.length; i++) array[i] = randomInteger(random, vocabulary);
}

function bytesOf(array: Float32Array | Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(array.slice().buffer);
}

describe('a step on several threads', () => {
  for (const [name, given] of Object.entries(CASES)) {
    it(`has the bytes of one thread: ${name}`, async () => {
      const expected = train(allocate(createWasmBackend, given));
      for (const { createBackend, threads } of TEAMS) {
        const trained = allocate(createBackend, given);
        const { backend } = trained.model;
        await untilWorking(backend, threads);
        const found = train(trained, () => expect(backend.threads?.working).toBe(threads));
        found.forEach((bytes, i) => {
          expect(Buffer.compare(bytes, expected[i]), `array ${i} with ${threads} threads`).toBe(0);
        });
        expect(found).toHaveLength(expected.length);
      }
    });
  }
});

it('adds to the same sums in turn, however often, and while the number of threads changes', async () => {
  const [n, I, O] = [9, 70, 5];
  for (const { createBackend, threads } of TEAMS) {
    const backend = createBackend({ arrays: 6, entries: 3_000, workspace: 16 });
    await untilWorking(backend, threads);
    const panels = backend.matrix(n, O);
    const [out, x, W, b] = [backend.floats(n * O), backend.matrix(n, I), backend.floats(I * O).fill(1), backend.floats(O)];
    setRows(
      backend,
      x,
      n,
      I,
      Array.from({ length: n * I }, (_, i) => Math.floor(i / I)),
    );
    const expectSums = (call: number) => {
      b.fill(call);
      backend.linearForward(out, x, W, b, n, I, O);
      const wrong = out.findIndex((sum, at) => sum !== call + I * Math.floor(at / O));
      if (wrong !== -1) expect(`entry ${wrong} of call ${call} with ${threads} threads: ${out[wrong]}`).toBeUndefined();
    };
    // The counts of the sums begin anew after 4,096 calls: one of 3,000 calls ago seems to be ahead.
    for (let call = 0; call < 10_000; call++) {
      if (call % 3_050 === 0) backend.threads?.use(1);
      else if (call % 3_050 > 3_000) backend.threads?.use(Math.max(2, threads - (call % 3)));
      expectSums(call);
    }
    backend.threads?.use(threads);
    for (let round = 0; round < 20; round++) {
      // Shared by columns, so no sums are computed in turn.
      for (let call = 0; call < 150 * round; call++) backend.linearForward(panels, x, W, b, n, I, O);
      expectSums(round);
    }
  }
});

it('looks for numbers that are not finite in the part of every thread', async () => {
  const [n, N] = [9, 40];
  for (const { createBackend, threads } of TEAMS) {
    const backend = createBackend({ arrays: 3, entries: 2_000, workspace: 16 });
    await untilWorking(backend, threads);
    for (const array of [backend.floats(n * N), backend.matrix(n, N)]) {
      expect(backend.areFinite(array, n, N)).toBe(true);
      for (let at = 0; at < n * N; at++) {
        setRows(
          backend,
          array,
          n,
          N,
          Array.from({ length: n * N }, (_, i) => (i === at ? Number.POSITIVE_INFINITY : i)),
        );
        expect(backend.areFinite(array, n, N), `entry ${at} with ${threads} threads`).toBe(false);
      }
      setRows(backend, array, n, N, new Float32Array(n * N));
      expect(backend.areFinite(array, n, N)).toBe(true);
    }
  }
});
