import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createDataset, createExamples } from '../../src/data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../src/evaluation/evaluator.js';
import { allocateModel, type Model } from '../../src/network/arrays.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { readMetrics } from '../../src/node/metricsFile.js';
import { runBytes, Session } from '../../src/node/session.js';
import { restoreModel } from '../../src/run/checkpoint.js';
import type { MetricsRecord } from '../../src/run/records.js';
import { modelConfig, type RunConfig, trainingWork } from '../../src/training/runConfig.js';
import { NAMES } from '../support/fakeIO.js';
import { OPTIMIZER_CONFIGS, RECIPES } from '../support/recipes.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

/** The rate falls after step 12. */
const CONFIG: RunConfig = {
  context: 3,
  embedding: 4,
  hidden: [8],
  batchSize: 32,
  steps: 24,
  learningRate: 0.1,
  optimizer: { name: 'sgd' },
  schedule: { name: 'step', switchStep: 12 },
  warmup: 0,
  sampling: 'replacement',
  evalEvery: 5,
  seed: 7,
  splitSeed: 42,
  unique: false,
};
const SAVE_EVERY = 7;
const DATASET = createDataset(NAMES, CONFIG);
const INFERENCE = [EVALUATION_BATCH];

function open(
  directory: string,
  config: RunConfig,
  model: Model,
  from?: ReturnType<typeof loadCheckpoint>,
  saveEvery = SAVE_EVERY,
): Session {
  const about = { dataset: DATASET, dataSha256: '0'.repeat(64), program: 'test', saveEvery };
  return new Session({ directory, config, model, ...about, ...(from ? { from } : {}) });
}

function begin(directory: string, config = CONFIG, saveEvery?: number): Session {
  const shape = modelConfig(config, DATASET.vocabulary);
  return open(directory, config, allocateModel(createWasmBackend, shape, trainingWork(config, INFERENCE)), undefined, saveEvery);
}

function goOn(directory: string, saveEvery?: number): Session {
  const from = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
  const model = restoreModel(from, createWasmBackend, trainingWork(from.config, INFERENCE));
  return open(directory, from.config, model, from, saveEvery);
}

/** Trains until so many steps are done. */
function advanceTo(session: Session, step: number): Session {
  while (session.step < step) session.advance();
  return session;
}

function finish(session: Session): void {
  while (!session.done) session.advance();
  session.close();
}

/** The files of a run that never stopped. */
let wholeRun: Record<string, string>;

beforeAll(() => {
  const directory = makeDirectory();
  finish(begin(directory));
  wholeRun = snapshot(directory);
  removeDirectory(directory);
});

const STEPS = Array.from({ length: CONFIG.steps + 1 }, (_, step) => step);

function metricsOf(directory: string): MetricsRecord[] {
  return readMetrics(join(directory, 'metrics.jsonl')).records;
}

/** What stands in metrics.jsonl, by steps. */
function schedule(directory: string): string[] {
  return metricsOf(directory).map((record) => {
    const kind = 'loss' in record ? 'loss' : 'valLoss' in record ? 'evaluation' : 'hashes';
    return `${record.step} ${kind}`;
  });
}

describe('a run that is killed', () => {
  it.each(STEPS)('after step %i, and goes on from its last save, ends with the same bytes as one that never stopped', (step) => {
    const directory = tempDirectory();
    // Not closed, not saved: what a killed process leaves.
    const killed = advanceTo(begin(directory), step);
    const saved = step === CONFIG.steps ? step : step - (step % SAVE_EVERY);
    expect(killed.savedAt).toBe(saved);
    const second = goOn(directory);
    expect(second.step).toBe(saved);
    finish(second);
    killed.close();
    expect(snapshot(directory)).toEqual(wholeRun);
  });

  it('again and again, with other steps between its saves each time, ends with the same bytes', () => {
    const directory = tempDirectory();
    advanceTo(begin(directory, CONFIG, 4), 6).close();
    for (const [saveEvery, step] of [
      [3, 8],
      [1, 9],
      [100, 13],
      [5, 17],
    ] as const) {
      advanceTo(goOn(directory, saveEvery), step).close();
    }
    finish(goOn(directory));
    expect(snapshot(directory)).toEqual(wholeRun);
  });

  it('between an evaluation and the save after it makes that evaluation again, once', () => {
    const directory = tempDirectory();
    advanceTo(begin(directory), 6).close();
    expect(schedule(directory)).toEqual(['0 hashes', '5 evaluation']);
    const session = goOn(directory);
    expect(schedule(directory)).toEqual(['0 hashes']);
    advanceTo(session, 6).close();
    expect(schedule(directory)).toEqual(['0 hashes', '5 evaluation']);
  });
});

describe.each(RECIPES)('a run by $name', ({ recipe }) => {
  // 32 of some 330 examples: the epoch ends within a batch.
  const config: RunConfig = { ...CONFIG, ...recipe, learningRate: 0.02 };
  let whole: Record<string, string>;

  beforeAll(() => {
    const directory = makeDirectory();
    finish(begin(directory, config));
    whole = snapshot(directory);
    removeDirectory(directory);
  });

  it('killed after any step ends with the same bytes as one that never stopped', () => {
    for (const step of STEPS) {
      const directory = tempDirectory();
      const killed = advanceTo(begin(directory, config), step);
      finish(goOn(directory));
      killed.close();
      expect(snapshot(directory), `${step}`).toEqual(whole);
    }
  });

  it('stopped and saved after every step ends with the same bytes', () => {
    const directory = tempDirectory();
    begin(directory, config).close();
    for (const step of STEPS) {
      const session = advanceTo(goOn(directory, 10_000), step);
      session.save();
      session.close();
    }
    expect(snapshot(directory)).toEqual(whole);
  });
});

describe('a run of a thousand steps', () => {
  const LONG: RunConfig = { ...CONFIG, steps: 1050, schedule: { name: 'step', switchStep: 525 }, evalEvery: 200 };
  let whole: string;

  beforeAll(() => {
    whole = makeDirectory();
    finish(begin(whole, LONG, 300));
    return () => removeDirectory(whole);
  });

  it('records losses every 100 steps, hashes every 1000, evaluations as configured, and all of them at its end', () => {
    const losses = (from: number, to: number) => Array.from({ length: (to - from) / 100 + 1 }, (_, i) => `${from + 100 * i} loss`);
    const expected = [
      '0 hashes',
      ...losses(100, 200),
      '200 evaluation',
      ...losses(300, 400),
      '400 evaluation',
      ...losses(500, 600),
      '600 evaluation',
      ...losses(700, 800),
      '800 evaluation',
      ...losses(900, 1000),
      '1000 hashes',
      '1000 evaluation',
      '1050 loss',
      '1050 hashes',
      '1050 evaluation',
    ];
    expect(schedule(whole)).toEqual(expected);
  });

  it('stopped and saved on, before and behind the steps that are recorded, ends with the same bytes', () => {
    const directory = tempDirectory();
    begin(directory, LONG).close();
    for (const step of [99, 100, 101, 200, 524, 525, 526, 999, 1000, 1001, 1049]) {
      const session = advanceTo(goOn(directory, 10_000), step);
      session.save();
      session.close();
    }
    finish(goOn(directory));
    expect(snapshot(directory)).toEqual(snapshot(whole));
  });

  it('killed behind the steps that are recorded ends with the same bytes', () => {
    const directory = tempDirectory();
    advanceTo(begin(directory, LONG, 90), 201).close();
    for (const step of [401, 1001, 1049]) advanceTo(goOn(directory, 90), step).close();
    finish(goOn(directory));
    expect(snapshot(directory)).toEqual(snapshot(whole));
  });

  it('a stopped one goes on with the same smoothed loss', () => {
    const directory = tempDirectory();
    const first = advanceTo(begin(directory, LONG), 130);
    first.save();
    first.close();
    const second = goOn(directory);
    expect(second.smoothedLoss).toBe(first.smoothedLoss);
    second.close();
  });

  it('takes no more room on the disk than runBytes says, with three checkpoints at a time', () => {
    expect(roomNeeded(whole)).toBeLessThanOrEqual(runBytes(modelConfig(LONG, DATASET.vocabulary), LONG));
  });
});

/** Bytes of a finished run's files, and of a checkpoint that is being written beside them. */
function roomNeeded(directory: string): number {
  const size = (name: string) => statSync(join(directory, name)).size;
  return readdirSync(directory).reduce((sum, name) => sum + size(name), 0) + size('checkpoint.safetensors');
}

describe('runBytes', () => {
  it.each([
    ['many hidden units', { hidden: [4000], embedding: 1, context: 1 }],
    ['many blocks', { hidden: Array(16).fill(3), steps: 5000, evalEvery: 5000 }],
    ['an evaluation after every step', { evalEvery: 1, steps: 300 }],
    ['an optimizer that keeps two tensors', { hidden: [1000], optimizer: OPTIMIZER_CONFIGS.adamw }],
  ])('is enough for %s', (_, some) => {
    const directory = tempDirectory();
    const config = { ...CONFIG, steps: 2, ...some };
    finish(begin(directory, config));
    expect(roomNeeded(directory)).toBeLessThanOrEqual(runBytes(modelConfig(config, DATASET.vocabulary), config));
  });
});

describe('a new run', () => {
  it('has a checkpoint of step 0 before its first step, and no best one', () => {
    const directory = tempDirectory();
    const session = begin(directory);
    session.close();
    expect(readdirSync(directory).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl']);
    const { state, best } = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
    expect([state.step, session.savedAt, best]).toEqual([0, 0, null]);
    expect(schedule(directory)).toEqual(['0 hashes']);
  });

  it('leaves nothing of an older one in its directory: metrics, best checkpoint, leftovers of killed writers', () => {
    const directory = tempDirectory();
    finish(begin(directory, { ...CONFIG, seed: 1 }));
    put(directory, '.123.tmp', 'half a checkpo');
    put(directory, '.123.stale.tmp', 'a lock');
    put(directory, 'notes.txt', 'mine');
    begin(directory).close();
    expect(readdirSync(directory).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl', 'notes.txt']);
    expect(schedule(directory)).toEqual(['0 hashes']);
  });

  it('saves every so many steps and at the end', () => {
    const session = begin(tempDirectory());
    const saves = new Set([session.savedAt]);
    while (!session.done) {
      session.advance();
      saves.add(session.savedAt);
    }
    session.close();
    expect([...saves]).toEqual([0, 7, 14, 21, 24]);
  });
});

describe('every checkpoint and evaluation', () => {
  /** What the parameters of a checkpoint give when the statistics are computed anew. */
  function anew(path: string): { bnmean: FloatArray; bnvar: FloatArray; valLoss: number } {
    const model = restoreModel(loadCheckpoint(path), createWasmBackend, { inference: INFERENCE });
    const examples = (names: readonly string[]) => createExamples(names, DATASET.vocabulary, CONFIG.context);
    model.statistics.bnmean.fill(Number.NaN);
    const evaluator = new Evaluator(model);
    evaluator.calibrate(examples(DATASET.parts.train));
    return { ...model.statistics, valLoss: evaluator.loss(examples(DATASET.parts.val)) };
  }

  it('is of the statistics of its own step', () => {
    const directory = tempDirectory();
    const path = join(directory, 'checkpoint.safetensors');
    let session = begin(directory, CONFIG, 1);
    let evaluations = 0;
    for (let step = 0; step <= CONFIG.steps; step++) {
      if (step === 12) {
        session.close();
        session = goOn(directory, 1);
      }
      advanceTo(session, step);
      const { bnmean, bnvar, valLoss } = anew(path);
      const { tensors } = loadCheckpoint(path);
      expect([tensors.get('bnmean'), tensors.get('bnvar')], `${step}`).toEqual([bnmean, bnvar]);
      const evaluation = metricsOf(directory).find((record) => record.step === step && 'valLoss' in record);
      if (evaluation) {
        expect(evaluation).toEqual({ step, valLoss });
        evaluations++;
      }
    }
    session.close();
    expect(evaluations).toBe(5);
  });
});

describe('a run whose optimizer has met an overflow', () => {
  it('is not saved: what the optimizer keeps is named, and the checkpoint before stays', () => {
    const directory = tempDirectory();
    const config: RunConfig = { ...CONFIG, optimizer: OPTIMIZER_CONFIGS.adam, learningRate: 0.001 };
    const shape = modelConfig(config, DATASET.vocabulary);
    const model = allocateModel(createWasmBackend, shape, trainingWork(config, INFERENCE));
    const { backend } = model;
    const session = open(directory, config, model);
    const { adamUpdate } = backend;
    backend.adamUpdate = (p, m, v, dp, ...rest) => {
      if (session.step === 9) model.gradients.W1[0] = 1e30;
      adamUpdate(p, m, v, dp, ...rest);
    };
    expect(() => finish(session)).toThrow(/^step 10: v of W1\[0, 0\] is Infinity, set by an earlier update; /);
    expect(loadCheckpoint(join(directory, 'checkpoint.safetensors')).state.step).toBe(7);
    session.close();
  });
});

describe('the best checkpoint', () => {
  it('is that of the first smallest evaluation, at every step of the run', () => {
    const directory = tempDirectory();
    // A rate at which the loss goes up and down.
    const session = begin(directory, { ...CONFIG, learningRate: 5, evalEvery: 1, steps: 60, schedule: { name: 'step', switchStep: 30 } });
    const improvements = new Set<number>();
    while (!session.done) {
      session.advance();
      const evaluations = metricsOf(directory).filter((record) => 'valLoss' in record);
      const smallest = evaluations.reduce((best, record) => (record.valLoss < best.valLoss ? record : best));
      improvements.add(smallest.step);
      expect(session.best).toEqual(smallest);
      const { state, best } = loadCheckpoint(join(directory, 'best.safetensors'));
      expect({ step: state.step, best }).toEqual({ step: smallest.step, best: smallest });
    }
    session.close();
    expect(improvements.size).toBeGreaterThan(5);
    expect(improvements.size).toBeLessThan(55);
  });

  it('is the first of equal ones', () => {
    const directory = tempDirectory();
    // Too small a rate for any parameter to move.
    const session = begin(directory, { ...CONFIG, learningRate: 1e-30 });
    finish(session);
    expect(new Set(metricsOf(directory).flatMap((record) => ('valLoss' in record ? record.valLoss : []))).size).toBe(1);
    expect(session.best?.step).toBe(5);
    expect(loadCheckpoint(join(directory, 'best.safetensors')).state.step).toBe(5);
  });

  it('holds parameters and statistics that give its loss to the last bit', () => {
    const directory = tempDirectory();
    // With this seed, the loss is smallest before the end.
    finish(begin(directory, { ...CONFIG, seed: 2147483647, learningRate: 5, steps: 60, schedule: { name: 'step', switchStep: 30 } }));
    const checkpoint = loadCheckpoint(join(directory, 'best.safetensors'));
    expect(checkpoint.state.step).toBeLessThan(60);
    const model = restoreModel(checkpoint, createWasmBackend, { inference: INFERENCE });
    const validation = createExamples(DATASET.parts.val, DATASET.vocabulary, CONFIG.context);
    expect(new Evaluator(model).loss(validation)).toBe(checkpoint.best?.valLoss);
  });

  it('that stands when a run goes on before its first evaluation is of a later step, and is removed', () => {
    const directory = tempDirectory();
    advanceTo(begin(directory), 6).close();
    expect(readdirSync(directory)).toContain('best.safetensors');
    goOn(directory).close();
    expect(readdirSync(directory)).not.toContain('best.safetensors');
  });

  it('that is ahead of the checkpoint, because the run was killed before its save, is written again when the run gets there', () => {
    const directory = tempDirectory();
    advanceTo(begin(directory), 11).close();
    const session = advanceTo(goOn(directory), 9);
    session.save();
    session.close();
    const { best } = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
    expect(best?.step).toBe(5);
    finish(goOn(directory));
    expect(snapshot(directory)).toEqual(wholeRun);
  });
});

describe('metrics.jsonl', () => {
  it('is made anew by a run that goes on without it, from there on', () => {
    const directory = tempDirectory();
    const first = advanceTo(begin(directory), 8);
    first.save();
    first.close();
    put(directory, 'metrics.jsonl', '');
    finish(goOn(directory));
    expect(schedule(directory)).toEqual(['10 evaluation', '15 evaluation', '20 evaluation', '24 loss', '24 hashes', '24 evaluation']);
    const { 'metrics.jsonl': _, ...others } = snapshot(directory);
    expect(wholeRun).toMatchObject(others);
  });

  it('loses lines that are no whole records, wherever they stand, and their numbers are known', () => {
    const directory = tempDirectory();
    const first = advanceTo(begin(directory), 11);
    first.save();
    first.close();
    const [hashes, evaluation, second] = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').split('\n');
    put(directory, 'metrics.jsonl', [hashes, '{"step":3}', evaluation, '\0\0\0', second, '{"step":11,"valLo'].join('\n'));
    const session = goOn(directory);
    expect(session.droppedLines).toEqual([2, 4, 6]);
    finish(session);
    expect(snapshot(directory)).toEqual(wholeRun);
  });
});

describe('a directory that goes away', () => {
  it('stops the run with a system error at its next save', () => {
    const directory = makeDirectory();
    const session = advanceTo(begin(directory), 3);
    removeDirectory(directory);
    expect(() => finish(session)).toThrow(SystemError);
    expect(session.savedAt).toBe(0);
    session.close();
  });
});
